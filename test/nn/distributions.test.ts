import { beforeAll, describe, expect, test } from '@jest/globals'
import '@tensorflow/tfjs-backend-cpu'
import fc from 'fast-check'
import { distributionOf, gaussian, squashedGaussian } from '../../src/nn/distributions.ts'
import { type Head, type HeadName, headNames, type Policy } from '../../src/nn/policy.ts'
import { startTfjs, tf } from '../../src/nn/tfjs.ts'
import {
  categoricalReference,
  distributionReference,
  type GaussianRow,
  gaussianReference,
  slopes,
  squashedReference,
} from '../reference/distributions.ts'
import { numbersOf } from '../reference/statistics.ts'
import { directPopulation, logProbsOf, type Policies, rowsOf } from './population.ts'

beforeAll(() => startTfjs())

const backends = ['wasm', 'cpu'] as const

/** Numbers of tensors that an expression gives on a backend of tfjs. */
async function numbersOn(backend: (typeof backends)[number], run: () => tf.Tensor[]): Promise<number[][]> {
  await tf.setBackend(backend)
  try {
    const tensors = tf.tidy(run)
    const numbers = tensors.map((tensor) => [...(tensor.dataSync() as Float32Array)])
    tf.dispose(tensors)
    return numbers
  } finally {
    await tf.setBackend('wasm')
  }
}

/** Every number at most its tolerance away from the exact one; a NaN is not. */
function expectClose(values: ArrayLike<number>, exact: readonly number[], tolerance: (k: number) => number): void {
  expect(values.length).toBe(exact.length)
  const far = exact.flatMap((value, k) =>
    Math.abs(values[k] - value) <= tolerance(k) ? [] : [`${k}: ${values[k]} is not ${value} ± ${tolerance(k)}`],
  )
  expect(far).toEqual([])
}

const relative = (exact: readonly number[], bound: number) => (k: number) => bound * (1 + Math.abs(exact[k]))

/** Two policies, of which a test knows the outputs of the first, a batch of rows, and actions likely under it. */
interface Example {
  readonly population: Policies
  readonly outputs: number[][]
  readonly actions: number[][]
}

const outputWidth = ({ name, actions }: Head) => (name === 'squashed-gaussian' ? 2 * actions : actions)

/** `spread` is the scale of logits and means, and log σ lies in `logStd`. */
async function exampleOf(
  head: Head,
  { rows, seed, spread, logStd }: { rows: number; seed: number; spread: number; logStd: readonly [number, number] },
): Promise<Example> {
  const { normal, between } = numbersOf(seed)
  const population = await directPopulation(head, 2, rows)
  const { view, thetaOf, policy } = population
  const A = head.actions
  const width = outputWidth(head)
  const isLogStd = (k: number) => k >= A
  view.observation.forEach((_, i) => {
    view.observation[i] = isLogStd(i % width) ? between(...logStd) : spread * normal()
  })
  for (const i of [0, 1]) for (let k = policy.net.size; k < policy.size; k++) thetaOf(i)[k] = between(...logStd)
  const outputs = rowsOf(view.observation, width)
  const draw = (row: number[]) => {
    if (head.name === 'categorical') return [Math.floor(between(0, A))]
    const p = parametersOf(policy, row, thetaOf(0))
    const u = gaussianReference.sample(p, p.mean.map(normal))
    return head.name === 'gaussian' ? u : u.map(Math.tanh)
  }
  view.action.set(outputs.flatMap(draw))
  return { population, outputs, actions: rowsOf(view.action, view.action.length / rows) }
}

function parametersOf({ net, head, size }: Policy, outputs: readonly number[], theta: ArrayLike<number>): GaussianRow {
  if (head.name === 'squashed-gaussian') return squashedReference.parametersOf(outputs)
  return { mean: outputs, logStd: Array.from({ length: size - net.size }, (_, k) => theta[net.size + k]) }
}

