// Slow, obvious float64 twins of the kernels, and of the Stein direction that follows from any k and ∇k.

import { inverse } from './linear.ts'
import { medianReference, type SteinReference } from './svgd.ts'

type Vector = readonly number[]
type Matrix = readonly Vector[]

export interface KernelReference {
  k(x: Vector, y: Vector): number
  /** ∇_x k(x, y) */
  gradient(x: Vector, y: Vector): number[]
}

const dot = (x: Vector, y: Vector) => x.reduce((sum, value, k) => sum + value * y[k], 0)
const minus = (x: Vector, y: Vector) => x.map((value, k) => value - y[k])
/** M x, or x where there is no M. */
export const times = (M: Matrix | undefined, x: Vector) => (M ? M.map((row) => dot(row, x)) : [...x])
export const diagonal = (values: Vector) => values.map((value, i) => values.map((_, j) => (i === j ? value : 0)))

/** (x − y)ᵀ M (x − y) */
const quadratic = (x: Vector, y: Vector, M?: Matrix) => dot(minus(x, y), times(M, minus(x, y)))

/** k = f(q) with q = (x − y)ᵀ M (x − y), so that ∇_x k = 2 f′(q) M (x − y). Without a metric, M = 1. */
const radial = (f: (q: number) => number, slope: (q: number) => number, M?: Matrix): KernelReference => ({
  k: (x, y) => f(quadratic(x, y, M)),
  gradient(x, y) {
    const factor = 2 * slope(quadratic(x, y, M))
    return times(M, minus(x, y)).map((value) => factor * value)
  },
})

/** exp(−q/h) */
export const rbfReference = (h: number, M?: Matrix) =>
  radial(
    (q) => Math.exp(-q / h),
    (q) => -Math.exp(-q / h) / h,
    M,
  )

/** (c² + q)^β */
export const imqReference = (c: number, beta: number, M?: Matrix) =>
  radial(
    (q) => (c * c + q) ** beta,
    (q) => beta * (c * c + q) ** (beta - 1),
    M,
  )

/** (1 + q/h)^β */
export const scaledImqReference = (h: number, beta: number) =>
  radial(
    (q) => (1 + q / h) ** beta,
    (q) => (beta / h) * (1 + q / h) ** (beta - 1),
  )

/** (1 + r) e⁻ʳ with r = √(3q/ℓ²): dk/dq = −r e⁻ʳ dr/dq and dr/dq = 3/(2 ℓ² r). */
export const matern32Reference = (ell2: number, M?: Matrix) => {
  const r = (q: number) => Math.sqrt((3 * q) / ell2)
  return radial(
    (q) => (1 + r(q)) * Math.exp(-r(q)),
    (q) => (-3 / (2 * ell2)) * Math.exp(-r(q)),
    M,
  )
}

/** xᵀ M y + c */
export const linearReference = (c: number, M?: Matrix): KernelReference => ({
  k: (x, y) => dot(x, times(M, y)) + c,
  gradient: (_, y) => times(M, y),
})

/** Σ_m w_m k_m */
export const sumReference = (...parts: readonly (readonly [number, KernelReference])[]): KernelReference => ({
  k: (x, y) => parts.reduce((sum, [weight, { k }]) => sum + weight * k(x, y), 0),
  gradient(x, y) {
    const gradients = parts.map(([weight, { gradient }]) => gradient(x, y).map((value) => weight * value))
    return x.map((_, a) => sum(gradients.map((gradient) => gradient[a])))
  },
})

/** med²/log(n+1) over the distances of pairs, as 'svpg-paper' has it; 1 for one particle. */
export function medianBandwidthReference(X: Matrix, M?: Matrix): number {
  if (X.length === 1) return 1
  const distances = X.flatMap((x, i) => X.slice(i + 1).map((y) => Math.sqrt(quadratic(x, y, M))))
  return medianReference(distances) ** 2 / Math.log(X.length + 1)
}

/** Pyro's RBFSteinKernel: of each coordinate the lower median over pairs of (x_ik − x_jk)², over log(n+1). */
export function perDimensionReference(X: Matrix): number[] {
  if (X.length === 1) return X[0].map(() => 1)
  return X[0].map((_, k) => {
    const squares = X.flatMap((x, i) => X.slice(i + 1).map((y) => (x[k] - y[k]) ** 2))
    return medianReference(squares, 'lower') / Math.log(X.length + 1)
  })
}

export interface VariantReference {
  drive?: number
  repulsion?: number
  normalise?: 'n' | 'row sum'
}

export interface DirectionReference extends SteinReference {
  /** Largest entry of one term of the sums over j: what float32 errors are measured by. */
  largest: { drive: number; repulsion: number }
  /** The drive without j = i. */
  sharing: number[][]
  info: {
    drive: number
    repulsion: number
    sharing: number
    meanRowSum: number
    kernelOffDiagonal: number
    meanDistance: number
  }
}

