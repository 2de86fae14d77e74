import { describe, expect, test } from '@jest/globals'
import { createArena } from '../../src/core/arena.ts'
import { f32, f64, u8 } from '../../src/core/layout.ts'
import { compileCore } from '../../src/core/module.ts'
import type { EnvironmentSpec } from '../../src/envs/contract.ts'
import { environments } from '../../src/envs/registry.ts'
import { sizeOf } from '../../src/envs/spaces.ts'

const ROWS = 33
const GUARD = 8

/** mulberry32 in [0, 1). */
function uniforms(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

async function arenaFor(spec: EnvironmentSpec) {
  const core = spec.core ?? { kind: 0, stateSize: 0, constants: {} }
  const S = core.stateSize
  const O = sizeOf(spec.observationSpace)
  const A = sizeOf(spec.actionSpace)
  const values = Object.values(core.constants)
  const arena = await createArena(await compileCore(), {
    constants: f64(values.length),
    state: f64(ROWS + GUARD, S),
    action: f32(ROWS + GUARD, A),
    reward: f64(ROWS + GUARD),
    terminated: u8(ROWS + GUARD),
    observation: f32(ROWS + GUARD, O),
  })
  arena.view.constants.set(values)
  const { ops, at, view } = arena
  const { kind } = core
  return {
    S,
    O,
    A,
    view,
    /** Steps and observes `rows` rows, the first of which is row `first`; returns the bytes of all that was written. */
    run(first: number, rows: number): string {
      const place = (field: 'state' | 'action' | 'reward' | 'terminated' | 'observation', bytes: number) =>
        at[field] + first * bytes
      const state = place('state', 8 * S)
      const reward = place('reward', 8)
      ops.stepEnvironment(kind, state, at.constants, place('action', 4 * A), reward, place('terminated', 1), rows)
      ops.observeEnvironment(kind, place('observation', 4 * O), state, at.constants, rows)
      return JSON.stringify(Array.from({ length: rows }, (_, k) => bytesOf(first + k)))
    },
    bytesOf,
  }

  function bytesOf(row: number): string {
    const parts = [
      view.state.slice(row * S, (row + 1) * S),
      view.reward.slice(row, row + 1),
      view.terminated.slice(row, row + 1),
      view.observation.slice(row * O, (row + 1) * O),
    ]
    return parts.map((part) => Buffer.from(part.buffer).toString('hex')).join(' ')
  }
}

/** States near and far, and some that are not numbers, so that rows of a pair take different ways. */
function states(rows: number, S: number, seed: number): number[] {
  const next = uniforms(seed)
  const values = Array.from({ length: rows * S }, () => (2 * next() - 1) * [0.1, 1, 4, 30][Math.floor(4 * next())])
  for (let row = 3; row < rows; row += 8) values[row * S] = [2e6, 1e15, Infinity, Number.NaN][(row >> 3) % 4]
  for (let row = 5; row < rows; row += 8)
    values[row * S + (S >> 1)] = [-2e6, 1e9, -0, 0.7853981633974484][(row >> 3) % 4]
  return values
}

const tasks = Object.values(environments).filter(({ core }) => core)

describe.each(tasks)('$id', (spec) => {
  test("a row's bits do not depend on its place, its neighbours or the number of rows", async () => {
    const arena = await arenaFor(spec)
    const { S, A, view } = arena
    const next = uniforms(7)
    const actions = Array.from({ length: ROWS * A }, () =>
      spec.actionSpace.kind === 'discrete' ? Math.floor(next() * spec.actionSpace.n) : 6 * next() - 3,
    )
    const start = states(ROWS, S, 1)
    const fill = () => {
      view.state.set(start)
      view.action.set(actions)
    }
    fill()
    arena.run(0, ROWS)
    const whole = Array.from({ length: ROWS }, (_, row) => arena.bytesOf(row))
    // Tasks in a box clip some of these states to the same corner.
    expect(new Set(whole).size).toBeGreaterThan(ROWS / 3)
    for (let row = 0; row < ROWS; row++) {
      fill()
      expect(arena.run(row, 1)).toBe(JSON.stringify([whole[row]]))
    }
    for (const [first, rows] of [
      [1, 2],
      [1, 31],
      [2, 7],
      [0, 32],
    ]) {
      fill()
      expect(arena.run(first, rows)).toBe(JSON.stringify(whole.slice(first, first + rows)))
    }
  })

  test('nothing is written beyond the rows', async () => {
    const { view, run, S, O } = await arenaFor(spec)
    for (const rows of [0, 1, 2, 5, ROWS]) {
      view.state.fill(0.5)
      view.reward.fill(77)
      view.terminated.fill(77)
      view.observation.fill(77)
      run(0, rows)
      expect(view.state.subarray(rows * S).every((value) => value === 0.5)).toBe(true)
      expect(view.reward.subarray(rows).every((value) => value === 77)).toBe(true)
      expect(view.terminated.subarray(rows).every((value) => value === 77)).toBe(true)
      expect(view.observation.subarray(rows * O).every((value) => value === 77)).toBe(true)
    }
  })
})
