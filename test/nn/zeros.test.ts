import { describe, expect, test } from '@jest/globals'
import { fusedForward } from '../../src/nn/fused.ts'
import { mlp, type Network } from '../../src/nn/network.ts'
import { startTfjs, tf } from '../../src/nn/tfjs.ts'
import { numbersOf } from '../reference/statistics.ts'

await startTfjs()

// Where a ReLU gives zeros the core leaves their terms out. The twin adds all of them, in float32 and in the same
// order: not a bit may differ.

const f32 = Math.fround

type Rows = Float32Array[]

/** begin + Σ_k a_k b_k, one after the other. */
function sum(begin: number, count: number, a: (k: number) => number, b: (k: number) => number): number {
  let total = begin
  for (let k = 0; k < count; k++) total = f32(total + f32(a(k) * b(k)))
  return total
}

const rowsOf = (count: number, width: number, f: (r: number, k: number) => number): Rows =>
  Array.from({ length: count }, (_, r) => Float32Array.from({ length: width }, (_, k) => f(r, k)))

/** Outputs, and the gradients of Σ weight · outputs by theta and x, of a network of ReLUs that ends linearly. */
function twin(net: Network, theta: Float32Array, x: Rows, weight: Rows) {
  const B = x.length
  const inputs = [x]
  for (const { weight: w, bias, inputs: I, outputs: O, activation } of net.layers) {
    const from = inputs[inputs.length - 1]
    const sums = rowsOf(B, O, (r, o) =>
      sum(
        theta[bias + o],
        I,
        (k) => from[r][k],
        (k) => theta[w + k * O + o],
      ),
    )
    inputs.push(activation === 'relu' ? sums.map((row) => row.map((value) => Math.max(value, 0))) : sums)
  }
  const dTheta = new Float32Array(net.size)
  let d = weight
  for (let l = net.layers.length - 1; l >= 0; l--) {
    const { weight: w, bias, inputs: I, outputs: O } = net.layers[l]
    const [from, by] = [inputs[l], d]
    for (let o = 0; o < O; o++) {
      for (let k = 0; k < I; k++)
        dTheta[w + k * O + o] = sum(
          0,
          B,
          (r) => from[r][k],
          (r) => by[r][o],
        )
      dTheta[bias + o] = sum(
        0,
        B,
        () => 1,
        (r) => by[r][o],
      )
    }
    d = rowsOf(B, I, (r, k) => {
      const slope = l > 0 && from[r][k] <= 0 ? 0 : 1
      return (
        slope *
        sum(
          0,
          O,
          (o) => by[r][o],
          (o) => theta[w + k * O + o],
        )
      )
    })
  }
  return { y: inputs[net.layers.length], dTheta, dX: d }
}

const flat = (rows: Rows) => rows.flatMap((row) => [...row])

/** Zeros have no sign here: the twin multiplies by a slope of 0. */
const unsigned = (values: ArrayLike<number>) => Array.from(values, (value) => value + 0)

describe.each([
  ['mostly zeros', -1],
  ['about half', 0],
  ['few', 1.2],
  ['none but zeros', -100],
])('%s', (_, bias) => {
  test.each([
    [[5, 96, 80, 70], 130],
    [[3, 64, 67, 2], 65],
    [[2, 130, 64, 17, 3], 7],
  ])('networks of %j on %i rows', (widths, B) => {
    const { normal } = numbersOf(3)
    const net = mlp(widths, { hidden: 'relu' })
    const theta = Float32Array.from({ length: net.size }, () => normal() / 4)
    for (const { bias: at, outputs, activation } of net.layers)
      if (activation === 'relu') for (let o = 0; o < outputs; o++) theta[at + o] = bias + normal() / 4
    const x = rowsOf(B, widths[0], normal)
    const weight = rowsOf(B, widths[widths.length - 1], (r) => (r % 5 === 1 ? 0 : normal()))
    const [X, W] = [x, weight].map((rows) => tf.tensor2d(flat(rows), [B, rows[0].length]))
    const parameters = tf.tensor1d(theta)
    const f = (p: tf.Tensor, x: tf.Tensor) => tf.sum(tf.mul(fusedForward(net, p, x as tf.Tensor2D), W))
    const y = fusedForward(net, parameters, X).dataSync()
    const [dTheta, dX] = tf
      .grads(f)([parameters, X])
      .map((gradient) => gradient.dataSync())
    const byInputsAlone = tf
      .grad((x: tf.Tensor) => f(parameters, x))(X)
      .dataSync()
    const expected = twin(net, theta, x, weight)
    expect(unsigned(y)).toEqual(unsigned(flat(expected.y)))
    expect(unsigned(dTheta)).toEqual(unsigned(expected.dTheta))
    expect(unsigned(dX)).toEqual(unsigned(flat(expected.dX)))
    expect(unsigned(byInputsAlone)).toEqual(unsigned(flat(expected.dX)))
  })
})
