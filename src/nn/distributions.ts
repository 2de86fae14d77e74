// The distributions of actions as tfjs expressions, differentiable by their parameters. assembly/nn has each of them
// once more for rollouts; tests hold the two against each other.
import { canFuse } from './fused.ts'
import { fusedEntropy, fusedLogProb } from './fused-categorical.ts'
import { factorsOf, type Policy } from './policy.ts'
import { tf } from './tfjs.ts'

/** What a policy says of a batch of rows. Actions are [rows, A]; a class is one number. */
interface Distribution {
  /** log π(a|s) [rows], in nats. */
  logProb(action: tf.Tensor2D): tf.Tensor1D
  /**
   * H(π(·|s)) [rows], in nats. A squashed Gaussian, which has no closed form, takes an unbiased estimate at the given
   * actions drawn from it, with an unbiased gradient. Both hold while few actions round to ±1, which a float32 tanh u
   * does for |u| > 9: their u is taken as ±8.67.
   */
  entropy(action: tf.Tensor2D): tf.Tensor1D
}

/**
 * π(·|s) of a policy with outputs [rows, outputs] of its network and parameters theta [policy.size], of which only
 * those of the head are read.
 */
export function distributionOf({ net, head, size }: Policy, outputs: tf.Tensor2D, theta: tf.Tensor1D): Distribution {
  if (head.name === 'categorical') {
    return {
      logProb: (action) => product.logProb(outputs, action, factorsOf(head)),
      entropy: () => product.entropy(outputs, factorsOf(head)),
    }
  }
  if (head.name === 'gaussian') {
    const logStd = tf.reshape(tf.slice(theta, net.size, size - net.size), [1, head.actions]) as tf.Tensor2D
    const parameters = { mean: outputs, logStd }
    return {
      logProb: (action) => gaussian.logProb(parameters, action),
      entropy: () => gaussian.entropy(parameters),
    }
  }
  const parameters = squashedGaussian.parametersOf(outputs)
  return {
    logProb: (action) => squashedGaussian.logProb(parameters, action),
    entropy: (action) => squashedGaussian.entropy(parameters, squashedGaussian.noiseOf(parameters, action)),
  }
}

/**
 * The categorical distribution π(a|s) = softmax(logits)_a. logits [rows, classes]. In the core where tfjs runs on WASM.
 */
export const categorical = {
  /** log π(a|s) [rows] of the classes [rows, 1]. */
  logProb(logits: tf.Tensor2D, action: tf.Tensor2D): tf.Tensor1D {
    return canFuse() ? fusedLogProb(logits, action) : stockCategorical.logProb(logits, action)
  },

  /** H(π(·|s)) = −Σ_a π log π [rows], in nats. */
  entropy: (logits: tf.Tensor2D): tf.Tensor1D => (canFuse() ? fusedEntropy(logits) : stockCategorical.entropy(logits)),

  /** The class that uniform numbers [rows, 1] in [0, 1) choose by inversion: [rows, 1]. */
  sample(logits: tf.Tensor2D, uniform: tf.Tensor2D): tf.Tensor2D {
    const [rows, classes] = logits.shape
    // Axis 1 and not -1, with which cumsum of tfjs-wasm writes over its memory.
    const sums = tf.cumsum(tf.exp(tf.sub(logits, tf.max(logits, 1, true))), 1) as tf.Tensor2D
    const total = tf.slice2d(sums, [0, classes - 1], [rows, 1])
    return tf.sum(tf.cast(tf.lessEqual(sums, tf.mul(uniform, total)), 'float32'), 1, true)
  },

  /** The most probable class [rows, 1]. */
  mode: (logits: tf.Tensor2D): tf.Tensor2D => tf.reshape(tf.cast(tf.argMax(logits, -1), 'float32'), [-1, 1]),
}

/**
 * The product of K categoricals π(a|s) = Π_k softmax(logits_k)_{a_k}, whose logits [rows, Σ classes] stand side by
 * side. The factors are added in their order; one factor is the categorical distribution, bit for bit.
 */
