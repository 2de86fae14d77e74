import { tf } from '#tfjs'
import { differentiate, indicator, nothing, unbroadcast } from './differentiate.ts'

// Where a function has a kink JAX's choice is taken: |x|' = 1 at 0, halves where two arguments are equal and at the
// bounds of a clip. tfjs has -1 for the first, and all for one of the arguments.

/** The share of a in max(a, b) and, with the two exchanged, in min(a, b). */
const share = (larger: tf.Tensor, smaller: tf.Tensor) =>
  tf.add(indicator(tf.greater(larger, smaller)), tf.mul(0.5, indicator(tf.equal(larger, smaller))))

/** Registers the gradients of functions of one number, and of pairs of numbers. */
export function differentiateElementwise(): void {
  differentiate({
    name: tf.Abs,
    save: ['x'],
    by: (dy, [x]) => ({ x: () => tf.where(tf.greaterEqual(x, 0), dy, tf.neg(dy)) }),
  })
  differentiate({
    name: tf.Maximum,
    save: ['a', 'b'],
    by: (dy, [a, b]) => ({
      a: () => unbroadcast(tf.mul(dy, share(a, b)), a.shape),
      b: () => unbroadcast(tf.mul(dy, share(b, a)), b.shape),
    }),
  })
  differentiate({
    name: tf.Minimum,
    save: ['a', 'b'],
    by: (dy, [a, b]) => ({
      a: () => unbroadcast(tf.mul(dy, share(b, a)), a.shape),
      b: () => unbroadcast(tf.mul(dy, share(a, b)), b.shape),
    }),
  })
  differentiate({
    name: tf.ClipByValue,
    save: ['x'],
    by: (dy, [x], { clipValueMin: low, clipValueMax: high }) => ({
      x: () => tf.mul(dy, tf.mul(share(x, tf.scalar(low as number)), share(tf.scalar(high as number), x))),
    }),
  })
  differentiate({
    name: tf.Relu6,
    save: ['x'],
    by: (dy, [x]) => ({ x: () => tf.mul(dy, indicator(tf.logicalAnd(tf.greater(x, 0), tf.less(x, 6)))) }),
  })
  differentiate({
    name: tf.SquaredDifference,
    save: ['a', 'b'],
    by: (dy, [a, b]) => ({
      a: () => unbroadcast(tf.mul(dy, tf.mul(2, tf.sub(a, b))), a.shape),
      b: () => unbroadcast(tf.mul(dy, tf.mul(2, tf.sub(b, a))), b.shape),
    }),
  })
  differentiateQuotient()
  differentiatePower()
  differentiateUnits()
  differentiateSteps()
}

/** a/b, with 0 where nothing comes in: a quotient by 0 that tf.where does not choose has no share, not 0/0. */
function differentiateQuotient(): void {
  const unlessNothing = (dy: tf.Tensor, gradient: tf.Tensor) =>
    tf.where(tf.equal(dy, 0), tf.zerosLike(gradient), gradient)
  differentiate({
    name: tf.RealDiv,
    save: ['a', 'b'],
    by: (dy, [a, b]) => ({
      a: () => unbroadcast(unlessNothing(dy, tf.div(dy, b)), a.shape),
      b: () => unbroadcast(unlessNothing(dy, tf.neg(tf.div(tf.mul(dy, a), tf.square(b)))), b.shape),
    }),
  })
}

/** aᵇ: b aᵇ⁻¹, which is 0 for b = 0 even at a = 0, and aᵇ log a, which is 0 at a = 0. */
function differentiatePower(): void {
  differentiate({
    name: tf.Pow,
    save: ['a', 'b'],
    saveOutputs: [true],
    by: (dy, [a, exponent, y]) => ({
      a() {
        const b = tf.cast(exponent, 'float32')
        const isNull = tf.equal(b, 0)
        const slope = tf.mul(b, tf.pow(a, tf.where(isNull, tf.onesLike(b), tf.sub(b, 1))))
        return unbroadcast(tf.mul(dy, tf.where(isNull, tf.zerosLike(slope), slope)), a.shape)
      },
      b: () => unbroadcast(tf.mul(dy, tf.mul(y, tf.log(tf.where(tf.equal(a, 0), tf.onesLike(a), a)))), exponent.shape),
    }),
  })
}

const SELU_SCALE = 1.0507009873554805
const SELU_ALPHA = 1.6732632423543772

/** Units of networks whose gradient runs a kernel that has none itself, or multiplies 0 by an infinite exponential. */
function differentiateUnits(): void {
  differentiate({
    name: tf.EluGrad,
    save: ['dy', 'y'],
    by: (dy, [inner, y]) => ({
      dy: () => tf.mul(dy, tf.where(tf.greaterEqual(y, 0), tf.onesLike(y), tf.add(y, 1))),
      y: () => tf.mul(tf.mul(dy, inner), indicator(tf.lessEqual(y, 0))),
    }),
  })
  differentiate({
    name: tf.Selu,
    save: ['x'],
    by: (dy, [x]) => ({
      x() {
        const below = tf.exp(tf.where(tf.greater(x, 0), tf.zerosLike(x), x))
        return tf.mul(tf.mul(dy, SELU_SCALE), tf.where(tf.greater(x, 0), tf.onesLike(x), tf.mul(SELU_ALPHA, below)))
      },
    }),
  })
  differentiate({
    name: tf.LeakyRelu,
    save: ['x'],
    by: (dy, [x], { alpha }) => ({ x: () => tf.where(tf.greaterEqual(x, 0), dy, tf.mul(dy, alpha as number)) }),
  })
  differentiate({
    name: tf.Prelu,
    save: ['x', 'alpha'],
    by: (dy, [x, alpha]) => {
      const above = tf.greaterEqual(x, 0)
      return {
        x: () => tf.where(above, dy, tf.mul(dy, alpha)),
        alpha: () => unbroadcast(tf.where(above, tf.zerosLike(dy), tf.mul(dy, x)), alpha.shape),
      }
    },
  })
}

/** Functions that are constant in pieces, and choices that depend on a condition only. */
function differentiateSteps(): void {
  const pairs = [tf.Greater, tf.GreaterEqual, tf.Less, tf.LessEqual, tf.Equal, tf.NotEqual]
  for (const name of [...pairs, tf.LogicalAnd, tf.LogicalOr, tf.LogicalXor, tf.FloorDiv]) {
    differentiate({ name, save: ['a', 'b'], by: (_, [a, b]) => ({ a: () => nothing(a), b: () => nothing(b) }) })
  }
  for (const name of [tf.LogicalNot, tf.Any, tf.All]) {
    differentiate({ name, save: ['x'], by: (_, [x]) => ({ x: () => nothing(x) }) })
  }
  differentiate({
    name: tf.Cast,
    by: (dy, _, { dtype }) => ({ x: () => (dtype === 'float32' ? tf.clone(dy) : nothing(dy)) }),
  })
  differentiate({
    name: tf.Select,
    save: ['condition'],
    by: (dy, [condition]) => ({
      condition: () => nothing(condition),
      t: () => tf.where(condition, dy, tf.zerosLike(dy)),
      e: () => tf.where(condition, tf.zerosLike(dy), dy),
    }),
  })
}
