import { logDensity } from '../../src/compile/log-density.ts'
import { adagrad, adam } from '../../src/optim/optimizers.ts'
import { rbf } from '../../src/svgd/kernels.ts'
import { createSVGD, particlesOf } from '../../src/svgd/svgd.ts'
import type { RegressionSet } from './data.ts'
import { inFunctionSpace } from './function-space.ts'
import {
  createDraws,
  type Draws,
  evaluate,
  initialParticles,
  logGammaAt,
  logPosterior,
  noiseOnDevelopmentRows,
  type Prediction,
  permutation,
  predict,
  type Rows,
  type Shape,
  shapeOf,
} from './model.ts'

const optimizers = { adagrad, adam } as const

export interface BnnSettings {
  readonly particles: number
  /** Hidden ReLU units. */
  readonly hidden: number
  /** Rows of a minibatch. */
  readonly batch: number
  readonly iterations: number
  readonly optimizer: keyof typeof optimizers
  readonly learningRate: number
  /** What the kernel is on. */
  readonly space: 'weights' | 'function'
}

/** Mean and standard deviation of columns; a constant column counts as one of deviation 1. */
interface Scaling {
  readonly mean: Float64Array
  readonly deviation: Float64Array
}

function scalingOf({ values, columns }: RegressionSet, rows: Int32Array): Scaling {
  const mean = new Float64Array(columns)
  const deviation = new Float64Array(columns)
  for (let c = 0; c < columns; c++) {
    for (const row of rows) mean[c] += values[row * columns + c] / rows.length
    for (const row of rows) deviation[c] += (values[row * columns + c] - mean[c]) ** 2 / rows.length
    deviation[c] = Math.sqrt(deviation[c]) || 1
  }
  return { mean, deviation }
}

/** Rows of a set with standardised inputs; the target as it is. */
function rowsOf({ values, columns, features, target }: RegressionSet, rows: Int32Array, scaling: Scaling): Rows {
  const width = features.length + 1
  const x = new Float32Array(rows.length * width).fill(1)
  rows.forEach((row, b) => {
    features.forEach((c, k) => {
      x[b * width + k] = (values[row * columns + c] - scaling.mean[c]) / scaling.deviation[c]
    })
  })
  return { count: rows.length, x, y: Float64Array.from(rows, (row) => values[row * columns + target]) }
}

/** The last tenth of the training rows, at most 500, chooses the noise precision. */
const developmentCount = (training: number) => Math.min(Math.round(0.1 * training), 500)

export interface SplitResult {
  readonly rmse: number
  readonly ll: number
  /** Of training with its preparation and the choice of the noise precision, as the authors measure it. */
  readonly seconds: number
}

/** Trains on one split of a set and evaluates on its test rows. tfjs must have been started. */
export async function runSplit(set: RegressionSet, split: number, settings: BnnSettings): Promise<SplitResult> {
  const start = performance.now()
  const shape = shapeOf(set.features.length, settings.hidden)
  const draws = await createDraws(split, Math.max(set.rows, shape.size))
  const testing = Int32Array.from(set.testSplits[split])
  const shuffled = trainingRows(set.rows, testing, draws)
  const fitted = shuffled.subarray(0, shuffled.length - developmentCount(shuffled.length))
  const scaling = scalingOf(set, fitted)
  const training = standardised(rowsOf(set, fitted, scaling), scaling, set.target)
  const particles = await train(shape, training, split, settings, draws)
  const predictions = (rows: Rows) => particles.map((theta) => predictionOf(shape, theta, rows, scaling, set.target))

  const development = rowsOf(set, shuffled.subarray(fitted.length), scaling)
  const logGammas = predictions(development).map((prediction) => noiseOnDevelopmentRows(development.y, prediction))
  const seconds = (performance.now() - start) / 1000

  const test = rowsOf(set, testing, scaling)
  const tested = predictions(test).map(({ y }, i) => ({ y, logGamma: logGammas[i] }))
  return { ...evaluate(test.y, tested), seconds }
}

/** All rows but those for testing. In random order, for the last are set apart and a file may be sorted. */
export function trainingRows(rows: number, testing: Int32Array, draws: Draws): Int32Array {
  const excluded = new Set(testing)
  return permutation(draws, rows).filter((row) => !excluded.has(row))
}

function standardised(rows: Rows, { mean, deviation }: Scaling, target: number): Rows {
  return { ...rows, y: Float32Array.from(rows.y, (y) => (y - mean[target]) / deviation[target]) }
}

function predictionOf(shape: Shape, theta: Float32Array, rows: Rows, scaling: Scaling, target: number): Prediction {
  const y = predict(shape, theta, rows).map((value) => value * scaling.deviation[target] + scaling.mean[target])
  return { y, logGamma: theta[logGammaAt(shape)] }
}

/** The particles after training, one row each. */
async function train(
  shape: Shape,
  rows: Rows,
  seed: number,
  settings: BnnSettings,
  draws: Draws,
): Promise<Float32Array[]> {
  const { particles, iterations, batch, space, learningRate } = settings
  const optimizer = optimizers[settings.optimizer]({ learningRate })
  const onWeights = () => ({
    populationScore: logDensity(logPosterior(shape, rows)),
    minibatch: { rows: rows.count, size: Math.min(batch, rows.count) },
    kernel: rbf({ bandwidth: 'dartml' }),
    optimizer,
  })
  const svgd = createSVGD(space === 'weights' ? onWeights() : inFunctionSpace(shape, rows, batch, optimizer, draws))
  const initial = initialParticles(shape, particles, rows, draws)
  const state = await svgd.init({ particles, dimension: shape.size, initial, seed })
  for (let t = 0; t < iterations; t++) svgd.step(state)
  const all = particlesOf(state)
  return Array.from({ length: particles }, (_, i) => all.subarray(i * shape.size, (i + 1) * shape.size))
}
