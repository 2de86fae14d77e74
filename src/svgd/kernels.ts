import { show, UsageError } from '../core/errors.ts'
import { refuseUnknown } from '../core/options.ts'
import { areFinite, areNumbers, isList, isRecord, requireFunction, requireThat } from '../core/require.ts'
import { check, nonNegativeFloat32, positiveFloat32, wholeNumber } from '../core/schemas.ts'
import { type BandwidthRule, DEFAULT_BANDWIDTH } from './bandwidth-rules.ts'
import { bandwidthSchema } from './bandwidth-schema.ts'
import { choleskyOf, invertLower } from './cholesky.ts'

/** Kinds of terms, as in assembly/svgd/kernels.ts. */
export const TermKind = { rbf: 0, imq: 1, matern32: 2, linear: 3 } as const

/** One term w k(x, y). */
export interface Term {
  readonly kind: keyof typeof TermKind
  readonly weight: number
  /** rbf: the rule for h; matern32: for ℓ²; imq: for h in place of c. */
  readonly bandwidth?: BandwidthRule | 'adaptive'
  /** imq: c; linear: c. */
  readonly c?: number
  /** imq: β. */
  readonly beta?: number
}

/**
 * A positive-definite k(x, y) over particles, as data: a sum of terms, possibly in other coordinates, or a matrix that
 * the caller supplies. Make one with rbf, imq, matern32, linear, sumOf, preconditioned, blockwise or given.
 */
export interface Kernel {
  readonly name: string
  readonly terms: readonly Term[]
  /** Where the terms are taken; default: x itself. */
  readonly coordinates?: Coordinates
  /** Supplies K and the repulsion instead of terms. */
  readonly given?: CustomKernel
}

/**
 * Each block of coordinates alone, or with others beside it; y = Rx with an orthogonal R of each step, one coordinate a
 * block; y = Lᵀx with a metric M = L Lᵀ; or y = x/√h with a bandwidth for each dimension.
 */
export type Coordinates =
  | { readonly kind: 'blocks'; readonly widths: readonly number[] }
  | { readonly kind: 'graph'; readonly blocks: readonly GraphBlock[] }
  | { readonly kind: 'slices'; readonly seed: number }
  | { readonly kind: 'metric'; readonly map: LinearMaps }
  | { readonly kind: 'per-dimension' }

/** Coordinates that move together, and the others on which their kernel is taken as well. */
export interface GraphBlock {
  readonly moves: readonly number[]
  readonly beside: readonly number[]
}

/** Linear maps of particles and scores to other coordinates, and of the direction back; yᵀ = xᵀ A. */
export interface LinearMaps {
  readonly d: number
  /** Whether the three are matrices [d, d] or diagonals [d]. */
  readonly full: boolean
  readonly x: Float32Array
  readonly score: Float32Array
  readonly back: Float32Array
}

/**
 * Writes K_ij = k(x_i, x_j) into kernel [n × n] and Σ_j ∇_{x_j} k(x_j, x_i) into repulsion [n × d], row by row without
 * padding. `x` is a copy of the particles [n × d].
 */
export type CustomKernel = (kernel: Float32Array, repulsion: Float32Array, x: Float32Array) => void

/**
 * Radial basis function kernel k(x, y) = exp(−|x−y|²/h), ∇_x k(x, y) = −(2/h)(x − y) k(x, y).
 *
 * @param options.bandwidth a named rule, a fixed h > 0, or a function of the squared distances; default 'svpg-paper',
 *   h = med²/log(n+1). With 'per-dimension' every coordinate has its own: k = exp(−Σ_k (x_k−y_k)²/h_k). See
 *   bandwidth.ts. 'adaptive' maximises the discrepancy in every step: adaptive-bandwidth.ts
 * @throws UsageError for an unknown rule or h ≤ 0
 */
export function rbf(options: { bandwidth?: BandwidthRule | 'adaptive' } = {}): Kernel {
  refuseUnknown('rbf', options, ['bandwidth'])
  const { bandwidth = DEFAULT_BANDWIDTH } = options
  if (bandwidth === 'adaptive') return { name: 'adaptive rbf', terms: [{ kind: 'rbf', weight: 1, bandwidth }] }
  return scaled('rbf', bandwidth)
}

