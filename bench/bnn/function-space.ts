import { type LogDensity, logDensity } from '../../src/compile/log-density.ts'
import { outputsOf } from '../../src/compile/outputs.ts'
import type { Minibatch } from '../../src/core/population.ts'
import { tf } from '../../src/nn/tfjs.ts'
import type { Optimizer } from '../../src/optim/optimizers.ts'
import { rbf } from '../../src/svgd/kernels.ts'
import type { SvgdOptions } from '../../src/svgd/svgd.ts'
import { inverse } from '../../test/reference/linear.ts'
import { type Draws, normals, PRIOR_RATE, PRIOR_SHAPE, predict, type Rows, type Shape } from './model.ts'

// The same networks by SVGD in function space (Wang, Ren, Zhu & Zhang 2019, arXiv 1902.09754), with the settings of the
// authors' code for regression (thu-ml/fpovi, ffn/bnn_stein_f.py and exps/uci-exp-main.py): rows that are perturbed by
// as much as inputs vary, and a Gaussian prior of four outputs with the moments of 40 networks of the prior. Other than
// there, minibatches are of 100 rows for all sets, and log γ follows the kernel as one more output.

/** Outputs that the prior is of: half of them at rows of the minibatch, half at perturbed ones. */
const PRIOR_OUTPUTS = 4
const PERTURBED = PRIOR_OUTPUTS / 2
const PRIOR_NETWORKS = 40
const JITTER = 1e-3

/** What a step needs beside the rows: inputs [B + perturbed, width] and the prior of some outputs. */
interface StepInputs {
  readonly x: Float32Array
  readonly count: number
  readonly mean: Float32Array
  readonly precision: Float32Array
}

/**
 * SVGD on the outputs of networks at the B rows of a minibatch and at perturbed rows, [f_1 … f_{B+2} | log γ]:
 *
 *     log p = N/B Σ_b log N(y_b; f_b, 1/γ) + log N(f_prior; m, Σ) + log Gamma(γ; a₀, b₀) + log γ
 */
export function inFunctionSpace(
  shape: Shape,
  rows: Rows,
  batch: number,
  optimizer: Optimizer,
  draws: Draws,
): SvgdOptions {
  const size = Math.min(batch, rows.count)
  let step = 0
  let inputs: StepInputs
  /** Drawn once a step: outputs, density and pull-back see the same. */
  const renew = ({ rows: picked }: Minibatch) => {
    inputs = inputsOf(shape, rows, picked, draws, step++)
  }
  const outputs = outputsOf((theta) => outputsAt(shape, theta, inputs), { count: size + PERTURBED + 1 })
  const density: LogDensity = (f, { rows: picked, scale }) => {
    const [values, logGamma] = tf.split(f, [size + PERTURBED, 1], 1)
    const y = tf.tensor2d(
      Float32Array.from(picked, (row) => rows.y[row]),
      [1, size],
    )
    const errors = tf.sum(tf.square(tf.sub(tf.slice2d(values as tf.Tensor2D, [0, 0], [-1, size]), y)), 1, true)
    const exponent = PRIOR_SHAPE + (scale * size) / 2
    const rate = tf.add(tf.mul(errors, scale / 2), PRIOR_RATE)
    const likelihood = tf.sub(tf.mul(logGamma, exponent), tf.mul(tf.exp(logGamma), rate))
    const few = tf.concat(
      [0, size].map((from) => slice(values, from)),
      1,
    )
    const off = tf.sub(few, tf.tensor2d(inputs.mean, [1, PRIOR_OUTPUTS]))
    const stretched = tf.matMul(off as tf.Tensor2D, tf.tensor2d(inputs.precision, [PRIOR_OUTPUTS, PRIOR_OUTPUTS]))
    return tf.sub(tf.sum(likelihood, 1), tf.mul(0.5, tf.sum(tf.mul(off, stretched), 1)))
  }
  return {
    outputs: {
      ...outputs,
      values(particles, minibatch) {
        renew(minibatch)
        return outputs.values(particles, minibatch)
      },
    },
    populationScore: logDensity(density),
    minibatch: { rows: rows.count, size },
    kernel: rbf({ bandwidth: 'dartml' }),
    optimizer,
  }
}

const slice = (values: tf.Tensor, from: number) => tf.slice2d(values as tf.Tensor2D, [0, from], [-1, PERTURBED])

/** [n, count + 1] ŷ at the inputs of the step, and log γ. */
function outputsAt(shape: Shape, theta: tf.Tensor2D, { x, count }: StepInputs): tf.Tensor {
  const { inputs, hidden } = shape
  const n = theta.shape[0]
  const [w1, w2, b2, logGamma] = tf.split(theta, [hidden * (inputs + 1), hidden, 1, 1, 1], 1)
  const at = tf.tensor2d(x, [count, inputs + 1])
  const units = tf.relu(tf.matMul(tf.reshape(w1, [n * hidden, inputs + 1]), at, false, true))
  const weighted = tf.mul(tf.reshape(units, [n, hidden, count]), tf.reshape(w2, [n, hidden, 1]))
  return tf.concat([tf.add(tf.sum(weighted, 1), b2), logGamma], 1)
}

/** The rows of the step and two perturbed ones, and the moments of the prior at the first two and at these. */
function inputsOf(shape: Shape, rows: Rows, picked: Int32Array, draws: Draws, step: number): StepInputs {
  const width = shape.inputs + 1
  const count = picked.length + PERTURBED
  const x = new Float32Array(count * width)
  picked.forEach((row, b) => {
    x.set(rows.x.subarray(row * width, (row + 1) * width), b * width)
  })
  const noise = normals(draws, 'perturbed', 0, PERTURBED * shape.inputs, step)
  for (let e = 0; e < PERTURBED; e++) {
    for (let k = 0; k < shape.inputs; k++)
      x[(picked.length + e) * width + k] = x[e * width + k] + noise[e * shape.inputs + k]
    x[(picked.length + e) * width + shape.inputs] = 1
  }
  return { x, count, ...priorMoments(shape, x, count, draws, step) }
}

/** The mean and the precision of outputs of networks of the prior: w₁ ~ N(0, 1/hidden), w₂ ~ N(0, 1). */
function priorMoments(shape: Shape, x: Float32Array, count: number, draws: Draws, step: number) {
  const { inputs, hidden, weights, size } = shape
  const width = inputs + 1
  const few = new Float32Array(PRIOR_OUTPUTS * width)
  few.set(x.subarray(0, PERTURBED * width))
  few.set(x.subarray((count - PERTURBED) * width), PERTURBED * width)
  const values = Array.from({ length: PRIOR_NETWORKS }, (_, i) => {
    const theta = new Float32Array(size)
    theta.set(normals(draws, 'prior', i, weights, step))
    for (let k = 0; k < hidden * width; k++) theta[k] /= Math.sqrt(hidden)
    return predict(shape, theta, { count: PRIOR_OUTPUTS, x: few, y: [] })
  })
  const mean = few.slice(0, PRIOR_OUTPUTS).map((_, a) => values.reduce((sum, f) => sum + f[a], 0) / PRIOR_NETWORKS)
  const covariance = Array.from(mean, (_, a) =>
    Array.from(mean, (_, b) => {
      const sum = values.reduce((sum, f) => sum + (f[a] - mean[a]) * (f[b] - mean[b]), 0)
      return sum / PRIOR_NETWORKS + (a === b ? JITTER : 0)
    }),
  )
  return { mean, precision: Float32Array.from(inverse(covariance).flat()) }
}
