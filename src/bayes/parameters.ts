import { show, UsageError } from '../core/errors.ts'
import { asState } from '../core/options.ts'
import { areNumbers, isRecord, requireThat } from '../core/require.ts'
import { tf } from '../nn/tfjs.ts'
import type { ScalarMath, Support } from './supports.ts'

/** Parameters by name, each with where its values lie. */
export type Supports = Readonly<Record<string, Support>>

/** Tensors of the values of n particles by name: [n, 1] for a scalar, [n, …shape] otherwise. */
export type Values<S extends Supports = Supports> = { readonly [K in keyof S]: tf.Tensor }

/** Numbers of one value of each parameter by name, row by row. */
export type Start<S extends Supports = Supports> = { readonly [K in keyof S]?: number | ArrayLike<number> }

/** The parameters of a model, laid out one after the other as free numbers u ∈ ℝᵈ. */
export interface Parameters<S extends Supports = Supports> {
  readonly supports: S
  readonly names: readonly string[]
  /** d, free numbers of all parameters together. */
  readonly dimension: number
  /** Where the free numbers of each parameter begin. */
  readonly offsets: Readonly<Record<string, number>>
  /** Names of single numbers of the values, as `theta[0]`, `L[1,0]`, `mu`. */
  readonly labels: readonly string[]
  /** Values and the log-Jacobian [n] of free numbers [n, d], as a tfjs expression. */
  constrain(free: tf.Tensor2D): { readonly values: Values<S>; readonly logJacobian: tf.Tensor }
  /**
   * The free numbers of one value of each parameter; 0 for a parameter that is left out.
   *
   * @throws UsageError for a name that does not exist or a value outside its support
   */
  unconstrain(start: Start<S>, math: ScalarMath): Float64Array
}

/**
 * Names the parameters of a model and where their values lie:
 *
 *     parameters({ mu: real(), tau: positive(), theta: real(8), w: simplex(3) })
 *
 * @throws UsageError without parameters, for one that has no support, or for a name that is used twice
 */
export function parameters<const S extends Supports>(supports: S): Parameters<S> {
  requireThat(isRecord(supports), 'parameters', 'supports by name, { mu: real() }', supports)
  const names = Object.keys(supports)
  if (names.length === 0) throw new UsageError('A model needs at least one parameter, got none.')
  const offsets: Record<string, number> = {}
  let dimension = 0
  for (const name of names) {
    const { constrain, size, shape } = supports[name] ?? {}
    const isSupport = typeof constrain === 'function' && Number.isSafeInteger(size) && Array.isArray(shape)
    if (!isSupport) throw new UsageError(`Parameter ${name} needs a support such as real() or positive().`)
    offsets[name] = dimension
    dimension += supports[name].size
  }
  const labels = names.flatMap((name) => labelsOf(name, supports[name].shape))
  refuseTwice(labels)
  return asState<Parameters<S>>('parameters', {
    supports,
    names,
    dimension,
    offsets,
    labels,
    constrain(free) {
      const n = free.shape[0]
      const values: Record<string, tf.Tensor> = {}
      let logJacobian: tf.Tensor = tf.zeros([n])
      for (const name of names) {
        const part = tf.slice2d(free, [0, offsets[name]], [n, supports[name].size])
        const constrained = supports[name].constrain(part)
        values[name] = constrained.value
        if (constrained.logJacobian) logJacobian = tf.add(logJacobian, constrained.logJacobian)
      }
      return { values: values as Values<S>, logJacobian }
    },
    unconstrain(start, math) {
      requireThat(isRecord(start), 'unconstrain', 'values by name', start)
      const isMath = isRecord(math) && typeof math.log64 === 'function'
      requireThat(isMath, 'unconstrain', 'the functions of the core, { log64 }', math)
      const free = new Float64Array(dimension)
      for (const [name, value] of Object.entries(start)) {
        const support = supports[name]
        if (!support) throw new UsageError(`There is no parameter ${name}; there are ${names.join(', ')}.`)
        const numbers = typeof value === 'number' ? [value] : value
        try {
          if (!areNumbers(numbers)) throw new UsageError(`A number or a list of them is needed, got ${show(value)}.`)
          free.set(support.unconstrain(numbers, math), offsets[name])
        } catch (error) {
          if (error instanceof UsageError) error.message = `The start of ${name}: ${error.message}`
          throw error
        }
      }
      return free
    },
  })
}

/** Labels of the numbers of a value in the order of its rows, as `L[1,0]`. */
export function labelsOf(name: string, shape: readonly number[]): string[] {
  let labels = ['']
  for (const length of shape)
    labels = labels.flatMap((before) => Array.from({ length }, (_, k) => (before ? `${before},${k}` : String(k))))
  return labels.map((label) => (label ? `${name}[${label}]` : name))
}

/** @throws UsageError for a name that two numbers have, as theta[0] of theta: real(2) and 'theta[0]': real() */
function refuseTwice(labels: readonly string[]): void {
  const twice = labels.find((label, at) => labels.indexOf(label) < at)
  if (twice !== undefined) throw new UsageError(`Two quantities are named ${twice}: give one of them another name.`)
}

/** Labels of the free numbers, in their order. */
export const freeLabels = <S extends Supports>({ names, supports }: Parameters<S>): string[] =>
  names.flatMap((name) => labelsOf(name, supports[name].size === 1 ? [] : [supports[name].size]))
