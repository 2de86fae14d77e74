import { describe, expect, test } from '@jest/globals'
import { scoreTarget } from '../../src/bayes/target.ts'
import type { PopulationScore } from '../../src/core/population.ts'
import { adagrad, adam, sgd } from '../../src/optim/optimizers.ts'
import { constant } from '../../src/optim/schedules.ts'
import { imq, matern32, rbf } from '../../src/svgd/kernels.ts'
import { svgdNewton } from '../../src/svgd/newton.ts'
import type { Score } from '../../src/svgd/scores.ts'
import { createSVGD, particlesOf, svgd } from '../../src/svgd/svgd.ts'

const initial = [1, -1, 0.5, 2, -3, 0.25]
const start = { particles: 2, dimension: 3, initial }

async function scoresOf(options: { score?: Score; populationScore?: PopulationScore }) {
  const { init, step } = createSVGD(options)
  const state = await init(start)
  step(state)
  return state.rows.map(({ score }) => [...score])
}

const right = [
  [-1, 1, -0.5],
  [-2, 3, -0.25],
]

const negated = (x: Float32Array) => x.map((v) => -v)

/** −x, written into out. */
const score: Score = (out, x) => out.set(negated(x))

describe('a score', () => {
  const accumulating: Score = (out, x) => {
    for (let k = 0; k < 3; k++) out[k] -= x[k]
  }
  const both = (result: (x: Float32Array) => number | ArrayLike<number>) => (out: Float32Array, x: Float32Array) => {
    out.set(negated(x))
    return result(x)
  }
  test.each<[string, Score]>([
    ['is written into out', score],
    ['is added to out', accumulating],
    ['is returned as a typed array', (_, x) => negated(x)],
    ['is returned as a list', (_, x) => [...negated(x)]],
    ['is written and returned', both(negated)],
    ['is written, and a number comes back', both(([x]) => -x)],
  ])('%s', async (_, score) => {
    expect(await scoresOf({ score })).toEqual(right)
    expect(await scoresOf({ score })).toEqual(right)
  })

  test('of one coordinate may be returned as a number', async () => {
    const found = await svgd({ score: (_, [x]) => 3 - x, particles: 3, dimension: 1, iterations: 600 })
    expect(found[0] + found[1] + found[2]).toBeCloseTo(9, 1)
  })

  test.each<[string, unknown, string]>([
    ['is asynchronous', async () => [0, 0, 0], 'score is asynchronous, it returned a promise'],
    ['has the wrong length', () => [1, 2], 'score returned 2 numbers for 3 coordinates.'],
    ['is a log density', () => -3.5, 'score wrote nothing into out and returned -3.5'],
    [
      'is two things',
      (out: Float32Array) => [...out.fill(1)].map(() => 2),
      'score wrote [1, 1, 1] into out and returned [2, 2, 2].',
    ],
    [
      'writes into the particle',
      (out: Float32Array, x: Float32Array) => x.set(negated(out)),
      'score wrote 0 into x, which it must leave as it is: it is called as (out, x) => ….',
    ],
    ['has null in the place of a number', () => [null, 1, 2], 'score returned null as number 0.'],
    ['has a big integer', () => [1, 2, 3n], 'score returned 3n as number 2.'],
    ['is a tensor', () => ({ dataSync() {} }), 'score returned a tensor: give the log density itself'],
    ['is no function', 5, 'score must be a function, (out, x) => …, got 5.'],
  ])('that %s is refused', async (_, score, message) => {
    await expect(scoresOf({ score: score as Score })).rejects.toThrow(message)
  })
})