function scaled(kind: 'rbf' | 'matern32' | 'imq', bandwidth: BandwidthRule, beta?: number): Kernel {
  if (typeof bandwidth !== 'function') check(bandwidthSchema, bandwidth)
  if (bandwidth !== 'per-dimension' && bandwidth !== 'pyro-multivariate')
    return { name: kind, terms: [{ kind, weight: 1, bandwidth, beta }] }
  const inner = bandwidth === 'per-dimension' ? DEFAULT_BANDWIDTH : 1
  return { name: kind, terms: [{ kind, weight: 1, bandwidth: inner, beta }], coordinates: { kind: 'per-dimension' } }
}

/**
 * Inverse multiquadric k(x, y) = (c² + |x−y|²)^β, or with a bandwidth k(x, y) = (1 + |x−y|²/h)^β. Its tails are heavy:
 * far particles still feel each other.
 *
 * Source: Gorham & Mackey 2017 (arXiv 1703.01717), section 4.
 *
 * @param options.c above 0; default 1
 * @param options.beta −1 < β < 0; default −1/2
 * @param options.bandwidth h in place of c, by the rules of rbf
 * @throws UsageError for c and a bandwidth together
 */
export function imq(options: { c?: number; beta?: number; bandwidth?: BandwidthRule } = {}): Kernel {
  refuseUnknown('imq', options, ['c', 'beta', 'bandwidth'])
  const { c, beta = -0.5, bandwidth } = options
  // In float32, in which 1e-50 is 0.
  if (!(typeof beta === 'number' && Math.fround(beta) > -1 && Math.fround(beta) < 0))
    throw new UsageError(`beta must be a number between -1 and 0, got ${show(beta)}.`)
  if (bandwidth === undefined) {
    const checked = check(positiveFloat32('c', 2), c ?? 1)
    return { name: 'imq', terms: [{ kind: 'imq', weight: 1, c: checked, beta }] }
  }
  if (c !== undefined)
    throw new UsageError(`imq takes its scale from c or from a bandwidth, got c = ${show(c)} and a bandwidth.`)
  return scaled('imq', bandwidth, beta)
}

/**
 * Matérn kernel of order 3/2: k(x, y) = (1 + r) e⁻ʳ, r = √3 |x−y|/ℓ. Rougher than the RBF kernel, smooth enough for a
 * repulsion without singularity.
 *
 * Source: Rasmussen & Williams 2006, equation 4.17.
 *
 * @param options.bandwidth ℓ², by the rules of rbf; default 'svpg-paper'
 */
export function matern32(options: { bandwidth?: BandwidthRule } = {}): Kernel {
  refuseUnknown('matern32', options, ['bandwidth'])
  const { bandwidth = DEFAULT_BANDWIDTH } = options
  return scaled('matern32', bandwidth)
}

/**
 * Linear kernel k(x, y) = x·y + c, ∇_x k(x, y) = y: SVGD with it matches the mean and covariance of a Gaussian exactly.
 *
 * Source: Liu & Wang 2018 (arXiv 1810.11693), section 3.
 *
 * @param options.c at least 0; default 1
 */
export function linear(options: { c?: number } = {}): Kernel {
  refuseUnknown('linear', options, ['c'])
  const { c = 1 } = options
  check(nonNegativeFloat32('c'), c)
  return { name: 'linear', terms: [{ kind: 'linear', weight: 1, c }] }
}

/**
 * Weighted sum Σ_m w_m k_m(x, y).
 *
 * @param parts pairs of weight > 0 and kernel
 * @throws UsageError for an empty list, a weight that is not above 0, or a part in other coordinates
 */
export function sumOf(...parts: readonly (readonly [weight: number, kernel: Kernel])[]): Kernel {
  if (parts.length === 0) throw new UsageError('A sum of kernels needs at least one kernel.')
  const terms = parts.flatMap((part) => {
    requireThat(Array.isArray(part) && part.length === 2, 'sumOf', 'pairs of a weight and a kernel', part)
    const [weight, kernel] = part
    check(positiveFloat32('A weight of a sum of kernels'), weight)
    requirePlain(kernel, 'sumOf')
    return kernel.terms.map((term) => ({ ...term, weight: weight * term.weight }))
  })
  return { name: parts.map(([weight, { name }]) => `${weight} ${name}`).join(' + '), terms }
}

