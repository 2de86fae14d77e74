import { beforeAll, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { padded } from '../../src/core/layout.ts'
import { Purpose } from '../../src/core/random.ts'
import { forward } from '../../src/nn/forward.ts'
import { type Activation, activations, initialiseInto } from '../../src/nn/network.ts'
import { type HeadName, headNames, type Policy, policyOf } from '../../src/nn/policy.ts'
import { startTfjs, tf } from '../../src/nn/tfjs.ts'
import { distributionReference } from '../reference/distributions.ts'
import { mlpReference } from '../reference/mlp.ts'
import { actionsOf, logProbsOf, type Policies, populationOf, rowsOf } from './population.ts'

beforeAll(() => startTfjs())

/** n policies with random weights, those of the head and biases included, on random observations. */
async function randomPopulation(policy: Policy, n: number, rows: number, seed = 0): Promise<Policies> {
  const population = await populationOf(policy, n, rows)
  const { ops, at, view, thetaOf } = population
  for (let i = 0; i < n; i++) {
    initialiseInto(thetaOf(i), policy.net, ops, { lo: seed, hi: 0 }, i, { lastGain: 1 })
    for (const { bias, outputs } of policy.net.layers)
      for (let k = 0; k < outputs; k++) thetaOf(i)[bias + k] = 0.3 * Math.sin(seed + k + 2 * i)
    for (let k = policy.net.size; k < policy.size; k++) thetaOf(i)[k] = 0.4 * Math.cos(seed + k + i)
  }
  ops.fillNormal(at.observation, view.observation.length, seed, 0, Purpose.user, 0, 0, 0)
  return population
}

/** log σ of a squashed Gaussian is kept in its range. */
const kept = ({ head }: Policy, outputs: number[]) =>
  outputs.map((value, o) =>
    head.name === 'squashed-gaussian' && o >= head.actions ? Math.min(Math.max(value, -20), 2) : value,
  )

/** The outputs of particle i as rows: what its last layer leaves in its half of the activations. */
function outputsOf(population: Policies, i: number, count = population.rows): number[][] {
  const { ops, at, view, policy } = population
  const { widths, layers } = policy.net
  ops.policyLogProb(at.policy, i, at.observation, count, at.action, at.out)
  const width = widths[widths.length - 1]
  const half = count * Math.max(...widths.slice(1).map(padded))
  const start = layers.length % 2 === 0 ? half : 0
  const outputs = view.activations.subarray(start, start + count * padded(width))
  return rowsOf(outputs, padded(width)).map((row) => row.slice(0, width))
}

const shapes = fc.record({
  hidden: fc.array(fc.integer({ min: 1, max: 33 }), { maxLength: 3 }),
  observations: fc.integer({ min: 1, max: 9 }),
  activation: fc.constantFrom<Activation>(...activations),
  head: fc.record({ name: fc.constantFrom<HeadName>(...headNames), actions: fc.integer({ min: 1, max: 6 }) }),
  rows: fc.integer({ min: 1, max: 19 }),
  seed: fc.nat(),
})

test('the WASM forward agrees with the tfjs forward and the float64 twin to 1e-6, for every shape', async () => {
  await fc.assert(
    fc.asyncProperty(shapes, async ({ rows, seed, ...shape }) => {
      const policy = policyOf(shape)
      const population = await randomPopulation(policy, 2, rows, seed)
      const theta = population.thetaOf(1)
      const x = rowsOf(population.view.observation, shape.observations)
      const ours = outputsOf(population, 1)
      const row = theta.slice(0, policy.net.size)
      const theirs = tf.tidy(() => forward(policy.net, tf.tensor1d(row), tf.tensor2d(x)).arraySync())
      ours.forEach((outputs, r) => {
        const exact = kept(policy, mlpReference(policy.net, theta, x[r]))
        const stock = kept(policy, theirs[r])
        // Sums of float32 lose in proportion to their largest terms.
        const scale = Math.max(1, ...exact.map(Math.abs))
        outputs.forEach((value, o) => {
          expect(Math.abs(value - stock[o])).toBeLessThan(2e-6 * scale)
          expect(Math.abs(value - exact[o])).toBeLessThan(2e-6 * scale)
        })
      })
    }),
    { numRuns: 150, seed: 3 },
  )
})

test('log-probabilities of every policy are those of its float64 twin', async () => {
  await fc.assert(
    fc.asyncProperty(shapes, async ({ rows, seed, ...shape }) => {
      const policy = policyOf(shape)
      const population = await randomPopulation(policy, 2, rows, seed)
      const theta = population.thetaOf(1)
      const actions = rowsOf(actionsOf(population, { particle: 1 }), population.view.action.length / rows)
      const logProbs = logProbsOf(population, 1)
      rowsOf(population.view.observation, shape.observations).forEach((x, r) => {
        const pi = distributionReference(policy, mlpReference(policy.net, theta, x), theta)
        const logProb = pi.logProb(actions[r])
        expect(Math.abs(logProbs[r] - logProb)).toBeLessThan(2e-5 * (1 + Math.abs(logProb)))
      })
    }),
    { numRuns: 150, seed: 4 },
  )
})

test('the policy of the main job, 4-64-64-2, agrees to 1e-6', async () => {
  const policy = policyOf({ observations: 4, hidden: [64, 64], head: { name: 'categorical', actions: 2 } })
  const population = await randomPopulation(policy, 1, 256)
  const ours = outputsOf(population, 0).flat()
  expect(population.D).toBe(4612)
  const { view, thetaOf } = population
  const theirs = tf.tidy(() =>
    forward(policy.net, tf.tensor1d(thetaOf(0)), tf.tensor2d(view.observation, [256, 4])).dataSync(),
  )
  expect(Math.max(...ours.map((value, k) => Math.abs(value - theirs[k])))).toBeLessThan(1e-6)
})

test.each(activations)("a row's bits do not depend on its neighbours: %s", async (activation) => {
  const head = { name: 'gaussian', actions: 5 } as const
  const population = await randomPopulation(policyOf({ observations: 3, hidden: [10, 6], activation, head }), 1, 11)
  const together = outputsOf(population, 0)
  const observations = population.view.observation.slice()
  for (let r = 0; r < 11; r++) {
    population.view.observation.set(observations.subarray(r * 3, (r + 1) * 3))
    expect(outputsOf(population, 0, 1)[0]).toEqual(together[r])
    population.view.observation.set(observations)
  }
})

test('extreme logits are sampled without overflow', async () => {
  const policy = policyOf({ observations: 1, hidden: [], head: { name: 'categorical', actions: 3 } })
  const population = await populationOf(policy, 1, 1)
  population.thetaOf(0).set([-1e30, 1e30, -1e30], policy.net.layers[0].bias)
  for (let step = 0; step < 100; step++) expect([...actionsOf(population, { step })]).toEqual([1])
})

describe('the layout of a policy', () => {
  const shape = { observations: 3, hidden: [5, 4] }

  test.each([
    ['categorical', [3, 5, 4, 2], 0],
    ['gaussian', [3, 5, 4, 2], 2],
    ['squashed-gaussian', [3, 5, 4, 4], 0],
  ] as const)('%s', (name, widths, free) => {
    const policy = policyOf({ ...shape, head: { name, actions: 2 } })
    expect(policy.net.widths).toEqual(widths)
    expect(policy.size).toBe(policy.net.size + free)
    expect(policy.net.layers.map(({ activation }) => activation)).toEqual(['tanh', 'tanh', 'linear'])
  })

  test('bad input', () => {
    const head = { name: 'gaussian', actions: 2 } as const
    expect(() => policyOf({ ...shape, head: { name: 'beta' as HeadName, actions: 2 } })).toThrow(
      'The head must be one of categorical, gaussian, squashed-gaussian, got "beta".',
    )
    expect(() => policyOf({ ...shape, head: { ...head, actions: 0 } })).toThrow(
      'The number of actions must be a whole number of at least 1, got 0.',
    )
    expect(() => policyOf({ ...shape, activation: 'gelu' as Activation, head })).toThrow(
      'The activation of hidden layers must be one of linear, tanh, relu, elu, softplus, got "gelu".',
    )
    expect(() => policyOf({ ...shape, observations: 0, head })).toThrow(
      'A width of a network must be a whole number of at least 1, got 0.',
    )
    expect(() => policyOf({ ...shape, hidden: [5, 2.5], head })).toThrow(
      'A width of a network must be a whole number of at least 1, got 2.5.',
    )
  })
})
