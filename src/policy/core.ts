import { reasonOf, show, UsageError } from '../core/errors.ts'
import type { Ops } from '../core/ops.ts'
import { isBytes } from '../core/require.ts'
import type { Address, Bytes, OwnUint8Array, WasmMemory, WasmModule } from '../core/runtime-types.ts'
import { hasSimd } from '../core/simd.ts'

/** Where the WASM core comes from: a module that the runtime has compiled, its bytes, or where to fetch them. */
export type PolicyCore = WasmModule | Bytes | Address | string

/** What acting needs of the core. steinrl-policy.wasm has nothing else; the whole core has it too. */
const OPS = ['act', 'actTogether', 'boundRows'] as const
export type PolicyOps = Pick<Ops, (typeof OPS)[number]>

/** Throws a UsageError where this runtime cannot run the core. */
export function refuseWithoutSimd(): void {
  if (typeof WebAssembly !== 'object') throw new UsageError('This runtime has no WebAssembly, which policies need.')
  if (!hasSimd())
    throw new UsageError('This runtime has no WebAssembly SIMD, which policies need: Safari has it since version 16.4.')
}

/**
 * Compiles the core, unless that is done.
 *
 * @throws UsageError when it cannot be loaded or compiled here, or is something else
 */
export async function compilePolicyCore(core: PolicyCore): Promise<WasmModule> {
  const module = await moduleOf(core)
  const names = WebAssembly.Module.exports(module).map(({ name }) => name)
  const missing = OPS.find((op) => !names.includes(op))
  if (missing) throw new UsageError(`The core has no ${missing}: it must be steinrl-policy.wasm.`)
  return module
}

/** An instance on a memory. Throws a UsageError for a core that needs another kind of memory. */
export async function instantiatePolicyCore(module: WasmModule, memory: WasmMemory): Promise<PolicyOps> {
  try {
    const { exports } = await WebAssembly.instantiate(module, { env: { memory } })
    return exports as unknown as PolicyOps
  } catch (error) {
    throw new UsageError(`The core does not start: ${reasonOf(error)}; it must be steinrl-policy.wasm.`)
  }
}

async function moduleOf(core: PolicyCore): Promise<WasmModule> {
  if (typeof core === 'string' || core instanceof URL) return compile(await fetchBytes(core))
  if (isBytes(core)) return compile(viewOf(core))
  if (core instanceof WebAssembly.Module) return core
  throw new UsageError(`The core must be a WebAssembly.Module, its bytes or a URL, got ${show(core)}.`)
}

async function fetchBytes(url: string | URL): Promise<ArrayBuffer> {
  let response: Response
  try {
    response = await fetch(url)
  } catch (error) {
    // Node's fetch reads no files.
    throw new UsageError(
      `Cannot fetch the core from ${show(String(url))}: ${reasonOf(error)}; its bytes can be given instead.`,
    )
  }
  if (response.ok) return response.arrayBuffer()
  throw new UsageError(`Cannot fetch the core from ${show(String(url))}: ${response.status} ${response.statusText}.`)
}

async function compile(bytes: BufferSource): Promise<WasmModule> {
  try {
    return await WebAssembly.compile(bytes)
  } catch (error) {
    // Edge runtimes refuse all bytes.
    throw new UsageError(
      `The core cannot be compiled here: ${reasonOf(error)}; a WebAssembly.Module can be given instead.`,
    )
  }
}

/** The same bytes, whatever they are an array of: V8 compiles no DataView. */
export const viewOf = (bytes: ArrayBuffer | ArrayBufferView): OwnUint8Array =>
  ArrayBuffer.isView(bytes)
    ? new Uint8Array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength)
    : new Uint8Array(bytes)
