import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { loadSet, parseSplits, parseTable, setsIn } from '../../bench/bnn/data.ts'
import {
  createDraws,
  evaluate,
  initialParticles,
  logPosterior,
  noiseOnDevelopmentRows,
  permutation,
  predict,
  type Rows,
  shapeOf,
} from '../../bench/bnn/model.ts'
import { runSplit, trainingRows } from '../../bench/bnn/split.ts'
import { logDensity } from '../../src/compile/log-density.ts'
import type { Minibatch } from '../../src/core/population.ts'
import { startTfjs } from '../../src/nn/tfjs.ts'
import { logPosteriorReference, predictReference } from '../reference/bnn.ts'

beforeAll(() => startTfjs())

const shape = shapeOf(3, 5)
const particles = 4
const draws = await createDraws(7, 200)

/** 12 rows of 3 inputs, a 1 behind them, and a target: numbers of no meaning. */
const rows: Rows = (() => {
  const numbers = permutation(draws, 48).map((value) => value - 24)
  const x = Float32Array.from(numbers, (value, k) => (k % 4 === 3 ? 1 : value / 12))
  return { count: 12, x, y: Float64Array.from({ length: 12 }, (_, b) => numbers[4 * b + 3] / 12) }
})()

/** Particles with nothing at zero: biases as well, and precisions that differ. */
const thetas = (() => {
  const all = initialParticles(shape, particles, rows, draws)
  const shifts = permutation(draws, all.length)
  return Array.from({ length: particles }, (_, i) =>
    all.slice(i * shape.size, (i + 1) * shape.size).map((value, k) => value + (shifts[i * shape.size + k] - 50) / 200),
  )
})()

/** ∇ log p of every particle on a minibatch, as the benchmark computes it. */
function scores(batch: Minibatch): number[][] {
  const stride = Math.ceil(shape.size / 4) * 4
  const x = new Float32Array(particles * stride)
  const score = new Float32Array(particles * stride)
  thetas.forEach((theta, i) => void x.set(theta, i * stride))
  logDensity(logPosterior(shape, rows))({ particles, dimension: shape.size, stride, x, score }, batch)
  return thetas.map((_, i) => [...score.subarray(i * stride, i * stride + shape.size)])
}

const everyRow: Minibatch = { rows: Int32Array.from({ length: 12 }, (_, b) => b), scale: 1 }

describe('log posterior', () => {
  test.each([
    ['all rows', everyRow],
    ['a third of them', { rows: Int32Array.from([3, 11, 0, 6]), scale: 3 }],
  ])('the gradient on %s is that of the float64 twin by central differences', (_, batch) => {
    const step = 1e-5
    scores(batch).forEach((score, i) => {
      const largest = Math.max(...score.map(Math.abs))
      score.forEach((value, k) => {
        const at = (shift: number) =>
          logPosteriorReference(
            shape,
            Float64Array.from(thetas[i], (v, j) => v + (j === k ? shift : 0)),
            rows,
            batch,
          )
        const difference = (at(step) - at(-step)) / (2 * step)
        // float32 sums of a few dozen terms, against the largest of them
        expect(Math.abs(value - difference)).toBeLessThan(2e-6 * largest)
      })
    })
  })

  test('the mean over the minibatches of an epoch is the gradient on all rows', () => {
    const batches = [0, 1, 2].map((b) => scores({ rows: everyRow.rows.slice(4 * b, 4 * b + 4), scale: 3 }))
    scores(everyRow).forEach((score, i) => {
      const largest = Math.max(...score.map(Math.abs))
      score.forEach((value, k) => {
        const mean = (batches[0][i][k] + batches[1][i][k] + batches[2][i][k]) / 3
        expect(Math.abs(mean - value)).toBeLessThan(2e-6 * largest)
      })
    })
  })
})

