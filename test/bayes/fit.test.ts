import { beforeAll, describe, expect, jest, test } from '@jest/globals'
import { platform } from '#platform'
import { diagnose } from '../../src/bayes/diagnose.ts'
import { type Fit, fitPosterior } from '../../src/bayes/fit.ts'
import * as logp from '../../src/bayes/logp.ts'
import { type Model, model } from '../../src/bayes/model.ts'
import { predict } from '../../src/bayes/predict.ts'
import { summary } from '../../src/bayes/summary.ts'
import {
  choleskyCorrelation,
  interval,
  ordered,
  positive,
  type RealOptions,
  real,
  simplex,
} from '../../src/bayes/supports.ts'
import { startTfjs, tf } from '../../src/nn/tfjs.ts'

beforeAll(() => startTfjs())

/** Posteriors whose means and standard deviations are known exactly. */
const exact: readonly (readonly [
  name: string,
  make: () => Model,
  moments: Record<string, [mean: number, sd: number]>,
])[] = [
  [
    'a Gamma',
    () => model({ parameters: { x: positive() }, logDensity: ({ x }) => logp.gamma(x, 5, 2) }) as unknown as Model,
    { x: [2.5, Math.sqrt(5) / 2] },
  ],
  [
    'a Beta(2, 5)',
    () => model({ parameters: { x: interval(0, 1) }, logDensity: ({ x }) => logp.beta(x, 2, 5) }) as unknown as Model,
    { x: [2 / 7, Math.sqrt(10 / (49 * 8))] },
  ],
  [
    'a Dirichlet',
    () =>
      model({ parameters: { w: simplex(3) }, logDensity: ({ w }) => logp.dirichlet(w, [2, 3, 5]) }) as unknown as Model,
    { 'w[0]': [0.2, Math.sqrt(0.16 / 11)], 'w[2]': [0.5, Math.sqrt(0.25 / 11)] },
  ],
  [
    'a Gaussian of correlation 0.99 and scales 1 to 10,000',
    () => {
      const precision = [
        [1 / 0.0199, -0.99 / 0.0199 / 1e4],
        [-0.99 / 0.0199 / 1e4, 1 / 0.0199 / 1e8],
      ]
      return model({
        parameters: { x: real(2) },
        logDensity: ({ x }) => {
          const centred = tf.sub(x, [3, 2e4]) as tf.Tensor2D
          return tf.mul(-0.5, tf.sum(tf.mul(centred, tf.matMul(centred, tf.tensor2d(precision))), 1))
        },
      }) as unknown as Model
    },
    { 'x[0]': [3, 1], 'x[1]': [2e4, 1e4] },
  ],
  [
    'order statistics of two uniforms',
    // (x₀, x₁) uniform on 0 < x₀ < x₁ < 1, as x₁ ~ Beta(2, 1) and x₀ uniform below it.
    () =>
      model({
        parameters: { top: interval(0, 1), share: interval(0, 1) },
        logDensity: ({ top }) => logp.beta(top, 2, 1),
        generated: ({ top, share }) => ({ low: tf.mul(top, share) }),
      }) as unknown as Model,
    { top: [2 / 3, Math.sqrt(1 / 18)], low: [1 / 3, Math.sqrt(1 / 18)] },
  ],
]

describe.each(exact)('%s', (_, make, moments) => {
  test('is found to a tenth of its standard deviation, and called fine', async () => {
    const fit = await fitPosterior(make())
    const rows = new Map(summary(fit).map((row) => [row.name, row]))
    for (const [name, [mean, sd]] of Object.entries(moments)) {
      const row = rows.get(name)
      expect(Math.abs((row?.mean ?? Number.NaN) - mean) / sd).toBeLessThan(0.1)
      expect(Math.abs((row?.sd ?? Number.NaN) / sd - 1)).toBeLessThan(0.12)
    }
    const { verdict, sentence } = await diagnose(fit)
    expect([verdict, sentence]).toEqual([
      'fine',
      expect.stringContaining('Fine: a walk from the particles moves means by no more than'),
    ])
  })
})

test('LKJ(2) correlations of three variables have mean 0 and variance 1/8', async () => {
  // The correlation of two of K variables is 2 Beta(a, a) − 1 with a = η − 1 + K/2 = 5/2, of variance 1/(2a + 1) = 1/6.
  const lkj = model({
    parameters: { L: choleskyCorrelation(3) },
    logDensity: ({ L }) => logp.lkjCholesky(L, 2),
    generated: ({ L }) => ({ R: tf.matMul(L, L, false, true) }),
  })
  const { mean, sd } = summary(await fitPosterior(lkj)).find(({ name }) => name === 'R[2,1]') as {
    mean: number
    sd: number
  }
  expect(Math.abs(mean)).toBeLessThan(0.05)
  expect(Math.abs(sd * Math.sqrt(6) - 1)).toBeLessThan(0.12)
})

