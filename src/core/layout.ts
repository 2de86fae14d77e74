import { UsageError } from './errors.ts'
import type { Pointer } from './ops.ts'
import type { NumberArray, WasmMemory } from './runtime-types.ts'

/**
 * The memory of one run, laid out once.
 *
 *     | 64 bytes unused, so that 0 is no valid pointer | field | pad to 16 | field | ... | 64 bytes of slack |
 *
 * Every length is written in the layout and nowhere else; offsets follow from it. The slack lets SIMD code read a full
 * vector at the end of the last field.
 */
const MARGIN = 64
const ALIGNMENT = 16
const PAGE = 65536
const MEGABYTE = 1024 * 1024

const arrayTypes = {
  f32: Float32Array,
  f64: Float64Array,
  i32: Int32Array,
  u32: Uint32Array,
  u8: Uint8Array,
} as const

/** The element types of fields. */
export type FieldType = keyof typeof arrayTypes

/** A named array in the arena: element type and shape. */
export interface Field<T extends FieldType = FieldType> {
  readonly type: T
  readonly shape: readonly number[]
}

export const f32 = (...shape: number[]): Field<'f32'> => ({ type: 'f32', shape })
export const f64 = (...shape: number[]): Field<'f64'> => ({ type: 'f64', shape })
export const i32 = (...shape: number[]): Field<'i32'> => ({ type: 'i32', shape })
export const u32 = (...shape: number[]): Field<'u32'> => ({ type: 'u32', shape })
export const u8 = (...shape: number[]): Field<'u8'> => ({ type: 'u8', shape })

/** The fields of an arena by name. */
export type Layout = Readonly<Record<string, Field>>

/** The typed array on each field of a layout. */
export type Views<L extends Layout> = { readonly [K in keyof L]: InstanceType<(typeof arrayTypes)[L[K]['type']]> }
/** The address of each field of a layout, in bytes. */
export type Pointers<L extends Layout> = { readonly [K in keyof L]: Pointer }

/** An array of the type of a field, of another length. */
export const arrayOf = ({ type }: Field, length: number): NumberArray => new arrayTypes[type](length)

/** Numbers of a field. */
export const lengthOf = (field: Field) => field.shape.reduce((product, size) => product * size, 1)
const bytes = (field: Field) => lengthOf(field) * arrayTypes[field.type].BYTES_PER_ELEMENT
const align = (offset: number) => Math.ceil(offset / ALIGNMENT) * ALIGNMENT

/** Rounds a row length up to whole SIMD vectors of four float32. */
export const padded = (size: number) => Math.ceil(size / 4) * 4

/** What a WASM memory can have at most. */
const MOST_PAGES = 65536

/** Never grown: growing would detach every view. */
export function allocate(bytes: number, shared = false): WasmMemory {
  const pages = Math.ceil(bytes / PAGE)
  const megabytes = (pages * PAGE) / MEGABYTE
  const size = megabytes < 1024 ? `${megabytes.toFixed(1)} MB` : `${(megabytes / 1024).toFixed(1)} GB`
  if (pages > MOST_PAGES)
    throw new UsageError(
      `These settings need ${size} in one WASM memory, which has at most 4 GB: take fewer particles or smaller settings.`,
    )
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared })
  } catch {
    throw new UsageError(
      `The system gives no more WASM memory, here of ${size}: Node 20 and 22 take 10 GB of address space for each one, whatever ` +
        'its size, unless they are started with --disable-wasm-trap-handler (Node 24 does without where there is none); keep fewer ' +
        'states and environments at a time, or raise the limit of the process (ulimit -v).',
    )
  }
}

/** The addresses of the fields from `start` on, and where they end, slack included. */
export function place<L extends Layout>(layout: L, start = 0): { at: Pointers<L>; end: number } {
  const at: Record<string, Pointer> = {}
  let end = align(start + MARGIN)
  for (const [name, field] of Object.entries(layout)) {
    at[name] = end
    end = align(end + bytes(field))
  }
  return { at: at as Pointers<L>, end: end + MARGIN }
}

/** Typed arrays on the fields. */
export function viewsOf<L extends Layout>(layout: L, at: Pointers<L>, { buffer }: WasmMemory): Views<L> {
  const view = Object.entries(layout).map(([name, field]) => [
    name,
    new arrayTypes[field.type](buffer, at[name], lengthOf(field)),
  ])
  return Object.fromEntries(view) as Views<L>
}

type LaidOut<L extends Layout> = { readonly memory: WasmMemory; readonly at: Pointers<L>; readonly view: Views<L> }

/** A new memory that holds exactly the given fields, all zero, with their addresses and typed arrays on them. */
export function layOut<L extends Layout>(layout: L, shared = false): LaidOut<L> {
  const { at, end } = place(layout)
  const memory = allocate(end, shared)
  return { memory, at, view: viewsOf(layout, at, memory) }
}

/**
 * A record of 32-bit words that an op reads its many arguments from: whole numbers, and floats where `floats` names
 * them. The names stand in the order of the fields of the @unmanaged class of the same name in assembly/; a test
 * compares the two.
 */
export function struct<const N extends readonly string[]>(names: N, floats: readonly N[number][] = []) {
  const isFloat = names.map((name) => floats.includes(name))
  return {
    names,
    field: u32(names.length),
    write(view: Uint32Array, values: Readonly<Record<N[number], number>>): void {
      names.forEach((name, index) => {
        const value = values[name as N[number]]
        view[index] = isFloat[index] ? floatBits(value) : value
      })
    },
  }
}

const bitsView = new DataView(new ArrayBuffer(4))

/** The bits of a float32 as a whole number. */
export function floatBits(value: number): number {
  bitsView.setFloat32(0, value)
  return bitsView.getUint32(0)
}
