import { show, UsageError } from '../core/errors.ts'
import { wholeLog } from '../core/logarithm.ts'
import type { Ops } from '../core/ops.ts'
import { refuseUnknown } from '../core/options.ts'
import { check, wholeNumber } from '../core/schemas.ts'
import { tf } from '../nn/tfjs.ts'

// Where the values of a parameter may lie, and the smooth map from free numbers (all of ℝᵏ) to there. With x the value
// and u the free numbers, a density p(x) becomes p(x(u)) |det ∂x/∂u|: what is added to log p is the log-Jacobian.

/** Values of a parameter and log |det ∂x/∂u|. */
export interface Constrained {
  /** [n, …shape], or [n, 1] for a scalar. */
  readonly value: tf.Tensor
  /** [n]; null where it is constant. */
  readonly logJacobian: tf.Tensor | null
}

/** The exact functions of the core that maps of numbers need; the same bits in every runtime. */
export type ScalarMath = Pick<Ops, 'exp64' | 'log64'>

/** Where the values of a parameter lie. Make one with real, positive, interval, simplex, ordered … */
export interface Support {
  /** As an error names it. */
  readonly name: string
  /** Of one value; [] for a scalar. */
  readonly shape: readonly number[]
  /** Free numbers of one value. */
  readonly size: number
  /** From free numbers [n, size], as a tfjs expression. */
  constrain(free: tf.Tensor2D): Constrained
  /**
   * The free numbers of one value.
   *
   * @throws UsageError for a value outside
   */
  unconstrain(value: ArrayLike<number>, math: ScalarMath): number[]
  /** How far inside a value is: below 0 outside, 0 at an edge. Infinity without edges. */
  inside(value: ArrayLike<number>): number
  /** Between which two numbers every entry of a value lies; without, any. */
  readonly edges?: readonly [low: number, high: number]
}

/** The shape of a parameter: [] for a number, n or [n, …] for a tensor. */
export type Shape = number | readonly number[]

const dimensionsOf = (shape: Shape): readonly number[] => {
  const dimensions = Array.isArray(shape) ? [...shape] : [shape]
  dimensions.forEach((count) => void check(wholeNumber('An entry of a shape', 1, 1_000_000), count))
  check(wholeNumber('The size of a shape', 1, 100_000_000), count(dimensions))
  return dimensions
}
const count = (shape: readonly number[]) => shape.reduce((product, length) => product * length, 1)
const shaped = (rows: tf.Tensor, shape: readonly number[]) =>
  shape.length === 0 ? rows : tf.reshape(rows, [rows.shape[0], ...shape])
const rowSum = (rows: tf.Tensor) => tf.sum(rows, 1)

/** A support whose entries are mapped one by one. */
interface Elementwise {
  readonly name: string
  /** u → x */
  readonly forward: (u: tf.Tensor) => tf.Tensor
  /** u → log |dx/du|; null where it is constant. */
  readonly logSlope: ((u: tf.Tensor) => tf.Tensor) | null
  readonly backward: (x: number, math: ScalarMath) => number
  readonly inside: (x: number) => number
  readonly edges?: Support['edges']
}

function elementwise(map: Elementwise, shape: Shape = []): Support {
  const dimensions = dimensionsOf(shape)
  const inside = (value: ArrayLike<number>) => Math.min(...Array.from(value, map.inside))
  return {
    name: map.name,
    shape: dimensions,
    size: count(dimensions),
    constrain: (free) => ({
      value: shaped(map.forward(free), dimensions),
      logJacobian: map.logSlope && rowSum(map.logSlope(free)),
    }),
    unconstrain(value, math) {
      refuseOutside(map.name, value, count(dimensions), inside(value))
      return Array.from(value, (x) => map.backward(x, math))
    },
    inside,
    edges: map.edges,
  }
}

function refuseOutside(name: string, value: ArrayLike<number>, size: number, inside: number): void {
  if (value.length !== size) throw new UsageError(`A value of ${size} numbers is needed, got ${value.length}.`)
  if (!(inside > 0)) throw new UsageError(`${show(Array.from(value))} does not lie inside ${name}.`)
}

/** Where the free numbers of a real parameter have their 0 and their 1. */
export interface RealOptions {
  /** Of the free numbers: x = offset + scale u. Default 0. */
  offset?: number
  /** Default 1. */
  scale?: number
}

/**
 * Any real number: x = offset + scale u.
 *
 * @param shape of a value: [] (default) for a scalar, a length, or lengths
 * @param options where the free number begins and what its unit is; x itself is a float32 number in any case
 */