/** Exact values of an example and what float32 may lose of them. */
function exactly({ population, outputs, actions }: Example) {
  const { policy, thetaOf } = population
  const theta = thetaOf(0)
  const pis = outputs.map((row) => distributionReference(policy, row, theta))
  const logProb = pis.map((pi, r) => pi.logProb(actions[r]))
  const entropy = pis.map((pi, r) => pi.entropy(pi.noiseOf(actions[r])))
  /** Sum of the sizes of the terms of log π, and of what an error in u = tanh⁻¹ a makes of it. */
  const loss = outputs.map((row, r) => {
    if (policy.head.name === 'categorical') return 1 + Math.abs(logProb[r])
    const { mean, logStd } = parametersOf(policy, row, theta)
    const squashed = policy.head.name === 'squashed-gaussian'
    const u = squashed ? squashedReference.unsquash(actions[r]) : actions[r]
    return mean.reduce((sum, mu, k) => {
      const sigma = Math.exp(logStd[k])
      const z = Math.abs(u[k] - mu) / sigma
      return sum + 1 + z * z + Math.abs(logStd[k]) + (squashed ? (z / sigma + 2) * Math.abs(u[k]) : 0)
    }, 0)
  })
  return { logProb, entropy, loss }
}

/** The same in tfjs: log-probabilities and entropies. */
function inTfjs({ population, outputs, actions }: Example): tf.Tensor[] {
  const { policy, thetaOf } = population
  const pi = distributionOf(policy, tf.tensor2d(outputs), tf.tensor1d(thetaOf(0)))
  const action = tf.tensor2d(actions)
  return [pi.logProb(action), pi.entropy(action)]
}

const examples = fc.record({
  actions: fc.integer({ min: 1, max: 6 }),
  rows: fc.integer({ min: 1, max: 9 }),
  seed: fc.nat(),
})

const scales: Record<HeadName, { spread: number; logStd: readonly [number, number] }[]> = {
  categorical: [0.1, 1, 10, 1000].map((spread) => ({ spread, logStd: [0, 0] })),
  gaussian: [
    { spread: 1, logStd: [-1, 1] },
    { spread: 10, logStd: [-20, 2] },
  ],
  // Beyond the bounds as well, at which log σ is kept.
  'squashed-gaussian': [
    { spread: 1, logStd: [-1, 1] },
    { spread: 3, logStd: [-5, 4] },
  ],
}

const everyHead = headNames.flatMap((name) => scales[name].map((scale) => ({ name, ...scale })))

describe.each(everyHead)('$name, spread $spread, log σ in $logStd', ({ name, spread, logStd }) => {
  test('the op and the tfjs expressions give the log-probability and entropy of the twins', async () => {
    await fc.assert(
      fc.asyncProperty(examples, async ({ actions, rows, seed }) => {
        const example = await exampleOf({ name, actions }, { rows, seed, spread, logStd })
        const { population } = example
        const { logProb, entropy, loss } = exactly(example)
        const [wasm, cpu] = [
          await numbersOn('wasm', () => inTfjs(example)),
          await numbersOn('cpu', () => inTfjs(example)),
        ]
        expectClose(logProbsOf(population), logProb, (r) => 1e-6 * loss[r])
        for (const [logProbs, entropies] of [wasm, cpu]) {
          expectClose(logProbs, logProb, (r) => 1e-6 * loss[r])
          expectClose(entropies, entropy, (r) => 2e-6 * (actions + Math.abs(entropy[r])))
        }
      }),
      { numRuns: 60, seed: 7 },
    )
  })
})

