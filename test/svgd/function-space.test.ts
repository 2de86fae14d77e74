// SVGD on what particles compute: against plain SVGD, a float64 twin, finite differences and an exact posterior.
import { describe, expect, test } from '@jest/globals'
import { logDensity } from '../../src/compile/log-density.ts'
import { outputsOf } from '../../src/compile/outputs.ts'
import { startTfjs, tf } from '../../src/nn/tfjs.ts'
import { adam, sgd } from '../../src/optim/optimizers.ts'
import { loadSvgd, saveSvgd } from '../../src/svgd/checkpoint.ts'
import { imq, preconditioned, rbf } from '../../src/svgd/kernels.ts'
import { createSVGD, particlesOf, type SvgdOptions, svgd } from '../../src/svgd/svgd.ts'
import { inverse } from '../reference/linear.ts'
import { steinDirectionReference } from '../reference/svgd.ts'

await startTfjs()

const NO_BATCH = { rows: new Int32Array(0), scale: 1 }
const rowsOf = (values: ArrayLike<number>, width: number) =>
  Array.from({ length: values.length / width }, (_, i) =>
    Array.from({ length: width }, (_, k) => values[i * width + k]),
  )
const product = (A: readonly (readonly number[])[], x: readonly number[]) =>
  A.map((row) => row.reduce((sum, a, k) => sum + a * x[k], 0))
const transposed = (A: readonly (readonly number[])[]) => A[0].map((_, k) => A.map((row) => row[k]))

/** log N(f; 0, I) up to a constant. */
const standard = logDensity((f) => tf.mul(-0.5, tf.sum(tf.square(f), 1)))

async function run(steps: number, options: SvgdOptions, start = { particles: 7, dimension: 3, seed: 3 }) {
  using state = await createSVGD(options).init(start)
  const method = createSVGD(options)
  let info = method.step(state)
  for (let t = 1; t < steps; t++) info = method.step(state)
  return { theta: particlesOf(state), info }
}

test('where particles compute themselves it is plain SVGD, to the bit', async () => {
  const outputs = outputsOf((theta) => theta, { count: 3 })
  for (const kernel of [rbf(), imq()]) {
    const shared = { populationScore: standard, kernel, optimizer: adam({ learningRate: 0.05 }) }
    const plain = await run(30, shared)
    const asFunctions = await run(30, { ...shared, outputs })
    expect(asFunctions.theta).toEqual(plain.theta)
    expect(asFunctions.info).toEqual(plain.info)
  }
})

describe('f = A θ, of which the pull-back is Aᵀ', () => {
  const A = [
    [1, 2, -1],
    [0.5, 0, 1],
    [0, -1, 0.25],
    [2, 1, 1],
  ]
  const outputs = outputsOf((theta) => tf.matMul(theta, tf.tensor2d(A), false, true), { count: 4 })

  test('one step is θ + ε Aᵀ φ(A θ) of the float64 twin', async () => {
    const rate = 0.1
    const options = { outputs, populationScore: standard, kernel: rbf({ bandwidth: 2 }) }
    const method = createSVGD({ ...options, optimizer: sgd({ learningRate: rate }) })
    using state = await method.init({ particles: 6, dimension: 3, seed: 1 })
    const before = rowsOf(particlesOf(state), 3)
    method.step(state)
    const F = before.map((theta) => product(A, theta))
    const { phi } = steinDirectionReference(
      F,
      F.map((f) => f.map((value) => -value)),
      2,
    )
    rowsOf(particlesOf(state), 3).forEach((theta, i) => {
      const move = product(transposed(A), phi[i])
      theta.forEach((value, k) => void expect(value).toBeCloseTo(before[i][k] + rate * move[k], 5))
    })
  })

  test('the kernel of outputs is that of particles in the metric AᵀA', async () => {
    const metric = transposed(A).map((column) => product(transposed(A), column))
    const kernel = rbf({ bandwidth: 2 })
    const { info } = await run(1, { outputs, populationScore: standard, kernel })
    const inMetric = await run(1, { populationScore: standard, kernel: preconditioned(metric, kernel) })
    expect(info.kernelOffDiagonal).toBeCloseTo(inMetric.info.kernelOffDiagonal, 6)
    expect(info.meanDistance).toBeCloseTo(inMetric.info.meanDistance, 5)
    expect(info.kernelOffDiagonal).toBeGreaterThan(1e-3)
  })
})

