import type { WasmMemory } from '../../core/runtime-types.ts'
import type { Program } from '../instructions.ts'
import { type FunctionBody, moduleOf } from './binary.ts'
import { functionOf } from './group.ts'

// The groups of a plan as a module of WebAssembly of their own, with the bits of the interpreter.

const PAGE = 65_536

/** Where a plan lies. */
interface Host {
  readonly memory: WasmMemory
  /** Whether threads share the memory. */
  readonly isShared: boolean
}

/** What runs in the place of some instructions, by their numbers. */
export type Generated = ReadonlyMap<number, () => void>

const none: Generated = new Map()

/** Whether the runtime has refused to compile: the next plan is not asked for, which a page would report. */
let isRefused = false

/**
 * The functions of groups of at least so many elements, by the numbers of their instructions; of those of another form,
 * and where the runtime compiles nothing while it runs (workerd, a page's security policy), there are none.
 */
export function generate({ fused, to, uses }: Program, least: number, { memory, isShared }: Host): Generated {
  if (isRefused) return none
  const sources = { addressOf: to.of, inRegisters: uses.inRegisters }
  const numbers: number[] = []
  const functions: FunctionBody[] = []
  for (const [number, group] of fused) {
    const found = group.elements >= least ? functionOf(group, sources) : null
    if (!found) continue
    numbers.push(number)
    functions.push(found)
  }
  if (functions.length === 0) return none
  const module = compiled(moduleOf({ pages: memory.buffer.byteLength / PAGE, isShared, functions }))
  if (!module) return none
  const { exports } = new WebAssembly.Instance(module, { env: { memory } })
  return new Map(numbers.map((number, k) => [number, exports[k] as () => void]))
}

function compiled(bytes: BufferSource): WebAssembly.Module | null {
  try {
    return new WebAssembly.Module(bytes)
  } catch {
    isRefused = true
    return null
  }
}