const product = {
  /** log π(a|s) = Σ_k log softmax(logits_k)_{a_k} [rows] of the classes [rows, K]. */
  logProb: (logits: tf.Tensor2D, action: tf.Tensor2D, factors: readonly number[]): tf.Tensor1D =>
    added(columnsOf(logits, factors), (part, k) =>
      categorical.logProb(part, factors.length === 1 ? action : columns(action, k, 1)),
    ),

  /** H(π(·|s)) = Σ_k H(softmax(logits_k)) [rows], in nats. */
  entropy: (logits: tf.Tensor2D, factors: readonly number[]): tf.Tensor1D =>
    added(columnsOf(logits, factors), categorical.entropy),
}

/** f(x_0, 0) + f(x_1, 1) + … */
const added = (parts: readonly tf.Tensor2D[], f: (part: tf.Tensor2D, k: number) => tf.Tensor1D): tf.Tensor1D =>
  parts.map(f).reduce((sum, term) => tf.add(sum, term))

const columns = (x: tf.Tensor2D, first: number, count: number) => tf.slice2d(x, [0, first], [x.shape[0], count])

/** x cut into pieces of so many columns. */
function columnsOf(x: tf.Tensor2D, widths: readonly number[]): tf.Tensor2D[] {
  if (widths.length === 1) return [x]
  let first = 0
  return widths.map((width) => {
    first += width
    return columns(x, first - width, width)
  })
}

/** The same in ops of tfjs alone. */
export const stockCategorical = {
  logProb(logits: tf.Tensor2D, action: tf.Tensor): tf.Tensor1D {
    // One-hot and multiply: tfjs-wasm lacks the gradient of gather. By comparison, as tf.oneHot refuses a single class.
    const chosen = tf.cast(tf.equal(tf.reshape(action, [-1, 1]), tf.range(0, logits.shape[1])), 'float32')
    return tf.sum(tf.mul(chosen, tf.logSoftmax(logits)), -1)
  },

  entropy(logits: tf.Tensor2D): tf.Tensor1D {
    const logProb = tf.logSoftmax(logits)
    return tf.neg(tf.sum(tf.mul(tf.exp(logProb), logProb), -1))
  },
}

/** Mean [rows, A] and logarithm of the standard deviation, [rows, A] or [1, A]. */
interface GaussianParameters {
  readonly mean: tf.Tensor2D
  readonly logStd: tf.Tensor2D
}

const HALF_LOG_2PI = 0.9189385332046727
const LOG_2 = Math.LN2

/** The Gaussian N(μ, diag σ²) of actions [rows, A]. */
export const gaussian = {
  /** log N(a; μ, σ²) = −Σ_k [ (a_k − μ_k)²/2σ_k² + log σ_k + ½ log 2π ] [rows]. */
  logProb({ mean, logStd }: GaussianParameters, action: tf.Tensor2D): tf.Tensor1D {
    const z = tf.mul(tf.sub(action, mean), tf.exp(tf.neg(logStd)))
    return tf.neg(tf.sum(tf.add(tf.add(tf.mul(0.5, tf.square(z)), logStd), HALF_LOG_2PI), -1))
  },

  /** H = Σ_k [ log σ_k + ½ log 2πe ] [rows]. */
  entropy({ mean, logStd }: GaussianParameters): tf.Tensor1D {
    const all = tf.add(logStd, tf.zerosLike(mean))
    return tf.sum(tf.add(all, HALF_LOG_2PI + 0.5), -1)
  },

  /** μ + σ ε [rows, A] for standard normal ε [rows, A], differentiable by μ and log σ. */
  sample: ({ mean, logStd }: GaussianParameters, noise: tf.Tensor2D): tf.Tensor2D =>
    tf.add(mean, tf.mul(tf.exp(logStd), noise)),

  mode: ({ mean }: GaussianParameters): tf.Tensor2D => mean,
}

/** The largest float32 below 1: its inverse tanh is finite. */
const BELOW_ONE = 0.9999999403953552

