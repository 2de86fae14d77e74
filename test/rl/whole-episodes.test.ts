import { expect, test } from '@jest/globals'
import { createArena } from '../../src/core/arena.ts'
import { compileCore } from '../../src/core/module.ts'
import { box } from '../../src/envs/spaces.ts'
import { batchFields, environmentFields } from '../../src/rl/rollout-layout.ts'
import { closeEpisodes, type Episode, noRows } from '../../src/rl/whole-episodes.ts'

const core = await compileCore()
const [E, O, A] = [3, 2, 1]
const spec = {
  id: 'Rows',
  observationSpace: box(Array(O).fill(-1), Array(O).fill(1)),
  actionSpace: box([-1], [1]),
  maxEpisodeSteps: 1e6,
}

/** Rollouts of T steps in which environment e ends episodes of lengths[e] steps: every number tells its place. */
async function rollouts(T: number, lengths: readonly number[]) {
  const arena = await createArena(core, { ...environmentFields(spec, E), ...batchFields(T, E, O, A) })
  const { view } = arena
  let step = 0
  const next = () => {
    for (let t = 0; t < T; t++, step++) {
      for (let e = 0; e < E; e++) {
        const row = t * E + e
        view.observation.set([step, e], row * O)
        view.action[row] = -step
        view.reward[row] = 10 * step + e
        view.time[row] = step % lengths[e]
        view.terminated[row] = (step + 1) % lengths[e] === 0 ? 1 : 0
      }
    }
    view.elapsed.set(lengths.map((length) => step % length))
  }
  return { arena, next }
}

const expected = (e: number, first: number, length: number): Episode => {
  const steps = Array.from({ length }, (_, k) => first + k)
  return {
    observation: Float32Array.from(steps.flatMap((step) => [step, e])),
    action: Float32Array.from(steps, (step) => -step),
    reward: Float64Array.from(steps, (step) => 10 * step + e),
  }
}

test('episodes are put together from the rollouts that cut them, wherever they are gone on with', async () => {
  const lengths = [3, 11, 1]
  const { arena, next } = await rollouts(4, lengths)
  const past = noRows(E, O, A)
  let carried: ReturnType<typeof closeEpisodes>['open'] | null = null
  for (let rollout = 0; rollout < 12; rollout++) {
    next()
    const here = closeEpisodes(arena, past, carried)
    // Somebody else has only what is carried.
    expect(closeEpisodes(arena, noRows(E, O, A), carried)).toEqual(here)
    const from = 4 * rollout
    const ended = lengths.flatMap((length, e) =>
      [0, 1, 2, 3]
        .map((t) => from + t + 1)
        .filter((end) => end % length === 0)
        .map((end) => expected(e, end - length, length)),
    )
    expect(here.ended).toEqual(ended)
    carried = here.open
    expect(carried.pastReward).toHaveLength(E * Math.max(...lengths.map((length) => (from + 4) % length)))
  }
})

test('what an episode has been through is not copied again with every rollout', async () => {
  const { arena, next } = await rollouts(100, [1e9, 1e9, 1e9])
  const past = noRows(E, O, A)
  let carried: ReturnType<typeof closeEpisodes>['open'] | null = null
  let moves = 0
  for (let rollout = 0; rollout < 300; rollout++) {
    next()
    const before = past.observation.values
    carried = closeEpisodes(arena, past, carried).open
    if (past.observation.values !== before) moves++
    expect(carried.pastObservation.buffer).toBe(past.observation.values.buffer)
  }
  expect(moves).toBeLessThan(12)
  expect([...(carried?.pastReward.subarray(0, 4) ?? [])]).toEqual([0, 1, 2, 10])
  expect(carried?.pastReward).toHaveLength(30_000 * E)
})
