// What a plan becomes as WebAssembly of its own has the bits of the interpreter.
import { beforeEach, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { compiledGradient } from '../../src/compile/compiled.ts'
import type { Expression } from '../../src/compile/recording.ts'
import { kernels, startTfjs, tf } from '../../src/nn/tfjs.ts'
import { expressionOf, shapes, step } from './expressions.ts'
import { expression, operations, points, SHAPE } from './operations.ts'

await startTfjs()

/** Calls until a plan has its code, and two with it. */
const CALLS = 9

/** Functions that were generated. */
let made = 0

const { Instance, Module } = WebAssembly
Object.assign(WebAssembly, {
  Instance: class extends Instance {
    constructor(module: WebAssembly.Module, imports: WebAssembly.Imports) {
      super(module, imports)
      if (Module.exports(module).some(({ name }) => name === '0')) made += Module.exports(module).length
    }
  },
})

beforeEach(() => {
  made = 0
})

/** What a function gives in each of some calls, as whole numbers; a NaN is any. */
function bitsOf(generated: boolean, f: Expression, shape: readonly number[], xs: (call: number) => Float32Array) {
  kernels.codeFrom = generated ? 1 : Number.POSITIVE_INFINITY
  const differentiate = compiledGradient({ name: 'It', mode: 'always' })
  const bits = Array.from({ length: CALLS }, (_, call) => {
    const { gradient, values } = differentiate(f, xs(call), shape)
    return [gradient, ...values].map((array) => {
      const floats = array.map((value) => (Number.isNaN(value) ? Number.NaN : value))
      return Array.from(new Int32Array(floats.buffer, floats.byteOffset, floats.length))
    })
  })
  kernels.codeFrom = 1
  return bits
}

function expectSameBits(f: Expression, shape: readonly number[], xs: (call: number) => Float32Array): void {
  const before = made
  const interpreted = bitsOf(false, f, shape, xs)
  expect(made).toBe(before)
  expect(bitsOf(true, f, shape, xs)).toEqual(interpreted)
}

const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1)

const numbers =
  (shape: readonly number[], start = 0) =>
  (call: number) =>
    Float32Array.from({ length: sizeOf(shape) }, (_, k) => 1.5 * Math.sin(start + call + 2.3 * k))

