import { fusing } from '../nn/core-op.ts'
import { tf } from '../nn/tfjs.ts'
import { switchBackend } from './engine.ts'
import { Graph, type View } from './graph.ts'
import { elementwiseRules } from './rules/elementwise.ts'
import { movementRules } from './rules/movement.ts'
import { networkRules } from './rules/networks.ts'
import { reductionRules } from './rules/reductions.ts'
import { type Rule, type Traced, Untraceable } from './rules/rule.ts'

// A backend of tfjs that computes nothing: its kernels record what they would do as nodes of a graph. The tape that
// tf.grad keeps lies above the backend, so that gradients are recorded like everything else.

const BACKEND = 'steinrl-trace'

const rules: Readonly<Record<string, Rule>> = {
  ...elementwiseRules,
  ...movementRules,
  ...reductionRules,
  ...networkRules,
}

/** Kernels that are written in ops of tfjs (nn/gradients). */
const composed = [tf.Einsum]

/** Whole numbers up to here are floats of the same value. */
const LARGEST_INTEGER = 16_777_216

/** What a function takes from outside: a tensor that was there before, or numbers that it makes one of. */
export type Source =
  | { readonly kind: 'tensor'; readonly tensor: tf.TensorInfo }
  | { readonly kind: 'values'; readonly values: ArrayLike<number> }

/** The view that stands for what comes from outside. */
type Take = (source: Source, shape: number[], dtype: tf.DataType) => View

class TracingBackend extends tf.KernelBackend {
  graph = new Graph()
  take: Take | null = null
  private readonly tensors = new WeakMap<object, Traced>()
  private readonly originals = new WeakMap<object, object>()
  private readonly references = new Map<object, number>()

  override write(values: tf.backend_util.BackendValues, shape: number[], dtype: tf.DataType): object {
    if (dtype === 'string' || dtype === 'complex64') throw new Untraceable(`it has a ${dtype} tensor`)
    const source = { kind: 'values', values: values as unknown as ArrayLike<number> } as const
    return this.put({ view: (this.take as Take)(source, shape, dtype), dtype }).dataId
  }

  /** A tensor of tfjs for a value that is traced. */
  put(traced: Traced, dataId = {}): tf.TensorInfo {
    this.tensors.set(dataId, traced)
    this.references.set(dataId, (this.references.get(dataId) ?? 0) + 1)
    return { dataId, shape: [...traced.view.shape], dtype: traced.dtype }
  }

  /** What is traced as a tensor. One from another backend comes from outside. */
  of({ dataId, shape, dtype }: tf.TensorInfo): Traced {
    const known = this.tensors.get(dataId)
    if (known) return known
    const source = { kind: 'tensor', tensor: { dataId, shape, dtype } } as const
    const traced = { view: (this.take as Take)(source, shape, dtype), dtype }
    this.tensors.set(dataId, traced)
    return traced
  }

  /** Another tensor of the same data. Those of another backend count their references there. */
  copyOf({ dataId }: tf.TensorInfo, traced: Traced): tf.TensorInfo {
    if (this.references.has(dataId)) return this.put(traced, dataId)
    const copy = this.put(traced)
    this.originals.set(copy.dataId, this.originalOf(dataId))
    return copy
  }

  /** The data from outside that a copy is of. */
  originalOf = (dataId: object): object => this.originals.get(dataId) ?? dataId

  override readSync(): never {
    throw new Untraceable(READS)
  }

  override read(): never {
    throw new Untraceable(READS)
  }

  override disposeData(dataId: object): boolean {
    const rest = (this.references.get(dataId) ?? 1) - 1
    if (rest > 0) this.references.set(dataId, rest)
    else this.references.delete(dataId)
    return rest <= 0
  }

  override incRef(dataId: object): void {
    // A variable that is made of a tensor from outside counts where that is.
    const owner = tf.engine().state.tensorInfo.get(dataId)?.backend
    if (owner && owner !== this) owner.incRef(dataId)
    else this.references.set(dataId, (this.references.get(dataId) ?? 0) + 1)
  }

  override numDataIds = () => this.references.size
  override refCount = (dataId: object) => this.references.get(dataId) ?? 0
  override floatPrecision = () => 32 as const
  override epsilon = () => 1e-7
  override timerAvailable = () => false
  override memory = () => ({ unreliable: true }) as ReturnType<tf.KernelBackend['memory']>
  override dispose(): void {}
}

export const READS = 'it reads values while it runs (dataSync, arraySync, data or array)'

let backend: TracingBackend | null = null

/** Registers the backend and its kernels, once. */
function tracingBackend(): TracingBackend {
  if (backend) return backend
  const created = new TracingBackend()
  backend = created
  tf.registerBackend(BACKEND, () => created, 0)
  for (const [kernelName, rule] of Object.entries(rules)) {
    tf.registerKernel({
      kernelName,
      backendName: BACKEND,
      kernelFunc: ({ inputs, attrs }) => {
        const { graph } = created
        const args: Record<string, Traced> = {}
        graph.origin = kernelName
        for (const name in inputs) if (inputs[name] != null) args[name] = created.of(inputs[name] as tf.TensorInfo)
        if (kernelName === tf.Identity) return created.copyOf((inputs as Record<string, tf.TensorInfo>).x, args.x)
        const result = rule(graph, args, (attrs ?? {}) as never)
        return Array.isArray(result) ? result.map((one) => created.put(one)) : created.put(result)
      },
    })
  }
  for (const kernelName of composed) {
    const known = tf.getKernel(kernelName, 'wasm')
    if (known) tf.registerKernel({ kernelName, backendName: BACKEND, kernelFunc: known.kernelFunc })
  }
  fusing.add(BACKEND)
  return created
}

/** What a function that is traced is run with. */
export interface Tracing {
  readonly graph: Graph
  /** A tensor that stands for a view. */
  stand(view: View): tf.Tensor
  viewOf(tensor: tf.TensorInfo): View
  /** What tells a tensor from others, and is that of the original for a copy of one from outside. */
  originalOf(dataId: object): object
}

/** Runs a function whose kernels are recorded in a graph. */
export function trace(take: Take, run: (tracing: Tracing) => void): void {
  const own = tracingBackend()
  const engine = tf.engine()
  own.graph = new Graph()
  own.take = take
  const switchBack = switchBackend(BACKEND, own)
  try {
    const stand = (view: View) => engine.makeTensorFromTensorInfo(own.put({ view, dtype: 'float32' }))
    engine.tidy(() =>
      run({ graph: own.graph, stand, viewOf: (tensor) => own.of(tensor).view, originalOf: own.originalOf }),
    )
  } catch (error) {
    throw refusal(error)
  } finally {
    switchBack()
    own.take = null
  }
}

/** A kernel without a rule is a reason, and no fault of tfjs. */
function refusal(error: unknown): unknown {
  const missing = error instanceof Error && /Kernel '(\w+)' not registered/.exec(error.message)
  return missing ? new Untraceable(`it uses ${missing[1]}, for which there is no rule`) : error
}

/** Numbers as floats. */
export function floatsOf(values: ArrayLike<number>, dtype: tf.DataType): Float32Array {
  const floats = values instanceof Float32Array ? values : Float32Array.from(values)
  if (dtype === 'int32') {
    const large = Array.prototype.find.call(values, (value: number) => Math.abs(value) > LARGEST_INTEGER)
    if (large !== undefined) throw new Untraceable(`it has the integer ${large}, which no float32 can hold`)
  }
  return floats
}