/**
 * Bilinear and Matérn kernel k(x, y) = x·y + c + (1 + r) e⁻ʳ, r = √3 |x−y|/ℓ: with such a sum finitely many particles
 * converge in the Wasserstein distance W₂, whose moments the bilinear part sees.
 *
 * Source: Balasubramanian, Banerjee & Ghosal 2025 (ICLR; arXiv 2409.08469).
 *
 * @param options.c at least 0; default 1
 * @param options.bandwidth ℓ², by the rules of rbf; default 'svpg-paper'
 */
export function bilinearMatern(options: { c?: number; bandwidth?: BandwidthRule } = {}): Kernel {
  refuseUnknown('bilinearMatern', options, ['c', 'bandwidth'])
  const { c, bandwidth } = options
  return { ...sumOf([1, linear({ c })], [1, matern32({ bandwidth })]), name: 'bilinear + matern32' }
}

/**
 * Matrix-valued kernel M⁻¹ k(Lᵀx, Lᵀy) with a constant metric M = L Lᵀ: SVGD in coordinates in which M is the identity.
 * With M the precision (or the mean Hessian of −log p) it takes the place of a step size for each direction.
 *
 *     φ(x_i) = 1/n Σ_j [ M⁻¹ k s_j + W (x_i − x_j) ],  distances |x−y|²_M = (x−y)ᵀ M (x−y)
 *
 * Source: Wang, Tang, Bajaj & Liu 2019 (arXiv 1910.12794), section 4.1.
 *
 * @param metric [d][d] symmetric and positive definite, or [d], its diagonal
 * @throws UsageError for a metric that is not symmetric and positive definite
 */
export function preconditioned(metric: readonly number[] | readonly (readonly number[])[], kernel: Kernel): Kernel {
  requirePlain(kernel, 'preconditioned')
  requireThat(isList(metric), 'preconditioned', 'a metric, its diagonal or its rows', metric)
  const isMatrix = Array.isArray(metric[0])
  const areRows = isMatrix ? Array.prototype.every.call(metric, areFinite) : areNumbers(metric)
  requireThat(areRows, 'preconditioned', 'a metric of finite numbers', metric)
  const map = isMatrix
    ? matrixMap(metric as unknown as readonly (readonly number[])[])
    : diagonalMap(metric as unknown as readonly number[])
  return { ...kernel, name: `preconditioned ${kernel.name}`, coordinates: { kind: 'metric', map } }
}

function diagonalMap(metric: readonly number[]): LinearMaps {
  metric.forEach((value, k) => void check(positiveFloat32(`metric[${k}]`), value))
  const root = Float32Array.from(metric, Math.sqrt)
  const inverse = Float32Array.from(metric, (value) => 1 / Math.sqrt(value))
  return { d: metric.length, full: false, x: root, score: inverse, back: inverse }
}

/** yᵀ = xᵀ L, s_y = L⁻¹ s, φ = L⁻ᵀ φ_y. */
function matrixMap(metric: readonly (readonly number[])[]): LinearMaps {
  const d = metric.length
  const L = choleskyOf(metric, 'metric')
  const inverse = invertLower(L)
  const flat = (at: (row: number, column: number) => number) =>
    Float32Array.from({ length: d * d }, (_, k) => at(Math.floor(k / d), k % d))
  return {
    d,
    full: true,
    x: flat((row, column) => L[row][column]),
    score: flat((row, column) => inverse[column][row]),
    back: flat((row, column) => inverse[row][column]),
  }
}

/**
 * One kernel for each block of coordinates, with a bandwidth of its own: for networks, whose layers differ in scale.
 * Every block follows its own Stein direction.
 *
 * @param widths of consecutive blocks; they must add up to the dimension
 */
export function blockwise(widths: readonly number[], kernel: Kernel): Kernel {
  requirePlain(kernel, 'blockwise')
  requireThat(isList(widths), 'blockwise', 'a list of widths of blocks', widths)
  widths.forEach((width, k) => void check(wholeNumber(`widths[${k}]`, 1), width))
  return { ...kernel, name: `blockwise ${kernel.name}`, coordinates: { kind: 'blocks', widths: [...widths] } }
}