test('the pull-back of a network is that of finite differences', () => {
  const [inputs, hidden, rows] = [2, 3, 4]
  const d = hidden * (inputs + 1) + hidden
  const X = tf.tensor2d(
    Float32Array.from({ length: rows * inputs }, (_, k) => ((k * 37) % 11) / 5 - 1),
    [rows, inputs],
  )
  const outputs = outputsOf(
    (theta) => {
      const n = theta.shape[0]
      const w1 = tf.reshape(tf.slice(theta, [0, 0], [n, hidden * inputs]), [n * hidden, inputs])
      const b1 = tf.reshape(tf.slice(theta, [0, hidden * inputs], [n, hidden]), [n, hidden, 1])
      const w2 = tf.reshape(tf.slice(theta, [0, hidden * (inputs + 1)], [n, hidden]), [n, hidden, 1])
      const units = tf.tanh(tf.add(tf.reshape(tf.matMul(w1, X, false, true), [n, hidden, rows]), b1))
      return tf.sum(tf.mul(units, w2), 1)
    },
    { count: rows },
  )
  const [n, stride] = [2, 12]
  const x = Float32Array.from({ length: n * stride }, (_, k) => (((k * 29) % 17) - 8) / 10)
  const v = Float32Array.from({ length: n * rows }, (_, k) => (((k * 13) % 7) - 3) / 2)
  const population = { particles: n, dimension: d, stride, x, score: new Float32Array(n * stride) }
  const pulled = Float32Array.from(outputs.pullBack(population, v, NO_BATCH))
  const along = (moved: Float32Array) =>
    outputs.values({ ...population, x: moved }, NO_BATCH).reduce((sum, f, k) => sum + f * v[k], 0)
  const h = 1e-2
  for (let i = 0; i < n; i++)
    for (let k = 0; k < d; k++) {
      const [up, down] = [h, -h].map((by) => {
        const moved = Float32Array.from(x)
        moved[i * stride + k] += by
        return along(moved)
      })
      expect(pulled[i * d + k]).toBeCloseTo((up - down) / (2 * h), 2)
    }
})

test('compiled it is what tfjs gives, to 1e-5', async () => {
  const of = (compile: 'always' | 'never') =>
    outputsOf((theta) => tf.softplus(tf.mul(theta, tf.sin(theta))), { count: 3, compile })
  const [compiled, eager] = await Promise.all(
    (['always', 'never'] as const).map((compile) => run(20, { outputs: of(compile), populationScore: standard })),
  )
  compiled.theta.forEach((value, k) => void expect(Math.abs(value - eager.theta[k])).toBeLessThan(1e-5))
})

test('networks that compute the same are one to the kernel, whatever the order of their units', async () => {
  // f(x) = Σ_h w_h relu(u_h x) at three inputs.
  const X = tf.tensor2d([[-1, 0.5, 2]])
  const outputs = outputsOf(
    (theta) => {
      const n = theta.shape[0]
      const u = tf.reshape(tf.slice(theta, [0, 0], [n, 2]), [n * 2, 1])
      const w = tf.reshape(tf.slice(theta, [0, 2], [n, 2]), [n, 2, 1])
      return tf.sum(tf.mul(tf.reshape(tf.relu(tf.matMul(u, X)), [n, 2, 3]), w), 1)
    },
    { count: 3 },
  )
  const initial = [1, -2, 0.5, 3, -2, 1, 3, 0.5]
  const kernel = rbf({ bandwidth: 1 })
  const kernelOf = async (options: SvgdOptions) => {
    const method = createSVGD(options)
    using state = await method.init({ particles: 2, dimension: 4, initial })
    return method.step(state).kernelOffDiagonal
  }
  expect(await kernelOf({ outputs, populationScore: standard, kernel })).toBe(1)
  expect(await kernelOf({ populationScore: standard, kernel })).toBeLessThan(1e-3)
})

test('Bayesian regression: the particles compute the exact posterior of the function', async () => {
  // f = X θ, θ ~ N(0, I), so f ~ N(0, XXᵀ); y ~ N(f, ½²). The posterior of f is N(m, S) with
  // S = ((XXᵀ)⁻¹ + 4 I)⁻¹ and m = 4 S y.
  const X = [
    [1, 0.2, -0.5],
    [1, 1, 0.3],
    [1, -0.7, 1],
  ]
  const y = [0.5, 1.5, -1]
  const precision = inverse(X.map((row) => X.map((other) => row.reduce((sum, a, k) => sum + a * other[k], 0))))
  const S = inverse(precision.map((row, i) => row.map((value, k) => value + (i === k ? 4 : 0))))
  const m = product(S, y).map((value) => 4 * value)
  const theta = await svgd({
    outputs: outputsOf((theta) => tf.matMul(theta, tf.tensor2d(X), false, true), { count: 3 }),
    populationScore: logDensity((f) => {
      const prior = tf.sum(tf.mul(f, tf.matMul(f as tf.Tensor2D, tf.tensor2d(precision))), 1)
      const misfit = tf.sum(tf.square(tf.sub(f, tf.tensor1d(y))), 1)
      return tf.mul(-0.5, tf.add(prior, tf.mul(4, misfit)))
    }),
    ...{ particles: 100, dimension: 3, iterations: 1500 },
  })
  const F = rowsOf(theta, 3).map((row) => product(X, row))
  m.forEach((exact, k) => {
    const values = F.map((f) => f[k])
    const mean = values.reduce((a, b) => a + b) / values.length
    const sd = Math.sqrt(values.reduce((sum, f) => sum + (f - mean) ** 2, 0) / (values.length - 1))
    expect(Math.abs(mean - exact)).toBeLessThan(0.05 * Math.sqrt(S[k][k]))
    expect(sd / Math.sqrt(S[k][k])).toBeGreaterThan(0.85)
    expect(sd / Math.sqrt(S[k][k])).toBeLessThan(1.05)
  })
})