describe.each(headNames)('gradients of %s are the finite differences of the twin', (name) => {
  /** By the outputs and, where the head has parameters of its own, by theta. */
  const inputsOf = ({ population: { policy, thetaOf } }: Example, outputs: number[][], i: number) => {
    const inputs = [tf.tensor2d(outputs), tf.tensor1d(thetaOf(i))]
    return policy.size > policy.net.size ? inputs : inputs.slice(0, 1)
  }

  const property = (check: (example: Example, backend: (typeof backends)[number]) => Promise<void>) =>
    fc.assert(
      fc.asyncProperty(examples, fc.constantFrom(...backends), async ({ actions, rows, seed }, backend) => {
        await check(await exampleOf({ name, actions }, { rows, seed, spread: 1, logStd: [-2, 1] }), backend)
      }),
      { numRuns: 60, seed: 8 },
    )

  test.each(['logProb', 'entropy'] as const)('%s', async (what) => {
    await property(async (example, backend) => {
      const { population, outputs, actions } = example
      const { policy, thetaOf } = population
      const theta = [...thetaOf(0)]
      const [byOutputs, byTheta] = await numbersOn(backend, () => {
        const total = (rows: tf.Tensor, parameters?: tf.Tensor) => {
          const pi = distributionOf(policy, rows as tf.Tensor2D, (parameters ?? tf.tensor1d(theta)) as tf.Tensor1D)
          return tf.sum(pi[what](tf.tensor2d(actions)))
        }
        return tf.grads(total as (...inputs: tf.Tensor[]) => tf.Tensor)(inputsOf(example, outputs, 0))
      })
      // The noise that drew the actions does not move with the parameters.
      const noise = outputs.map((row, r) => distributionReference(policy, row, theta).noiseOf(actions[r]))
      const value = (row: readonly number[], r: number, parameters = theta) =>
        distributionReference(policy, row, parameters)[what](what === 'logProb' ? actions[r] : noise[r])
      const exact = outputs.flatMap((row, r) => slopes((moved) => value(moved, r), row))
      expectClose(byOutputs, exact, relative(exact, 1e-5))
      if (!byTheta) return
      const total = (parameters: number[]) => outputs.reduce((sum, row, r) => sum + value(row, r, parameters), 0)
      const exactTheta = slopes(total, theta)
      expectClose(byTheta, exactTheta, relative(exactTheta, 1e-5 * outputs.length))
      expect(byTheta.slice(0, policy.net.size).every((slope) => slope === 0)).toBe(true)
    })
  })

  if (name === 'categorical') return

  test('log-probability by the action', async () => {
    await property(async (example, backend) => {
      const { population, outputs, actions } = example
      const { policy, thetaOf } = population
      const [byAction] = await numbersOn(backend, () => {
        const pi = distributionOf(policy, tf.tensor2d(outputs), tf.tensor1d(thetaOf(0)))
        return [tf.grad((action) => tf.sum(pi.logProb(action as tf.Tensor2D)))(tf.tensor2d(actions))]
      })
      const exact = outputs.flatMap((row, r) =>
        slopes(distributionReference(policy, row, thetaOf(0)).logProb, actions[r], (k) =>
          name === 'gaussian' ? 1e-5 : 1e-5 * (1 - Math.abs(actions[r][k])),
        ),
      )
      // What is as far out as the largest float below 1 is taken as it, and has no slope.
      const flat = actions.flat().map((a) => name !== 'gaussian' && Math.abs(a) === 1)
      const expected = exact.map((slope, k) => (flat[k] ? 0 : slope))
      expectClose(byAction, expected, relative(expected, 2e-5))
    })
  })
})