describe('start', () => {
  const wide = shapeOf(8, 50)
  const data: Rows = { count: 3, x: new Float32Array(27).fill(1), y: [1, 2, 3] }
  let all: Float32Array
  beforeAll(async () => {
    all = initialParticles(wide, 20, data, await createDraws(0, wide.size))
  })
  const particle = (i: number) => all.subarray(i * wide.size, (i + 1) * wide.size)
  const deviation = (values: number[]) => Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length)

  test('weights have the deviations of the authors, biases are 0', () => {
    const first = Array.from({ length: 20 }, (_, i) => [...particle(i).subarray(0, 450)]).flat()
    const inputWeights = first.filter((_, k) => k % 9 !== 8)
    const outputWeights = Array.from({ length: 20 }, (_, i) => [...particle(i).subarray(450, 500)]).flat()
    expect(deviation(inputWeights) * 3).toBeCloseTo(1, 1)
    expect(deviation(outputWeights) * Math.sqrt(51)).toBeCloseTo(1, 1)
    expect(first.filter((_, k) => k % 9 === 8).every((bias) => bias === 0)).toBe(true)
    expect(particle(3)[500]).toBe(0)
  })

  test('the noise precision is one over the mean squared residual; λ has mean 0.1', () => {
    const residuals = [...predict(wide, particle(5), data)].map((value, b) => value - data.y[b])
    expect(particle(5)[501]).toBeCloseTo(-2 * Math.log(deviation(residuals)), 5)
    const lambdas = Array.from({ length: 20 }, (_, i) => Math.exp(particle(i)[502]))
    // the standard error of 20 exponential draws is 0.022
    expect(Math.abs(lambdas.reduce((a, b) => a + b) / 20 - 0.1)).toBeLessThan(0.05)
  })

  test('same seed, same bytes', async () => {
    const again = initialParticles(wide, 20, data, await createDraws(0, wide.size))
    expect(again).toEqual(all)
    expect(initialParticles(wide, 20, data, await createDraws(1, wide.size))).not.toEqual(all)
  })
})

describe('prediction', () => {
  test('is that of the float64 twin', () => {
    const predicted = predict(shape, thetas[0], rows)
    predictReference(shape, thetas[0], rows).forEach((value, b) => {
      expect(predicted[b]).toBeCloseTo(value, 12)
    })
  })

  test('RMSE is that of the mean prediction, LL that of the averaged density', () => {
    const y = [1, -2, 0.5]
    const predictions = [
      { y: Float64Array.of(0.5, -1, 1), logGamma: Math.log(2) },
      { y: Float64Array.of(1.1, -2.5, 0), logGamma: Math.log(0.3) },
    ]
    const density = (k: number, i: number) => {
      const variance = 1 / Math.exp(predictions[i].logGamma)
      return Math.exp(-((predictions[i].y[k] - y[k]) ** 2) / (2 * variance)) / Math.sqrt(2 * Math.PI * variance)
    }
    const ll = y.reduce((sum, _, k) => sum + Math.log((density(k, 0) + density(k, 1)) / 2), 0) / 3
    const error = y.map((value, k) => (predictions[0].y[k] + predictions[1].y[k]) / 2 - value)
    const result = evaluate(y, predictions)
    expect(result.ll).toBeCloseTo(ll, 12)
    expect(result.rmse).toBeCloseTo(Math.sqrt((error[0] ** 2 + error[1] ** 2 + error[2] ** 2) / 3), 12)
  })

  test('a density too small for a double has a finite logarithm', () => {
    const { ll } = evaluate([0], [{ y: Float64Array.of(100), logGamma: Math.log(10) }])
    expect(ll).toBeCloseTo(0.5 * (Math.log(10) - Math.log(2 * Math.PI)) - 50000, 6)
  })
})

describe('noise precision on the development rows', () => {
  const y = [1, 2, 3, 4]
  const predicted = Float64Array.of(1.5, 1, 3, 6)
  const refitted = -Math.log((0.25 + 1 + 0 + 4) / 4)

  test.each([-5, refitted - 0.1, refitted + 0.1, 3])('is fitted where the particle had %p', (logGamma) => {
    expect(noiseOnDevelopmentRows(y, { y: predicted, logGamma })).toBe(refitted)
  })

  test('stays where it is as good, and where there is no error to fit it to', () => {
    expect(noiseOnDevelopmentRows(y, { y: predicted, logGamma: refitted })).toBe(refitted)
    expect(noiseOnDevelopmentRows(y, { y: Float64Array.from(y), logGamma: 2 })).toBe(2)
  })
})

