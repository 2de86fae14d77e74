import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import { tf } from '#tfjs'
import { RunError } from '../../core/errors.ts'

/** What a WASM memory can hold. */
const LIMIT = 4 * 1024 * 1024 * 1024

/** What is used of emscripten's module beyond tfjs's types. */
interface Allocator {
  _malloc(bytes: number): number
  _free(address: number): void
}

const guarded = new WeakSet<object>()

/**
 * Makes tfjs say that its memory is full. Its backend takes the address 0 for a tensor that it has no room for, and a
 * size above 4 GB modulo 4 GB, and then writes over itself.
 */
export function guardMemory(): void {
  const wasm = (tf.backend() as BackendWasm).wasm as unknown as Allocator
  if (guarded.has(wasm)) return
  guarded.add(wasm)
  // Its first call replaces the function by the real one.
  wasm._free(wasm._malloc(16))
  const allocate = wasm._malloc
  wasm._malloc = (bytes) => {
    const address = bytes < LIMIT ? allocate(bytes) : 0
    if (address === 0 && bytes > 0) throw full(bytes)
    return address
  }
}

const full = (bytes: number) =>
  new RunError(
    `tfjs has no room for a tensor of ${gigabytes(bytes)} GB beside ${gigabytes(tf.memory().numBytes)} GB: its memory ends at 4 GB. ` +
      'Take minibatches, or fewer particles.',
  )

const gigabytes = (bytes: number) => (bytes / 1e9).toFixed(bytes < 1e8 ? 3 : 1)