test('a state goes on from its bytes, minibatches and all, and threads change no bit', async () => {
  const data = tf.tensor1d(Float32Array.from({ length: 10 }, (_, k) => Math.fround(k / 3)))
  const outputs = outputsOf((theta, { rows }) => tf.mul(theta, tf.reshape(tf.gather(data, [...rows]), [1, 4])), {
    count: 4,
  })
  const options = (threads: number): SvgdOptions => ({
    ...{ outputs, populationScore: standard, minibatch: { rows: 10, size: 4 }, threads },
    ...{ kernel: rbf(), optimizer: adam({ learningRate: 0.05 }) },
  })
  const start = { particles: 40, dimension: 4, seed: 5 }
  const whole = await run(9, options(1), start)
  expect((await run(9, options(2), start)).theta).toEqual(whole.theta)
  const method = createSVGD(options(1))
  using state = await method.init(start)
  for (let t = 0; t < 4; t++) method.step(state)
  using again = await method.init(start)
  loadSvgd(again, saveSvgd(state))
  for (let t = 4; t < 9; t++) method.step(again)
  expect(particlesOf(again)).toEqual(whole.theta)
})

describe('what cannot be is refused in a sentence', () => {
  const two = outputsOf((theta) => tf.slice2d(theta, [0, 0], [theta.shape[0], 2]), { count: 2 })
  const once = (options: Record<string, unknown>) => run(1, { populationScore: standard, ...options } as SvgdOptions)

  test.each<[string, () => unknown, string]>([
    [
      'a function that is none',
      () => outputsOf(3 as never, { count: 1 }),
      'outputsOf takes a function of the particles',
    ],
    ['no count', () => outputsOf((x) => x, undefined as never), 'count must be a whole number'],
    ['no outputs', () => outputsOf((x) => x, { count: 0 }), 'count must be a whole number from 1 to 10000000, got 0.'],
    ['an option', () => outputsOf((x) => x, { count: 1, size: 2 } as never), 'outputsOf has no option "size"'],
    [
      'outputs of no kind',
      () => createSVGD({ populationScore: standard, outputs: ((x: never) => x) as never }),
      'outputs must be what outputsOf(…) gives',
    ],
    [
      'noise',
      () => createSVGD({ populationScore: standard, outputs: two, noise: 1 }),
      'noise is for scores of particles: leave it out with outputs.',
    ],
  ])('%s', (_, make, sentence) => {
    expect(make).toThrow(new RegExp(sentence.replace(/[.()*+?[\]]/g, '\\$&'), 'i'))
  })

  test.each<[string, Record<string, unknown>, string]>([
    [
      'another number of outputs than said',
      { outputs: outputsOf((theta) => theta, { count: 5 }) },
      'What particles compute is [7, 3]: 5 outputs of each of 7 particles are [7, 5].',
    ],
    [
      'one number for all',
      { outputs: outputsOf((theta) => tf.sum(theta), { count: 1 }) },
      'What particles compute is []: 1 outputs of each of 7 particles are [7, 1].',
    ],
    [
      'matrices that do not fit',
      { outputs: outputsOf((theta) => tf.matMul(theta, tf.ones([2, 2])), { count: 2 }) },
      'The expression of what particles compute failed: Error in matMul',
    ],
    ['no tensor', { outputs: outputsOf(() => 3 as never, { count: 1 }) }, 'must be a tensor [7, 1], got 3.'],
    [
      'what does not depend on particles',
      { outputs: outputsOf((theta) => tf.ones([theta.shape[0], 2]), { count: 2 }) },
      'What particles compute does not depend on them by ops of tfjs',
    ],
    [
      'a record whose values are too few',
      { outputs: { count: 2, values: () => new Float32Array(3), pullBack: () => new Float32Array(21) } },
      'outputs.values must give 7 × 2 = 14 numbers as a Float32Array, got 3.',
    ],
    [
      'a record that pulls back a list',
      { outputs: { ...two, pullBack: () => [1] } },
      'outputs.pullBack must give 7 × 3 = 21 numbers as a Float32Array, got [1].',
    ],
    [
      'outputs that are not finite',
      { outputs: outputsOf((theta) => tf.div(theta, 0), { count: 3 }) },
      'in step 1; it must be finite.',
    ],
  ])('%s', async (_, options, sentence) => {
    await expect(once(options)).rejects.toThrow(sentence)
  })
})