test('the training rows are all but those for testing, in random order, for the last of them are set apart', () => {
  const rows = [...trainingRows(100, Int32Array.of(4, 99), draws)]
  const sorted = [...rows].sort((a, b) => a - b)
  expect(sorted).toEqual(Array.from({ length: 100 }, (_, k) => k).filter((k) => k !== 4 && k !== 99))
  // 98 values in random order rise in about half the places.
  const rises = rows.filter((row, k) => k > 0 && row > rows[k - 1]).length
  expect(Math.abs(rises - 48.5)).toBeLessThan(12)
})

describe('a set from a folder', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bnn-'))
    // y = 100 + 30 |x₁| + 10 x₂ on a grid, sorted by x₁
    const lines = Array.from({ length: 200 }, (_, k) => {
      const [x1, x2] = [Math.floor(k / 10) / 10 - 0.95, (k % 10) / 5 - 0.9]
      return `${x1.toFixed(2)},7,${x2.toFixed(2)},${(100 + 30 * Math.abs(x1) + 10 * x2).toFixed(3)}`
    })
    const test = Array.from({ length: 20 }, (_, k) => 10 * k + (k % 10))
    await writeFile(join(folder, 'roof.csv'), `${lines.join('\n')}\n`)
    await writeFile(
      join(folder, 'roof.splits.json'),
      JSON.stringify({ features: [0, 1, 2], target: 3, testSplits: [test] }),
    )
    await writeFile(join(folder, 'notes.csv'), 'no splits\n')
  })
  afterAll(() => rm(folder, { recursive: true }))

  test.each([
    ['weights', 'adagrad', 0.01],
    ['function', 'adam', 0.01],
  ] as const)(
    'is found and learned in the space of %s, the same way each time',
    async (space, optimizer, learningRate) => {
      expect(await setsIn(folder)).toEqual(['roof'])
      const set = await loadSet(folder, 'roof')
      expect([set.rows, set.columns]).toEqual([200, 4])
      const settings = { particles: 5, hidden: 10, batch: 50, iterations: 300, space, optimizer, learningRate }
      const result = await runSplit(set, 0, settings)
      // The target has deviation 10.4, of which a straight line leaves 8.6.
      expect(result.rmse).toBeLessThan(1.5)
      expect(result.ll).toBeGreaterThan(-2)
      const { rmse, ll } = await runSplit(set, 0, settings)
      expect([rmse, ll]).toEqual([result.rmse, result.ll])
    },
  )

  test('errors name the folder', async () => {
    const nowhere = join(folder, 'nowhere')
    await expect(setsIn(nowhere)).rejects.toThrow(
      `--data must be a folder with NAME.csv and NAME.splits.json, got "${nowhere}".`,
    )
    await expect(loadSet(folder, 'notes')).rejects.toThrow('notes.csv, line 1, cell 1: "no splits" is not a finite')
  })
})

describe('loading errors', () => {
  test.each([
    ['1,2\n3,x\n', 'a.csv, line 2, cell 2: "x" is not a finite number.'],
    ['1,2\n3,\n', 'a.csv, line 2, cell 2: "" is not a finite number.'],
    ['1,2\n3,4,5\n', 'a.csv, line 2: expected 2 cells as in line 1, got 3.'],
    ['1,2\n\n3,4\n', 'a.csv, line 2: expected 2 cells as in line 1, got 1.'],
    ['', 'a.csv, line 1, cell 1: "" is not a finite number.'],
  ])('table %j', (text, message) => {
    expect(() => parseTable(text, 'a.csv')).toThrow(message)
  })

  const columns = 'a.json: features and target must be columns from 0 to 2, got'
  test.each([
    ['[0', 'a.json is not a JSON record with features, target and testSplits.'],
    ['{"features":[0,3],"target":2,"testSplits":[[1]]}', `${columns} [0, 3] and 2.`],
    ['{"features":[0,1],"testSplits":[[1]]}', `${columns} [0, 1] and undefined.`],
    ['{"features":[0,1],"target":2}', 'a.json: testSplits must hold distinct rows from 0 to 4.'],
    [
      '{"features":[0,1],"target":2,"testSplits":[[1],[5]]}',
      'a.json: testSplits[1] must hold distinct rows from 0 to 4.',
    ],
    [
      '{"features":[0,1],"target":2,"testSplits":[[1,1]]}',
      'a.json: testSplits[0] must hold distinct rows from 0 to 4.',
    ],
  ])('splits %j', (text, message) => {
    expect(() => parseSplits(text, 'a.json', { rows: 5, columns: 3 })).toThrow(message)
  })
})
