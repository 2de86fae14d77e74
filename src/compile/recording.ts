import { tf } from '../nn/tfjs.ts'
import { type CustomGradient, type Engine, engineOf, type Gradients, withEngine } from './engine.ts'
import type { View } from './graph.ts'
import { Untraceable } from './rules/rule.ts'
import { floatsOf, READS, type Source, type Tracing, trace } from './trace.ts'

// What a function of tensors does, in order: the kernels that it runs and the tensors that it makes. Running it again
// against this list computes nothing and makes no tensor, but tells whether it is still the same expression, and hands
// over every value that it takes from outside. So such values are never stale: there is no constant but what the list
// has seen unchanged.

/** A function of tensors: what is to be differentiated, one number, and metrics beside it. */
export type Expression = (x: tf.Tensor) => readonly [objective: tf.Tensor, ...metrics: tf.Tensor[]]

/** A function of what it takes from outside alone. */
export type Values = () => readonly tf.Tensor[]

/** A value from outside. */
interface Taken {
  readonly kind: Source['kind']
  readonly shape: readonly number[]
  readonly dtype: tf.DataType
  readonly view: View
  /** Whether it is an input of the plan; a constant of it otherwise. */
  readonly isInput: boolean
  /** Those of the call that was traced. */
  readonly values: Float32Array
  /** Where those of further calls go, where the plan has room for them. */
  room: Float32Array | null
  /** Of a tensor. */
  dataId: object
}

type Reference = { readonly dataId: object } | { readonly taken: Taken }

type Event =
  | {
      readonly kind: 'kernel'
      readonly name: string
      readonly inputs: readonly (readonly [name: string, Reference])[]
      readonly attributes: unknown
      readonly result: tf.Tensor | tf.Tensor[]
    }
  | { readonly kind: 'make'; readonly taken: Taken; readonly result: tf.Tensor }
  | { readonly kind: 'gradients' }
  | { readonly kind: 'gradients end'; readonly of: object; readonly result: Gradients }

export interface Recording {
  /** The tensor that a function is differentiated by; null for a function without. */
  readonly x: { readonly view: View; readonly tensor: tf.Tensor } | null
  readonly taken: readonly Taken[]
  readonly events: readonly Event[]
  /** What the function returned. */
  readonly results: readonly object[]
  /** What the function returned, and before it the gradient, if there is one. */
  readonly outputs: readonly View[]
}

/** A tensor without values, for a function that only looks at shapes and hands tensors on. */
class StandIn extends tf.Tensor {
  override dispose(): void {}
  override dataSync(): never {
    throw new Untraceable(READS)
  }
  override data(): never {
    throw new Untraceable(READS)
  }
}

let nextId = -1

const standIn = ({ shape, dtype, dataId }: tf.TensorInfo): tf.Tensor =>
  new StandIn(shape as never, dtype, dataId as never, nextId--)

/** Which values from outside, in their order, are inputs of a plan beside arrays of numbers, which always are. */
type Inputs = ReadonlySet<number> | 'none'

/**
 * @param shape of x for the gradient by it as well, or null
 * @param inputs numbers of values from outside that are known to change; 'none' where no value does
 */
export function record(f: Expression | Values, shape: readonly number[] | null, inputs: Inputs): Recording {
  const recorder = new Recorder(inputs)
  let recording: Recording | undefined
  trace(recorder.take, (tracing) => {
    recording = shape ? recorder.gradient(tracing, f as Expression, shape) : recorder.values(tracing, f as Values)
  })
  return recording as Recording
}

class Recorder {
  private readonly taken: Taken[] = []
  private readonly events: Event[] = []
  private readonly byDataId = new Map<object, Taken>()
  /** Whether the function itself runs, and no gradient. */
  private isForward = false
  /** Kernels that are being run inside of others. */
  private depth = 0
  private tracing: Tracing | null = null
  private readonly inputs: Inputs

  constructor(inputs: Inputs) {
    this.inputs = inputs
  }

