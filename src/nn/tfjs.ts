// The one place where tfjs is started. tfjs-layers is imported for its side effect: it registers the gradients, which
// tfjs-core alone does not have in Node.
import '@tensorflow/tfjs-layers'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import * as tf from '@tensorflow/tfjs-core'

export interface TfjsOptions {
  /**
   * Where a browser finds tfjs's own WASM files: a folder address ending in '/', or an address for each file name.
   * Node finds them itself.
   */
  wasmPaths?: Parameters<typeof setWasmPaths>[0]
}

/** Starts tfjs on its WASM backend; does nothing when a backend is running already. */
export async function startTfjs({ wasmPaths }: TfjsOptions = {}): Promise<void> {
  if (tf.getBackend()) return
  if (wasmPaths) setWasmPaths(wasmPaths)
  // Its threads would be one more thing that differs between Node (which has none) and browsers.
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false)
  if (!(await tf.setBackend('wasm'))) throw new Error('tfjs could not start its WASM backend in this runtime.')
}

export { tf }