test('a score or a hessian that keeps the first out and writes there is refused', async () => {
  let kept: Float32Array | undefined
  const keeping: Score = (out, x) => {
    kept ??= out
    kept.set(negated(x))
  }
  const wrong = /^score wrote into the out of the first particle when it was called for another: each call has an out/
  await expect(scoresOf({ score: keeping })).rejects.toThrow(wrong)
  kept = undefined
  expect(() => scoreTarget(keeping, 3).at(Float64Array.from(initial))).toThrow(wrong)
  const each = { score: (out: Float64Array, x: Float64Array) => out.set(x.map((v) => -v)), iterations: 1, ...start }
  let first: Float64Array | undefined
  const hessian = (out: Float64Array, x: Float64Array) => {
    first ??= out
    for (let k = 0; k < 3; k++) first[4 * k] = 1 + x[0] ** 2
  }
  await expect(svgdNewton({ ...each, hessian })).rejects.toThrow(/^hessian wrote into the out of the first particle/)
  let one: Float64Array | undefined
  const unit = () => [1, 0, 0, 0, 1, 0, 0, 0, 1]
  const scoring = (out: Float64Array, x: Float64Array) => {
    one ??= out
    one.set(x.map((v) => -v))
  }
  await expect(svgdNewton({ ...each, score: scoring, hessian: unit })).rejects.toThrow(wrong)
})

describe('a populationScore', () => {
  test('may leave out what is 0, and return the scores of all particles', async () => {
    const returned = initial.map((v) => -v)
    expect(await scoresOf({ populationScore: (() => returned) as PopulationScore })).toEqual(right)
    expect(await scoresOf({ populationScore: () => {} })).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ])
  })

  test.each<[string, unknown, string]>([
    [
      'ignores the stride',
      ({ x, score }: { x: Float32Array; score: Float32Array }) => {
        for (let k = 0; k < 6; k++) score[k] = 1 - x[k]
      },
      'populationScore wrote behind the 3 coordinates of particle 0: particle i begins at i × stride = i × 4',
    ],
    ['is asynchronous', async () => {}, 'populationScore is asynchronous'],
    [
      'writes into the particles',
      ({ x, score }: { x: Float32Array; score: Float32Array }) => x.set(negated(score)),
      'populationScore wrote 0 into x, which it must leave as it is: it is called as ({ x, score, … }) => ….',
    ],
    [
      'is two things',
      ({ score }: { score: Float32Array }) => {
        score[5] = 1
        return [1, 2, 3, 4, 5, 6]
      },
      'populationScore wrote 0 as coordinate 0 of particle 0 and returned 1.',
    ],
    ['is a number', () => 5, 'populationScore wrote nothing into score and returned 5'],
    ['has null in the place of a number', () => [1, 2, 3, 4, 5, null], 'populationScore returned null as number 5.'],
    ['returns too few numbers', () => [1, 2, 3], 'populationScore returned 3 numbers for 6 coordinates.'],
    ['is no function', 'x', 'populationScore must be a function'],
  ])('that %s is refused', async (_, populationScore, message) => {
    await expect(scoresOf({ populationScore: populationScore as PopulationScore })).rejects.toThrow(message)
  })
})

