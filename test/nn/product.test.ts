import { beforeAll, describe, expect, test } from '@jest/globals'
import '@tensorflow/tfjs-backend-cpu'
import fc from 'fast-check'
import { policyGradientInto } from '../../src/compile/policy-gradient.ts'
import { distributionOf } from '../../src/nn/distributions.ts'
import { actionWidth, type Head, policyOf } from '../../src/nn/policy.ts'
import { stateActions } from '../../src/nn/state-action.ts'
import { startTfjs, tf } from '../../src/nn/tfjs.ts'
import {
  categoricalReference,
  distributionReference,
  factorsReference,
  slopes,
  surrogateReference,
} from '../reference/distributions.ts'
import { logSoftmaxReference } from '../reference/mlp.ts'
import { numbersOf } from '../reference/statistics.ts'
import { actionsOf, directPopulation, logProbsOf, rowsOf } from './population.ts'

// Products of categoricals: several numbered choices at once.

beforeAll(() => startTfjs())

const headOf = (factors: readonly number[]): Head => ({
  ...{ name: 'categorical', factors },
  actions: factors.reduce((sum, n) => sum + n, 0),
})

/** Two policies whose outputs are their observations, with actions. */
async function exampleOf(factors: readonly number[], rows: number, seed: number, spread = 1) {
  const head = headOf(factors)
  const { normal, between } = numbersOf(seed)
  const population = await directPopulation(head, 2, rows)
  population.view.observation.forEach((_, k) => {
    population.view.observation[k] = spread * normal()
  })
  const outputs = rowsOf(population.view.observation, head.actions)
  const actions = outputs.map(() => factors.map((n) => Math.floor(between(0, n))))
  population.view.action.set(actions.flat())
  return { head, population, outputs, actions }
}

const examples = fc.record({
  factors: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 6 }),
  rows: fc.integer({ min: 1, max: 9 }),
  seed: fc.nat(),
  spread: fc.constantFrom(0.1, 1, 10, 1000),
})

describe('log-probability and entropy', () => {
  test('the op and the tfjs expressions, of the core and of stock tfjs, give those of the twin', async () => {
    await fc.assert(
      fc.asyncProperty(examples, async ({ factors, rows, seed, spread }) => {
        const { population, outputs, actions } = await exampleOf(factors, rows, seed, spread)
        const { policy, thetaOf } = population
        const pis = outputs.map((row) => distributionReference(policy, row, thetaOf(0)))
        const logProb = pis.map((pi, r) => pi.logProb(actions[r]))
        const entropy = pis.map((pi) => pi.entropy([]))
        const close = (values: ArrayLike<number>, exact: number[], factor: number) =>
          exact.forEach((value, r) => {
            expect(Math.abs(values[r] - value)).toBeLessThanOrEqual(factor * (factors.length + Math.abs(value)))
          })
        close(logProbsOf(population), logProb, 1e-6)
        for (const backend of ['wasm', 'cpu']) {
          await tf.setBackend(backend)
          const pi = distributionOf(policy, tf.tensor2d(outputs), tf.tensor1d(thetaOf(0)))
          close(pi.logProb(tf.tensor2d(actions)).dataSync(), logProb, 1e-6)
          close(pi.entropy(tf.tensor2d(actions)).dataSync(), entropy, 5e-6)
        }
        await tf.setBackend('wasm')
      }),
      { numRuns: 40, seed: 7 },
    )
  })

  test('their gradients are the finite differences of the twin', async () => {
    await fc.assert(
      fc.asyncProperty(examples, fc.constantFrom('wasm', 'cpu'), async ({ factors, rows, seed }, backend) => {
        const { population, outputs, actions } = await exampleOf(factors, rows, seed)
        const { policy, thetaOf } = population
        await tf.setBackend(backend)
        for (const what of ['logProb', 'entropy'] as const) {
          const total = (x: tf.Tensor) =>
            tf.sum(distributionOf(policy, x as tf.Tensor2D, tf.tensor1d(thetaOf(0)))[what](tf.tensor2d(actions)))
          const gradient = tf.grad(total)(tf.tensor2d(outputs)).dataSync()
          const exact = outputs.flatMap((row, r) =>
            slopes((x) => distributionReference(policy, x, thetaOf(0))[what](actions[r]), row),
          )
          exact.forEach((value, k) => {
            expect(Math.abs(gradient[k] - value)).toBeLessThanOrEqual(2e-5 * (1 + Math.abs(value)))
          })
        }
        await tf.setBackend('wasm')
      }),
      { numRuns: 25, seed: 8 },
    )
  })

  test('the compiled gradient of the objective is the finite differences of the twin', () => {
    const head = headOf([3, 1, 2])
    const policy = policyOf({ observations: 2, hidden: [4], head })
    const { normal, between } = numbersOf(5)
    const theta = Float32Array.from({ length: policy.size }, () => 0.5 * normal())
    const rows = 7
    const observation = Array.from({ length: rows }, () => [normal(), normal()])
    const action = observation.map(() => [3, 1, 2].map((n) => Math.floor(between(0, n))))
    const weight = observation.map(() => normal() / rows)
    const gradient = new Float32Array(policy.size)
    const options = { entropyBonus: 0.1, clip: null, floor: null }
    const batch = {
      observation: Float32Array.from(observation.flat()),
      action: Float32Array.from(action.flat()),
      weight: Float32Array.from(weight),
    }
    const entropy = policyGradientInto(gradient, policy, theta, batch, options)
    const reference = { observation, action, weight, noise: observation.map(() => []) }
    const exact = slopes((moved) => surrogateReference(policy, moved, reference, 0.1), [...theta])
    exact.forEach((value, k) => {
      expect(Math.abs(gradient[k] - value)).toBeLessThan(1e-5)
    })
    expect(entropy).toBeGreaterThan(1)
  })
})