  take = (source: Source, shape: number[], dtype: tf.DataType): View => {
    const { graph } = this.tracing as Tracing
    const values = source.kind === 'values' ? source.values : readOf(source.tensor.dataId)
    // A copy: a function may write to an array before it makes the next tensor of it.
    const floats = Float32Array.from(floatsOf(values, dtype))
    if (!this.isForward || this.depth > 0) return graph.constant(floats, shape)
    const isArray = source.kind === 'values' && shape.length > 0
    const isInput = this.inputs !== 'none' && (isArray || this.inputs.has(this.taken.length))
    const view = isInput ? graph.input(shape) : graph.constant(floats, shape)
    const dataId = source.kind === 'tensor' ? source.tensor.dataId : {}
    const taken: Taken = { kind: source.kind, shape, dtype, view, isInput, values: floats, room: null, dataId }
    this.taken.push(taken)
    if (source.kind === 'tensor') this.byDataId.set(dataId, taken)
    return view
  }

  gradient(tracing: Tracing, f: Expression, shape: readonly number[]): Recording {
    this.tracing = tracing
    const view = tracing.graph.input(shape)
    const tensor = tracing.stand(view)
    let run: ReturnType<Recorder['run']> | undefined
    const objective = (x: tf.Tensor) => {
      run = this.run(() => f(x))
      return run.returned[0]
    }
    const gradient = withEngine(this.methods(), () => tracing.viewOf(tf.grad(objective)(tensor)))
    const { results, views } = run as ReturnType<Recorder['run']>
    return this.recording({ view, tensor: standIn(tensor) }, results, [gradient, ...views])
  }

  values(tracing: Tracing, f: Values): Recording {
    this.tracing = tracing
    const { results, views } = withEngine(this.methods(), () => this.run(f))
    return this.recording(null, results, views)
  }

  private run(f: Values) {
    const { viewOf } = this.tracing as Tracing
    this.isForward = true
    const returned = f()
    this.isForward = false
    return { returned, results: returned.map(({ dataId }) => dataId), views: returned.map(viewOf) }
  }

  private recording(x: Recording['x'], results: readonly object[], views: readonly View[]): Recording {
    const { graph } = this.tracing as Tracing
    const outputs = views.map((view) => graph.contiguous(view))
    return { x, taken: this.taken, events: this.events, results, outputs }
  }

  /** Those of tfjs's engine, which are watched. */
  private methods(): Partial<Engine> {
    const engine = engineOf()
    const { runKernel, makeTensor, customGrad, gradients, clone } = engine
    const hidden = <T>(run: () => T): T => {
      this.depth++
      try {
        return run()
      } finally {
        this.depth--
      }
    }
    const isSeen = () => this.isForward && this.depth === 0
    const visible = <T>(run: () => T): T => {
      const depth = this.depth
      this.depth = 0
      try {
        return run()
      } finally {
        this.depth = depth
      }
    }
    return {
      runKernel: (name, inputs, attributes) => {
        const seen = isSeen()
        const references = seen ? this.referencesOf(inputs) : []
        const result = hidden(() => runKernel.call(engine, name, inputs, attributes))
        if (seen) {
          const stands = Array.isArray(result) ? result.map(standIn) : standIn(result)
          this.events.push({ kind: 'kernel', name, inputs: references, attributes, result: stands })
        }
        return result
      },
      makeTensor: (values, shape, dtype) => {
        const count = this.taken.length
        const result = makeTensor.call(engine, values, shape, dtype)
        if (isSeen() && this.taken.length > count)
          this.events.push({ kind: 'make', taken: this.taken[count], result: standIn(result) })
        return result
      },
      clone: (x) => hidden(() => clone.call(engine, x)),
      customGrad: (f) => {
        const shown: CustomGradient = (...given) => visible(() => f(...given))
        return (...inputs) =>
          isSeen() ? hidden(() => customGrad.call(engine, shown)(...inputs)) : customGrad.call(engine, f)(...inputs)
      },
      gradients: (f, xs, dy, allowNone) => {
        if (!isSeen()) return gradients.call(engine, f, xs, dy, allowNone)
        this.events.push({ kind: 'gradients' })
        const { value, grads } = hidden(() => gradients.call(engine, () => visible(f), xs, dy, allowNone))
        const result = { value: standIn(value), grads: grads.map((grad) => grad && standIn(grad)) }
        this.events.push({ kind: 'gradients end', of: value.dataId, result })
        return { value, grads }
      },
    }
  }

