import { show, UsageError } from '../core/errors.ts'
import { refuseUnknown } from '../core/options.ts'
import type { Minibatch, Outputs, Population } from '../core/population.ts'
import { unpadded } from '../core/rows.ts'
import { check, oneOf, trueOrFalse, wholeNumber } from '../core/schemas.ts'
import { mendGradients } from '../nn/gradients/mend.ts'
import { apart, requireTfjs, tf } from '../nn/tfjs.ts'
import { COMPILE_MODES, type CompileMode, compiledGradient, compiledValues } from './compiled.ts'
import { failure, isUnconnected } from './log-density.ts'

/** What every particle computes: θ [n, dimension] → [n, F]. Row i depends on row i of θ only. */
export type OutputsExpression = (theta: tf.Tensor2D, batch: Minibatch) => tf.Tensor

/** How many outputs there are, and how they are computed. */
export interface OutputsOptions {
  /** F, the outputs of one particle, at most 10⁷. */
  count: number
  /** As of logDensity(). Default 'auto'. */
  compile?: CompileMode
  /** Whether outputs or gradients that are not finite are an error that names the first op. Default false. */
  checkFinite?: boolean
}

const MOST_OUTPUTS = 10_000_000

/**
 * What particles compute, for SVGD in function space, by automatic differentiation of a tfjs expression: the values of
 * a network on the rows of a minibatch and at further inputs, say. The log density of the same run is then one of
 * outputs, [n, F] → [n]:
 *
 *     svgd({ outputs: outputsOf(f, { count: F }), populationScore: logDensity(g), particles, dimension, … })
 *
 * moves every particle by (∂f_i/∂θ_i)ᵀ φ(f_i), φ the Stein direction of outputs. tfjs must have been started: `await
 * startTfjs()`.
 *
 * Source: Wang, Ren, Zhu & Zhang 2019 (arXiv 1902.09754).
 *
 * @throws UsageError for options that are out of range; in a step before tfjs is started, and for outputs that are not
 *   [n, F] or do not depend on θ
 */
export function outputsOf(expression: OutputsExpression, options: OutputsOptions): Outputs {
  if (typeof expression !== 'function')
    throw new UsageError(`outputsOf takes a function of the particles, (theta) => …, got ${show(expression)}.`)
  refuseUnknown('outputsOf', options ?? {}, ['count', 'compile', 'checkFinite'])
  const { count, compile = 'auto', checkFinite = false } = options ?? {}
  const F = check(wholeNumber('count', 1, MOST_OUTPUTS), count)
  const mode = check(oneOf('compile', COMPILE_MODES), compile)
  check(trueOrFalse('checkFinite'), checkFinite)
  const valuesOf = compiledValues({ name: 'What particles compute', mode, checkFinite })
  const differentiate = compiledGradient({ name: 'The pull-back to particles', mode, checkFinite })
  const at = (theta: tf.Tensor, n: number, batch: Minibatch) => {
    const found: unknown = expression(theta as tf.Tensor2D, batch)
    refuseMisshapen(found, n, F)
    return found
  }
  const begin = ({ particles: n, dimension: d, x }: Population) => {
    requireTfjs('outputsOf')
    mendGradients()
    return unpadded(x, n, d)
  }
  return {
    count: F,
    values(particles, batch) {
      const { particles: n, dimension: d } = particles
      const theta = begin(particles)
      try {
        return apart(() => valuesOf(() => [at(tf.tensor2d(theta, [n, d]), n, batch)]))[0]
      } catch (error) {
        throw failure(OWN, error)
      }
    },
    pullBack(particles, v, batch) {
      const { particles: n, dimension: d } = particles
      const along = (theta: tf.Tensor) => [tf.sum(tf.mul(at(theta, n, batch), tf.tensor2d(v, [n, F])))] as const
      try {
        return apart(() => differentiate(along, begin(particles), [n, d])).gradient
      } catch (error) {
        throw isUnconnected(error) ? new UsageError(UNCONNECTED) : failure(OWN, error)
      }
    },
  }
}

const OWN = 'The expression of what particles compute'

const UNCONNECTED =
  'What particles compute does not depend on them by ops of tfjs: what is read from them (dataSync, arraySync) is a constant.'

function refuseMisshapen(found: unknown, n: number, F: number): asserts found is tf.Tensor {
  if (!(found instanceof tf.Tensor))
    throw new UsageError(`What particles compute must be a tensor [${n}, ${F}], got ${show(found)}.`)
  const { shape, dtype } = found
  if (dtype !== 'float32') throw new UsageError(`What particles compute is of ${dtype}; it must be float32.`)
  if (shape.length === 2 && shape[0] === n && shape[1] === F) return
  throw new UsageError(
    `What particles compute is [${shape.join(', ')}]: ${F} outputs of each of ${n} particles are [${n}, ${F}].`,
  )
}
