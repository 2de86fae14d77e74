import { show, UsageError } from '../core/errors.ts'
import { areNumbers } from '../core/require.ts'
import { tf } from '../nn/tfjs.ts'
import { told } from './blame.ts'
import { logGammaRatio, logPoisson, logGamma as unchecked } from './gamma.ts'
import { softplus } from './supports.ts'

// Log densities of the usual distributions as tfjs expressions, entry by entry: x and parameters broadcast against each
// other, and no entry is summed. All are normalised. A model adds them up (model.ts).

/** A tensor, or a number that stands for all entries. */
export type Input = tf.Tensor | number

const HALF_LOG_TWO_PI = 0.9189385332046727
const LOG_PI = 1.1447298858494002

/** What tfjs would refuse by its own names of arguments. */
function checked<X>(x: X): X {
  const isOne = typeof x === 'number' || x instanceof tf.Tensor || (areNumbers(x) && x.length > 0)
  if (isOne) return x
  throw new UsageError(`A log density takes tensors and numbers, got ${show(x)}.`)
}

function tensorOf(taker: string, what: string, x: unknown, ranks: readonly number[]): void {
  const found = x instanceof tf.Tensor ? `one of the shape [${x.shape}]` : show(x)
  if (!(x instanceof tf.Tensor && ranks.includes(x.rank)))
    throw new UsageError(`${taker} takes ${what} as a tensor of rank ${ranks.join(' or ')}, got ${found}.`)
}

const unary = (op: (x: Input) => tf.Tensor) => (x: Input) => op(checked(x))
const binary = (op: (a: Input, b: Input) => tf.Tensor) => (a: Input, b: Input) => op(checked(a), checked(b))
const [exp, log, log1p, neg, square] = [tf.exp, tf.log, tf.log1p, tf.neg, tf.square].map(unary)
const [add, div, mul, sub] = [tf.add, tf.div, tf.mul, tf.sub].map(binary)
const sum = (...terms: Input[]) => terms.reduce((total, term) => add(total, term)) as tf.Tensor

/** log Γ(x) for x > 0, with an error below 2e-7 of the largest of its terms. */
export const logGamma = unary(unchecked)

/** ((x − m)/s)² */
const standardised = (x: Input, mean: Input, sd: Input) => div(sub(x, mean), sd)

/** Normal: −½ ((x − μ)/σ)² − log σ − ½ log 2π. σ > 0 is a standard deviation. */
export const normal = told(
  'normal',
  { x: 'finite', mean: 'finite', sd: 'above 0' },
  (x: Input, mean: Input, sd: Input): tf.Tensor =>
    sum(mul(-0.5, square(standardised(x, mean, sd))), neg(log(sd)), -HALF_LOG_TWO_PI),
)

/** |Normal(0, σ)|, for x ≥ 0: twice the normal density. */
export const halfNormal = told(
  'halfNormal',
  { x: 'from 0', scale: 'above 0' },
  (x: Input, scale: Input): tf.Tensor => add(normal(x, 0, scale), Math.LN2),
)

/** log x is Normal(μ, σ), for x > 0. */
export const logNormal = told(
  'logNormal',
  { x: 'above 0', mean: 'finite', sd: 'above 0' },
  (x: Input, mean: Input, sd: Input): tf.Tensor => sub(normal(log(x), mean, sd), log(x)),
)

/** Student t with ν degrees of freedom: log Γ((ν+1)/2) − log Γ(ν/2) − ½ log νπ − log σ − (ν+1)/2 log(1 + z²/ν). */
export const studentT = told(
  'studentT',
  { x: 'finite', degrees: 'above 0', mean: 'finite', scale: 'above 0' },
  (x: Input, degrees: Input, mean: Input, scale: Input): tf.Tensor => {
    const z = standardised(x, mean, scale)
    const half = mul(0.5, degrees)
    const tail = mul(add(half, 0.5), log1p(div(square(z), degrees)))
    return sum(logGammaRatio(half, 0.5), mul(-0.5, log(degrees)), -0.5 * LOG_PI, neg(log(scale)), neg(tail))
  },
)

/** Cauchy: −log π − log γ − log(1 + z²). */
export const cauchy = told(
  'cauchy',
  { x: 'finite', place: 'finite', scale: 'above 0' },
  (x: Input, place: Input, scale: Input): tf.Tensor =>
    sum(-LOG_PI, neg(log(scale)), neg(log1p(square(standardised(x, place, scale))))),
)

