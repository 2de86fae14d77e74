import { instantiate, instantiateSync } from '@assemblyscript/loader'
import { platform } from '#platform'
import { UsageError } from './errors.ts'
import type { Ops } from './ops.ts'

/** Where the compiled core comes from: its bytes, its address, or a module that the runtime has compiled already. */
export type CoreSource = BufferSource | URL | string | WebAssembly.Module

/** A compiled core, ready to be instantiated by any number of runs. */
export type CoreModule = WebAssembly.Module

/** A build of the core: 'simd' runs everywhere, 'threads' on shared memory with the same bits, 'relaxed' fuses multiply-adds. */
export type CoreBuild = 'simd' | 'threads' | 'relaxed'

// The paths are the same from src/core/ and from dist/core/, and bundlers recognise this form.
const ownBuilds: Readonly<Record<CoreBuild, URL>> = {
  simd: new URL('../../dist/steinrl.wasm', import.meta.url),
  threads: new URL('../../dist/steinrl-threads.wasm', import.meta.url),
  relaxed: new URL('../../dist/steinrl-relaxed.wasm', import.meta.url),
}

/** Compiles the WASM core. Default: the steinrl.wasm of this package. */
export async function compileCore(source: CoreSource = ownBuilds.simd): Promise<CoreModule> {
  if (source instanceof WebAssembly.Module) return source
  if (typeof source === 'string' || source instanceof URL) {
    return WebAssembly.compile(await platform.files.fetch(new URL(source, import.meta.url)))
  }
  return WebAssembly.compile(source)
}

/** The build for shared memory. */
export const compileThreadedCore = (): Promise<CoreModule> => compileCore(ownBuilds.threads)

/**
 * The build with relaxed SIMD, to be passed as `core`: faster where the machine fuses multiply-adds, but its bits differ
 * from one machine and runtime to another. Never used unless asked for.
 *
 * @throws UsageError where the runtime has no relaxed SIMD (Node 20, WebKit)
 */
export async function compileRelaxedCore(): Promise<CoreModule> {
  try {
    return await compileCore(ownBuilds.relaxed)
  } catch (error) {
    if (!(error instanceof WebAssembly.CompileError)) throw error
    throw new UsageError('This runtime has no relaxed SIMD: leave `core` out to use the portable build.')
  }
}

/** One instance on one memory. The memory is made by the caller, at its final size. */
export async function instantiateCore(module: CoreModule, memory: WebAssembly.Memory): Promise<Ops> {
  const { exports } = await instantiate(module, { env: { memory } })
  return exports as unknown as Ops
}

/** The same without waiting, for code that tfjs calls in the middle of an expression. */
export function instantiateCoreSync(module: CoreModule, memory: WebAssembly.Memory): Ops {
  const { exports } = instantiateSync(module, { env: { memory } })
  return exports as unknown as Ops
}
