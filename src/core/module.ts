import { instantiate } from '@assemblyscript/loader'
import { platform } from '#platform'
import type { Ops } from './ops.ts'

/** Where the compiled core comes from: its bytes, its address, or a module that the runtime has compiled already. */
export type CoreSource = BufferSource | URL | string | WebAssembly.Module

/** A compiled core, ready to be instantiated by any number of runs. */
export type CoreModule = WebAssembly.Module

// The path is the same from src/core/ and from dist/core/, and bundlers recognise this form.
const ownWasm = new URL('../../dist/steinrl.wasm', import.meta.url)

/** Compiles the WASM core. Default: the steinrl.wasm of this package. */
export async function compileCore(source: CoreSource = ownWasm): Promise<CoreModule> {
  if (source instanceof WebAssembly.Module) return source
  if (typeof source === 'string' || source instanceof URL) {
    return WebAssembly.compile(await platform.files.fetch(new URL(source, import.meta.url)))
  }
  return WebAssembly.compile(source)
}

/** One instance on one memory. The memory is made by the caller, at its final size. */
export async function instantiateCore(module: CoreModule, memory: WebAssembly.Memory): Promise<Ops> {
  const { exports } = await instantiate(module, { env: { memory } })
  return exports as unknown as Ops
}
