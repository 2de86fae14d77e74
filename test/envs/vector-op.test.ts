import { describe, expect, test } from '@jest/globals'
import { createArena } from '../../src/core/arena.ts'
import { u32 } from '../../src/core/layout.ts'
import { compileCore } from '../../src/core/module.ts'
import { joinSeed, Purpose, splitSeed } from '../../src/core/random.ts'
import { make } from '../../src/envs/make.ts'
import { environmentSpec } from '../../src/envs/registry.ts'
import { type ActionSpace, sizeOf } from '../../src/envs/spaces.ts'
import { type AutoresetMode, vectorFields, writeVector } from '../../src/envs/vector-fields.ts'

const SEED = 2 ** 40 + 5
const ROWS = 37

async function vectorOf(id: string, autoreset: AutoresetMode, maxEpisodeSteps?: number) {
  const base = environmentSpec(id)
  const spec = { ...base, maxEpisodeSteps: maxEpisodeSteps ?? base.maxEpisodeSteps }
  const arena = await createArena(await compileCore(), { ...vectorFields(spec, ROWS), seedWords: u32(2) })
  const { ops, at, view } = arena
  const seed = splitSeed(SEED)
  writeVector(arena, spec, { rows: ROWS, autoreset, seed })
  return {
    ...arena,
    spec,
    O: sizeOf(spec.observationSpace),
    /** The seed of an episode of a row, in the terms of the rollout. */
    seedOf(row: number, episode: number): number {
      ops.deriveSeed(at.seedWords, seed.lo, seed.hi, Purpose.episode, 0, row, episode)
      return joinSeed(view.seedWords)
    },
  }
}

/** Seeded actions in a space, which visit all of it. */
function actionAt(space: ActionSpace, row: number, t: number): number {
  const x = (Math.imul(row * 7919 + t * 104729 + 13, 2654435761) >>> 0) / 2 ** 32
  return space.kind === 'discrete' ? Math.floor(space.n * x) : Math.fround(6 * x - 3)
}

interface Running {
  env: Awaited<ReturnType<typeof make>>
  obs: number[]
  episode: number
  elapsed: number
  sum: number
  ended: boolean
}

/** What a vector must do, from single environments that the caller steps and resets one by one. */
async function reference(
  id: string,
  limit: number,
  mode: AutoresetMode,
  seedOf: (row: number, episode: number) => number,
) {
  const rows: Running[] = []
  for (let row = 0; row < ROWS; row++) {
    const env = await make(id)
    rows.push({ env, obs: [...env.reset({ seed: seedOf(row, 0) }).obs], episode: 0, elapsed: 0, sum: 0, ended: false })
  }
  const restart = (running: Running, row: number) => {
    running.episode++
    running.elapsed = 0
    running.sum = 0
    running.ended = false
    running.obs = [...running.env.reset({ seed: seedOf(row, running.episode) }).obs]
  }
  return {
    rows,
    step(row: number, action: number) {
      const running = rows[row]
      if (mode === 'next-step' && running.ended) {
        restart(running, row)
        return { reward: 0, terminated: false, truncated: false, final: null }
      }
      const { obs, reward, terminated } = running.env.step(
        running.env.spec.actionSpace.kind === 'box' ? [action] : action,
      )
      running.obs = [...obs]
      running.elapsed++
      running.sum += reward
      const truncated = running.elapsed >= limit
      const over = terminated || truncated
      const final = over ? { obs: running.obs, elapsed: running.elapsed, sum: running.sum } : null
      if (over && mode === 'same-step') restart(running, row)
      else running.ended ||= over
      return { reward, terminated, truncated, final }
    },
  }
}

// A limit below the natural length for some rows, so that both kinds of end and both at once occur.
const cases = (['next-step', 'same-step'] as const).flatMap((mode) => [
  { id: 'CartPole-v1', mode, limit: 23 },
  { id: 'Pendulum-v1', mode, limit: 17 },
  { id: 'FrozenLake-v1', mode, limit: 9 },
  { id: 'Taxi-v4', mode, limit: 14 },
  { id: 'Blackjack-v1', mode, limit: 3 },
])

