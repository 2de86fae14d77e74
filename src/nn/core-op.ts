import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import { UsageError } from '../core/errors.ts'
import { tf } from './tfjs.ts'

// Ops of tfjs's WASM backend that run in the core. They read tensors on tfjs's own memory and write there, one copy
// each way, and compute the gradient by an input only where it is asked for, which tf.customGrad cannot.

/** A tensor's values, on tfjs's memory: to be read at once, any new tensor may move that memory. */
type Values = Float32Array | Int32Array

interface CoreOp<I extends string, A> {
  /** Unique in tfjs's registry. */
  readonly name: string
  readonly inputs: readonly I[]
  /** The values of the result, which are copied, and its shape. `call` may be written to, for the gradient to read. */
  run(inputs: Readonly<Record<I, tf.TensorInfo>>, call: A): Result
  /** The gradient by each input that has one, in the order of `inputs` and each only if asked for. */
  gradients(dy: tf.Tensor, inputs: Readonly<Record<I, tf.Tensor>>, call: A): Partial<Record<I, () => Result>>
}

/** What the op of a gradient is called with. */
interface GradientCall {
  gradient(): Result
}

interface Result {
  readonly values: Float32Array
  readonly shape: number[]
}

/** What the kernels in tfjs's own package use of their backend. */
const heap = () => tf.backend() as BackendWasm

/** The values of a float32 or int32 tensor. */
export const valuesOf = (tensor: tf.TensorInfo) => heap().typedArrayFromHeap(tensor) as Values

/** A tensor's values into out: dataSync would allocate, which takes as long as a small network. */
export function readInto(out: Float32Array, tensor: tf.Tensor): void {
  out.set(tf.getBackend() === 'wasm' ? valuesOf(tensor) : (tensor.dataSync() as Float32Array))
}

function tensorOf({ values, shape }: Result): tf.Tensor {
  const tensor = heap().makeOutput(shape, 'float32')
  heap().typedArrayFromHeap(tensor).set(values)
  return tf.engine().makeTensorFromTensorInfo(tensor)
}

/** The backends of tfjs that know these ops: its WASM, and one that traces functions instead of running them. */
export const fusing = new Set(['wasm'])

/**
 * Registers the op with tfjs and returns it as a function. A backend that traces has a kernel NAMEGradient beside NAME.
 */
export function coreOp<I extends string, A extends object>(op: CoreOp<I, A>) {
  type Inputs = Readonly<Record<I, tf.Tensor>>
  tf.registerKernel({
    kernelName: op.name,
    backendName: 'wasm',
    kernelFunc: ({ inputs, attrs }) => tensorOf(op.run(inputs as Inputs, attrs as A)),
  })
  const gradientName = `${op.name}Gradient`
  tf.registerKernel({
    kernelName: gradientName,
    backendName: 'wasm',
    kernelFunc: ({ attrs }) => tensorOf((attrs as unknown as GradientCall).gradient()),
  })
  // An op of its own on the tape: otherwise an outer gradient would take what comes out for a constant.
  tf.registerGradient({
    kernelName: gradientName,
    gradFunc() {
      throw new UsageError(
        `A second derivative through ${op.name} is not computed: build the network of tfjs's own ops.`,
      )
    },
  })
  tf.registerGradient({
    kernelName: op.name,
    inputsToSave: [...op.inputs],
    gradFunc: (dy, saved, attrs) => {
      const inputs = Object.fromEntries(op.inputs.map((name, k) => [name, saved[k]])) as Inputs
      if (tf.getBackend() !== 'wasm') return tracedGradients(op.name, { ...inputs, dy: dy as tf.Tensor }, attrs)
      const gradients = Object.entries(op.gradients(dy as tf.Tensor, inputs, attrs as A)) as [I, () => Result][]
      const operands = { ...inputs, dy: dy as tf.Tensor }
      const compute = (gradient: () => Result) =>
        tf.engine().runKernel(gradientName, operands, { gradient } as unknown as tf.NamedAttrMap) as tf.Tensor
      return Object.fromEntries(gradients.map(([name, gradient]) => [name, () => compute(gradient)]))
    },
  })
  return (inputs: Inputs, call: A): tf.Tensor =>
    tf.engine().runKernel(op.name, inputs, call as unknown as tf.NamedAttrMap) as tf.Tensor
}

/** The gradient by each input as a kernel of its own, chosen by its attribute `by`. */
const tracedGradients = (name: string, inputs: tf.NamedTensorMap, attributes: object) =>
  Object.fromEntries(
    Object.keys(inputs).map((by) => [
      by,
      () => tf.engine().runKernel(`${name}Gradient`, inputs, { ...attributes, by }) as tf.Tensor,
    ]),
  )
