import { beforeAll, describe, expect, test } from '@jest/globals'
import '@tensorflow/tfjs-backend-cpu'
import fc from 'fast-check'
import { createArena } from '../../src/core/arena.ts'
import { f32 } from '../../src/core/layout.ts'
import { compileCore } from '../../src/core/module.ts'
import { splitSeed } from '../../src/core/random.ts'
import { forward } from '../../src/nn/forward.ts'
import { squaredError } from '../../src/nn/losses.ts'
import {
  type Activation,
  activations,
  type Initialisation,
  initialisations,
  initialiseInto,
  type Layer,
  mlp,
  type Network,
  qNetwork,
  samplerNetwork,
  valueNetwork,
} from '../../src/nn/network.ts'
import { startTfjs, tf } from '../../src/nn/tfjs.ts'
import { slopes } from '../reference/distributions.ts'
import { mlpReference } from '../reference/mlp.ts'
import { correlation, kolmogorov, meanOf, normalCdf, numbersOf } from '../reference/statistics.ts'
import { rowsOf } from './population.ts'

const module = await compileCore()
beforeAll(() => startTfjs())

/** The initial row of theta of one particle, with a dead tail of `tail` floats. */
async function initial(
  net: Network,
  options: Initialisation & { seed?: number; particle?: number; tail?: number } = {},
) {
  const { seed = 3, particle = 0, tail = 0, ...initialisation } = options
  const { ops, view } = await createArena(module, { row: f32(net.size + tail) })
  view.row.fill(Number.NaN)
  initialiseInto(view.row, net, ops, splitSeed(seed), particle, initialisation)
  return view.row.slice()
}

const weightsOf = (theta: Float32Array, { weight, bias }: Layer) => theta.subarray(weight, bias)
const biasesOf = (theta: Float32Array, { bias, outputs }: Layer) => theta.subarray(bias, bias + outputs)

describe.each(initialisations)('initialisation: %s', (scheme) => {
  const net = mlp([30, 100, 70, 5])

  test('depends on seed and particle only', async () => {
    const first = await initial(net, { scheme })
    expect(await initial(net, { scheme })).toEqual(first)
    for (const other of [{ seed: 4 }, { seed: 3 + 2 ** 32 }, { particle: 1 }]) {
      const moved = await initial(net, { scheme, ...other })
      // Independent of each other layer by layer.
      for (const layer of net.layers)
        expect(Math.abs(correlation(weightsOf(first, layer), weightsOf(moved, layer)))).toBeLessThan(4)
    }
  })

  test('layers of one shape are independent of each other', async () => {
    const square = mlp([40, 40, 40, 40])
    const theta = await initial(square, { scheme })
    const [a, b] = square.layers.map((layer) => weightsOf(theta, layer))
    expect(Math.abs(correlation(a, b))).toBeLessThan(4)
  })

  test('biases and what follows the network are 0, and nothing else is', async () => {
    const theta = await initial(net, { scheme, tail: 7 })
    for (const layer of net.layers) {
      expect(biasesOf(theta, layer).every((bias) => bias === 0)).toBe(true)
      expect(weightsOf(theta, layer).filter((weight) => weight === 0).length).toBeLessThanOrEqual(1)
    }
    expect([...theta.subarray(net.size)]).toEqual(Array(7).fill(0))
  })

  test('the gains multiply the hidden layers and the last one, which is a tenth unless asked', async () => {
    const plain = await initial(net, { scheme, lastGain: 1 })
    const scaled = await initial(net, { scheme, gain: 2 })
    net.layers.forEach((layer, l) => {
      const factor = l === net.layers.length - 1 ? 0.1 : 2
      const scale = Math.max(...weightsOf(plain, layer).map(Math.abs))
      weightsOf(plain, layer).forEach((weight, k) => {
        expect(Math.abs(weightsOf(scaled, layer)[k] - factor * weight)).toBeLessThan(1e-6 * scale)
      })
    })
  })
})

test('normal: W ~ N(0, 1/inputs)', async () => {
  const net = mlp([50, 400, 50])
  const theta = await initial(net, { scheme: 'normal', lastGain: 1 })
  for (const layer of net.layers) {
    const scaled = weightsOf(theta, layer).map((weight) => weight * Math.sqrt(layer.inputs))
    expect(kolmogorov(scaled, normalCdf)).toBeLessThan(1.95)
    const { mean, error } = meanOf(scaled.map((value) => value * value))
    expect(Math.abs(mean - 1)).toBeLessThan(4 * error)
  }
  expect(await initial(net, { lastGain: 1 })).toEqual(theta)
})