/** |Cauchy(0, γ)|, for x ≥ 0. */
export const halfCauchy = told(
  'halfCauchy',
  { x: 'from 0', scale: 'above 0' },
  (x: Input, scale: Input): tf.Tensor => add(cauchy(x, 0, scale), Math.LN2),
)

/** Laplace: −|x − μ|/b − log 2b. */
export const laplace = told(
  'laplace',
  { x: 'finite', place: 'finite', scale: 'above 0' },
  (x: Input, place: Input, scale: Input): tf.Tensor =>
    sum(neg(tf.abs(standardised(x, place, scale))), neg(log(scale)), -Math.LN2),
)

/** Logistic: −z − log s − 2 log(1 + e⁻ᶻ). */
export const logistic = told(
  'logistic',
  { x: 'finite', place: 'finite', scale: 'above 0' },
  (x: Input, place: Input, scale: Input): tf.Tensor => {
    const z = standardised(x, place, scale)
    return sum(neg(z), neg(log(scale)), mul(-2, softplus(neg(z))))
  },
)

/** Exponential with a rate λ: log λ − λ x, for x ≥ 0. */
export const exponential = told(
  'exponential',
  { x: 'from 0', rate: 'above 0' },
  (x: Input, rate: Input): tf.Tensor => sub(log(rate), mul(rate, x)),
)

/** Gamma with shape α and rate β: α log β − log Γ(α) + (α − 1) log x − β x, for x > 0. */
export const gamma = told(
  'gamma',
  { x: 'above 0', shape: 'above 0', rate: 'above 0' },
  (x: Input, shape: Input, rate: Input): tf.Tensor => sub(logOf(shape, mul(rate, x)), log(x)),
)

/** Inverse gamma with shape α and scale β: α log β − log Γ(α) − (α + 1) log x − β/x, for x > 0. */
export const inverseGamma = told(
  'inverseGamma',
  { x: 'above 0', shape: 'above 0', scale: 'above 0' },
  (x: Input, shape: Input, scale: Input): tf.Tensor => sub(logOf(shape, div(scale, x)), log(x)),
)

/** Weibull with shape k and scale λ: log(k/λ) + (k − 1) log(x/λ) − (x/λ)ᵏ, for x > 0. */
export const weibull = told(
  'weibull',
  { x: 'above 0', shape: 'above 0', scale: 'above 0' },
  (x: Input, shape: Input, scale: Input): tf.Tensor => {
    const ratio = log(div(x, scale))
    return sum(log(shape), neg(log(scale)), mul(sub(shape, 1), ratio), neg(exp(mul(shape, ratio))))
  },
)

/** Beta with α and β: (α − 1) log x + (β − 1) log(1 − x) − log B(α, β), for 0 < x < 1. */
export const beta = told(
  'beta',
  { x: 'within 1', a: 'above 0', b: 'above 0' },
  (x: Input, a: Input, b: Input): tf.Tensor => {
    const [total, logRest] = [add(a, b), log1p(neg(x))]
    const parts = add(logOf(a, total, log(x)), logOf(b, total, logRest))
    return sum(parts, neg(logOf(total, total)), neg(log(x)), neg(logRest))
  },
)

/** Uniform: −log(high − low); the support of the parameter sees to the bounds. */
export const uniform = told(
  'uniform',
  { x: 'finite', low: 'finite', high: 'finite' },
  (x: Input, low: Input, high: Input): tf.Tensor => sub(tf.zerosLike(asTensor(x)), log(sub(high, low))),
)

/** Bernoulli by its logit η, of x = 0 or 1: x η − log(1 + e^η). */
export const bernoulliLogit = told(
  'bernoulliLogit',
  { x: 'finite', logit: 'finite' },
  (x: Input, logit: Input): tf.Tensor => sub(mul(x, logit), softplus(asTensor(logit))),
)

/** Binomial by its logit η, of x out of n: log C(n, x) + x η − n log(1 + e^η). */
export const binomialLogit = told(
  'binomialLogit',
  { x: 'from 0', trials: 'from 0', logit: 'finite' },
  (x: Input, trials: Input, logit: Input): tf.Tensor =>
    logBinomial(x, sub(trials, x), softplus(neg(logit)), softplus(asTensor(logit))),
)

/** Poisson by its log rate η: x η − e^η − log x!. */
export const poissonLog = told(
  'poissonLog',
  { x: 'from 0', logRate: 'finite' },
  (x: Input, logRate: Input): tf.Tensor => logPoisson(checked(x), (m) => sub(logRate, log(m))),
)