/** a = tanh u, u ~ N(μ, diag σ²): actions in (−1, 1) (Haarnoja et al. 2018, appendix C). */
export const squashedGaussian = {
  /** Splits outputs [rows, 2 A] into μ and log σ, the latter kept in [−20, 2]. */
  parametersOf(outputs: tf.Tensor2D): GaussianParameters {
    const [rows, width] = outputs.shape
    const A = width / 2
    return {
      mean: tf.slice2d(outputs, [0, 0], [rows, A]),
      logStd: tf.clipByValue(tf.slice2d(outputs, [0, A], [rows, A]), -20, 2),
    }
  },

  /** log(1 − tanh² u) = 2 (log 2 − u − log(1 + e^{−2u})), which neither cancels nor underflows, element by element. */
  logSlope: (u: tf.Tensor2D): tf.Tensor2D =>
    tf.mul(2, tf.sub(tf.sub(LOG_2, u), tf.softplus(tf.mul(-2, u)))) as tf.Tensor2D,

  /**
   * tanh⁻¹ a; ±1 is taken as the next float inside. A float32 action tells u only up to |u| = 8.67: where u itself is
   * known, logProbOf and entropy take it.
   */
  unsquash: (action: tf.Tensor2D): tf.Tensor2D => artanh(tf.clipByValue(action, -BELOW_ONE, BELOW_ONE)),

  /** log π(a) = log N(tanh⁻¹ a; μ, σ²) − Σ_k log(1 − a_k²) [rows]. */
  logProb: (parameters: GaussianParameters, action: tf.Tensor2D): tf.Tensor1D =>
    squashedGaussian.logProbOf(parameters, squashedGaussian.unsquash(action)),

  /** The same of a = tanh u, given u, which loses nothing where a rounds to ±1. */
  logProbOf: (parameters: GaussianParameters, u: tf.Tensor2D): tf.Tensor1D =>
    tf.sub(gaussian.logProb(parameters, u), tf.sum(squashedGaussian.logSlope(u), -1)),

  /** The ε with a = tanh(μ + σ ε), taken as a constant. */
  noiseOf: ({ mean, logStd }: GaussianParameters, action: tf.Tensor2D): tf.Tensor2D =>
    stopped(tf.mul(tf.sub(squashedGaussian.unsquash(action), mean), tf.exp(tf.neg(logStd)))),

  /** H(N) + Σ_k log(1 − tanh²(μ_k + σ_k ε_k)) [rows]: its mean over ε is the entropy, which has no closed form. */
  entropy: (parameters: GaussianParameters, noise: tf.Tensor2D): tf.Tensor1D =>
    tf.add(gaussian.entropy(parameters), tf.sum(squashedGaussian.logSlope(gaussian.sample(parameters, noise)), -1)),

  /** tanh(μ + σ ε) and its log π, differentiable by μ and log σ. */
  sample(parameters: GaussianParameters, noise: tf.Tensor2D): { action: tf.Tensor2D; logProb: tf.Tensor1D } {
    const u = gaussian.sample(parameters, noise)
    return { action: tf.tanh(u), logProb: squashedGaussian.logProbOf(parameters, u) }
  },

  mode: ({ mean }: GaussianParameters): tf.Tensor2D => tf.tanh(mean),
}

/** The same values without a gradient. */
const stopped = tf.customGrad<tf.Tensor2D>((x) => ({
  value: tf.clone(x as tf.Tensor2D),
  gradFunc: (dy) => tf.zerosLike(dy),
}))

/** tanh⁻¹ a with the slope 1/((1 − a)(1 + a)): tfjs's own, 1/(1 − a²), loses its digits near ±1. */
const artanh = tf.customGrad<tf.Tensor2D>((...inputs) => {
  const [a, save] = inputs as unknown as [tf.Tensor2D, tf.GradSaveFunc]
  save([a])
  return {
    value: tf.atanh(a),
    gradFunc: (dy, [a]) => tf.div(dy, tf.mul(tf.sub(1, a), tf.add(1, a))),
  }
})