export function real(shape: Shape = [], options: RealOptions = {}): Support {
  refuseUnknown('real', options, ['offset', 'scale'])
  const { offset = 0, scale = 1 } = options
  if (!Number.isFinite(offset)) throw new UsageError(`offset must be a finite number, got ${show(offset)}.`)
  if (!(Number.isFinite(scale) && scale > 0))
    throw new UsageError(`scale must be a finite number above 0, got ${show(scale)}.`)
  const plain = offset === 0 && scale === 1
  return elementwise(
    {
      name: 'the real numbers',
      forward: (u) => (plain ? u : tf.add(tf.mul(u, scale), offset)),
      logSlope: null,
      backward: (x) => (x - offset) / scale,
      inside: (x) => (Number.isFinite(x) ? Number.POSITIVE_INFINITY : -1),
    },
    shape,
  )
}

/** A number above `low`: x = low + eᵘ, log |dx/du| = u. */
export function above(low: number, shape: Shape = []): Support {
  if (!Number.isFinite(low)) throw new UsageError(`The lower bound must be finite, got ${show(low)}.`)
  return elementwise(
    {
      name: low === 0 ? 'the positive numbers' : `the numbers above ${low}`,
      forward: (u) => (low === 0 ? tf.exp(u) : tf.add(tf.exp(u), low)),
      logSlope: (u) => u,
      backward: (x, { log64 }) => log64(x - low),
      inside: (x) => x - low,
      edges: [low, Number.POSITIVE_INFINITY],
    },
    shape,
  )
}

/** A number above 0: x = eᵘ, log |dx/du| = u. Scales, rates, variances. */
export const positive = (shape: Shape = []): Support => above(0, shape)

/** A number below `high`: x = high − eᵘ, log |dx/du| = u. */
export function below(high: number, shape: Shape = []): Support {
  if (!Number.isFinite(high)) throw new UsageError(`The upper bound must be finite, got ${show(high)}.`)
  return elementwise(
    {
      name: `the numbers below ${high}`,
      forward: (u) => tf.sub(high, tf.exp(u)),
      logSlope: (u) => u,
      backward: (x, { log64 }) => log64(high - x),
      inside: (x) => high - x,
      edges: [Number.NEGATIVE_INFINITY, high],
    },
    shape,
  )
}

/**
 * A number between two others: x = low + (high − low) σ(u), log |dx/du| = log(high − low) − softplus(u) − softplus(−u).
 *
 * @throws UsageError unless low < high, both finite
 */
export function interval(low: number, high: number, shape: Shape = []): Support {
  if (!(Number.isFinite(low) && Number.isFinite(high) && low < high && Number.isFinite(high - low)))
    throw new UsageError(
      `An interval needs finite bounds, the lower below the upper, got ${show(low)} and ${show(high)}.`,
    )
  const width = high - low
  return elementwise(
    {
      name: `the numbers between ${low} and ${high}`,
      forward: (u) => tf.add(tf.mul(tf.sigmoid(u), width), low),
      logSlope: (u) => tf.sub(tf.log(width), tf.add(softplus(u), softplus(tf.neg(u)))),
      backward: (x, { log64 }) => log64((x - low) / (high - x)),
      inside: (x) => Math.min(x - low, high - x) / width,
      edges: [low, high],
    },
    shape,
  )
}

/** log(1 + eᵘ) = max(u, 0) + log(1 + e^(−|u|)), which neither overflows nor loses digits. */
export const softplus = (u: tf.Tensor): tf.Tensor => tf.add(tf.relu(u), tf.log1p(tf.exp(tf.neg(tf.abs(u)))))

/**
 * K numbers above 0 that add up to 1, by stick breaking: x_k = (1 − Σ_{j<k} x_j) σ(u_k − log(K − 1 − k)), k from 0; u =
 * 0 is the centre.
 *
 * Source: Stan Reference Manual, "Unit simplex".
 */
export function simplex(length: number): Support {
  check(wholeNumber('The length of a simplex', 2, 10_000), length)
  const inside = (x: ArrayLike<number>) => {
    const sum = Array.from(x).reduce((total, value) => total + value, 0)
    return Math.abs(sum - 1) > 1e-4 ? -1 : Math.min(...Array.from(x))
  }
  return {
    name: `the simplex of ${length} numbers`,
    shape: [length],
    size: length - 1,
    constrain(free) {
      const values: tf.Tensor[] = []
      let logRest: tf.Tensor = tf.zerosLike(column(free, 0))
      let logJacobian: tf.Tensor = tf.zerosLike(logRest)
      for (let k = 0; k < length - 1; k++) {
        const u = tf.sub(column(free, k), Math.fround(wholeLog(length - 1 - k)))
        const logShare = tf.neg(softplus(tf.neg(u)))
        const logOther = tf.neg(softplus(u))
        values.push(tf.exp(tf.add(logRest, logShare)))
        logJacobian = tf.add(logJacobian, tf.add(logRest, tf.add(logShare, logOther)))
        logRest = tf.add(logRest, logOther)
      }
      values.push(tf.exp(logRest))
      return { value: tf.concat(values, 1), logJacobian: rowSum(logJacobian) }
    },
    unconstrain(x, { log64 }) {
      refuseOutside(`the simplex of ${length} numbers`, x, length, inside(x))
      let rest = 1
      return Array.from({ length: length - 1 }, (_, k) => {
        const after = rest - x[k]
        const u = log64(x[k] / after) + log64(length - 1 - k)
        rest = after
        return u
      })
    },
    inside,
    edges: [0, 1],
  }
}