/**
 * A kernel of each node of a graphical model on its own neighbourhood: the coordinates `moves` follow the Stein
 * direction of the kernel on `moves` and `beside`, the nodes that share a factor with them (the Markov blanket).
 * Neighbourhoods are small where the whole is not, and with the blanket in the kernel the target is still the only
 * fixed point.
 *
 *     φ_k(x_i) = 1/n Σ_j [ k_b(x_j, x_i) s_k(x_j) + ∂_{x_jk} k_b(x_j, x_i) ],  k_b on x_moves, x_beside
 *
 * Source: Zhuo et al. 2018 (ICML; arXiv 1711.04425); Wang, Zeng & Liu 2018 (ICML; arXiv 1711.07168).
 *
 * @param blocks each coordinate moves in exactly one of them
 * @throws UsageError for coordinates that repeat, or move in none or two blocks
 */
export function graphical(
  blocks: readonly { readonly moves: readonly number[]; readonly beside?: readonly number[] }[],
  kernel: Kernel,
): Kernel {
  requirePlain(kernel, 'graphical')
  requireThat(areBlocks(blocks), 'graphical', 'a list of blocks, { moves: [0], beside: [1] }', blocks)
  const all = blocks.map(({ moves, beside = [] }) => ({ moves: [...moves], beside: [...beside] }))
  const moved = all.flatMap(({ moves }) => moves).sort((a, b) => a - b)
  if (moved.length === 0 || moved.some((coordinate, k) => coordinate !== k))
    throw new UsageError(
      `Each coordinate from 0 must move in exactly one block of a graphical kernel, got ${moved.join(', ') || 'none'}.`,
    )
  for (const { moves, beside } of all) {
    beside.forEach((other) => void check(wholeNumber('An entry of beside', 0, moved.length - 1), other))
    if (new Set([...moves, ...beside]).size < moves.length + beside.length)
      throw new UsageError(`A coordinate stands twice in the block that moves ${moves.join(', ')}.`)
  }
  return { ...kernel, name: `graphical ${kernel.name}`, coordinates: { kind: 'graph', blocks: all } }
}

/**
 * One-dimensional kernels on slices: the matrix-valued kernel Σ_r r rᵀ k(rᵀx, rᵀy) over the rows r of an orthogonal
 * matrix, which is another random one in every step. Kernels of one dimension keep their variance in any dimension, and
 * slices of all directions see correlations, which `blockwise` with ones does not.
 *
 *     φ(x_i) = 1/n Σ_j Σ_r r [ k(rᵀx_j, rᵀx_i) rᵀs(x_j) + ∂_{rᵀx_j} k ]
 *
 * Source: Gong, Li & Hernández-Lobato 2021 (ICLR; arXiv 2006.16531), S-SVGD, with g_r = r and random in place of
 * optimised slices.
 *
 * @param options.seed of the slices, which depend on it and on the step alone; default 0
 */
export function sliced(kernel: Kernel, options: { seed?: number } = {}): Kernel {
  refuseUnknown('sliced', options, ['seed'])
  requirePlain(kernel, 'sliced')
  const seed = check(wholeNumber('seed', 0), options.seed ?? 0)
  return { ...kernel, name: `sliced ${kernel.name}`, coordinates: { kind: 'slices', seed } }
}

/**
 * A kernel that the caller computes, for instance on the behaviour of policies instead of their parameters. Checked at
 * every step: K must be finite, symmetric and positive on its diagonal.
 */
export function given(supply: CustomKernel): Kernel {
  requireFunction('A kernel of your own', supply, '(kernel, repulsion, x) => …')
  return { name: 'given', terms: [], given: supply }
}

const areBlocks = (blocks: unknown): boolean =>
  Array.isArray(blocks) &&
  blocks.every(
    (block) => isRecord(block) && areNumbers(block.moves) && (block.beside === undefined || areNumbers(block.beside)),
  )

function requirePlain(kernel: Kernel, where: string): void {
  const isKernel = isRecord(kernel) && Array.isArray(kernel.terms) && typeof kernel.name === 'string'
  requireThat(isKernel && kernel.terms.every(isRecord), where, 'a kernel, as rbf() makes it', kernel)
  const { name, coordinates, given } = kernel
  if (coordinates || given) throw new UsageError(`${where} takes kernels on the particles themselves, got ${name}.`)
}

/** Whether W_ij = −2 k'(d²) is a multiple of K_ij, so that no second matrix is needed. */
export const isSingleRbf = ({ terms }: Kernel) => terms.length === 1 && terms[0].kind === 'rbf'