describe('tails', () => {
  const far = [-200, -88, -50, -15, -9, -5, -1, -1e-3, 0, 1e-3, 1, 5, 9, 15, 50, 88, 200]

  test.each(backends)('log(1 − tanh² u) and its slope neither cancel nor underflow on %s', async (backend) => {
    const [values, derivatives] = await numbersOn(backend, () => {
      const u = tf.tensor2d(far, [far.length, 1])
      return [squashedGaussian.logSlope(u), tf.grad((x) => tf.sum(squashedGaussian.logSlope(x as tf.Tensor2D)))(u)]
    })
    expectClose(
      values,
      far.map((u) => squashedReference.logSlope([u])),
      (k) => 1e-6 * Math.max(1, Math.abs(far[k])),
    )
    expectClose(
      derivatives,
      far.map((u) => -2 * Math.tanh(u)),
      () => 1e-6,
    )
  })

  test.each(backends)(
    'a draw that rounds to ±1 keeps the log-probability of its u, with slopes, on %s',
    async (backend) => {
      const cases = [-15, -9, 9, 15].flatMap((mean) => [-20, -3, 0, 2].map((logStd) => ({ mean, logStd })))
      const noise = 0.7
      const [actions, logProbs, byMean, byLogStd] = await numbersOn(backend, () => {
        const column = (values: number[]) => tf.tensor2d(values, [values.length, 1])
        const inputs = [column(cases.map(({ mean }) => mean)), column(cases.map(({ logStd }) => logStd))]
        const draw = (...[mean, logStd]: tf.Tensor[]) =>
          squashedGaussian.sample(
            { mean: mean as tf.Tensor2D, logStd: logStd as tf.Tensor2D },
            tf.fill([cases.length, 1], noise),
          )
        const { action, logProb } = draw(...inputs)
        return [action, logProb, ...tf.grads((...moved) => tf.sum(draw(...moved).logProb))(inputs)]
      })
      const exact = ([mean, logStd]: number[]) => {
        const p = { mean: [mean], logStd: [logStd] }
        return squashedReference.logProbOf(p, gaussianReference.sample(p, [noise]))
      }
      const rows = cases.map(({ mean, logStd }) => [mean, logStd])
      const expected = rows.map(exact)
      // The mean rounds u: float32 knows ε = (u − μ)/σ to |u|/σ of its last digit.
      const lost = (k: number) => 1e-7 * Math.abs(rows[k][0]) * Math.exp(-rows[k][1])
      expectClose(logProbs, expected, (k) => 1e-6 * (30 + Math.abs(expected[k])) + lost(k) * (noise + lost(k)))
      expect(actions.filter((a) => Math.abs(a) === 1).length).toBeGreaterThan(8)
      const gradient = rows.map((row) => slopes(exact, row))
      // Through u as drawn, the slopes by μ and log σ of −½ε² are none.
      const settled = rows.map(([, logStd], k) => (logStd >= -3 ? k : -1)).filter((k) => k >= 0)
      expectClose(
        settled.map((k) => byMean[k]),
        settled.map((k) => gradient[k][0]),
        () => 1e-4,
      )
      expectClose(
        settled.map((k) => byLogStd[k]),
        settled.map((k) => gradient[k][1]),
        (k) => 1e-4 * (1 + Math.abs(gradient[settled[k]][1])),
      )
    },
  )

  const ends = [-1, -0.99999994, -0.9999, -1e-3, -1e-10, 0, 1e-10, 1e-3, 0.9999, 0.99999994, 1].map(Math.fround)

  test.each([-2, 0, 2])('squashed actions up to ±1 and down to 1e-10, log σ = %d', async (logStd) => {
    const population = await directPopulation({ name: 'squashed-gaussian', actions: 1 }, 2, ends.length)
    const { view, policy } = population
    const outputs = ends.map(() => [0, logStd])
    view.observation.set(outputs.flat())
    view.action.set(ends)
    const pis = outputs.map((row) => distributionReference(policy, row, []))
    const logProb = pis.map((pi, r) => pi.logProb([ends[r]]))
    const entropy = pis.map((pi, r) => pi.entropy(pi.noiseOf([ends[r]])))
    const example = { population, outputs, actions: ends.map((a) => [a]) }
    expectClose(logProbsOf(population), logProb, relative(logProb, 1e-6))
    for (const backend of backends) {
      const [logProbs, entropies] = await numbersOn(backend, () => inTfjs(example))
      expectClose(logProbs, logProb, relative(logProb, 1e-6))
      expectClose(entropies, entropy, relative(entropy, 1e-6))
    }
  })

  /** Log-probabilities by the op and by both backends of tfjs, entropies by these. */
  async function everywhere(head: Head, outputs: number[][], actions: number[][], logStd: number[] = []) {
    const population = await directPopulation(head, 2, outputs.length)
    const { view, policy, thetaOf } = population
    view.observation.set(outputs.flat())
    view.action.set(actions.flat())
    thetaOf(0).set(logStd, policy.net.size)
    const example = { population, outputs, actions }
    const [wasm, cpu] = [await numbersOn('wasm', () => inTfjs(example)), await numbersOn('cpu', () => inTfjs(example))]
    return { logProbs: [logProbsOf(population), wasm[0], cpu[0]], entropies: [wasm[1], cpu[1]] }
  }

  test('a common shift of the logits changes nothing, however large', async () => {
    const actions = [[0], [1]]
    const rows = actions.map(() => [2 ** 20, 2 ** 20 + 1])
    const { logProbs, entropies } = await everywhere({ name: 'categorical', actions: 2 }, rows, actions)
    const exact = actions.map(([a]) => categoricalReference.logProb([0, 1], a))
    for (const values of logProbs) expectClose(values, exact, () => 1e-6)
    const entropy = categoricalReference.entropy([0, 1])
    for (const values of entropies) expectClose(values, [entropy, entropy], () => 1e-6)
  })

  test('nearly certain and impossible classes', async () => {
    const outputs = [
      [0, -50],
      [0, -50],
      [-1e30, 1e30],
      [-1e30, 1e30],
    ]
    const actions = [[0], [1], [0], [1]]
    const { logProbs, entropies } = await everywhere({ name: 'categorical', actions: 2 }, outputs, actions)
    for (const values of logProbs) expectClose(values, [0, -50, -2e30, 0], (k) => (k === 2 ? 1e24 : 1e-5))
    for (const values of entropies) expectClose(values, [0, 0, 0, 0], () => 1e-6)
  })

  test('a single class is certain', async () => {
    const { logProbs, entropies } = await everywhere({ name: 'categorical', actions: 1 }, [[3]], [[0]])
    for (const values of [...logProbs, ...entropies]) expect(Math.abs(values[0])).toBe(0)
  })

  test.each([-20, -5, 0, 2])('a Gaussian at and 40 deviations from its mean, log σ = %d', async (logStd) => {
    const sigma = Math.fround(Math.exp(logStd))
    const actions = [0, 40 * sigma, -40 * sigma].map((a) => [Math.fround(a)])
    const zero = actions.map(() => [0])
    const { logProbs } = await everywhere({ name: 'gaussian', actions: 1 }, zero, actions, [logStd])
    const exact = actions.map((a) => gaussianReference.logProb({ mean: [0], logStd: [logStd] }, a))
    for (const values of logProbs) expectClose(values, exact, relative(exact, 1e-6))
  })

  test.each([-1e4, -21, -20, 2, 2.5, 1e4])('log σ of a squashed Gaussian is kept in [−20, 2]: %d', async (logStd) => {
    const kept = Math.min(Math.max(logStd, -20), 2)
    const { entropies } = await everywhere({ name: 'squashed-gaussian', actions: 1 }, [[0, logStd]], [[0]])
    for (const [entropy] of entropies) expect(entropy).toBeCloseTo(kept + 1.4189385, 5)
    for (const backend of backends) {
      const [slope] = await numbersOn(backend, () => {
        const entropy = (rows: tf.Tensor) =>
          tf.sum(gaussian.entropy(squashedGaussian.parametersOf(rows as tf.Tensor2D)))
        return [tf.grad(entropy)(tf.tensor2d([[0, logStd]]))]
      })
      const atBound = logStd === -20 || logStd === 2
      expect(slope).toEqual([0, atBound ? 0.5 : kept === logStd ? 1 : 0])
    }
  })
})

