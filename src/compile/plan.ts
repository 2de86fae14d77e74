import { type Arena, createArenaSync } from '../core/arena.ts'
import { UsageError } from '../core/errors.ts'
import { f32, i32, padded } from '../core/layout.ts'
import type { CoreModule } from '../core/module.ts'
import type { Team } from '../core/team.ts'
import { kernels } from '../nn/tfjs.ts'
import { REGISTER } from './fused.ts'
import { type Generated, generate } from './generated/module.ts'
import type { Node, View } from './graph.ts'
import { Program, type Uses } from './instructions.ts'
import { layOutMemory, type Memory } from './memory.ts'
import { type Group, isInline, ownerOf, reachable, schedule } from './schedule.ts'
import { isShared, roundsOf } from './together.ts'
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

/** A plan that runs so often is worth code of its own. */
const RUNS_UNTIL_CODE = 8

/** One instruction of a plan. */
interface Step {
  /** The kernel of tfjs that it stands for; the last one of several. */
  readonly kernel: string
  readonly work: Node['work']['kind']
  run(): void
  /** What it has computed, until a later step takes the memory. */
  readonly result: Float32Array
}

/**
 * @param outputs contiguous views
 * @param team shares the work where there is enough of it
 */
export function planOf(module: CoreModule, outputs: readonly View[], team: Team | null = null): Plan {
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
  const shared = team && nodes.some(isShared) ? team.arena(fieldsFor(draft, memory, team.threadPool.size)) : null
  const arena = shared ?? createArenaSync(module, fieldsFor(draft, memory, 1))
  const program = programAt(arena.at.memory, arena.at)
  arena.view.words.set(program.words)
  arena.view.tables.set(program.tables)
  return assemble(arena, program, { nodes, memory, outputs, team: shared && team })
}

const fieldsFor = ({ words, tables, registers, scratchFloats }: Program, { bytes }: Memory, threads: number) => ({
  words: i32(words.length),
  tables: i32(tables.length),
  registers: f32((registers * REGISTER) / 4),
  scratch: f32(threads, padded(scratchFloats)),
  memory: f32(bytes / 4),
})

interface Assembled {
  readonly nodes: readonly Node[]
  readonly memory: Memory
  readonly outputs: readonly View[]
  /** Whose memory the plan is in. */
  readonly team: Team | null
}

type PlanArena = Arena<ReturnType<typeof fieldsFor>>

function assemble(arena: PlanArena, program: Program, { nodes, memory, outputs, team }: Assembled): Plan {
  const { view } = arena
  const valuesAt = (node: Node) => {
    const first = (memory.at.get(node) as number) / 4
    return view.memory.subarray(first, first + node.size)
  }
  for (const node of nodes) if (node.values) valuesAt(node).set(node.values)
  runStretch(arena, program, { words: 0, instructions: 0, count: program.setup.instructions })
  const inputs = new Map(nodes.filter(({ work }) => work.kind === 'input').map((node) => [node, valuesAt(node)]))
  const results = outputs.map(({ node, shape, offset }) => valuesAt(node).subarray(offset, offset + sizeOf(shape)))
  // The memory of a team is given back with its arena, whoever still has a view on it.
  const own = team ? results.map((values) => new Float32Array(values.length)) : results
  const instructions = instructionsOf(arena, program, team)
  const passOf = (generated?: Generated) => stretchesOf(instructions, arena, program, generated)
  let stretches = passOf()
  let runs = 0
  return {
    input: (node) => inputs.get(node) ?? null,
    outputs: own,
    run() {
      if (++runs === RUNS_UNTIL_CODE)
        stretches = passOf(generate(program, kernels.codeFrom, { ...arena, isShared: team !== null }))
      for (const run of stretches) run()
      if (team) own.forEach((values, k) => void values.set(results[k]))
    },
    steps: instructions.map(({ node, stretch }) => ({
      ...{ kernel: node.origin, work: node.work.kind, result: valuesAt(node) },
      run: () => runStretch(arena, program, stretch),
    })),
    bytes: memory.bytes,
  }
}

/** Instructions that follow each other, from a place among the words on. */
interface Stretch {
  readonly words: number
  readonly instructions: number
  readonly count: number
}

/** An instruction of every run: alone, and by a team where that shares it. */
interface One {
  readonly node: Node
  readonly stretch: Stretch
  readonly together: (() => void) | null
}

function instructionsOf({ view, at }: PlanArena, { setup, nodes, words }: Program, team: Team | null): One[] {
  let place = setup.words
  return nodes.slice(setup.instructions).map((node, k) => {
    const stretch = { words: place, instructions: setup.instructions + k, count: 1 }
    place += words[place + 1]
    if (!team || !isShared(node)) return { node, stretch, together: null }
    const first = stretch.words + 2
    const call = { args: view.words.subarray(first, place), at: at.words + first * 4 }
    const rounds = roundsOf(node, call, team, (view.scratch.length / team.threadPool.size) * 4)
    return { node, stretch, together: () => rounds.forEach(({ op, jobs }) => void team.threadPool.run(op, jobs)) }
  })
}

/** What runs one after the other: code that was generated, rounds of a team, and all between by the interpreter. */
function stretchesOf(
  instructions: readonly One[],
  arena: PlanArena,
  program: Program,
  generated?: Generated,
): (() => void)[] {
  const stretches: (() => void)[] = []
  let alone: Stretch | null = null
  const end = () => {
    const stretch = alone
    if (stretch) stretches.push(() => runStretch(arena, program, stretch))
    alone = null
  }
  for (const { stretch, together } of instructions) {
    const run = generated?.get(stretch.instructions) ?? together
    if (run) {
      end()
      stretches.push(run)
    } else alone = alone ? { ...(alone as Stretch), count: (alone as Stretch).count + 1 } : stretch
  }
  end()
  return stretches
}

function runStretch({ ops, at }: PlanArena, { nodes }: Program, { words, instructions, count }: Stretch): void {
  const done = ops.runPlan(at.words + words * 4, count)
  if (done < count) throw outOfRange(nodes[instructions + done])
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
