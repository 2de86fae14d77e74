import { type Arena, createArenaSync } from '../core/arena.ts'
import { UsageError } from '../core/errors.ts'
import { f32, i32 } from '../core/layout.ts'
import type { CoreModule } from '../core/module.ts'
import { REGISTER } from './fused.ts'
import type { Node, View } from './graph.ts'
import { Program, type Uses } from './instructions.ts'
import { layOutMemory, type Memory } from './memory.ts'
import { type Group, isInline, ownerOf, reachable, schedule } from './schedule.ts'
import { sizeOf } from './views.ts'

/** An expression as a list of instructions on memory that is laid out once. */
export interface Plan {
  /** Where the values of an input go, or null where nothing reads it. */
  input(node: Node): Float32Array | null
  /** What stands there after a run. */
  readonly outputs: readonly Float32Array[]
  /** Computes the outputs from the inputs. */
  run(): void
  readonly steps: readonly Step[]
  readonly bytes: number
}

/** One instruction of a plan. */
interface Step {
  /** The kernel of tfjs that it stands for; the last one of several. */
  readonly kernel: string
  readonly work: Node['work']['kind']
  run(): void
  /** What it has computed, until a later step takes the memory. */
  readonly result: Float32Array
}

/** @param outputs contiguous views */
export function planOf(module: CoreModule, outputs: readonly View[]): Plan {
  const nodes = reachable(outputs)
  const groups = schedule(nodes)
  const uses = usesOf(nodes, groups, outputs)
  const memory = layOutMemory(nodes, groups, outputs, uses.inRegisters)
  const parts = new Map(nodes.filter(({ work }) => work.kind === 'part').map((part) => [ownerOf(part), part]))
  const programAt = (base: number, at: { tables: number; registers: number; scratch: number }) => {
    const of = (node: Node) => base + (memory.at.get(node) ?? 0)
    const ofPart = (node: Node) => (parts.has(node) ? of(parts.get(node) as Node) : 0)
    return new Program(groups, uses, { of, ofPart, ...at })
  }
  // The words are as many wherever they point to.
  const draft = programAt(1024, { tables: 0, registers: 0, scratch: 0 })
  const arena = createArenaSync(module, fieldsFor(draft, memory))
  const program = programAt(arena.at.memory, arena.at)
  arena.view.words.set(program.words)
  arena.view.tables.set(program.tables)
  return assemble(arena, program, { nodes, memory, outputs })
}

const fieldsFor = ({ words, tables, registers, scratchFloats }: Program, { bytes }: Memory) => ({
  words: i32(words.length),
  tables: i32(tables.length),
  registers: f32((registers * REGISTER) / 4),
  scratch: f32(scratchFloats),
  memory: f32(bytes / 4),
})

function assemble(
  { ops, at, view }: Arena<ReturnType<typeof fieldsFor>>,
  { words, setup, nodes: computed }: Program,
  { nodes, memory, outputs }: { nodes: readonly Node[]; memory: Memory; outputs: readonly View[] },
): Plan {
  const valuesAt = (node: Node) => {
    const first = (memory.at.get(node) as number) / 4
    return view.memory.subarray(first, first + node.size)
  }
  for (const node of nodes) if (node.values) valuesAt(node).set(node.values)
  const run = (first: { words: number; instructions: number }, count: number) => {
    const done = ops.runPlan(at.words + first.words * 4, count)
    if (done < count) throw outOfRange(computed[first.instructions + done])
  }
  run({ words: 0, instructions: 0 }, setup.instructions)
  const count = computed.length - setup.instructions
  const inputs = new Map(nodes.filter(({ work }) => work.kind === 'input').map((node) => [node, valuesAt(node)]))
  const steps: Step[] = []
  for (let k = setup.instructions, next = setup.words; k < computed.length; k++) {
    const first = { words: next, instructions: k }
    const node = computed[k]
    steps.push({ kernel: node.origin, work: node.work.kind, run: () => run(first, 1), result: valuesAt(node) })
    next += words[next + 1]
  }
  return {
    input: (node) => inputs.get(node) ?? null,
    outputs: outputs.map(({ node, shape, offset }) => valuesAt(node).subarray(offset, offset + sizeOf(shape))),
    run: () => run(setup, count),
    steps,
    bytes: memory.bytes,
  }
}

const outOfRange = ({ origin }: Node) => new UsageError(`An index that ${origin} picks by is out of range.`)

/** Which nodes nobody reads but steps of their own group, and which are read at all. */
function usesOf(nodes: readonly Node[], groups: readonly Group[], outputs: readonly View[]): Uses {
  const groupOf = new Map<Node, Group>()
  for (const group of groups) for (const node of group.nodes) groupOf.set(node, group)
  const inRegisters = new Set(nodes.filter(({ work }) => work.kind === 'map'))
  const read = new Set<Node>(outputs.map(({ node }) => node))
  for (const { node } of outputs) inRegisters.delete(node)
  for (const node of nodes) {
    for (const arg of node.args) {
      if (node.work.kind !== 'part') read.add(arg.node)
      if (groupOf.get(node) !== groupOf.get(arg.node) || !isInline(arg)) inRegisters.delete(arg.node)
    }
  }
  return { inRegisters, read }
}
