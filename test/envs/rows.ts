import { expect } from '@jest/globals'
import { createArena } from '../../src/core/arena.ts'
import { f32, f64, u8 } from '../../src/core/layout.ts'
import { compileCore } from '../../src/core/module.ts'
import { Purpose, splitSeed } from '../../src/core/random.ts'
import type { EnvironmentSpec } from '../../src/envs/contract.ts'
import { choicesOf, sizeOf } from '../../src/envs/spaces.ts'

/** Elements behind each array that belong to nobody. */
const GUARD = 8

/** Rows of a task of the core, stepped together: what its ops read and write, in typed arrays. */
export async function coreRows(spec: EnvironmentSpec, rows: number) {
  const { observationSpace, actionSpace } = spec
  const { kind, stateSize, constants } = spec.core as NonNullable<EnvironmentSpec['core']>
  const values = Object.values(constants)
  const actions = sizeOf(actionSpace)
  const sizes = {
    state: rows * stateSize,
    constants: values.length,
    observation: rows * sizeOf(observationSpace),
    action: rows * actions,
    reward: rows,
    terminated: rows,
  }
  const {
    ops,
    at,
    view: whole,
  } = await createArena(await compileCore(), {
    first: f64(GUARD),
    state: f64(sizes.state + GUARD),
    constants: f64(sizes.constants + GUARD),
    observation: f32(sizes.observation + GUARD),
    action: f32(sizes.action + GUARD),
    reward: f64(sizes.reward + GUARD),
    terminated: u8(sizes.terminated + GUARD),
  })
  const view = {
    state: whole.state.subarray(0, sizes.state),
    constants: whole.constants.subarray(0, sizes.constants),
    observation: whole.observation.subarray(0, sizes.observation),
    action: whole.action.subarray(0, sizes.action),
    reward: whole.reward.subarray(0, sizes.reward),
    terminated: whole.terminated.subarray(0, sizes.terminated),
  }
  view.constants.set(values)
  const names = Object.keys(sizes) as (keyof typeof sizes)[]
  const guards = [whole.first, ...names.map((name) => whole[name].subarray(sizes[name]))]

  return {
    view,
    constants,
    guards,
    /** Starts row r from seed + r. */
    reset(seed: number) {
      for (let r = 0; r < rows; r++) this.resetRow(r, seed + r)
    },
    resetRow(r: number, seed: number) {
      const { lo, hi } = splitSeed(seed)
      ops.resetEnvironment(kind, at.state + r * stateSize * 8, at.constants, lo, hi)
    },
    step(count = rows) {
      ops.stepEnvironment(kind, at.state, at.constants, at.action, at.reward, at.terminated, count)
    },
    observe(count = rows) {
      ops.observeEnvironment(kind, at.observation, at.state, at.constants, count)
    },
    stateOf: (r: number) => [...view.state.subarray(r * stateSize, (r + 1) * stateSize)],
    /** Actions uniform in the space, within ± 1 where it has no bound; the same for the same time. */
    act(time: number) {
      ops.fillUniform(at.action, sizes.action, 9, 0, Purpose.user, 0, 0, time)
      view.action.forEach((u, k) => {
        if (actionSpace.kind !== 'box') view.action[k] = Math.floor(u * choicesOf(actionSpace)[k % actions])
        else {
          const [low, high] = [actionSpace.low[k % actions], actionSpace.high[k % actions]]
          view.action[k] = Number.isFinite(high - low) ? low + u * (high - low) : 2 * u - 1
        }
      })
    },
    /** Length of a state row as the core has it. */
    stateSize: () => ops.stateSize(kind),
  }
}

/**
 * Steps 1 to 9 rows of a task together, from the states that `place` leaves `many` in, and each of them alone: the same
 * bits, and rows behind them untouched.
 */
export async function expectRowsAlone(
  spec: EnvironmentSpec,
  rounds: number,
  place: (many: Awaited<ReturnType<typeof coreRows>>, count: number, round: number) => void,
) {
  const [many, one] = [await coreRows(spec, 9), await coreRows(spec, 1)]
  const states = many.stateSize()
  const actions = sizeOf(spec.actionSpace)
  for (let count = 1; count <= 9; count++) {
    for (let round = 0; round < rounds; round++) {
      place(many, count, round)
      const before = Float64Array.from(many.view.state)
      many.step(count)
      for (let r = 0; r < count; r++) {
        one.view.state.set(before.subarray(states * r, states * (r + 1)))
        one.view.action.set(many.view.action.subarray(actions * r, actions * (r + 1)))
        one.step()
        expect(many.stateOf(r)).toEqual(one.stateOf(0))
        expect(many.view.reward[r]).toBe(one.view.reward[0])
        expect(many.view.terminated[r]).toBe(one.view.terminated[0])
      }
      expect(many.view.state.subarray(states * count)).toEqual(before.subarray(states * count))
    }
  }
}

/** Kolmogorov and Smirnov's distance of a sample from a distribution, times √n: above 1.95 once in a thousand times. */
export function kolmogorov(sample: readonly number[], cdf: (value: number) => number): number {
  const sorted = [...sample].sort((a, b) => a - b)
  const n = sorted.length
  const gaps = sorted.map((value, i) => Math.max((i + 1) / n - cdf(value), cdf(value) - i / n))
  return Math.sqrt(n) * Math.max(...gaps)
}
