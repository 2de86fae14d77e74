import { beforeAll, describe, expect, test } from '@jest/globals'
import {
  type AmortizedInfo,
  type AmortizedOptions,
  type AmortizedState,
  createAmortizedSVGD,
} from '../../../src/algorithms/amortized-svgd/amortized-svgd.ts'
import { logDensity } from '../../../src/compile/log-density.ts'
import { generator, normal } from '../../../src/core/generator.ts'
import { forward } from '../../../src/nn/forward.ts'
import { mlp } from '../../../src/nn/network.ts'
import { startTfjs, tf } from '../../../src/nn/tfjs.ts'
import { rbf } from '../../../src/svgd/kernels.ts'
import { imqReference, rbfReference, squaredUReference, steinKernelReference } from '../../reference/discrepancy.ts'
import { directionAtReference } from '../../reference/per-state.ts'

beforeAll(() => startTfjs())

/** N(3, 0.5²) */
const gaussian = (out: Float32Array, [x]: Float32Array) => {
  out[0] = (3 - x) / 0.25
}
const line = mlp([2, 16, 1])
const plane = mlp([2, 8, 2])

async function train(options: AmortizedOptions, steps: number) {
  const method = createAmortizedSVGD(options)
  const state = await method.init()
  let info: AmortizedInfo | undefined
  for (let t = 0; t < steps; t++) info = method.step(state)
  return { ...method, state, info }
}

function moments(x: Float32Array) {
  const mean = x.reduce((sum, value) => sum + value, 0) / x.length
  const variance = x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / x.length
  return { mean, deviation: Math.sqrt(variance) }
}

describe('a Gaussian: the sampler has its mean and its deviation', () => {
  const base = { network: line, dimension: 1, score: gaussian } as const
  const forms: [string, Partial<AmortizedOptions>, number][] = [
    ['chain', {}, 600],
    ['chain, two batches', { batches: 2 }, 600],
    ['chain, row sums', { normalise: 'row sum' }, 600],
    ['chain, two batches, row sums', { batches: 2, normalise: 'row sum' }, 600],
    ['regression', { rule: 'regression', stepSize: 0.5 }, 250],
    ['regression, two batches', { rule: 'regression', stepSize: 0.5, batches: 2 }, 250],
    ['discrepancy', { rule: 'discrepancy' }, 1000],
    ['discrepancy, rbf', { rule: 'discrepancy', discrepancyKernel: { kind: 'rbf', bandwidth: 2 } }, 1000],
  ]
  test.each(forms)('%s', async (_, options, steps) => {
    const { sample, state } = await train({ ...base, ...options }, steps)
    const { mean, deviation } = moments(sample(state, 2000))
    expect(Math.abs(mean - 3)).toBeLessThan(0.08)
    expect(Math.abs(deviation - 0.5)).toBeLessThan(0.08)
  })

  test('the temperature widens it by its root', async () => {
    const { sample, state } = await train({ ...base, temperature: 4 }, 900)
    const { mean, deviation } = moments(sample(state, 2000))
    expect(Math.abs(mean - 3)).toBeLessThan(0.15)
    expect(Math.abs(deviation - 1)).toBeLessThan(0.15)
  })

  test('without repulsion it falls to a point, the mode', async () => {
    const { sample, state } = await train({ ...base, repulsion: 0 }, 600)
    const { mean, deviation } = moments(sample(state, 2000))
    expect(Math.abs(mean - 3)).toBeLessThan(0.1)
    expect(deviation).toBeLessThan(0.15)
  })
})

test('a mixture: both modes, in their proportion', async () => {
  const score = logDensity((x) =>
    tf.logSumExp(
      tf.concat(
        [-2, 2].map((mode, k) => tf.add(tf.mul(-2, tf.square(tf.sub(x, mode))), Math.log(k + 1))),
        1,
      ),
      1,
    ),
  )
  const network = mlp([2, 32, 1])
  const { sample, state } = await train({ network, dimension: 1, populationScore: score, learningRate: 0.01 }, 800)
  const x = sample(state, 2000)
  const left = x.filter((value) => value < 0).length / x.length
  expect(Math.abs(left - 1 / 3)).toBeLessThan(0.12)
  expect(Math.abs(moments(x.filter((value) => value < 0)).mean + 2)).toBeLessThan(0.25)
  expect(Math.abs(moments(x.filter((value) => value > 0)).mean - 2)).toBeLessThan(0.25)
})

/** x₁ ~ N(0, 1), x₂ ~ N(x₁²/2, 0.5²) */
const banana = (out: Float32Array, [a, b]: Float32Array) => {
  const rest = (b - (a * a) / 2) / 0.25
  out[0] = -a + rest * a
  out[1] = -rest
}

/** Squared maximum mean discrepancy (U-statistic) under exp(−d²/2) between rows of two coordinates. */
function mmd(x: Float32Array, y: Float32Array): number {
  const mean = (a: Float32Array, b: Float32Array) => {
    let sum = 0
    let pairs = 0
    for (let i = 0; i < a.length; i += 2) {
      for (let j = 0; j < b.length; j += 2) {
        if (a === b && i === j) continue
        sum += Math.exp(-((a[i] - b[j]) ** 2 + (a[i + 1] - b[j + 1]) ** 2) / 2)
        pairs++
      }
    }
    return sum / pairs
  }
  return mean(x, x) + mean(y, y) - 2 * mean(x, y)
}

