import { tf } from '#tfjs'

// How the gradients of this folder are written.

type Attributes = Readonly<Record<string, unknown>>

interface OpGradient<I extends string> {
  /** tfjs's name of the kernel. */
  readonly name: string
  /** Inputs that the gradient reads, in the order of `saved`. */
  readonly save?: readonly string[]
  /** Results that the gradient reads, behind the inputs. */
  readonly saveOutputs?: readonly boolean[]
  /** The gradient by each input from that by the result. */
  readonly by: (
    dy: tf.Tensor,
    saved: readonly tf.Tensor[],
    attributes: Attributes,
  ) => Readonly<Record<I, () => tf.Tensor>>
}

/** Puts a gradient in the place of tfjs's own, if there is one. */
export function differentiate<I extends string>({ name, save = [], saveOutputs, by }: OpGradient<I>): void {
  tf.registerGradient({
    kernelName: name,
    inputsToSave: [...save],
    outputsToSave: saveOutputs ? [...saveOutputs] : undefined,
    gradFunc: (dy, saved, attributes) => by(dy as tf.Tensor, saved, attributes as unknown as Attributes),
  })
}

/** Sums a gradient over the axes that its input was broadcast along. */
export function unbroadcast(gradient: tf.Tensor, shape: number[]): tf.Tensor {
  const axes = tf.broadcast_util.getReductionAxes(shape, gradient.shape)
  return tf.reshape(axes.length > 0 ? tf.sum(gradient, axes) : gradient, shape)
}

/** 1 where a condition holds and 0 elsewhere. */
export const indicator = (condition: tf.Tensor): tf.Tensor => tf.cast(condition, 'float32')

/** 0 of the shape of a tensor of any type. */
export const nothing = ({ shape }: tf.Tensor): tf.Tensor => tf.zeros(shape)

/** Axes as tfjs takes them (a number, a list, or none for all) as a sorted list from 0 on. */
export const axesOf = (axes: unknown, shape: number[]): number[] =>
  tf.util.parseAxisParam((axes ?? shape.map((_, k) => k)) as number | number[], shape).sort((a, b) => a - b)