/**
 * Negative binomial by its log mean η and dispersion φ, with variance μ + μ²/φ:
 * log C(x + φ − 1, x) + x (η − log(μ + φ)) + φ (log φ − log(μ + φ)).
 */
export const negativeBinomialLog = told(
  'negativeBinomialLog',
  { x: 'from 0', logMean: 'finite', dispersion: 'above 0' },
  (x: Input, logMean: Input, dispersion: Input): tf.Tensor => {
    const logOdds = sub(logMean, log(dispersion))
    const mass = logBinomial(x, dispersion, softplus(neg(logOdds)), softplus(logOdds))
    return sum(mass, log(dispersion), neg(log(add(x, dispersion))))
  },
)

/**
 * Categorical by its logits [n, …, K]: the log softmax at x.
 *
 * @param x [N] or [n, N] whole numbers from 0 to K − 1
 * @param logits [n, N, K], or [n, 1, K] and [n, K] where all observations share them
 * @returns [n, N]
 */
export function categoricalLogit(x: readonly number[] | tf.Tensor, logits: tf.Tensor): tf.Tensor {
  tensorOf('categoricalLogit', 'logits', logits, [2, 3])
  checked(x)
  const table = logits.rank === 2 ? tf.expandDims(logits, 1) : logits
  const K = table.shape[table.rank - 1]
  const chosen = tf.oneHot(tf.cast(Array.isArray(x) ? tf.tensor1d(x as number[]) : (x as tf.Tensor), 'int32'), K)
  const most = tf.max(table, -1, true)
  const normaliser = add(tf.squeeze(most, [-1]), log(tf.sum(exp(sub(table, most)), -1)))
  return sub(tf.sum(mul(table, tf.cast(chosen, 'float32')), -1), normaliser)
}

/**
 * Ordered logistic with cut points c [n, K − 1]: P(x = k) = σ(η − c_{k−1}) − σ(η − c_k).
 *
 * @param x [N] whole numbers from 0 to K − 1    @param eta [n, N] or [n, 1]
 * @returns [n, N]
 */
export function orderedLogit(x: readonly number[], eta: tf.Tensor, cuts: tf.Tensor): tf.Tensor {
  tensorOf('orderedLogit', 'eta', eta, [2])
  tensorOf('orderedLogit', 'cuts', cuts, [2])
  if (!areNumbers(x) || x.length === 0)
    throw new UsageError(`orderedLogit takes observations as a list of numbers, got ${show(x)}.`)
  const K = (cuts.shape[1] as number) + 1
  const N = x.length
  const bad = x.findIndex((k) => !(Number.isInteger(k) && k >= 0 && k < K))
  if (bad >= 0)
    throw new UsageError(`Observation ${bad} of orderedLogit is ${show(x[bad])}; it must be from 0 to ${K - 1}.`)
  // Rows of 0 and 1 pick the cut below and the cut above each observation, where there is one.
  const picks = (k: number) =>
    tf.tensor2d(
      x.map((value) => Array.from({ length: K - 1 }, (_, c) => (c === value + k ? 1 : 0))),
      [N, K - 1],
    )
  const has = (k: number) => tf.tensor1d(x.map((value) => (value + k >= 0 && value + k < K - 1 ? 1 : 0)))
  const at = (k: number) => tf.matMul(cuts, picks(k), false, true)
  const [below, above] = [sub(eta, at(-1)), sub(eta, at(0))]
  // log(σ(a) − σ(b)) = −softplus(−a) − softplus(b) + log(1 − e^(b−a)) for b < a.
  const inner = log1p(neg(exp(neg(add(sub(below, above), mul(1e30, sub(1, mul(has(-1), has(0)))))))))
  return sum(neg(mul(has(-1), softplus(neg(below)))), neg(mul(has(0), softplus(above))), inner)
}

/**
 * Dirichlet of rows x [n, K] of a simplex: log Γ(Σ α) − Σ log Γ(α_k) + Σ (α_k − 1) log x_k.
 *
 * @param concentration [K], [n, K] or one number for all
 * @returns [n]
 */
export function dirichlet(x: tf.Tensor, concentration: Input | readonly number[]): tf.Tensor {
  tensorOf('dirichlet', 'x', x, [2])
  checked(concentration)
  const given = Array.isArray(concentration) ? tf.tensor1d(concentration as number[]) : (concentration as Input)
  const alpha = add(given, tf.zerosLike(x))
  const total = tf.sum(alpha, -1, true)
  const parts = tf.sum(sub(logOf(alpha, total, log(x)), log(x)), -1)
  // Σ x is 1 but for its rounding.
  const excess = mul(total, sub(tf.sum(x, -1, true), 1))
  return add(parts, tf.squeeze(sub(excess, logOf(total, total)), [-1]))
}