describe('settings of another kind are refused in a sentence', () => {
  test.each<[Record<string, unknown>, string]>([
    [{ kernel: rbf }, 'kernel must be a kernel such as rbf(), got function rbf; call it: rbf(…).'],
    [{ kernel: 'rbf' }, 'kernel must be a kernel such as rbf(), got "rbf".'],
    [
      { optimizer: adam },
      'optimizer must be an optimizer such as adam({ learningRate: 0.1 }), got function adam; call it',
    ],
    [{ optimizer: 0.1 }, 'optimizer must be an optimizer'],
    [{ annealing: 0.5 }, 'annealing must be a schedule such as constant(0.5), got 0.5.'],
    [{ kernel: { ...rbf(), terms: [undefined] } }, 'Term 0 of kernel must be { kind, weight, … }, got undefined.'],
    [{ kernel: { ...rbf(), terms: [] } }, 'kernel must have a term at least, as rbf() has, got none.'],
    [
      { kernel: { name: 'mine', terms: [{ kind: 'cubic', weight: 1 }] } },
      'The kind of term 0 of kernel must be one of rbf, imq, matern32, linear, got "cubic".',
    ],
    [{ kernel: { name: 'mine', terms: [{ kind: 'rbf', weight: 1 }] } }, 'it needs a bandwidth.'],
    [{ kernel: { ...rbf(), coordinates: { kind: 'polar' } } }, 'The coordinates of a kernel must be those that'],
    [{ kernel: { ...rbf(), given: 5 } }, 'What a kernel is given by must be a function, as given() takes it, got 5.'],
    [{ optimizer: { ...sgd({ learningRate: 1 }), keeps: 5 } }, 'What sgd keeps must be a list of mean, square'],
    [{ optimizer: { ...sgd({ learningRate: 1 }), rate: '1' } }, 'The rate of sgd must be a finite number above 0'],
    [{ optimizer: { ...sgd({ learningRate: 1 }), step: 5 } }, 'optimizer must be an optimizer'],
    [
      { repulsion: 1e-50 },
      'repulsion must be 0 or of a size of at least 1.2e-38, as it is used in float32, got 1e-50.',
    ],
    [{ noise: 1e-50 }, 'noise must be 0 or of a size of at least 1.2e-38, as it is used in float32, got 1e-50.'],
    [{ repulsion: Number.NaN }, 'repulsion must be from -3.4e+38 to 3.4e+38, as it is used in float32, got NaN.'],
    [{ normalise: 'rows' }, 'normalise must be one of n, row sum, got "rows".'],
  ])('%p', (options, message) => {
    expect(() => createSVGD({ score, ...options })).toThrow(message)
  })

  test.each<[() => unknown, string]>([
    [adam as never, 'learningRate must be a finite number above 0, got undefined.'],
    [sgd as never, 'learningRate must be a finite number above 0, got undefined.'],
    [adagrad as never, 'learningRate must be a finite number above 0, got undefined.'],
    [
      () => sgd({ learningRate: 1e-50 }),
      'learningRate must be from 1.2e-38 to 3.4e+38, as it is used in float32, got 1e-50.',
    ],
    [() => adam({ learningRate: 0.1, beta2: 0.99999999 }), 'beta2 must be at most 0.9999999, as it is used in float32'],
    [() => adam({ learningRate: 0.1, epsilon: 1e-50 }), 'epsilon must be from 1.2e-38'],
    [() => adagrad({ learningRate: 0.1, momentum: 0.99999999 }), 'momentum must be at most 0.9999999'],
    [() => rbf({ bandwidth: 1e-40 }), 'bandwidth must be from 1.2e-38'],
    [() => matern32({ bandwidth: 1e39 }), 'bandwidth must be from 1.2e-38'],
    [() => imq({ c: 1e-30 }), 'c must be from 1.1e-19 to 1.8e+19, as it is used in float32, got 1e-30.'],
    [() => constant(1e39), 'The value of a schedule must be from 0.0 to 3.4e+38'],
  ])('%#', (make, message) => {
    expect(make).toThrow(message)
  })

  test('in init and step', async () => {
    const { init, step } = createSVGD({ score })
    await expect(init(undefined as never)).rejects.toThrow('init takes { particles, dimension, … }, got undefined.')
    await expect(init({ ...start, initial: 5 as never })).rejects.toThrow('initial must hold 2 × 3 = 6 numbers, got 5.')
    await expect(init({ ...start, initial: [1, 2, 3, 4, 1e39, 6] })).rejects.toThrow(
      'initial particle 1 is [4, 1e+39, 6]',
    )
    await expect(init({ ...start, initial: [1, 2, 3, 4, null as never, 6] })).rejects.toThrow(
      'initial particle 1 is [4,null,6]; it must be finite in float32.',
    )
    expect(() => step(init(start) as never)).toThrow('step takes the state that init gives (await init(…))')
    const state = await init(start)
    expect(() => step({ ...state, particles: Number.POSITIVE_INFINITY })).toThrow(
      'step takes the state that init gives (await init(…)), got a copy or something else.',
    )
    await expect(createSVGD({ score, minibatch: 50 as never }).init(start)).rejects.toThrow(
      'minibatch must be { rows, size }, got 50.',
    )
  })
})

