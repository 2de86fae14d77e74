import { failure as failureOf, isUnconnected } from '../compile/log-density.ts'
import { UsageError } from '../core/errors.ts'
import { nearest } from '../core/nearest.ts'
import { isRecord } from '../core/require.ts'
import { tf } from '../nn/tfjs.ts'
import type { Supports, Values } from './parameters.ts'

// Functions of a model's author: what they are given, what they give, and what is said when they fail.

/** Values as they are handed to a model's own functions: a name that no parameter has is an error, not undefined. */
export function named<S extends Supports>(values: Values<S>): Values<S> {
  const names = Object.keys(values)
  return new Proxy(values, {
    get(all, name) {
      if (typeof name === 'symbol' || names.includes(name) || name === 'then' || name === 'toJSON')
        return Reflect.get(all, name)
      const near = nearest(name, names)
      const others = near ? `did you mean ${near}?` : `there are ${names.join(', ')}.`
      throw new UsageError(`There is no parameter ${name}; ${others}`)
    },
  })
}

/** @throws UsageError unless a function gave tensors by name */
export function requireTensors(what: string, tensors: unknown): asserts tensors is Readonly<Record<string, tf.Tensor>> {
  const are = isRecord(tensors) && !(tensors instanceof tf.Tensor)
  const isTensor = (each: unknown) => each instanceof tf.Tensor
  if (!are || !Object.values(tensors).every(isTensor))
    throw new UsageError(`${what} needs a function that gives tensors by name, as { curve: … }.`)
}

/** An error of a model's own function as a sentence. */
export const failure = (what: string, error: unknown): Error =>
  isUnconnected(error)
    ? new UsageError(`${what} does not depend on the parameters by ops of tfjs.`)
    : failureOf(what, error)