/**
 * LKJ of Cholesky factors L [n, K, K] of correlation matrices, up to a constant: Σ_{k≥1} (K − 1 − k + 2 η − 2) log
 * L_kk, k from 0. η = 1 is uniform over correlation matrices.
 *
 * Source: Lewandowski, Kurowicka & Joe 2009; Stan Functions Reference, "LKJ correlation on Cholesky factors".
 * @returns [n]
 */
export function lkjCholesky(L: tf.Tensor, eta: number): tf.Tensor {
  tensorOf('lkjCholesky', 'L', L, [3])
  if (!(typeof eta === 'number' && eta > 0))
    throw new UsageError(`eta of lkjCholesky must be above 0, got ${show(eta)}.`)
  const K = L.shape[1] as number
  const powers = Array.from({ length: K }, (_, k) => (k === 0 ? 0 : K - 1 - k + 2 * eta - 2))
  const diagonal = tf.sum(mul(L, tf.eye(K)), -1)
  return tf.sum(mul(log(diagonal), tf.tensor1d(powers)), -1)
}

/**
 * Multivariate normal of x [k] or [n, k] with a mean [k], [n, k] or a number and a covariance Σ [n, k, k] or [k, k]:
 * −½ (x − μ)ᵀ Σ⁻¹ (x − μ) − ½ log |Σ| − k/2 log 2π, by eliminating one row of Σ after the other.
 *
 * @returns [n]
 */
export function multivariateNormal(x: tf.Tensor, mean: Input, covariance: tf.Tensor): tf.Tensor {
  tensorOf('multivariateNormal', 'a covariance', covariance, [2, 3])
  const rows = covariance.rank === 2 ? tf.expandDims(covariance, 0) : covariance
  const k = rows.shape[1] as number
  if (rows.rank !== 3 || rows.shape[2] !== k)
    throw new UsageError(`A covariance must be [n, k, k], got [${covariance.shape}].`)
  const deviation = sub(x, mean)
  let left = rows
  let rest = add(
    deviation.rank === 1 ? tf.expandDims(deviation, 0) : deviation,
    tf.zeros([rows.shape[0], k]),
  ) as tf.Tensor
  const n = rest.shape[0] as number
  let total: tf.Tensor = tf.fill([n, 1], -k * HALF_LOG_TWO_PI)
  for (let j = 0; j < k; j++) {
    const m = k - j
    // The first row of what is left: its pivot, and what it takes from the others.
    const pivot = tf.slice(left, [0, 0, 0], [-1, 1, 1])
    const first = tf.slice(rest, [0, 0], [-1, 1])
    const variance = tf.reshape(pivot, [-1, 1])
    total = sub(total, mul(0.5, add(log(variance), div(square(first), variance))))
    if (m === 1) break
    const column = tf.slice(left, [0, 1, 0], [-1, m - 1, 1])
    const share = div(column, pivot)
    left = sub(tf.slice(left, [0, 1, 1], [-1, m - 1, m - 1]), tf.matMul(share, column, false, true))
    rest = sub(tf.slice(rest, [0, 1], [-1, m - 1]), mul(tf.squeeze(share, [2]), first))
  }
  return tf.squeeze(total, [1])
}

const asTensor = (x: Input): tf.Tensor => (typeof x === 'number' ? tf.scalar(x) : checked(x))

// Gammas, betas and binomials by Poisson's mass: where their parameters are large, so are all terms of the usual forms.

/** a log μ − μ − log Γ(a) for μ = mean · e^logShare */
const logOf = (a: Input, mean: Input, logShare: Input = 0) =>
  add(
    logPoisson(checked(a), (m) => add(log(div(mean, m)), logShare)),
    log(a),
  )

/**
 * log of C(n, x) pˣ qⁿ⁻ˣ, n = x + rest, by −log p and −log q: two Poisson variables of the means n p and n q where
 * their sum is n.
 */
function logBinomial(x: Input, rest: Input, minusLogP: Input, minusLogQ: Input): tf.Tensor {
  const n = add(x, rest)
  const mass = (k: Input, minusLog: Input) =>
    logPoisson(checked(k), (m) => sub(log(div(tf.maximum(n, 1e-30), m)), minusLog))
  return sub(add(mass(x, minusLogP), mass(rest, minusLogQ)), mass(n, 0))
}
