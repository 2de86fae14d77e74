import { UsageError } from '../core/errors.ts'
import type { tf } from '../nn/tfjs.ts'
import { type Draws, quantities } from './draws.ts'
import type { Fit } from './fit.ts'
import type { Supports, Values } from './parameters.ts'

/**
 * Quantities that follow from the parameters, one draw a particle: a posterior predictive, a contrast, a curve.
 *
 *     const { curve } = predict(posterior, ({ a, b }) => ({ curve: tf.add(a, tf.mul(b, grid)) }))
 *
 * @param from tensors [n, …] by name of the tensors of the values
 * @throws UsageError for a tensor whose first axis is not the particles
 */
export function predict<S extends Supports>(
  { model, free }: Pick<Fit<S>, 'model' | 'free'>,
  from: (values: Values<S>) => Readonly<Record<string, tf.Tensor>>,
): Draws {
  return quantities(model, free, ({ values }) => {
    const tensors = from(values)
    if (tensors === null || typeof tensors !== 'object')
      throw new UsageError('predict needs a function that gives tensors by name, as { curve: … }.')
    return tensors
  })
}
