// The one place where tfjs is started. tfjs-layers is imported for its side effect: it registers the gradients, which
// tfjs-core alone does not have in Node.
import '@tensorflow/tfjs-layers'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import * as tf from '@tensorflow/tfjs-core'
import { type CoreModule, type CoreSource, compileCore } from '../core/module.ts'

export interface TfjsOptions {
  /**
   * Where a browser finds tfjs's own WASM files: a folder address ending in '/', or an address for each file name.
   * Node finds them itself.
   */
  wasmPaths?: Parameters<typeof setWasmPaths>[0]
  /** The WASM core whose kernels run below tfjs; default: this package's steinrl.wasm. */
  core?: CoreSource
  /** Whether whole networks run in the core, forward and backward, instead of in tfjs op by op. Default true. */
  fused?: boolean
}

/**
 * Starts tfjs on its WASM backend; does nothing when a backend is running already. Compiles the core as well, whose
 * kernels run below tfjs where they are faster.
 */
export async function startTfjs({ wasmPaths, core, fused = true }: TfjsOptions = {}): Promise<void> {
  kernels.core = fused ? (kernels.core ?? (await compileCore(core))) : null
  if (tf.getBackend()) return
  if (wasmPaths) setWasmPaths(wasmPaths)
  // Its threads would be one more thing that differs between Node (which has none) and browsers.
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false)
  if (!(await tf.setBackend('wasm'))) throw new Error('tfjs could not start its WASM backend in this runtime.')
}

/** What belongs to the one tfjs of the process: the core for its fused kernels, or null where they are switched off. */
export const kernels: { core: CoreModule | null } = { core: null }

export { tf }
