import { describe, expect, test } from '@jest/globals'
import {
  accuracyOf,
  discriminatorLoss,
  discriminatorReward,
  transitionRows,
} from '../../../src/algorithms/adr/discriminator.ts'
import { mean } from '../../../src/core/rows.ts'
import { mlp } from '../../../src/nn/network.ts'
import { startTfjs, tf } from '../../../src/nn/tfjs.ts'
import { discriminatorLossReference } from '../../reference/discriminator.ts'
import { numbersOf } from '../../reference/statistics.ts'

await startTfjs()

describe('the discriminator', () => {
  const net = mlp([3, 5, 1])
  const { normal } = numbersOf(3)
  const rows = (count: number) => Array.from({ length: count }, () => [normal(), normal(), normal()])
  const [randomised, reference] = [rows(7), rows(4)]
  const theta = Float32Array.from({ length: net.size }, () => 0.5 * normal())
  const flat = { randomised: Float32Array.from(randomised.flat()), reference: Float32Array.from(reference.flat()) }

  test('its loss and gradient are those of the float64 twin', () => {
    const loss = (parameters: tf.Tensor) => discriminatorLoss(net, parameters as tf.Tensor1D, flat)
    const value = tf.tidy(() => loss(tf.tensor1d(theta)).dataSync()[0])
    const gradient = tf.tidy(() => tf.grad(loss)(tf.tensor1d(theta)).dataSync())
    expect(value).toBeCloseTo(discriminatorLossReference(net, theta, randomised, reference), 5)
    Float64Array.from(theta).forEach((_, k) => {
      const at = (by: number) => Float64Array.from(theta, (x, index) => (index === k ? x + by : x))
      const [high, low] = [1e-5, -1e-5].map((by) => discriminatorLossReference(net, at(by), randomised, reference))
      expect(gradient[k]).toBeCloseTo((high - low) / 2e-5, 5)
    })
  })

  test('the reward is log D − log ½: 0 where nothing is told apart, log 2 at most, above 0 for randomised rows', () => {
    expect(discriminatorReward(Float64Array.from([0, 0, 0]))).toBeCloseTo(0, 6)
    expect(discriminatorReward(Float64Array.from([60]))).toBeCloseTo(Math.log(2), 6)
    const f = [1.5, -0.3]
    const direct = mean(f.map((x) => Math.log(1 / (1 + Math.exp(-x))) - Math.log(0.5)))
    expect(discriminatorReward(Float64Array.from(f))).toBeCloseTo(direct, 6)
  })

  test('accuracy counts both kinds the same', () => {
    expect(accuracyOf(Float64Array.from([1, 2, -1, 3]), Float64Array.from([-1]))).toBe(0.875)
    expect(accuracyOf(Float64Array.from([1, 1, 1, 1]), Float64Array.from([2]))).toBe(0.5)
  })

  test('rows are s, a one-hot where it is a class, and s′ − s', () => {
    const observation = Float32Array.from([1, 2, 3, 4])
    const visited = {
      ...{ observation, action: Float32Array.from([1, 0]) },
      nextObservation: Float32Array.from([1.5, 1, 5, 4]),
    }
    expect([...transitionRows(visited, 2, { name: 'categorical', actions: 2 })]).toEqual([
      1, 2, 0, 1, 0.5, -1, 3, 4, 1, 0, 2, 0,
    ])
    expect([...transitionRows(visited, 2, { name: 'gaussian', actions: 1 })]).toEqual([1, 2, 1, 0.5, -1, 3, 4, 0, 2, 0])
  })
})