const line = () => {
  const x = Array.from({ length: 30 }, (_, i) => i / 10)
  const y = x.map((value, i) => 1 + 2 * value + Math.sin(7 * i))
  return model({
    parameters: { a: real(), b: real(), sigma: positive() },
    logDensity: ({ a, b, sigma }) => logp.normal(tf.tensor1d(y), tf.add(a, tf.mul(b, tf.tensor1d(x))), sigma),
  })
}

/** The second column is twice the first. */
function collinear() {
  const x = Array.from({ length: 40 }, (_, i) => Math.sin(i))
  const y = tf.tensor1d(x.map((value, i) => 1 + 2 * value + Math.cos(3 * i)))
  const columns = tf.tensor2d([x.map(() => 1), x, x.map((value) => 2 * value)])
  return model({
    parameters: { beta: real(3), sigma: positive() },
    logDensity: ({ beta, sigma }) => logp.normal(y, tf.matMul(beta as tf.Tensor2D, columns), sigma),
  })
}

/** N(1.7e9, 1), whose neighbouring float32 numbers are 128 apart. */
const far = (options: RealOptions) =>
  model({ parameters: { x: real([], options) }, logDensity: ({ x }) => logp.normal(x, 1.7e9, 1) })

test('the difference from a constant is resolved where the number itself is not', async () => {
  const y = [1.7e9 - 3, 1.7e9, 1.7e9 + 6].map((value) => value - 1.7e9)
  const shifted = model({ parameters: { x: real() }, logDensity: ({ x }) => logp.normal(tf.tensor1d(y), x, 3) })
  const [{ mean, sd }] = summary(await fitPosterior(shifted))
  expect([mean, sd]).toEqual([expect.closeTo(1, 1), expect.closeTo(Math.sqrt(3), 1)])
})

test('the same seed gives the same bytes, another seed others', async () => {
  const [a, b, c] = [
    await fitPosterior(line(), { seed: 3 }),
    await fitPosterior(line(), { seed: 3 }),
    await fitPosterior(line(), { seed: 4 }),
  ]
  expect(b.free).toEqual(a.free)
  expect(c.free).not.toEqual(a.free)
})

test('a score by name fits as the log density of which it is the gradient', async () => {
  const scored = model({
    parameters: { x: real(2), s: positive() },
    score: ({ x, s }) => ({ x: tf.neg(x), s: tf.sub(tf.div(2, s), 1) }),
  })
  const rows = summary(await fitPosterior(scored))
  // s ~ Gamma(3, 1)
  expect(rows.map(({ mean }) => mean)).toEqual([expect.closeTo(0, 1), expect.closeTo(0, 1), expect.closeTo(3, 0)])
})

test('predictions follow the draws', async () => {
  const fit = await fitPosterior(line())
  const { curve } = predict(fit, ({ a, b }) => ({ curve: tf.add(a, tf.mul(b, [0, 1])) }))
  expect(curve.shape).toEqual([2])
  expect(curve.data[0]).toBeCloseTo(fit.draws.a.data[0], 5)
  expect(curve.data[1]).toBeCloseTo(fit.draws.a.data[0] + fit.draws.b.data[0], 5)
})

