import { expect, test } from '@jest/globals'
import { createPolicyGradient } from '../../../src/algorithms/policy-gradient/evaluation-state.ts'
import { probeRows } from '../../../src/algorithms/policy-gradient/probes.ts'
import { compileCore } from '../../../src/core/module.ts'
import { splitSeed } from '../../../src/core/random.ts'
import { environmentSpec } from '../../../src/envs/registry.ts'
import { policyOf } from '../../../src/nn/policy.ts'
import { estimatorOf } from '../../../src/rl/estimator.ts'

const spec = environmentSpec('CartPole-v1')
const head = { name: 'categorical', actions: 2 } as const
const task = { spec, head, environments: 4, steps: 5, episodicReward: false, seed: splitSeed(7) }

/** An arena whose 20 rows tell their numbers. */
async function numbered(probes: number) {
  const policy = policyOf({ observations: 4, hidden: [], head })
  const state = await createPolicyGradient({
    task,
    policy,
    estimator: estimatorOf(),
    probes,
    core: await compileCore(),
  })
  const { observation, action, weight, logProb } = state.arena.view
  observation.set(observation.map((_, k) => k))
  for (let b = 0; b < 20; b++) [action[b], weight[b], logProb[b]] = [b, b / 2, -b]
  return state.arena
}

test('rows that belong together, with weights that stand for all', async () => {
  const arena = await numbered(8)
  const { observation, action, weight, logProb } = probeRows(arena, 8, { task, particle: 1, step: 5 })
  expect([...observation]).toEqual([...action].flatMap((b) => [4 * b, 4 * b + 1, 4 * b + 2, 4 * b + 3]))
  expect([...weight]).toEqual([...action].map((b) => ((b / 2) * 20) / 8))
  expect([...logProb]).toEqual([...action].map((b) => -b))
})

test('they follow from seed, particle and step, and every row is drawn as often', async () => {
  const arena = await numbered(8)
  const drawn = (particle: number, step: number, seed = 7) => [
    ...probeRows(arena, 8, { task: { ...task, seed: splitSeed(seed) }, particle, step }).action,
  ]
  expect(drawn(1, 5)).toEqual(drawn(1, 5))
  for (const other of [drawn(2, 5), drawn(1, 10), drawn(1, 5, 8)]) expect(other).not.toEqual(drawn(1, 5))
  const counts = new Array<number>(20).fill(0)
  for (let step = 0; step < 500; step++) for (const row of drawn(0, step)) counts[row]++
  // 200 of each row: χ² of 19 degrees of freedom, 0.1 % above 43.8.
  expect(counts.reduce((sum, count) => sum + (count - 200) ** 2 / 200, 0)).toBeLessThan(43.8)
})