  private referencesOf(inputs: Record<string, tf.Tensor>): (readonly [string, Reference])[] {
    return Object.entries(inputs).flatMap(([name, tensor]) => {
      if (tensor == null) return []
      const { viewOf, originalOf } = this.tracing as Tracing
      viewOf(tensor)
      const taken = this.byDataId.get(originalOf(tensor.dataId))
      return [[name, taken ? { taken } : { dataId: tensor.dataId }] as const]
    })
  }
}

const readOf = (dataId: object) => tf.engine().readSync(dataId) as ArrayLike<number>

/** That a function does not do what was recorded. */
class Difference extends Error {}

/** What running a function against a recording has found. */
type Replay = 'other' | { readonly changed: readonly number[] }

/**
 * Runs a function against a recording. Values from outside are then those of this run; `changed` are constants that
 * are not.
 */
export function replay(recording: Recording, f: Expression | Values): Replay {
  const replayer = new Replayer(recording)
  try {
    return { changed: withEngine(replayer.methods, () => replayer.run(f)) }
  } catch {
    // Whatever it is, it shows again when the function is traced or run.
    return 'other'
  }
}

class Replayer {
  private next = 0
  private readonly changed = new Set<Taken>()
  private readonly seen = new Set<Taken>()
  private readonly recording: Recording

  constructor(recording: Recording) {
    this.recording = recording
  }

  run(f: Expression | Values): number[] {
    const { x, results, events, taken } = this.recording
    const returned = x ? f(x.tensor) : (f as Values)()
    if (this.next < events.length || returned.length !== results.length) throw new Difference()
    if (returned.some(({ dataId }, k) => dataId !== results[k])) throw new Difference()
    return [...this.changed].map((one) => taken.indexOf(one))
  }

  private event<K extends Event['kind']>(kind: K): Extract<Event, { kind: K }> {
    const event = this.recording.events[this.next++]
    if (event?.kind !== kind) throw new Difference()
    return event as Extract<Event, { kind: K }>
  }

  readonly methods: Partial<Engine> = {
    runKernel: (name, inputs, attributes) => {
      const event = this.event('kernel')
      if (event.name !== name || !isSame(event.attributes, attributes)) throw new Difference()
      for (const [input, reference] of event.inputs) this.compare(reference, inputs[input])
      return event.result
    },
    makeTensor: (values, shape, dtype = 'float32') => {
      const { taken, result } = this.event('make')
      if (dtype !== taken.dtype || !isSame(shape, taken.shape)) throw new Difference()
      this.update(taken, values)
      return result
    },
    customGrad:
      (f) =>
      (...inputs) =>
        f(...inputs, () => {}).value,
    gradients: (f) => {
      this.event('gradients')
      const value = f()
      const { of, result } = this.event('gradients end')
      if (value.dataId !== of) throw new Difference()
      return result
    },
    keep: (x) => x,
    startScope: () => {},
    endScope: () => {},
    tidy: (nameOrFunction, f) => (f ?? (nameOrFunction as () => unknown))(),
  }

  private compare(reference: Reference, tensor: tf.Tensor): void {
    if ('dataId' in reference) {
      if (tensor?.dataId !== reference.dataId) throw new Difference()
      return
    }
    const { taken } = reference
    if (tensor.dataId === taken.dataId) {
      this.seen.add(taken)
      return
    }
    const fits = tensor.dtype === taken.dtype && isSame(tensor.shape, taken.shape)
    if (!fits || this.seen.has(taken) || tensor instanceof StandIn) throw new Difference()
    this.seen.add(taken)
    taken.dataId = tensor.dataId
    this.update(taken, readOf(tensor.dataId))
  }

  private update(taken: Taken, values: ArrayLike<number>): void {
    if (taken.isInput) taken.room?.set(values)
    else if (!isSameNumbers(values, taken.values)) this.changed.add(taken)
  }
}

function isSameNumbers(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  for (let k = 0; k < b.length; k++) if (!Object.is(Math.fround(a[k]), b[k])) return false
  return a.length === b.length
}

/** Whether two attributes are the same: numbers, names, lists of them; anything else by identity. */
function isSame(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((value, k) => isSame(value, b[k]))
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b) || Object.getPrototypeOf(a) !== Object.prototype)
    return false
  const names = Object.keys(a)
  if (names.length !== Object.keys(b).length) return false
  return names.every((name) => isSame((a as Record<string, unknown>)[name], (b as Record<string, unknown>)[name]))
}