test('a banana: its samples come near exact ones', async () => {
  const g = generator(3)
  const exact = new Float32Array(1000)
  for (let k = 0; k < exact.length; k += 2) {
    exact[k] = normal(g)
    exact[k + 1] = exact[k] ** 2 / 2 + 0.5 * normal(g)
  }
  const network = mlp([2, 32, 32, 2])
  const method = createAmortizedSVGD({ network, dimension: 2, score: banana, learningRate: 0.01 })
  const state = await method.init()
  const before = mmd(method.sample(state, 500), exact)
  for (let t = 0; t < 500; t++) method.step(state)
  const after = mmd(method.sample(state, 500), exact)
  expect(after).toBeLessThan(0.02)
  expect(after).toBeLessThan(before / 5)
})

/** Points of a sampler [n][2] with given parameters and noise, in tfjs. */
function pointsAt(theta: Float32Array, noise: Float32Array): number[][] {
  return tf.tidy(
    () => forward(plane, tf.tensor1d(theta), tf.tensor2d(noise, [noise.length / 2, 2])).arraySync() as number[][],
  )
}

/** The gradient that a step took, against central differences of an objective of the parameters before it. */
async function compareGradient(
  options: Partial<AmortizedOptions>,
  objective: (points: number[][], state: AmortizedState) => number,
  tolerance: number,
) {
  const method = createAmortizedSVGD({ network: plane, dimension: 2, particles: 7, score: banana, ...options })
  const state = await method.init()
  const before = state.sampler.view.theta.slice(0, plane.size)
  method.step(state)
  const { noise } = state.arena.view
  const gradient = [...state.sampler.view.direction.subarray(0, plane.size)]
  const STEP = 2 ** -7
  const numerical = gradient.map((_, k) => {
    const at = (side: number) => {
      const theta = before.slice()
      theta[k] += side * STEP
      return objective(pointsAt(theta, noise), state)
    }
    return (at(1) - at(-1)) / (2 * STEP)
  })
  const largest = Math.max(...numerical.map(Math.abs))
  gradient.forEach((value, k) => void expect(Math.abs(value - numerical[k])).toBeLessThan(tolerance * largest))
}

const scoresOf = (X: number[][]) =>
  X.map((x) => {
    const out = new Float32Array(2)
    banana(out, Float32Array.from(x))
    return [...out]
  })

describe('the gradient of a step', () => {
  const h = 1.5
  const variants: AmortizedOptions['normalise'][] = ['n', 'row sum']

  /** mean ⟨φ, f⟩ with φ of the particles before the step. */
  function followed(
    fixedOf: (state: AmortizedState) => number[][],
    variant: { repulsion: number; normalise?: string },
  ) {
    let phi: number[][] | undefined
    return (points: number[][], state: AmortizedState) => {
      const fixed = fixedOf(state)
      const field = { fixed, score: scoresOf(fixed) }
      phi ??= state.rows.map(({ x }) => directionAtReference([...x], field, h, variant))
      return points.reduce((sum, x, i) => sum + x[0] * (phi?.[i][0] ?? 0) + x[1] * (phi?.[i][1] ?? 0), 0) / 7
    }
  }

  test.each(variants)('chain: that of mean ⟨φ, f⟩ by finite differences, divided by %s', async (normalise) => {
    const variant = { repulsion: 3, normalise }
    const objective = followed(({ rows }) => rows.map(({ x }) => [...x]), variant)
    await compareGradient({ kernel: rbf({ bandwidth: h }), ...variant }, objective, 2e-3)
  })

  test.each(variants)(
    'chain, two batches: φ of the particles at the batch that moves, divided by %s',
    async (normalise) => {
      const variant = { repulsion: 3, normalise }
      const objective = followed(({ arena: { view }, rows }) => {
        const fixed = rows.map((_, i) => [view.fixed[2 * i], view.fixed[2 * i + 1]])
        expect(fixed[0]).not.toEqual([...rows[0].x])
        return fixed
      }, variant)
      await compareGradient({ batches: 2, bandwidth: h, ...variant }, objective, 2e-3)
    },
  )

  test('regression: that of the mean square distance from x + ε φ, and so often as was asked for', async () => {
    const options = { rule: 'regression' as const, stepSize: 0.3, kernel: rbf({ bandwidth: h }) }
    let targets: number[][] | undefined
    const objective = (points: number[][], { rows }: AmortizedState) => {
      const fixed = rows.map(({ x }) => [...x])
      const field = { fixed, score: scoresOf(fixed) }
      targets ??= fixed.map((x) => directionAtReference(x, field, h).map((phi, c) => x[c] + 0.3 * phi))
      return (
        -points.reduce((sum, x, i) => sum + x.reduce((all, v, c) => all + (v - (targets?.[i][c] ?? 0)) ** 2, 0), 0) / 7
      )
    }
    await compareGradient({ ...options, passes: 1 }, objective, 2e-3)
    const { state } = await train({ network: plane, dimension: 2, score: banana, ...options, passes: 4 }, 2)
    expect(state.sampler.steps[0]).toBe(8)
  })

  test.each([
    [{ kind: 'imq', c: 1, beta: -0.5 }, imqReference(1, -0.5)],
    [{ kind: 'imq', c: 2, beta: -0.25 }, imqReference(2, -0.25)],
    [{ kind: 'rbf', bandwidth: 2 }, rbfReference(2)],
  ] as const)('discrepancy: down the U-statistic, the Hessian included, %j', async (discrepancyKernel, reference) => {
    await compareGradient(
      { rule: 'discrepancy', discrepancyKernel },
      (points) => -squaredUReference(steinKernelReference(points, scoresOf(points), reference)),
      1e-2,
    )
  })

  test('discrepancy: the step tells the U-statistic of its points', async () => {
    const { state, info } = await train(
      { network: plane, dimension: 2, particles: 7, score: banana, rule: 'discrepancy' },
      1,
    )
    const X = state.rows.map(({ x }) => [...x])
    const expected = squaredUReference(steinKernelReference(X, scoresOf(X), imqReference(1, -0.5)))
    expect((info?.squaredU ?? 0) / expected).toBeCloseTo(1, 4)
  })
})

