import { Bytes, type Code, type Locals, Type } from './code.ts'

// A module in WebAssembly's binary format.

/** A function of no arguments and no results. */
export interface FunctionBody {
  readonly locals: Locals
  readonly code: Code
}

interface ModuleParts {
  /** Pages of env.memory, and whether threads share it. */
  readonly pages: number
  readonly isShared: boolean
  /** Are exported as '0', '1', …. */
  readonly functions: readonly FunctionBody[]
}

const HEADER = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]
const Section = { types: 1, imports: 2, functions: 3, exports: 7, code: 10 } as const
const FUNCTION_TYPE = 0x60
const Kind = { function: 0, memory: 2 } as const
/** What stands before the pages of a memory: it has no most, or one and is shared. */
const Limits = { least: 0, shared: 3 } as const
const END = 0x0b

function list<T>(values: readonly T[], write: (to: Bytes, value: T, index: number) => void): Bytes {
  const to = new Bytes().unsigned(values.length)
  values.forEach((value, k) => void write(to, value, k))
  return to
}

const counted = (to: Bytes, content: Bytes) => void to.unsigned(content.bytes.length).append(content)

export function moduleOf({ pages, isShared, functions }: ModuleParts): Uint8Array<ArrayBuffer> {
  const module = new Bytes().write(...HEADER)
  const section = (name: keyof typeof Section, content: Bytes) => counted(module.write(Section[name]), content)
  section('types', new Bytes().write(1, FUNCTION_TYPE, 0, 0))
  const memory = new Bytes().write(1).name('env').name('memory')
  if (isShared) memory.write(Kind.memory, Limits.shared).unsigned(pages).unsigned(pages)
  else memory.write(Kind.memory, Limits.least).unsigned(pages)
  section('imports', memory)
  section(
    'functions',
    list(functions, (to) => void to.unsigned(0)),
  )
  section(
    'exports',
    list(functions, (to, _, k) => void to.name(`${k}`).write(Kind.function).unsigned(k)),
  )
  section(
    'code',
    list(functions, (to, { locals, code }) => counted(to, bodyOf(locals, code))),
  )
  return Uint8Array.from(module.bytes)
}

const bodyOf = ({ types }: Locals, code: Code): Bytes =>
  list(types, (to, type) => void to.unsigned(1).write(Type[type]))
    .append(code)
    .write(END)