describe('actions', () => {
  test('the best one is the mode of each factor', async () => {
    const factors = [3, 2, 4]
    const { population, outputs } = await exampleOf(factors, 20, 1)
    const modes = outputs.flatMap((row) => factorsReference(factors, row).map(categoricalReference.mode))
    expect([...actionsOf(population, { greedy: true })]).toEqual(modes)
  })

  test('drawn ones have the probabilities of the product: each combination as often as it should', async () => {
    const factors = [2, 3, 2, 2, 2]
    const { population } = await exampleOf(factors, 4000, 2)
    const { view } = population
    // The same row everywhere.
    const row = view.observation.slice(0, 11)
    for (let r = 0; r < 4000; r++) view.observation.set(row, r * 11)
    const counts = new Map<string, number>()
    for (let step = 0; step < 5; step++)
      for (const action of rowsOf(actionsOf(population, { step }), factors.length))
        counts.set(action.join(), (counts.get(action.join()) ?? 0) + 1)
    const parts = factorsReference(factors, [...row]).map((logits) => logSoftmaxReference(logits).map(Math.exp))
    const combinations = factors.reduce<number[][]>(
      (all, n) => all.flatMap((head) => Array.from({ length: n }, (_, c) => [...head, c])),
      [[]],
    )
    expect(combinations).toHaveLength(48)
    for (const action of combinations) {
      const p = action.reduce((product, c, k) => product * parts[k][c], 1)
      const bound = 5 * Math.sqrt(20_000 * p * (1 - p)) + 1
      expect(Math.abs((counts.get(action.join()) ?? 0) - 20_000 * p)).toBeLessThan(bound)
    }
  })

  test('one factor is the categorical head, bit for bit', async () => {
    const { population, outputs } = await exampleOf([5], 50, 3)
    const plain = await directPopulation({ name: 'categorical', actions: 5 }, 2, 50)
    plain.view.observation.set(outputs.flat())
    expect(actionsOf(plain, { step: 4 })).toEqual(actionsOf(population, { step: 4 }))
    expect(logProbsOf(plain)).toEqual(logProbsOf(population))
  })
})

test('classes of rows for networks of states and actions are hot one by one', () => {
  const head = headOf([2, 3])
  expect(actionWidth(head)).toBe(2)
  const rows = stateActions(Float32Array.of(7, 8), Float32Array.of(1, 0, 0, 2), 1, head)
  expect([...rows]).toEqual([7, 0, 1, 1, 0, 0, 8, 1, 0, 0, 0, 1])
})

test.each([
  [{ name: 'gaussian', actions: 2, factors: [2] }, 'A gaussian head has no factors, got [2].'],
  [{ name: 'categorical', actions: 4, factors: [2, 3] }, 'must be whole numbers that add up to 4, got [2, 3].'],
  [{ name: 'categorical', actions: 2, factors: [2.5, -0.5] }, 'must be whole numbers that add up to 2'],
] as const)('%j is refused', (head, message) =>
  expect(() => policyOf({ observations: 1, hidden: [], head })).toThrow(message),
)