/**
 * φ(x_i) = 1/N_i Σ_j P [ a k(x_j, x_i) s_j + b ∇_{x_j} k(x_j, x_i) ] with N_i = n or Σ_j k(x_j, x_i), and P = 1, or M⁻¹
 * for the matrix-valued kernel M⁻¹ k. `distance` is the metric of the mean distance alone.
 */
export function directionReference(
  X: Matrix,
  S: Matrix,
  kernel: KernelReference,
  { drive: a = 1, repulsion: b = 1, normalise = 'n' }: VariantReference = {},
  { metric, distance = metric }: { metric?: Matrix; distance?: Matrix } = {},
): DirectionReference {
  const n = X.length
  const P = metric && inverse(metric)
  const K = X.map((x) => X.map((y) => kernel.k(x, y)))
  const rowSums = K.map((row) => sum(row))
  const largest = { drive: 0, repulsion: 0 }
  /** 1/N_i Σ_j P term(i, j) for all i, and in `largest` the largest entry of a term. */
  const mean = (what: 'drive' | 'repulsion', term: (i: number, j: number) => number[]) =>
    X.map((x, i) => {
      const total = x.map(() => 0)
      for (let j = 0; j < n; j++) {
        times(P, term(i, j)).forEach((value, k) => {
          total[k] += value
          largest[what] = Math.max(largest[what], Math.abs(value))
        })
      }
      return total.map((value) => value / (normalise === 'n' ? n : rowSums[i]))
    })
  const drive = mean('drive', (i, j) => S[j].map((s) => a * K[j][i] * s))
  const repulsion = mean('repulsion', (i, j) => kernel.gradient(X[j], X[i]).map((value) => b * value))
  const sharing = mean('drive', (i, j) => S[j].map((s) => (j === i ? 0 : a * K[j][i] * s)))
  const pairs = X.flatMap((x, i) => X.slice(i + 1).map((y) => Math.sqrt(quadratic(x, y, distance))))
  const offDiagonal = K.flatMap((row, i) => row.filter((_, j) => j !== i))
  const info = { ...normsOf({ drive, repulsion, sharing }), meanRowSum: average(rowSums) }
  return {
    ...{ kernel: K, drive, repulsion, sharing, phi: plus(drive, repulsion), largest },
    info: { ...info, kernelOffDiagonal: average(offDiagonal), meanDistance: average(pairs) },
  }
}

/** Every block of columns follows its own direction: K(x, y) = diag(k_b(x_b, y_b) 1). Means of info are over blocks. */
export function blocksReference(
  X: Matrix,
  S: Matrix,
  widths: readonly number[],
  kernelOf: (block: Matrix) => KernelReference,
  variant: VariantReference = {},
): DirectionReference {
  const parts = widths.map((width, b) => {
    const from = sum(widths.slice(0, b))
    const columns = (rows: Matrix) => rows.map((row) => row.slice(from, from + width))
    return directionReference(columns(X), columns(S), kernelOf(columns(X)), variant)
  })
  const beside = (rows: (part: DirectionReference) => number[][]) => X.map((_, i) => parts.flatMap((p) => rows(p)[i]))
  const [drive, repulsion] = [beside((part) => part.drive), beside((part) => part.repulsion)]
  const sharing = beside((part) => part.sharing)
  const over = (value: (part: DirectionReference) => number) => average(parts.map(value))
  return {
    kernel: parts[parts.length - 1].kernel,
    ...{ drive, repulsion, sharing, phi: plus(drive, repulsion) },
    largest: {
      drive: Math.max(...parts.map(({ largest }) => largest.drive)),
      repulsion: Math.max(...parts.map(({ largest }) => largest.repulsion)),
    },
    info: {
      ...normsOf({ drive, repulsion, sharing }),
      meanRowSum: over(({ info }) => info.meanRowSum),
      kernelOffDiagonal: over(({ info }) => info.kernelOffDiagonal),
      meanDistance: over(({ info }) => info.meanDistance),
    },
  }
}

const sum = (values: Vector) => values.reduce((total, value) => total + value, 0)
const average = (values: Vector) => (values.length === 0 ? 0 : sum(values) / values.length)
const plus = (a: Matrix, b: Matrix) => a.map((row, i) => row.map((value, k) => value + b[i][k]))
/** Means over rows of their lengths. */
const normsOf = ({ drive, repulsion, sharing }: { drive: Matrix; repulsion: Matrix; sharing: Matrix }) => ({
  drive: average(drive.map((row) => Math.hypot(...row))),
  repulsion: average(repulsion.map((row) => Math.hypot(...row))),
  sharing: average(sharing.map((row) => Math.hypot(...row))),
})

/** n rows of d nearly normal float32 numbers: sums of uniforms of mulberry32. */
export function sampleRows(n: number, d: number, seed: number, scale = 1): number[][] {
  let state = seed
  const uniform = () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  const normal = () => Math.sqrt(2) * (uniform() + uniform() + uniform() + uniform() + uniform() + uniform() - 3)
  return Array.from({ length: n }, () => Array.from({ length: d }, () => Math.fround(scale * normal())))
}