test('Xavier: W is uniform within ±√(6/(inputs + outputs))', async () => {
  const net = mlp([50, 400, 30])
  const theta = await initial(net, { scheme: 'xavier', lastGain: 1 })
  for (const layer of net.layers) {
    const bound = Math.sqrt(6 / (layer.inputs + layer.outputs))
    const scaled = weightsOf(theta, layer).map((weight) => weight / bound)
    expect(kolmogorov(scaled, (value) => (value + 1) / 2)).toBeLessThan(1.95)
    expect(Math.max(...scaled.map(Math.abs))).toBeLessThanOrEqual(1.000001)
    expect(Math.max(...scaled)).toBeGreaterThan(0.99)
    expect(Math.min(...scaled)).toBeLessThan(-0.99)
    // The variance that Glorot and Bengio ask for.
    expect((meanOf(scaled.map((v) => (v * bound) ** 2)).mean * (layer.inputs + layer.outputs)) / 2).toBeCloseTo(1, 1)
  }
})

describe('orthogonal', () => {
  const widths = fc.array(fc.integer({ min: 1, max: 24 }), { minLength: 2, maxLength: 4 })

  test('the rows or the columns of W, whichever are fewer, are orthogonal and as long as the gain', async () => {
    await fc.assert(
      fc.asyncProperty(
        widths,
        fc.nat({ max: 1000 }),
        fc.constantFrom(1, Math.SQRT2, 0.01),
        async (widths, seed, gain) => {
          const net = mlp(widths)
          const theta = await initial(net, { scheme: 'orthogonal', seed, gain, lastGain: gain })
          for (const layer of net.layers) {
            const rows = rowsOf(weightsOf(theta, layer), layer.outputs)
            const columns = Array.from({ length: layer.outputs }, (_, o) => rows.map((row) => row[o]))
            const vectors = rows.length <= columns.length ? rows : columns
            vectors.forEach((a, i) => {
              vectors.forEach((b, j) => {
                const product = a.reduce((sum, value, k) => sum + value * b[k], 0) / gain ** 2
                expect(Math.abs(product - (i === j ? 1 : 0))).toBeLessThan(1e-6)
              })
            })
          }
        },
      ),
      { numRuns: 60, seed: 2 },
    )
  })

  test('every direction is as likely: components have mean 0 and variance 1/size', async () => {
    const net = mlp([3, 3])
    const samples = await Promise.all(
      Array.from({ length: 400 }, (_, particle) => initial(net, { scheme: 'orthogonal', particle, lastGain: 1 })),
    )
    for (let k = 0; k < 9; k++) {
      const component = samples.map((theta) => theta[k])
      const [first, second] = [meanOf(component), meanOf(component.map((value) => value * value))]
      expect(Math.abs(first.mean)).toBeLessThan(4 * first.error)
      expect(Math.abs(second.mean - 1 / 3)).toBeLessThan(4 * second.error)
    }
  })
})

test('an unknown initialisation is refused', async () => {
  await expect(initial(mlp([1, 1]), { scheme: 'kaiming' as 'normal' })).rejects.toThrow(
    'The initialisation must be one of normal, xavier, orthogonal, got "kaiming".',
  )
})

