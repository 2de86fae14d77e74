// The one place where tfjs is started. tfjs-layers is imported for its side effect: it registers the gradients, which
// tfjs-core alone does not have in Node.
import '@tensorflow/tfjs-layers'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import * as tf from '@tensorflow/tfjs-core'
import { platform } from '#platform'
import { type CoreModule, type CoreSource, compileCore, fromBase64, requireSimd } from '../core/module.ts'

export interface TfjsOptions {
  /**
   * Where a browser finds tfjs's own WASM files: a folder address ending in '/', or an address for each file name.
   * Default: the one that this package carries. Node finds them itself.
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
 *
 * @throws UsageError where the runtime has no WebAssembly SIMD
 */
export async function startTfjs({ wasmPaths, core, fused = true }: TfjsOptions = {}): Promise<void> {
  // Without SIMD tfjs would start another build of itself, whose bits differ.
  requireSimd()
  kernels.core = fused ? (kernels.core ?? (await compileCore(core))) : null
  if (tf.getBackend()) return
  // Its threads would be one more thing that differs between Node (which has none) and browsers.
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false)
  const own = wasmPaths || platform.name === 'node' ? null : await ownBinary()
  const paths = wasmPaths ?? own
  if (paths) setWasmPaths(paths)
  const started = await tf.setBackend('wasm')
  if (own) URL.revokeObjectURL(own[SIMD_BINARY])
  if (!started) throw new Error('tfjs could not start its WASM backend in this runtime.')
}

const SIMD_BINARY = 'tfjs-backend-wasm-simd.wasm'

/** An address of tfjs's binary that needs no file. tfjs wants one for each of its builds, but takes this one. */
async function ownBinary() {
  const bytes = fromBase64((await import('../../dist/inline/tfjs.js')).default)
  const address = URL.createObjectURL(new Blob([bytes], { type: 'application/wasm' }))
  return {
    [SIMD_BINARY]: address,
    'tfjs-backend-wasm.wasm': address,
    'tfjs-backend-wasm-threaded-simd.wasm': address,
  }
}

/** What belongs to the one tfjs of the process: the core for its fused kernels, or null where they are switched off. */
export const kernels: { core: CoreModule | null } = { core: null }

export { tf }