describe('code has the bits of the interpreter', () => {
  test.each(Object.entries(operations))('%s', (_, operation) => {
    expectSameBits(expression(operation.f), SHAPE, (call) => points(operation).map((value) => value * (1 - call / 100)))
  })

  test.each([
    ['short expressions', 6, 400, 100],
    ['long rows', 40, 3000, 60],
  ])('random expressions: %s', (_, most, elements, numRuns) => {
    fc.assert(
      fc.property(shapes(most), fc.array(step, { minLength: 1, maxLength: 12 }), fc.nat(1000), (shape, steps, start) =>
        expectSameBits(expressionOf(steps, elements), shape, numbers(shape, start)),
      ),
      { numRuns, seed: 2 },
    )
    expect(made).toBeGreaterThan(3 * numRuns)
  })

  const folds = { sum: tf.sum, max: tf.max, min: tf.min, prod: tf.prod } as const
  const lengths = [1, 2, 3, 4, 5, 7, 8, 13, 31, 32, 33, 36, 47, 64, 100, 255, 256, 257, 751]

  test.each(Object.keys(folds) as (keyof typeof folds)[])('%s of rows and of columns of any length', (name) => {
    for (const length of lengths) {
      for (const axis of [1, 2]) {
        const shape = [3, length < 4 ? 8 : axis === 2 ? 5 : 7, length]
        const f: Expression = (x) => {
          const factor = tf.slice(x, [0, 0, 0], [3, 1, length])
          const column = tf.slice(x, [0, 0, 0], [3, shape[1], 1])
          const folded = folds[name](tf.add(tf.mul(x, factor), tf.add(column, 0.75)), axis)
          return [tf.sum(tf.mul(folded, folded)), folded]
        }
        expectSameBits(f, shape, numbers(shape))
      }
    }
    expect(made).toBeGreaterThan(lengths.length * 4)
  })

  test('views that are read from their end, across, or with gaps', () => {
    for (const shape of [
      [8, 16],
      [12, 20],
      [9, 7],
      [12, 2],
      [16, 3],
    ]) {
      const forms: ((x: tf.Tensor) => tf.Tensor)[] = [
        (x) => tf.reverse(x, 1),
        (x) => tf.reverse(x, 0),
        (x) => tf.reverse(x, [0, 1]),
        (x) => tf.transpose(tf.reshape(x, [shape[1], shape[0]])),
        (x) => tf.reverse(tf.transpose(tf.reshape(x, [shape[1], shape[0]])), [0, 1]),
        (x) =>
          tf.tile(tf.stridedSlice(x, [0, 0], shape as [number, number], [1, shape[1] > 7 ? 2 : 1]), [
            1,
            shape[1] > 7 ? 2 : 1,
          ]),
      ]
      for (const form of forms) {
        const f: Expression = (x) => {
          const y = tf.mul(tf.add(form(x), 1), x)
          return [tf.sum(tf.mul(tf.sum(y, 1), tf.sum(y, 1))), y]
        }
        expectSameBits(f, shape, numbers(shape))
      }
    }
  })

  test('what is not finite, −0, and the ends of the range', () => {
    const odd = [
      0,
      -0,
      1,
      -1,
      1e-45,
      -1e-45,
      1e-38,
      3.4e38,
      -3.4e38,
      Infinity,
      -Infinity,
      Number.NaN,
      0.5,
      88.7,
      -103,
      2,
    ]
    const shape = [odd.length, odd.length]
    const x = () => Float32Array.from({ length: sizeOf(shape) }, (_, k) => odd[k % odd.length])
    type Map = (a: tf.Tensor, b: tf.Tensor) => tf.Tensor
    const ofOne: readonly ((a: tf.Tensor) => tf.Tensor)[] = [
      ...[tf.exp, tf.log, tf.log1p, tf.expm1, tf.tanh, tf.sin, tf.cos, tf.sigmoid, tf.softplus, tf.erf, tf.relu],
      ...[tf.sqrt, tf.abs, tf.sign, tf.floor, tf.ceil, tf.round, tf.relu6],
    ]
    const maps: readonly Map[] = [
      ...[tf.maximum, tf.minimum, tf.pow, tf.atan2, tf.div, tf.mul, tf.sub],
      ...ofOne.map(
        (map): Map =>
          (a) =>
            map(a),
      ),
      (a) => tf.step(a),
      (a) => tf.maximum(a, -0),
      (a) => tf.minimum(a, -0),
      (a) => tf.minimum(a, 0),
      (a) => tf.maximum(0.5, a),
      (a) => tf.maximum(a, Number.NaN),
      (a, b) => tf.where(tf.greater(a, b), a, b),
      (a) => tf.cast(tf.isNaN(a), 'float32'),
    ]
    for (const map of maps) {
      const f: Expression = (x) => {
        const y = map(x, tf.transpose(x))
        return [tf.sum(tf.max(y, 1)), y, tf.sum(y, 1), tf.min(y, 0)]
      }
      expectSameBits(f, shape, x)
    }
    expect(made).toBeGreaterThan(maps.length)
  })
})

test('a plan gets code at its eighth run, for what has so many elements', () => {
  kernels.codeFrom = 300
  const differentiate = compiledGradient({ name: 'It', mode: 'always' })
  const f: Expression = (x) => [tf.sum(tf.mul(x, tf.relu(x)))]
  const counts = [299, 300].map((size) =>
    Array.from({ length: CALLS }, () => {
      differentiate(f, numbers([size])(0), [size])
      return made
    }),
  )
  expect(counts).toEqual([new Array(CALLS).fill(0), [...new Array(7).fill(0), ...new Array(CALLS - 7).fill(1)]])
})
