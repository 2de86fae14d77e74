import fc from 'fast-check'
import type { Expression } from '../../src/compile/recording.ts'
import { tf } from '../../src/nn/tfjs.ts'

// Random expressions of tensors, values and gradients of which are compared.

/** Steps of a stack machine: each takes tensors from the top of a stack and leaves one there. */
type Step = (stack: readonly tf.Tensor[]) => tf.Tensor

const last = (stack: readonly tf.Tensor[], k = 1) => stack[Math.max(0, stack.length - k)]

/** Bounded, so that chains neither overflow nor leave a domain. */
const unary: Readonly<Record<string, (x: tf.Tensor) => tf.Tensor>> = {
  tanh: tf.tanh,
  sin: tf.sin,
  sigmoid: tf.sigmoid,
  softplus: (x) => tf.softplus(tf.tanh(x)),
  exp: (x) => tf.exp(tf.sin(x)),
  log: (x) => tf.log(tf.add(1.5, tf.sin(x))),
  sqrt: (x) => tf.sqrt(tf.add(1.5, tf.cos(x))),
  square: (x) => tf.square(tf.tanh(x)),
  half: (x) => tf.mul(x, 0.5),
  negative: tf.neg,
  rows: (x) => tf.sub(x, tf.mean(x, 0, true)),
  softmax: (x) => tf.softmax(x),
  reversed: (x) => tf.reverse(x, x.rank - 1),
  sums: (x) => tf.cumsum(tf.tanh(x), x.rank - 1),
  turned: (x) => tf.transpose(x),
  flat: (x) => tf.reshape(x, [1, x.size]),
  front: (x) =>
    tf.slice(
      x,
      x.shape.map(() => 0),
      x.shape.map((size) => Math.ceil(size / 2)),
    ),
  padded: (x) =>
    tf.pad(
      x,
      x.shape.map((): [number, number] => [0, 1]),
      0.25,
    ),
  twice: (x) => tf.concat([x, tf.mul(x, 2)], 0),
  largest: (x) => tf.max(x, x.rank - 1, true),
}

const binary: Readonly<Record<string, (x: tf.Tensor, y: tf.Tensor) => tf.Tensor>> = {
  add: tf.add,
  sub: tf.sub,
  mul: (x, y) => tf.mul(tf.tanh(x), tf.sin(y)),
  div: (x, y) => tf.div(x, tf.add(1.5, tf.sin(y))),
  maximum: tf.maximum,
  minimum: tf.minimum,
  where: (x, y) =>
    tf.where(tf.greater(tf.add(x, tf.zerosLike(y)), 0.1), tf.add(x, tf.zerosLike(y)), tf.add(y, tf.zerosLike(x))),
}

const fits = (x: tf.Tensor, y: tf.Tensor) => {
  try {
    return tf.backend_util.assertAndGetBroadcastShape(x.shape, y.shape).length > 0
  } catch {
    return false
  }
}

/** A step that a counterexample is printed with. */
const named = (name: string, run: Step): Step =>
  Object.assign(run, { toString: () => name, [fc.toStringMethod]: () => name })

export const step: fc.Arbitrary<Step> = fc.oneof(
  fc.constantFrom(...Object.keys(unary)).map((name) => named(name, (stack) => unary[name](last(stack)))),
  fc.tuple(fc.constantFrom(...Object.keys(binary)), fc.nat(5)).map(([name, back]) =>
    named(`${name} ${back}`, (stack) => {
      const x = last(stack)
      const fitting = [...stack].reverse().filter((y) => y !== x && fits(x, y))
      return binary[name](x, fitting.length > 0 ? fitting[back % fitting.length] : tf.mean(stack[0]))
    }),
  ),
  fc.nat(5).map((back) =>
    named(`matMul ${back}`, (stack) => {
      const x = tf.reshape(last(stack), [-1, last(stack).shape[last(stack).rank - 1]])
      const other = stack[back % stack.length]
      const y = tf.reshape(other, [-1, other.shape[other.rank - 1]])
      const tall = tf.tile(tf.tanh(y), [Math.ceil((x.shape[1] as number) / (y.shape[0] as number)), 1])
      return tf.matMul(tf.tanh(x), tf.slice(tall, [0, 0], [x.shape[1] as number, -1]))
    }),
  ),
)

/** What the steps leave as one number, and the last of it; none is taken from an array of more than `most` numbers. */
export const expressionOf =
  (steps: readonly Step[], most = 400): Expression =>
  (x) => {
    const stack = [x]
    for (const step of steps) if (last(stack).size <= most) stack.push(step(stack))
    const results = stack.slice(-3)
    return [results.map((y) => tf.sum(tf.sin(y))).reduce((a, b) => tf.add(a, b)), last(stack)]
  }

export const shapes = (max: number) => fc.array(fc.integer({ min: 1, max }), { minLength: 2, maxLength: 3 })
