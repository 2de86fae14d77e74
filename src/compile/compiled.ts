import { platform } from '#platform'
import { reasonOf, show, UsageError } from '../core/errors.ts'
import type { CoreModule } from '../core/module.ts'
import { kernels, tf } from '../nn/tfjs.ts'
import { type Plan, planOf } from './plan.ts'
import { type Expression, type Recording, record, replay, type Values } from './recording.ts'
import { Untraceable } from './rules/rule.ts'

/**
 * How a function of tensors is differentiated: 'auto', compiled where that is possible, and where it is not by tfjs,
 * which is said once; 'always', an error where it is not; 'never', by tfjs.
 */
export type CompileMode = (typeof COMPILE_MODES)[number]

export const COMPILE_MODES = ['auto', 'always', 'never'] as const

interface CompileOptions {
  /** What the function is, as the subject of a sentence: 'The log density'. */
  readonly name: string
  readonly mode?: CompileMode
  /** Where it is said that a function is not compiled; default: the platform's warnings. */
  readonly warn?: (message: string) => void
  /** Whether it may be another expression at every call, as of ever new numbers of rows; then that is not said. */
  readonly varies?: boolean
  /**
   * Whether it is one function of x, so that its own code need not run in every call. It runs in calls 1, 2, 4, 8, … of
   * a plan, and another expression or other values from outside are then an error. Default false.
   */
  readonly fixed?: boolean
  /**
   * Names the first step whose result is not finite, as an error. Costs a second run where the result is not. Default
   * false.
   */
  readonly checkFinite?: boolean
}

/** The gradient of the objective by x, and the values of what the function returned; valid until the next call. */
interface Derivative {
  readonly gradient: Float32Array
  /** [objective, ...metrics] */
  readonly values: readonly Float32Array[]
  /** Of the plan that ran; 0 where tfjs did. */
  readonly steps: number
}

/** Expressions that a function may be, in turn: minibatches of two sizes, a term that comes in every tenth step. */
const MOST_PLANS = 8
/** A function that became another one so often, and in more than every tenth call, is told to be slow. */
const MANY_TRACES = 32
const OFTEN = 10

interface Compiled {
  readonly recording: Recording
  readonly plan: Plan
  /** Calls that the plan has served. */
  calls: number
}

/** The plans of a function, which hands out the one that a call fits, with the values of that call in it. */
class Plans {
  private readonly plans: Compiled[] = []
  private readonly inputs = new Set<number>()
  private traces = 0
  private calls = 0
  private isRefused = false
  /** Why it could not be traced, unless tfjs fails as well: then it is an error of the function itself. */
  private suspected: string | null = null
  private readonly options: CompileOptions

  constructor(options: CompileOptions) {
    this.options = options
  }

  /** @param shape of x where the gradient by it is asked for */
  find(f: Expression | Values, shape: readonly number[] | null): Compiled | null {
    const isUsable = this.options.mode !== 'never' && !this.isRefused && kernels.core !== null && kernels.compiled
    if (!isUsable || tf.getBackend() !== 'wasm') return null
    this.calls++
    return this.fitting(f, shape) ?? this.compile(f, shape)
  }

  /** After tfjs has run a function for which there was no plan. */
  settle(): void {
    if (this.suspected !== null) this.refuse(this.suspected)
    this.suspected = null
  }

  private fitting(f: Expression | Values, shape: readonly number[] | null): Compiled | null {
    for (let k = 0; k < this.plans.length; k++) {
      const found = this.plans[k]
      if (!fitsShape(found.recording, shape)) continue
      found.calls++
      if (this.options.fixed && !isPowerOfTwo(found.calls)) return found
      const seen = replay(found.recording, f)
      if (this.options.fixed && (seen === 'other' || seen.changed.length > 0)) this.refuseChange(f, shape, found.calls)
      if (seen === 'other') continue
      if (seen.changed.length > 0) {
        for (const number of seen.changed) this.inputs.add(number)
        this.plans.splice(k, 1)
        return null
      }
      if (k > 0) this.plans.unshift(...this.plans.splice(k, 1))
      return found
    }
    return null
  }

  private compile(f: Expression | Values, shape: readonly number[] | null): Compiled | null {
    this.traces++
    this.warnOfVariety()
    try {
      const recording = record(f, shape, this.options.fixed ? 'none' : this.inputs)
      const plan = planOf(kernels.core as CoreModule, recording.outputs, kernels.team)
      for (const taken of recording.taken) {
        if (!taken.isInput) continue
        taken.room = plan.input(taken.view.node)
        taken.room?.set(taken.values)
      }
      this.plans.unshift({ recording, plan, calls: 1 })
      this.plans.splice(MOST_PLANS)
      return this.plans[0]
    } catch (error) {
      const reason = reasonOf(error)
      if (error instanceof Untraceable) this.refuse(reason)
      else this.suspected = reason
      return null
    }
  }

  /**
   * A function that is ever another one is compiled each time all the same: tfjs's last bits are others, and if it ran
   * after so many calls, they would depend on what a thread or a run has done before.
   */
  private warnOfVariety(): void {
    const { name, varies, warn = platform.warn } = this.options
    if (varies || this.traces !== MANY_TRACES + 1 || this.traces * OFTEN <= this.calls) return
    const calls = `${MANY_TRACES} of ${this.calls} calls`
    warn(`${name} was another expression in ${calls}, and is compiled anew in each of them, which is slow.`)
  }