describe('layout', () => {
  test('layers lie one after the other, W [inputs, outputs] and then b', () => {
    const { layers, size } = mlp([3, 5, 2], { hidden: 'elu', output: 'softplus' })
    expect(layers).toEqual([
      { inputs: 3, outputs: 5, weight: 0, bias: 15, activation: 'elu' },
      { inputs: 5, outputs: 2, weight: 20, bias: 30, activation: 'softplus' },
    ])
    expect(size).toBe(32)
  })

  test.each([
    [() => valueNetwork(4, [8, 6], 'relu'), [4, 8, 6, 1]],
    [() => qNetwork(4, 2, [8], 'relu'), [6, 8, 1]],
    [() => samplerNetwork(4, 3, 2, [8], 'relu'), [7, 8, 2]],
  ])('%p', (make, widths) => {
    const net = make()
    expect(net.widths).toEqual(widths)
    expect(net).toEqual(mlp(widths, { hidden: 'relu' }))
    expect(net.layers[net.layers.length - 1].activation).toBe('linear')
  })

  test.each([
    [() => mlp([3]), 'A network needs at least two widths, got [3].'],
    [() => mlp([]), 'A network needs at least two widths, got [].'],
    [() => mlp([3, 0, 1]), 'A width of a network must be a whole number of at least 1, got 0.'],
    [() => mlp([3, 2.5]), 'A width of a network must be a whole number of at least 1, got 2.5.'],
    [() => valueNetwork(Number.NaN, []), 'A width of a network must be a whole number of at least 1, got NaN.'],
    [
      () => mlp([1, 1], { hidden: 'sigmoid' as Activation }),
      'The activation of hidden layers must be one of linear, tanh, relu, elu, softplus, got "sigmoid".',
    ],
    [
      () => mlp([1, 1], { output: 'sigmoid' as Activation }),
      'The activation of the last layer must be one of linear, tanh, relu, elu, softplus, got "sigmoid".',
    ],
  ])('bad input %#', (act, message) => {
    expect(act).toThrow(message)
  })
})

describe.each(activations)('networks of every use, %s', (activation) => {
  test.each([
    ['value', valueNetwork(5, [9, 4], activation)],
    ['Q', qNetwork(3, 2, [7], activation)],
    ['sampler', samplerNetwork(3, 2, 4, [6], activation)],
  ])('a population of %s networks gives the outputs of the float64 twin', async (_, net) => {
    const [n, rows] = [3, 5]
    const theta = await Promise.all(
      Array.from({ length: n }, (_, particle) => initial(net, { scheme: 'orthogonal', particle, lastGain: 1 })),
    )
    const { normal } = numbersOf(8)
    const x = Float32Array.from({ length: n * rows * net.widths[0] }, normal)
    const outputs = tf.tidy(() =>
      forward(net, tf.tensor2d(theta.map((row) => [...row])), tf.tensor3d(x, [n, rows, net.widths[0]])).dataSync(),
    )
    const last = net.widths[net.widths.length - 1]
    const exact = rowsOf(x, net.widths[0]).flatMap((row, r) => mlpReference(net, theta[Math.floor(r / rows)], row))
    expect(outputs.length).toBe(n * rows * last)
    exact.forEach((value, k) => void expect(Math.abs(outputs[k] - value)).toBeLessThan(1e-6 * (1 + Math.abs(value))))
  })
})

test('predictions and targets of two shapes are refused, not broadcast', () => {
  expect(() => tf.tidy(() => squaredError(tf.zeros([5, 1]), tf.zeros([5])))).toThrow(
    'Predictions and targets must have one shape, got [5, 1] and [5].',
  )
})

describe.each(['wasm', 'cpu'])('losses on %s', (backend) => {
  const { normal } = numbersOf(2)
  // Errors on both sides of every threshold below, and none.
  const target = [0, ...Array.from({ length: 16 }, normal)].map(Math.fround)
  const prediction = target.map((t, k) =>
    Math.fround(t + (k === 0 ? 0 : [0.3, -0.2, 1.7, -2.4, 9, -30, 1e-3, -1][k % 8])),
  )

  const squared = (errors: number[]) => errors.reduce((sum, e) => sum + 0.5 * e ** 2, 0) / errors.length

  test('the squared error has the value and the slopes of the definition', async () => {
    await tf.setBackend(backend)
    const [value, byPrediction, byTarget] = tf.tidy(() => {
      const inputs = [tf.tensor1d(prediction), tf.tensor1d(target)]
      return [squaredError(inputs[0], inputs[1]), ...tf.grads((y, t) => squaredError(y, t))(inputs)].map((t) => [
        ...t.dataSync(),
      ])
    })
    await tf.setBackend('wasm')
    const value64 = (moved: number[]) => squared(moved.map((y, k) => y - target[k]))
    const exact = value64(prediction)
    expect(Math.abs(value[0] - exact)).toBeLessThan(1e-6 * exact)
    slopes(value64, prediction).forEach((slope, k) => {
      expect(Math.abs(byPrediction[k] - slope)).toBeLessThan(1e-6 * (1 + Math.abs(slope)))
      expect(Math.abs(byTarget[k] + byPrediction[k])).toBe(0)
    })
  })
})
