import { isExpected, reasonOf, show, UsageError } from '../core/errors.ts'
import { refuseUnknown } from '../core/options.ts'
import type { Minibatch, PopulationScore } from '../core/population.ts'
import { isPromise } from '../core/require.ts'
import { check, oneOf, trueOrFalse } from '../core/schemas.ts'
import { mendGradients } from '../nn/gradients/mend.ts'
import { apart, requireTfjs, tf } from '../nn/tfjs.ts'
import { asOwn } from '../svgd/scores.ts'
import { COMPILE_MODES, type CompileMode, compiledGradient } from './compiled.ts'

/** log p of every particle up to a constant: [n, dimension] → [n]. */
export type LogDensity = (x: tf.Tensor2D, batch: Minibatch) => tf.Tensor

/** How a log density is computed: compiled or by tfjs, and whether every step of a plan is looked at. */
export interface LogDensityOptions {
  /**
   * 'auto' (default): compiled into a plan of the core where every op has a rule; where not, tfjs runs it, which is
   * said once. 'always': an error where it cannot be compiled. 'never': tfjs runs it.
   */
  compile?: CompileMode
  /** Whether a score that is not finite is an error that names the first op whose result is not. Default false. */
  checkFinite?: boolean
}

/**
 * Scores s(x_i) = ∇ log p(x_i) by automatic differentiation of a tfjs expression, for all particles at once. Row i of
 * the result must depend on row i of x only. With minibatches, multiply the sum over the rows of data by batch.scale.
 * tfjs must have been started: `await startTfjs()`. docs/tfjs.md lists the ops that can be differentiated.
 *
 * The function's own code runs in every step, but once it is compiled its tensors have no values and tfjs computes
 * nothing: what it takes from outside (data, numbers that change, random numbers) is that of the step.
 *
 * @throws UsageError before tfjs is started, while it is on another backend, for a density that does not give one value
 *   a particle or does not depend on x, and for what it throws
 */
export function logDensity(density: LogDensity, options: LogDensityOptions = {}): PopulationScore {
  if (typeof density !== 'function')
    throw new UsageError(`logDensity takes a function of the particles, (x) => …, got ${show(density)}.`)
  refuseUnknown('logDensity', options, ['compile', 'checkFinite'])
  const mode = check(oneOf('compile', COMPILE_MODES), options.compile ?? 'auto')
  const checkFinite = check(trueOrFalse('checkFinite'), options.checkFinite ?? false)
  const differentiate = compiledGradient({ name: 'The log density', mode, checkFinite })
  const scores: PopulationScore = (population, batch) => {
    if (ArrayBuffer.isView(population))
      throw new UsageError(
        'logDensity() makes scores of all particles at once: give them as populationScore, not score.',
      )
    const { particles: n, dimension, stride, x, score } = population
    requireTfjs('logDensity')
    mendGradients()
    let depends = false
    const total = (rows: tf.Tensor) => {
      const values = density(tf.slice2d(rows as tf.Tensor2D, [0, 0], [n, dimension]), batch)
      refuseMisshapen(values, n)
      depends = true
      return [tf.sum(values)] as const
    }
    try {
      const { gradient, values } = apart(() => differentiate(total, x, [n, stride]))
      // The gradient of a logarithm is finite also where the logarithm is not there.
      if (Number.isNaN(values[0][0])) throw new UsageError(NO_NUMBER)
      score.set(gradient)
    } catch (error) {
      throw depends && isUnconnected(error) ? new UsageError(UNCONNECTED) : failure('Your log density', error)
    }
  }
  return asOwn(scores)
}

const NO_NUMBER =
  'Your log density is NaN for at least one particle, as the logarithm or the root of a negative number is: it must be a number for each.'

const UNCONNECTED =
  'Your log density does not depend on x by ops of tfjs: what is read from it (dataSync, arraySync) is a constant to the gradient.'

/** Whether tfjs found no way from what is to be differentiated to x. */
export const isUnconnected = (error: unknown) =>
  error instanceof Error && error.message.startsWith('Cannot compute gradient of y=f(x)')

/** An error of a user's own function, or of tfjs in it, as a sentence; the error itself is its cause. */
export function failure(what: string, error: unknown): Error {
  if (isExpected(error)) return error
  const reason = reasonOf(error)
  const isGone = reason === "Cannot read properties of undefined (reading 'backend')"
  return new UsageError(`${what} failed: ${isGone ? 'it uses a tensor that was disposed' : reason}.`, { cause: error })
}

/** One value a particle: [n], or [n, 1]. A wrong shape would broadcast or be averaged without a word. */
function refuseMisshapen(values: unknown, n: number): void {
  const expected = `one value a particle is [${n}]`
  if (!(values instanceof tf.Tensor)) {
    const found = isPromise(values) ? 'a promise; it must not be async' : show(values)
    throw new UsageError(`Your log density gave ${found}: it must give a tensor, ${expected}.`)
  }
  const { shape, dtype } = values
  if (dtype !== 'float32') throw new UsageError(`Your log density gave ${dtype} numbers; it must give float32.`)
  const isRight = shape[0] === n && (shape.length === 1 || (shape.length === 2 && shape[1] === 1))
  if (isRight || (n === 1 && shape.length === 0)) return
  const hint = shape.length === 0 ? ' Sum over the coordinates of each particle only, tf.sum(…, 1).' : ''
  throw new UsageError(
    `Your log density gave ${shape.length === 0 ? 'a single number' : `[${shape.join(', ')}]`}, ${expected}.${hint}`,
  )
}