describe('a state of other settings', () => {
  const kernel = rbf({ bandwidth: 1 })
  test.each([
    [
      'of another optimizer',
      { kernel, optimizer: sgd({ learningRate: 0.1 }) },
      { kernel, optimizer: adam({ learningRate: 0.1 }) },
    ],
    ['of a kernel with less memory', { kernel }, { kernel: imq() }],
    ['of other minibatches', { kernel, minibatch: { rows: 90, size: 3 } }, { kernel, norms: false }],
  ])('%s is refused', async (_, first, second) => {
    const state = await createSVGD({ score, ...first }).init(start)
    expect(() => createSVGD({ score, ...second }).step(state)).toThrow(
      'This state was made for other settings than the kernel',
    )
    expect(createSVGD({ score, ...first }).step(state).bandwidth).toBe(1)
  })

  test('with the same memory goes on as its own: another learning rate, another bandwidth', async () => {
    const [slow, fast] = [0.01, 0.1].map((learningRate) =>
      createSVGD({ score, kernel, optimizer: adam({ learningRate }) }),
    )
    const [a, b] = [await slow.init(start), await fast.init(start)]
    for (let t = 0; t < 10; t++) {
      fast.step(a)
      fast.step(b)
    }
    expect(particlesOf(a)).toEqual(particlesOf(b))
  })
})

test('a particle that is not finite after the last step is an error', async () => {
  const blown = svgd({
    score: (out) => void out.fill(1e20),
    optimizer: sgd({ learningRate: 1e20 }),
    particles: 2,
    dimension: 1,
    iterations: 1,
  })
  await expect(blown).rejects.toThrow(/^Particle 0 is (Infinity|\[Infinity\]) in step 1; it must be finite\.$/)
})

test('a schedule of one’s own that gives no number is refused', async () => {
  const { init, step } = createSVGD({ score, annealing: { name: 'mine', at: () => Number.NaN } })
  const state = await init(start)
  expect(() => step(state)).toThrow(
    'annealing in step 1 must be from -3.4e+38 to 3.4e+38, as it is used in float32, got NaN.',
  )
})

test.each([
  ['adam', adam({ learningRate: 0.1 })],
  ['adagrad', adagrad({ learningRate: 0.1 })],
])('%s refuses a direction whose square overflows, naming the particle', async (_, optimizer) => {
  const steep: Score = (_, [x]) => [x > 0 ? 1 : 6e19]
  const run = svgd({ score: steep, optimizer, particles: 2, dimension: 1, initial: [1, -1e6], iterations: 3 })
  await expect(run).rejects.toThrow(/^The direction of particle 1 is 3.*whose square float32 cannot hold/)
})

describe('a score that was given in the wrong way', () => {
  const few = { particles: 3, dimension: 2, iterations: 1 }

  test('as a function of x alone is refused, as one of out alone is not', async () => {
    const alone = ((x: Float32Array) => [-x[0], -x[1]]) as Score
    await expect(svgd({ ...few, score: alone })).rejects.toThrow('score is called as (out, x) => …')
    const flat: Score = (out) => void out.fill(0)
    await expect(svgd({ ...few, score: flat })).resolves.toHaveLength(6)
    const passing: Score = (out, ...rest) => score(out, ...rest)
    await expect(svgd({ ...few, score: passing })).resolves.toHaveLength(6)
  })

  test.each([
    ['onStep', 3, 'onStep must be a function, (info, iteration) => …, got 3.'],
    ['signal', {}, 'signal must be that of an AbortController, got {}.'],
    ['signal', 'x', 'signal must be that of an AbortController, got "x".'],
  ])('%s as %j is refused', async (name, value, message) => {
    await expect(svgd({ ...few, score, [name]: value })).rejects.toThrow(message)
  })

  test('a schedule without a name is not told to be called', async () => {
    const annealing = (
      () => () =>
        1
    )()
    await expect(svgd({ ...few, score, annealing: annealing as never })).rejects.toThrow('got a function.')
  })
})

test('a class in the place of a score is refused', () => {
  expect(() => createSVGD({ score: class Score {} as never })).toThrow(
    'score must be a function, (out, x) => …, got the class Score.',
  )
})
