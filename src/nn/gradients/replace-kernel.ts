import { tf } from '#tfjs'

type Kernel = NonNullable<ReturnType<typeof tf.getKernel>>['kernelFunc']

/** Puts a kernel in the place of the WASM backend's own, which `own` calls, or not. */
export function replaceKernel(name: string, own: (call: Parameters<Kernel>[0], stock: Kernel) => ReturnType<Kernel>) {
  const stock = tf.getKernel(name, 'wasm')
  tf.unregisterKernel(name, 'wasm')
  tf.registerKernel({ ...stock, kernelFunc: (call) => own(call, stock.kernelFunc) })
}