const column = (rows: tf.Tensor2D, k: number) => tf.slice2d(rows, [0, k], [rows.shape[0], 1])

/**
 * K increasing numbers: x_0 = u_0, x_k = x_{k−1} + e^(u_k), log-Jacobian Σ_{k≥1} u_k. Cut points, and the means of a
 * mixture.
 *
 * Source: Stan Reference Manual, "Ordered vector".
 */
export function ordered(length: number): Support {
  check(wholeNumber('The length of ordered numbers', 1, 10_000), length)
  const gaps = (x: ArrayLike<number>) => Array.from({ length: length - 1 }, (_, k) => x[k + 1] - x[k])
  const inside = (x: ArrayLike<number>) =>
    Array.from(x).every(Number.isFinite) ? Math.min(...gaps(x), Number.POSITIVE_INFINITY) : -1
  return {
    name: `${length} increasing numbers`,
    shape: [length],
    size: length,
    constrain(free) {
      const n = free.shape[0]
      const values = [column(free, 0)] as tf.Tensor[]
      for (let k = 1; k < length; k++) values.push(tf.add(values[k - 1], tf.exp(column(free, k))))
      const logJacobian = length === 1 ? null : rowSum(tf.slice2d(free, [0, 1], [n, length - 1]))
      return { value: tf.concat(values, 1), logJacobian }
    },
    unconstrain(x, { log64 }) {
      refuseOutside(`${length} increasing numbers`, x, length, inside(x))
      return [x[0], ...gaps(x).map((gap) => log64(gap))]
    },
    inside,
  }
}

/**
 * The lower triangular L [K, K] of a correlation matrix L Lᵀ: rows of length 1 with a diagonal above 0. Free numbers u
 * become partial correlations z = tanh u, and L_ij = z_ij √(1 − Σ_{k<j} L_ik²), L_ii = √(1 − Σ_{k<i} L_ik²).
 *
 * Source: Lewandowski, Kurowicka & Joe 2009; Stan Reference Manual, "Cholesky factors of correlation matrices".
 */
export function choleskyCorrelation(size: number): Support {
  check(wholeNumber('The size of a correlation matrix', 2, 200), size)
  const name = `the Cholesky factors of correlation matrices of size ${size}`
  const at = (L: ArrayLike<number>, i: number, j: number) => L[i * size + j]
  const inside = (L: ArrayLike<number>) => {
    let least = 1
    for (let i = 0; i < size; i++) {
      let squares = 0
      for (let j = 0; j < size; j++) {
        if (j > i && at(L, i, j) !== 0) return -1
        squares += at(L, i, j) * at(L, i, j)
      }
      if (!(Math.abs(squares - 1) < 1e-4)) return -1
      least = Math.min(least, at(L, i, i))
    }
    return least
  }
  return {
    name,
    shape: [size, size],
    size: (size * (size - 1)) / 2,
    constrain(free) {
      const n = free.shape[0]
      const one = tf.onesLike(column(free, 0))
      const zero = tf.zerosLike(one)
      const entries: tf.Tensor[] = []
      let logJacobian: tf.Tensor = zero
      let next = 0
      for (let i = 0; i < size; i++) {
        // log of what is left of the row's length, squared.
        let logRest: tf.Tensor = zero
        for (let j = 0; j < size; j++) {
          if (j > i) entries.push(zero)
          else if (j === i) entries.push(i === 0 ? one : tf.exp(tf.mul(0.5, logRest)))
          else {
            const u = column(free, next++)
            // log(1 − tanh² u) = 2 (log 2 − u − softplus(−2u))
            const logOther = tf.mul(2, tf.sub(tf.sub(Math.LN2, u), softplus(tf.mul(-2, u))))
            entries.push(tf.mul(tf.tanh(u), tf.exp(tf.mul(0.5, logRest))))
            logJacobian = tf.add(logJacobian, tf.add(logOther, tf.mul(0.5, logRest)))
            logRest = tf.add(logRest, logOther)
          }
        }
      }
      return { value: tf.reshape(tf.concat(entries, 1), [n, size, size]), logJacobian: rowSum(logJacobian) }
    },
    unconstrain(L, { log64 }) {
      refuseOutside(name, L, size * size, inside(L))
      const free: number[] = []
      for (let i = 1; i < size; i++) {
        let rest = 1
        for (let j = 0; j < i; j++) {
          const z = at(L, i, j) / Math.sqrt(rest)
          free.push(0.5 * log64((1 + z) / (1 - z)))
          rest -= at(L, i, j) * at(L, i, j)
        }
      }
      return free
    },
    inside,
    edges: [-1, 1],
  }
}
