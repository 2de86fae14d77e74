import { areFinite, isRecord, requireFunction, requireThat } from '../core/require.ts'
import type { tf } from '../nn/tfjs.ts'
import { type Draws, quantities } from './draws.ts'
import type { Fit } from './fit.ts'
import { requireModel } from './model.ts'
import { named, requireTensors } from './own-code.ts'
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
  fit: Pick<Fit<S>, 'model' | 'free'>,
  from: (values: Values<S>) => Readonly<Record<string, tf.Tensor>>,
): Draws {
  requireThat(isRecord(fit), 'predict', 'a fit, or { model, free }', fit)
  const { model, free } = fit
  requireModel('predict', model)
  const d = model.parameters.dimension
  const areRows = areFinite(free) && free.length > 0 && free.length % d === 0
  requireThat(areRows, 'predict', `free numbers as rows of ${d} finite ones`, free)
  requireFunction('from', from, '(values) => ({ name: tensor })')
  return quantities(model, free, ({ values }) => {
    const tensors: unknown = from(named(values))
    requireTensors('predict', tensors)
    return tensors
  })
}
