import { COMPILE_MODES, type CompileMode } from '../compile/compiled.ts'
import { show, UsageError } from '../core/errors.ts'
import { isMade, namesOf, refuseUnknown, requireOptions } from '../core/options.ts'
import { isPromise, isRecord, requireFunction, requireThat } from '../core/require.ts'
import { check, oneOf } from '../core/schemas.ts'
import { tf } from '../nn/tfjs.ts'
import { failure, named, requireTensors } from './own-code.ts'
import { type Parameters, parameters as parametersOf, type Supports, type Values } from './parameters.ts'

/** Terms of a log density, [n, …]: each is summed over all axes but the first, and they are added. */
export type Terms = tf.Tensor | readonly tf.Tensor[]

/** Quantities that follow from the parameters, [n, …] by name. */
export type Generated<S extends Supports> = (values: Values<S>) => Readonly<Record<string, tf.Tensor>>

/** What a model is made of. */
export interface ModelOptions<S extends Supports> {
  /** Parameters by name, as { mu: real(), tau: positive() }, or what parameters() made of them. */
  readonly parameters: S | Parameters<S>
  /** log p of the values, up to a constant: give this or `score`. */
  readonly logDensity?: (values: Values<S>) => Terms
  /** ∇ log p with respect to the values, by name, in the shapes of the values; log p itself need not be known. */
  readonly score?: (values: Values<S>) => { readonly [K in keyof S]: tf.Tensor }
  /** Quantities to be drawn and summed up beside the parameters. */
  readonly generated?: Generated<S>
  /**
   * 'auto' (default): the log density is compiled where every op has a rule; where not, tfjs runs it, which is said
   * once. 'always': an error where it cannot be compiled. 'never': tfjs runs it.
   */
  readonly compile?: CompileMode
}

/** A posterior: named parameters and a log density of them. */
export interface Model<S extends Supports = Supports> {
  readonly parameters: Parameters<S>
  /** log p(x(u)) + log |det ∂x/∂u| of free numbers [n, d] → [n], as a tfjs expression that can be differentiated. */
  readonly logDensity: (free: tf.Tensor2D) => tf.Tensor1D
  /** Whether logDensity has values of its own, or a gradient alone. */
  readonly hasValue: boolean
  /** As a method, so that a model of these names is one of names that are not told: a plain Model. */
  generated?(values: Values<S>): ReturnType<Generated<S>>
  /** How logDensity is run many times. */
  readonly compile: CompileMode
}

/**
 * A posterior by the names of its parameters. The log density is a tfjs expression of all particles at once: a scalar
 * parameter comes as [n, 1], a vector as [n, k], so that it meets data [N] as [n, N]. The log-Jacobian of the supports
 * is added, and terms are summed over all axes but the first:
 *
 *     model({
 *       parameters: { mu: real(), sigma: positive() },
 *       logDensity: ({ mu, sigma }) => [logp.normal(mu, 0, 10), logp.normal(y, mu, sigma)],
 *     })
 *
 * @throws UsageError without parameters, or unless exactly one of logDensity and score is given
 */
export function model<const S extends Supports>(options: ModelOptions<S>): Model<S> {
  requireOptions('model', options, ['parameters', 'logDensity', 'score', 'generated', 'compile'])
  const { logDensity, score, generated, compile = 'auto' } = options
  check(oneOf('compile', COMPILE_MODES), compile)
  requireThat(isRecord(options.parameters), 'model', 'parameters by name, { mu: real() }', options.parameters)
  if (generated !== undefined) requireFunction('generated', generated, '(values) => ({ name: tensor })')
  const parameters = isLaidOut(options.parameters) ? options.parameters : parametersOf(options.parameters as S)
  if (typeof logDensity === typeof score)
    throw new UsageError('A model needs a logDensity or a score of its parameters: exactly one of the two.')
  return {
    parameters,
    hasValue: Boolean(logDensity),
    generated: generated && generatedBy(generated),
    compile,
    logDensity(free) {
      const { values, logJacobian } = parameters.constrain(free)
      const density = logDensity
        ? summed(logDensity(named(values)), free.shape[0])
        : tilted(values, score as NonNullable<typeof score>)
      return tf.add(density, logJacobian) as tf.Tensor1D
    },
  }
}

const MODEL = namesOf<Model>({ parameters: true, logDensity: true, hasValue: true, generated: true, compile: true })

/** @throws UsageError for what is no model, or one to which something was added that no model has */
export function requireModel(taker: string, model: unknown): void {
  const isModel =
    isRecord(model) &&
    typeof model.logDensity === 'function' &&
    (model.generated === undefined || typeof model.generated === 'function')
  requireThat(isModel && isMade('parameters', model.parameters), taker, 'a model, as model() makes it', model)
  refuseUnknown('A model', model, MODEL)
}

const isLaidOut = <S extends Supports>(given: S | Parameters<S>): given is Parameters<S> =>
  typeof (given as Parameters<S>).constrain === 'function' && Array.isArray((given as Parameters<S>).names)

/** The author's function, checked in what it gives. */
const generatedBy =
  <S extends Supports>(generated: Generated<S>): Generated<S> =>
  (values) => {
    try {
      const tensors: unknown = generated(named(values))
      requireTensors('generated', tensors)
      return tensors
    } catch (error) {
      throw failure('generated', error)
    }
  }

/** The sum of all terms, [n]. */
function summed(terms: Terms, n: number): tf.Tensor {
  const list = (Array.isArray(terms) ? terms : [terms]) as readonly tf.Tensor[]
  if (list.length === 0) throw new UsageError('The log density gave no terms.')
  return list.map((term, k) => termSum(term, k, n)).reduce((sum, term) => tf.add(sum, term))
}

function termSum(term: tf.Tensor, k: number, n: number): tf.Tensor {
  if (!(term instanceof tf.Tensor)) {
    const found = isPromise(term) ? 'a promise: a log density cannot be async' : show(term)
    throw new UsageError(`Term ${k} of the log density must be a tensor, got ${found}.`)
  }
  if (term.shape[0] !== n)
    throw new UsageError(
      `Term ${k} of the log density has the shape [${term.shape}]; its first axis must be the ${n} particles.`,
    )
  return term.rank === 1 ? term : tf.sum(tf.reshape(term, [n, -1]), 1)
}

/** [n] an expression whose gradient is the score: Σ x · s with s held constant. */
function tilted<S extends Supports>(values: Values<S>, score: NonNullable<ModelOptions<S>['score']>): tf.Tensor {
  const held = Object.entries(values).map(([name, value]) => [name, constant(value)])
  const gradients = score(named(Object.fromEntries(held) as Values<S>))
  const products = Object.entries(values).map(([name, value]) => {
    const gradient = gradients[name]
    if (!(gradient instanceof tf.Tensor) || gradient.shape.join() !== value.shape.join())
      throw new UsageError(`The score of ${name} must be a tensor of the shape [${value.shape}].`)
    return tf.sum(tf.reshape(tf.mul(value, constant(gradient)), [value.shape[0], -1]), 1)
  })
  return products.reduce((sum, product) => tf.add(sum, product))
}

/** The same numbers, through which no gradient goes. */
const constant = tf.customGrad((value) => ({
  value: tf.clone(value as tf.Tensor),
  gradFunc: (dy: tf.Tensor) => tf.zerosLike(dy),
}))