describe('densities integrate to 1', () => {
  const intervals = 4000

  /**
   * ∫ e^{log π(a)} da over actions in order, by the op and by tfjs, with trapezoids between the floats that they are.
   */
  async function integrals(name: HeadName, outputs: number[], logStd: number[], actions: number[]) {
    const population = await directPopulation({ name, actions: 1 }, 2, actions.length)
    const { view, policy, thetaOf } = population
    view.observation.set(actions.flatMap(() => outputs))
    view.action.set(actions)
    thetaOf(0).set(logStd, policy.net.size)
    const rows = rowsOf(view.observation, outputs.length)
    const example = { population, outputs: rows, actions: rowsOf(view.action, 1) }
    const logProbs = [logProbsOf(population), (await numbersOn('wasm', () => inTfjs(example)))[0]]
    return logProbs.map((values) => {
      let total = 0
      for (let k = 1; k < actions.length; k++)
        total += ((Math.exp(values[k - 1]) + Math.exp(values[k])) / 2) * (view.action[k] - view.action[k - 1])
      return total
    })
  }

  const grid = (from: number, to: number) =>
    Array.from({ length: intervals + 1 }, (_, k) => from + ((to - from) * k) / intervals)

  test.each([
    [0, 0],
    [-3, 1.5],
    [0.5, -4],
  ])('Gaussian, μ = %d, log σ = %d', async (mean, logStd) => {
    const reach = 7 * Math.exp(logStd)
    for (const total of await integrals('gaussian', [mean], [logStd], grid(mean - reach, mean + reach)))
      expect(total).toBeCloseTo(1, 4)
  })

  test.each([
    [0, 0],
    [1, -1],
    [-0.5, 0.5],
    [0.3, -3],
  ])('squashed Gaussian, μ = %d, log σ = %d', async (mean, logStd) => {
    const reach = 6 * Math.exp(logStd)
    const actions = grid(Math.max(mean - reach, -8.5), Math.min(mean + reach, 8.5)).map(Math.tanh)
    for (const total of await integrals('squashed-gaussian', [mean, logStd], [], actions))
      expect(total).toBeCloseTo(1, 3)
  })
})