describe('sampling', () => {
  const options = { network: plane, dimension: 2, particles: 10, score: banana }

  test('the same seed gives the same bits, another one others', async () => {
    const first = await train({ ...options, seed: 1 }, 5)
    const again = await train({ ...options, seed: 1 }, 5)
    const other = await train({ ...options, seed: 2 }, 5)
    expect(again.sample(again.state, 25)).toEqual(first.sample(first.state, 25))
    expect(other.sample(other.state, 25)).not.toEqual(first.sample(first.state, 25))
  })

  test('it disturbs no training, a stream repeats itself and differs from others', async () => {
    const plain = await train(options, 6)
    const disturbed = createAmortizedSVGD(options)
    const state = await disturbed.init()
    for (let t = 0; t < 6; t++) {
      disturbed.sample(state, 25)
      disturbed.step(state)
    }
    expect(disturbed.sample(state, 25)).toEqual(plain.sample(plain.state, 25))
    expect(disturbed.sample(state, 25, 1)).not.toEqual(plain.sample(plain.state, 25))
    // More points begin with the same ones.
    expect(disturbed.sample(state, 40).slice(0, 50)).toEqual(plain.sample(plain.state, 25))
  })
})

describe('bad input', () => {
  const good = { network: plane, dimension: 2, score: banana }
  const wrong: [Partial<AmortizedOptions>, string][] = [
    [{ dimension: 3 }, 'The sampler must put out as many numbers as the target has coordinates, 3; it puts out 2.'],
    [{ temperature: 0 }, 'temperature must be a finite number above 0, got 0.'],
    [{ learningRate: -1 }, 'learningRate must be a finite number above 0, got -1.'],
    [{ stepSize: 0 }, 'stepSize must be a finite number above 0, got 0.'],
    [{ particles: 1 }, 'particles must be a whole number from 2 to 10000, got 1.'],
    [{ batches: 3 as 2 }, 'batches must be 1 or 2, got 3.'],
    [{ rule: 'both' as 'chain' }, 'rule must be one of chain, regression, discrepancy, got "both".'],
    [
      { batches: 2, kernel: rbf() },
      'Two batches take the RBF kernel: give bandwidth instead of kernel, or batches: 1.',
    ],
    [{ bandwidth: 1 }, 'bandwidth is that of two batches: give kernel: rbf({ bandwidth }) for one.'],
    [{ rule: 'discrepancy', batches: 2 }, "The rule 'discrepancy' takes one batch, got batches: 2."],
    [
      { discrepancyKernel: { kind: 'rbf', bandwidth: 0 } },
      'discrepancyKernel must be an rbf with bandwidth > 0 or an imq with c > 0 and -1 < beta < 0, got {"kind":"rbf","bandwidth":0}.',
    ],
    [{ score: undefined }, 'Give a score (of one particle) or a populationScore (of all of them).'],
  ]
  test.each(wrong)('%j', (options, message) => {
    expect(() => createAmortizedSVGD({ ...good, ...options })).toThrow(message)
  })

  test('a score that is not finite stops the step and names the point', async () => {
    const method = createAmortizedSVGD({ ...good, score: (out) => void out.fill(Number.NaN) })
    const state = await method.init()
    expect(() => method.step(state)).toThrow(
      /^The score of particle 0 is NaN at x = \[.*\] in step 1; it must be finite\.$/,
    )
  })

  test('a sampler that ran away stops before the next step', async () => {
    const method = createAmortizedSVGD(good)
    const state = await method.init()
    state.sampler.view.theta[plane.size - 1] = Number.POSITIVE_INFINITY
    expect(() => method.step(state)).toThrow(/^Particle 0 is \[.*\] in step 1; it must be finite\.$/)
  })
})
