// Types of the runtime as the program that imports the package has them: from DOM's types, from others, or none; and of
// typed arrays, which are generic since TypeScript 5.7.

/** WebAssembly.Module. */
export type WasmModule = typeof globalThis extends { WebAssembly: { Module: { prototype: infer T } } } ? T : object

/** WebAssembly.Memory. */
export type WasmMemory = typeof globalThis extends { WebAssembly: { Memory: { prototype: infer T } } }
  ? T
  : { readonly buffer: ArrayBuffer }

/** URL. */
export type Address = typeof globalThis extends { URL: { prototype: infer T } } ? T : { readonly href: string }

/** What an AbortSignal says: whether to stop. */
export interface StopSignal {
  readonly aborted: boolean
}

/** CanvasRenderingContext2D. */
export type CanvasContext = typeof globalThis extends { CanvasRenderingContext2D: { prototype: infer T } }
  ? T
  : Record<string, unknown>

/** What can be compiled. */
export type Bytes = ArrayBuffer | ArrayBufferView

/** Arrays on a memory of their own. */
export type OwnFloat32Array = ReturnType<typeof Float32Array.of>
export type OwnUint8Array = ReturnType<typeof Uint8Array.of>

/** Typed arrays of numbers, as they cross to workers and lie in files. */
export type NumberArray = Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array
