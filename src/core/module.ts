import { platform } from '#platform'
import { reasonOf, show, UsageError } from './errors.ts'
import type { Ops } from './ops.ts'
import { isBytes } from './require.ts'
import type { Address, Bytes, OwnUint8Array, WasmMemory, WasmModule } from './runtime-types.ts'
import { hasSimd } from './simd.ts'

/** Where the compiled core comes from: its bytes, its address, or a module that the runtime has compiled already. */
export type CoreSource = Bytes | Address | string | WasmModule

/** A compiled core, ready to be instantiated by any number of runs. */
export type CoreModule = WasmModule

// The paths are the same from src/core/ and from dist/core/, and bundlers recognise this form. Functions, because a
// runtime that has no files may have no import.meta.url either.
const ownFiles = {
  threads: () => new URL('../../dist/steinrl-threads.wasm', import.meta.url),
  relaxed: () => new URL('../../dist/steinrl-relaxed.wasm', import.meta.url),
}

/** The bytes that a module of dist/inline/ holds in base64. */
export function fromBase64(text: string): OwnUint8Array {
  const characters = atob(text)
  const bytes = new Uint8Array(characters.length)
  for (let k = 0; k < bytes.length; k++) bytes[k] = characters.charCodeAt(k)
  return bytes
}

/** @throws UsageError where the runtime has no WebAssembly SIMD, before anything is loaded */
export function requireSimd(): void {
  if (hasSimd()) return
  const missing = typeof WebAssembly === 'object' ? 'WebAssembly SIMD' : 'WebAssembly'
  throw new UsageError(
    `This runtime has no ${missing}, which steinrl needs: take Node 20, Chromium 91, Firefox 89, Safari 16.4 or newer.`,
  )
}

/** The bytes of this package's core. */
export const coreBytes = async (): Promise<OwnUint8Array> =>
  fromBase64((await import('../../dist/inline/core.js')).default)

/**
 * Compiles the WASM core. Default: that of this package, which is compiled once in the life of the process, as is a
 * core at a URL.
 *
 * @throws UsageError where the runtime has no WebAssembly SIMD, and for a source that is none or cannot be read
 */
export async function compileCore(source?: CoreSource): Promise<CoreModule> {
  requireSimd()
  await loadLoader()
  if (source === undefined) return once('', coreBytes)
  if (source instanceof URL) return once(source.href, () => platform.files.fetch(source))
  if (source instanceof WebAssembly.Module) return source
  const bytes = await bytesOf(source)
  return WebAssembly.compile(bytes).catch((error: unknown) => {
    throw new UsageError(`The core is no WebAssembly module: ${reasonOf(error)}.`)
  })
}

/** The bytes at an address, or those that were given. */
async function bytesOf(source: unknown): Promise<BufferSource> {
  if (isBytes(source)) return source as BufferSource
  if (typeof source !== 'string')
    throw new UsageError(`core must be an address, bytes or a compiled WebAssembly.Module, got ${show(source)}.`)
  return platform.files.fetch(source).catch((error: unknown) => {
    throw new UsageError(`The core at ${show(source)} cannot be read: ${reasonOf(error)}.`)
  })
}

const compiled = new Map<string, Promise<CoreModule>>()

/** The module of these bytes, compiled at the first call with this key; what has failed is tried again. */
function once(key: string, load: () => Promise<Uint8Array<ArrayBuffer>>): Promise<CoreModule> {
  const known = compiled.get(key)
  if (known) return known
  const module = load().then((bytes) => WebAssembly.compile(bytes))
  compiled.set(key, module)
  module.catch(() => compiled.delete(key))
  return module
}

/** The build for shared memory: the same bits. */
export const compileThreadedCore = async (): Promise<CoreModule> => compileCore(ownFiles.threads())

/**
 * The build with relaxed SIMD, to be passed as `core`: faster where the machine fuses multiply-adds, but its bits
 * differ from one machine and runtime to another. Never used unless asked for.
 *
 * @throws UsageError where the runtime has no relaxed SIMD (Node 20, WebKit)
 */
export async function compileRelaxedCore(): Promise<CoreModule> {
  requireSimd()
  try {
    return await compileCore(ownFiles.relaxed())
  } catch (error) {
    if (!(error instanceof WebAssembly.CompileError)) throw error
    throw new UsageError('This runtime has no relaxed SIMD: leave `core` out to use the portable build.')
  }
}

// What instantiates a core. It makes a TextDecoder as it is loaded, so where there is none (jest-environment-jsdom) it
// is left out: the core passes no text, and WebAssembly's own functions do the same.
let loader: typeof import('@assemblyscript/loader') | undefined

async function loadLoader(): Promise<void> {
  if (typeof TextDecoder === 'function') loader ??= await import('@assemblyscript/loader')
}

/** One instance on one memory. The memory is made by the caller, at its final size. */
export async function instantiateCore(module: CoreModule, memory: WasmMemory): Promise<Ops> {
  await loadLoader()
  const { exports } = await (loader ?? WebAssembly).instantiate(module, { env: { memory } })
  return exports as unknown as Ops
}

/** The same without waiting, for code that tfjs calls in the middle of an expression. */
export function instantiateCoreSync(module: CoreModule, memory: WasmMemory): Ops {
  const imports = { env: { memory } }
  const { exports } = loader ? loader.instantiateSync(module, imports) : new WebAssembly.Instance(module, imports)
  return exports as unknown as Ops
}