describe.each(cases)('$id, $mode', ({ id, mode, limit }) => {
  test('every row is a single environment that is reset as the mode says', async () => {
    const { ops, at, view, spec, O, seedOf } = await vectorOf(id, mode, limit)
    const expected = await reference(id, limit, mode, seedOf)
    ops.resetVector(at.vector, 0)
    const shown = (row: number) => [...view.observation.subarray(row * O, (row + 1) * O)]
    for (let row = 0; row < ROWS; row++) expect(shown(row)).toEqual(expected.rows[row].obs)
    let ends = 0
    for (let t = 0; t < 120; t++) {
      const actions = Array.from({ length: ROWS }, (_, row) => actionAt(spec.actionSpace, row, t))
      view.action.set(actions)
      ops.stepVector(at.vector)
      for (let row = 0; row < ROWS; row++) {
        const { reward, terminated, truncated, final } = expected.step(row, actions[row])
        const { obs, episode, elapsed, sum } = expected.rows[row]
        const found = [view.reward[row], view.terminated[row], view.truncated[row], view.episode[row]]
        expect([shown(row), ...found, view.elapsed[row], view.episodeReturn[row]]).toEqual([
          obs,
          reward,
          Number(terminated),
          Number(truncated),
          episode,
          elapsed,
          sum,
        ])
        if (!final) continue
        ends++
        expect([view.finalElapsed[row], view.finalReturn[row]]).toEqual([final.elapsed, final.sum])
        if (mode === 'same-step') expect([...view.finalObservation.subarray(row * O, (row + 1) * O)]).toEqual(final.obs)
      }
    }
    expect(ends).toBeGreaterThan(2 * ROWS)
  })
})

describe.each(['CartPole-v1', 'Pendulum-v1'])('%s, disabled', (id) => {
  test('an ended row goes on until it is reset, and others are left alone then', async () => {
    const limit = 12
    const { ops, at, view, spec, O, seedOf } = await vectorOf(id, 'disabled', limit)
    ops.resetVector(at.vector, 0)
    for (let t = 1; t <= 15; t++) {
      for (let row = 0; row < ROWS; row++) view.action[row] = actionAt(spec.actionSpace, row, t)
      ops.stepVector(at.vector)
      expect([...view.truncated]).toEqual(Array(ROWS).fill(t >= limit ? 1 : 0))
      expect([...view.elapsed]).toEqual(Array(ROWS).fill(t))
    }
    expect([...view.episode]).toEqual(Array(ROWS).fill(0))
    const before = view.observation.slice()
    // The arena holds no mask: the action of a row is one float, whose first byte will do.
    new Uint8Array(view.action.buffer, at.action, ROWS).fill(0)
    new Uint8Array(view.action.buffer, at.action, ROWS)[5] = 1
    view.episode[5] = 9
    ops.resetVector(at.vector, at.action)
    const env = await make(id)
    const { obs } = env.reset({ seed: seedOf(5, 9) })
    expect([...view.observation.subarray(5 * O, 6 * O)]).toEqual([...obs])
    expect([view.elapsed[5], view.episodeReturn[5], view.truncated[5]]).toEqual([0, 0, 0])
    before.set(obs, 5 * O)
    expect([...view.observation]).toEqual([...before])
    expect(view.elapsed[4]).toBe(15)
  })
})

test('the seed of an episode depends on the row and its number only', async () => {
  const { ops, at, view } = await vectorOf('CartPole-v1', 'same-step', 3)
  ops.resetVector(at.vector, 0)
  const first = view.state.slice()
  for (let t = 0; t < 3; t++) ops.stepVector(at.vector)
  expect([...view.episode]).toEqual(Array(ROWS).fill(1))
  expect([...view.state]).not.toEqual([...first])
  view.episode.fill(0)
  ops.resetVector(at.vector, 0)
  expect([...view.state]).toEqual([...first])
})
