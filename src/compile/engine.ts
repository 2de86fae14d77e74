import { tf } from '../nn/tfjs.ts'

/** What is used of tfjs's engine beyond its types. */
export interface Engine {
  runKernel(name: string, inputs: Record<string, tf.Tensor>, attributes?: object): tf.Tensor | tf.Tensor[]
  makeTensor(values: ArrayLike<number>, shape: number[], dtype?: tf.DataType): tf.Tensor
  customGrad(f: CustomGradient): (...inputs: tf.Tensor[]) => tf.Tensor
  gradients(f: () => tf.Tensor, xs: tf.Tensor[], dy?: tf.Tensor, allowNone?: boolean): Gradients
  clone(x: tf.Tensor): tf.Tensor
  keep(x: tf.Tensor): tf.Tensor
  startScope(name?: string): void
  endScope(result?: unknown): void
  tidy(nameOrFunction: unknown, f?: () => unknown): unknown
}

export interface Gradients {
  readonly value: tf.Tensor
  readonly grads: tf.Tensor[]
}

export type CustomGradient = (...given: unknown[]) => {
  value: tf.Tensor
  gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => tf.Tensor | tf.Tensor[]
}

export const engineOf = () => tf.engine() as unknown as Engine

/**
 * Makes a backend that is there tfjs's own and returns what brings back the one before. tfjs's setBackend sets up all
 * kernels again, which takes as long as a small trace.
 */
export function switchBackend(name: string, backend: tf.KernelBackend): () => void {
  const engine = tf.engine() as unknown as { backendName: string; backendInstance: tf.KernelBackend }
  const { backendName, backendInstance } = engine
  Object.assign(engine, { backendName: name, backendInstance: backend })
  return () => void Object.assign(engine, { backendName, backendInstance })
}

/** Runs with methods of tfjs's engine replaced. */
export function withEngine<T>(methods: Partial<Engine>, run: () => T): T {
  const engine = engineOf() as unknown as Record<string, unknown>
  const before = Object.keys(methods).map((name) => [name, Object.getOwnPropertyDescriptor(engine, name)] as const)
  Object.assign(engine, methods)
  try {
    return run()
  } finally {
    for (const [name, descriptor] of before) {
      if (descriptor) Object.defineProperty(engine, name, descriptor)
      else delete engine[name]
    }
  }
}