  /** Where running it anew shows what is wrong, that is said. */
  private refuseChange(f: Expression | Values, shape: readonly number[] | null, call: number): never {
    this.compile(f, shape)
    if (this.suspected !== null) f(tf.zeros([...(shape ?? [])]))
    const { name } = this.options
    throw new UsageError(
      `${name} was another function in call ${call} than before: it must not depend on random numbers or on what changes.`,
    )
  }

  private refuse(reason: string): void {
    const { name, mode, warn = platform.warn } = this.options
    const message = `${name} is not compiled: ${reason}.`
    if (mode === 'always') throw new UsageError(message)
    this.isRefused = true
    warn(`${message} tfjs runs it instead, which is slower.`)
  }
}

const isPowerOfTwo = (count: number) => (count & (count - 1)) === 0

function fitsShape({ x }: Recording, shape: readonly number[] | null): boolean {
  if (!x || !shape) return x === shape
  return x.view.shape.length === shape.length && x.view.shape.every((size, axis) => size === shape[axis])
}

/**
 * The gradient of a function that is called many times. Its first call traces it into a plan that runs in the core;
 * every further call runs the function's own code against what was recorded, without tensors, to fetch the values that
 * it takes from outside and to see whether it is still the same expression; another one is compiled as well. The
 * function may run more than once for one call, and its custom gradients' backward parts only when it is traced:
 * numbers that these take from outside are constants.
 *
 * @throws UsageError from a call whose function does not give one float32 number to differentiate
 */
export function compiledGradient(options: CompileOptions) {
  const plans = new Plans(options)
  return (f: Expression, x: Float32Array, shape: readonly number[]): Derivative => {
    const objective = ofOneNumber(options.name, f)
    const found = plans.find(objective, shape)
    if (!found) {
      const result = eagerGradient(objective, x, shape)
      plans.settle()
      return result
    }
    const { recording, plan } = found
    if (recording.x) plan.input(recording.x.view.node)?.set(x)
    const [gradient, ...values] = resultsOf(plan, options)
    return { gradient, values, steps: plan.steps.length }
  }
}

/** The same function, which throws a UsageError where what is to be differentiated is not one float32 number. */
const ofOneNumber =
  (name: string, f: Expression): Expression =>
  (x) => {
    const found: unknown = f(x)
    const objective: unknown = Array.isArray(found) ? found[0] : found
    if (!(objective instanceof tf.Tensor))
      throw new UsageError(`${name} gave ${show(objective)}: it must give a list of tensors.`)
    const { dtype, shape, size } = objective
    if (dtype !== 'float32') throw new UsageError(`${name} gave ${dtype} numbers; it must give float32.`)
    if (size !== 1) throw new UsageError(`${name} gave [${shape.join(', ')}]: it must give one number.`)
    return found as ReturnType<Expression>
  }

export type CompiledGradient = ReturnType<typeof compiledGradient>

/** The values of a function that is called many times, in the same way. They are valid until the next call. */
export function compiledValues(options: CompileOptions) {
  const plans = new Plans(options)
  return (f: Values): readonly Float32Array[] => {
    const found = plans.find(f, null)
    if (found) return resultsOf(found.plan, options)
    const results = eagerValues(f)
    plans.settle()
    return results
  }
}

export type CompiledValues = ReturnType<typeof compiledValues>

/** Runs a plan; where that is asked for, once more and step by step if its result is not finite. */
function resultsOf(plan: Plan, { name, checkFinite }: CompileOptions): readonly Float32Array[] {
  plan.run()
  if (!checkFinite || plan.outputs.every((values) => values.every(Number.isFinite))) return plan.outputs
  const bad = plan.steps.findIndex(({ run, result }) => {
    run()
    return !result.every(Number.isFinite)
  })
  const step = `step ${bad + 1} of ${plan.steps.length}, ${plan.steps[bad]?.kernel}`
  throw new UsageError(`${name} or its gradient is not finite, and first so in ${step}.`)
}

/** The same by tfjs. */
function eagerGradient(f: Expression, x: Float32Array, shape: readonly number[]): Derivative {
  let metrics: tf.Tensor[] = []
  const objective = (x: tf.Tensor) => {
    const [first, ...others] = f(x)
    metrics = others.map((tensor) => tf.keep(tf.clone(tensor)))
    return first
  }
  const { value, grad } = tf.tidy(() => tf.valueAndGrad(objective)(tf.tensor(x, [...shape])))
  const values = [value, ...metrics].map((tensor) => tensor.dataSync() as Float32Array)
  const gradient = grad.dataSync() as Float32Array
  tf.dispose([value, grad, ...metrics])
  return { gradient, values, steps: 0 }
}

function eagerValues(f: Values): readonly Float32Array[] {
  const results = tf.tidy(() => [...f()])
  const values = results.map((tensor) => tensor.dataSync() as Float32Array)
  tf.dispose(results)
  return values
}
