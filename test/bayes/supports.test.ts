import { beforeAll, describe, expect, test } from '@jest/globals'
import { LuDecomposition, Matrix } from 'ml-matrix'
import {
  above,
  below,
  choleskyCorrelation,
  interval,
  ordered,
  positive,
  real,
  type Support,
  simplex,
} from '../../src/bayes/supports.ts'
import { startTfjs, tf } from '../../src/nn/tfjs.ts'

const math = { exp64: Math.exp, log64: Math.log }

beforeAll(() => startTfjs())

/** Values whose free numbers are far from 0 and near it, and which of their numbers determine the others. */
const cases: readonly (readonly [name: string, support: Support, value: number[], independent: number[]])[] = [
  ['real', real(2), [0.3, -4], [0, 1]],
  ['real with offset and scale', real([], { offset: 100, scale: 5 }), [92], [0]],
  ['positive', positive(2), [0.02, 30], [0, 1]],
  ['above', above(-3), [-2.5], [0]],
  ['below', below(7), [6.1], [0]],
  ['interval', interval(-1, 4, 2), [-0.9, 1.7], [0, 1]],
  ['simplex', simplex(4), [0.1, 0.45, 0.2, 0.25], [0, 1, 2]],
  ['ordered', ordered(3), [-1, -0.4, 2], [0, 1, 2]],
  ['choleskyCorrelation', choleskyCorrelation(3), [1, 0, 0, 0.6, 0.8, 0, -0.3, 0.5, Math.sqrt(1 - 0.34)], [3, 6, 7]],
]

const constrained = (support: Support, free: readonly number[]) => {
  const { value, logJacobian } = support.constrain(tf.tensor2d([[...free]]))
  return { value: [...value.dataSync()], logJacobian: logJacobian?.dataSync()[0] ?? null }
}

describe.each(cases)('%s', (_, support, value, independent) => {
  const free = support.unconstrain(value, math)

  test('a value comes back from its free numbers', () => {
    expect(free).toHaveLength(support.size)
    constrained(support, free).value.forEach((x, k) => void expect(x).toBeCloseTo(value[k], 4))
    expect(support.inside(value)).toBeGreaterThan(0)
  })

  test('the log-Jacobian is the logarithm of the determinant of central differences', () => {
    const { logJacobian } = constrained(support, free)
    const h = 0.01
    const columns = free.map((_, k) => {
      const shifted = (by: number) =>
        constrained(
          support,
          free.map((u, i) => (i === k ? u + by : u)),
        ).value
      const [up, down] = [shifted(h), shifted(-h)]
      return independent.map((i) => (up[i] - down[i]) / (2 * h))
    })
    const determinant = new LuDecomposition(new Matrix(columns)).determinant
    // The Jacobian of a constant map is left out: it changes no posterior.
    if (logJacobian === null) return
    expect(logJacobian).toBeCloseTo(Math.log(Math.abs(determinant)), 2)
  })
})

test('a value outside is refused by name', () => {
  expect(() => positive().unconstrain([-1], math)).toThrow('[-1] does not lie inside the positive numbers.')
  expect(() => interval(0, 1).unconstrain([1], math)).toThrow('[1] does not lie inside the numbers between 0 and 1.')
  expect(() => simplex(3).unconstrain([0.5, 0.2, 0.2], math)).toThrow('does not lie inside the simplex of 3 numbers.')
  expect(() => ordered(2).unconstrain([2, 1], math)).toThrow('[2, 1] does not lie inside 2 increasing numbers.')
  expect(() => choleskyCorrelation(2).unconstrain([1, 0, 0.5, 0.5], math)).toThrow('does not lie inside')
  expect(() => real(2).unconstrain([1], math)).toThrow('A value of 2 numbers is needed, got 1.')
  expect(() => interval(2, 1)).toThrow('An interval needs finite bounds, the lower below the upper, got 2 and 1.')
})
