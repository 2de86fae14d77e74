import { fitPosterior } from '../src/bayes/fit.ts'
import { model } from '../src/bayes/model.ts'
import { real } from '../src/bayes/supports.ts'
import { startTfjs, tf } from '../src/nn/tfjs.ts'
import { adam, coin, sgd } from '../src/optim/optimizers.ts'
import { bilinearMatern, blockwise, graphical, imq, linear, rbf, sliced, sumOf } from '../src/svgd/kernels.ts'
import { svgdNewton } from '../src/svgd/newton.ts'
import { type SvgdRun, svgd } from '../src/svgd/svgd.ts'
import type { Report } from './harness.ts'

const PARTICLES = 100
const STEPS = 1000
const DIMENSIONS = [2, 10, 50, 200]

type Method = (d: number, initial: Float32Array) => Promise<ArrayLike<number>>

const standard = (out: Float32Array, x: Float32Array) => {
  for (let k = 0; k < x.length; k++) out[k] = -x[k]
}
const base = { score: standard, particles: PARTICLES, iterations: STEPS, optimizer: adam({ learningRate: 0.1 }) }

const following =
  (changes: (d: number) => Partial<SvgdRun>): Method =>
  (dimension, initial) =>
    svgd({ ...base, dimension, initial, ...changes(dimension) })

const each = (d: number) => Array.from({ length: d }, (_, k) => ({ moves: [k], beside: [(k + 1) % d] }))

/** By the settings that a user writes. */
const methods: Record<string, Method> = {
  'svgd()': following(() => ({})),
  'imq({ bandwidth })': following(() => ({ kernel: imq({ bandwidth: ({ median }) => median() }) })),
  "repulsion: 'sqrt d'": following(() => ({ repulsion: 'sqrt d' })),
  "rbf({ bandwidth: 'adaptive' })": following(() => ({ kernel: rbf({ bandwidth: 'adaptive' }) })),
  'bilinearMatern()': following(() => ({ kernel: bilinearMatern() })),
  'sumOf([0.1, linear()], [1, rbf()])': following(() => ({ kernel: sumOf([0.1, linear()], [1, rbf()]) })),
  'blockwise(ones, rbf())': following((d) => ({ kernel: blockwise(Array(d).fill(1), rbf()) })),
  'graphical(pairs, rbf())': following((d) => ({ kernel: graphical(each(d), rbf()) })),
  'sliced(rbf())': following(() => ({ kernel: sliced(rbf()), optimizer: sgd({ learningRate: 0.5 }) })),
  'noise: 1': following(() => ({ noise: 1, optimizer: sgd({ learningRate: 0.05 }) })),
  'coin()': following(() => ({ optimizer: coin() })),
  'svgdNewton()': (dimension, initial) => newton(dimension, initial),
  'fitPosterior()': varianceOfFit,
}

async function newton(dimension: number, initial: Float32Array) {
  const hessian = (out: Float64Array) => {
    for (let k = 0; k < dimension; k++) out[k * dimension + k] = 1
  }
  const score = (out: Float64Array, x: Float64Array) => void out.set(x.map((value) => -value))
  return svgdNewton({ score, hessian, particles: PARTICLES, dimension, initial, iterations: 30, learningRate: 0.5 })
}

async function varianceOfFit(d: number) {
  await startTfjs()
  const gaussian = model({ parameters: { x: real(d) }, logDensity: ({ x }) => tf.mul(-0.5, tf.square(x)) })
  return (await fitPosterior(gaussian, { particles: PARTICLES })).free
}

/**
 * What is left of the variance of N(0, I) in d dimensions: the mean of the marginal variances of 100 particles that
 * start as N(1, 0.25 I), after 1,000 steps (30 of Newton's), and below it the largest error of a mean.
 */
export default async function bench(): Promise<Report> {
  const rows = []
  const table = []
  for (const [name, method] of Object.entries(methods)) {
    const line: Record<string, string> = { method: name }
    for (const d of DIMENSIONS) {
      const start = performance.now()
      const { variance, error } = momentsOf(await method(d, await startOf(d)), d)
      const seconds = (performance.now() - start) / 1000
      rows.push({ method: name, dimension: d, variance, error, seconds })
      line[`d = ${d}`] = `${variance.toFixed(2)} (${error.toFixed(2)}, ${seconds.toFixed(1)} s)`
    }
    table.push(line)
    console.log(Object.values(line).join('  '))
  }
  return { rows, table }
}

/** 1 + z/2 of the standard normal start. */
async function startOf(dimension: number): Promise<Float32Array> {
  const z = await svgd({ score: standard, particles: PARTICLES, dimension, iterations: 0 })
  return Float32Array.from(z, (value) => 1 + value / 2)
}

function momentsOf(rows: ArrayLike<number>, d: number): { variance: number; error: number } {
  let variance = 0
  let error = 0
  for (let k = 0; k < d; k++) {
    const column = Array.from({ length: PARTICLES }, (_, i) => rows[i * d + k])
    const mean = column.reduce((sum, x) => sum + x, 0) / PARTICLES
    error = Math.max(error, Math.abs(mean))
    variance += column.reduce((sum, x) => sum + (x - mean) * (x - mean), 0) / PARTICLES / d
  }
  return { variance, error }
}