describe('what cannot be fitted is refused in a sentence', () => {
  const cases: readonly (readonly [name: string, run: () => Promise<unknown>, message: string])[] = [
    [
      'a start outside a support',
      () => fitPosterior(line(), { start: { sigma: -1 } }),
      'The start of sigma: [-1] does not lie inside the positive numbers.',
    ],
    [
      'a start of a parameter that does not exist',
      () => fitPosterior(line(), { start: { c: 1 } as never }),
      'There is no parameter c; there are a, b, sigma.',
    ],
    [
      'a log density that is minus infinity everywhere',
      () => fitPosterior(model({ parameters: { x: real() }, logDensity: ({ x }) => tf.log(tf.mul(0, x)) })),
      'The log density or its gradient is not finite at any of the 4 starts',
    ],
    [
      'a standard deviation below 0',
      () => fitPosterior(model({ parameters: { x: real() }, logDensity: ({ x }) => logp.normal(x, 0, -1) })),
      '(it is NaN at the first): sd of logp.normal is -1; it must be above 0.',
    ],
    [
      'data that are not there',
      () =>
        fitPosterior(
          model({
            parameters: { x: real() },
            logDensity: ({ x }) => [logp.normal(x, 0, 1), logp.studentT(tf.tensor1d([1, Number.NaN]), 4, x, 1)],
          }),
        ),
      'entry 1 of x of logp.studentT is NaN; it must be finite.',
    ],
    [
      'data outside a support',
      () =>
        fitPosterior(
          model({ parameters: { x: real() }, logDensity: ({ x }) => logp.logNormal(tf.tensor1d([3, 2, -1]), x, 1) }),
        ),
      'entry 2 of x of logp.logNormal is -1; it must be above 0.',
    ],
    [
      'particles that depend on each other',
      () => fitPosterior(model({ parameters: { x: real() }, logDensity: ({ x }) => tf.mul(x, tf.mean(x)) })),
      'The log density of a particle depends on other particles',
    ],
    [
      'a term without the axis of the particles',
      () => fitPosterior(model({ parameters: { x: real() }, logDensity: ({ x }) => tf.sum(tf.square(x)) })),
      'Term 0 of the log density has the shape []; its first axis must be the 4 particles.',
    ],
    [
      'a posterior that float32 cannot show',
      () =>
        fitPosterior(model({ parameters: { x: real() }, logDensity: ({ x }) => logp.normal(x, 2.75e-3, 5e-10) }), {
          start: { x: 2.75e-3 },
        }),
      'float32 cannot resolve x',
    ],
    [
      'a posterior finer than float32, from a start at its mode',
      () => fitPosterior(far({}), { start: { x: 1.7e9 } }),
      'float32 cannot resolve x: its free number is 1.0 wide around 1.7000000e+9, where neighbouring numbers are',
    ],
    ['the same from far away', () => fitPosterior(far({})), 'float32 cannot resolve x'],
    [
      'the same by an offset, which values have too',
      () => fitPosterior(far({ offset: 1.7e9 })),
      'float32 cannot resolve x',
    ],
    [
      'the same by its score',
      () => fitPosterior(model({ parameters: { x: real() }, score: ({ x }) => ({ x: tf.sub(1.7e9, x) }) })),
      'float32 cannot resolve x',
    ],
    [
      'collinear columns',
      () => fitPosterior(collinear()),
      'The posterior has no information about 1.0 beta[1] − 0.50 beta[2]: the log density does not fall along it.',
    ],
    [
      'a name that is a parameter and generated',
      () =>
        fitPosterior(
          model({
            parameters: { x: real() },
            logDensity: ({ x }) => logp.normal(x, 0, 1),
            generated: ({ x }) => ({ x }),
          }),
        ),
      'x is a parameter and a generated quantity: give one of them another name.',
    ],
    [
      'a name that an entry of another parameter has',
      async () => model({ parameters: { x: real(2), 'x[1]': real() }, logDensity: ({ x }) => logp.normal(x, 0, 1) }),
      'Two quantities are named x[1]: give one of them another name.',
    ],
  ]
  test.each(cases)('%s', async (_, run, message) => {
    await expect(run()).rejects.toThrow(message)
  })
})

test('increasing numbers keep their order', async () => {
  const fit = await fitPosterior(
    model({ parameters: { cut: ordered(3) }, logDensity: ({ cut }) => logp.normal(cut, tf.tensor1d([0, 0, 1]), 1) }),
  )
  const { data } = fit.draws.cut
  for (let i = 0; i < data.length; i += 3)
    expect([data[i] < data[i + 1], data[i + 1] < data[i + 2]]).toEqual([true, true])
})

describe('a log density that cannot be compiled', () => {
  const ranked = (compile: 'auto' | 'always') =>
    model({
      parameters: { x: real(3) },
      logDensity: ({ x }) => tf.mul(-0.5, tf.square(tf.topk(x, 3).values)),
      compile,
    })

  test('is fitted by tfjs, and a warning names the op once', async () => {
    const warn = jest.spyOn(platform, 'warn').mockImplementation(() => {})
    await fitPosterior(ranked('auto'), { particles: 20, iterations: 10 })
    const said = warn.mock.calls.map(([message]) => message)
    warn.mockRestore()
    expect(said).toEqual([
      'The log density is not compiled: it uses TopK, for which there is no rule. tfjs runs it instead, which is slower.',
    ])
  })

  test('is an error where that is asked for', async () => {
    await expect(fitPosterior(ranked('always'))).rejects.toThrow(
      'The log density is not compiled: it uses TopK, for which there is no rule.',
    )
    expect(() => ranked('sometimes' as 'auto')).toThrow('compile must be')
  })
})

test('fits and models whose names are not told have the plain types', async () => {
  const named = model({ parameters: { mu: real() }, logDensity: ({ mu }) => logp.normal(mu, 0, 1) })
  const plain: Model = named
  const fit: Fit = await fitPosterior(named, { particles: 4, iterations: 1 })
  expect(fit.model).toBe(plain)
  expect(predict(fit, ({ mu }) => ({ mu })).mu.data.length).toBe(4)
})
