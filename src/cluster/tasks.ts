import { UsageError } from '../core/errors.ts'
import { loadModule, parseTask, type TaskDescription } from '../envs/description.ts'

/** Where a worker finds tasks of one's own, by their ids. */
export type KnownTasks = ReadonlyMap<string, { readonly module: string; readonly export: string }>

/**
 * The tasks that files export.
 *
 * @throws UsageError for a file that cannot be imported, or exports no task
 */
export async function tasksOf(imports: readonly string[]): Promise<KnownTasks> {
  const tasks = new Map<string, { module: string; export: string }>()
  for (const module of imports) {
    const found = Object.entries(await loadModule('this worker', module)).filter(([, value]) => isTask(value))
    if (found.length === 0) throw new UsageError(`The file ${module} exports no description of a task.`)
    for (const [name, spec] of found) tasks.set((spec as { id: string }).id, { module, export: name })
  }
  return tasks
}

const isTask = (value: unknown) =>
  typeof value === 'object' && value !== null && typeof (value as { id?: unknown }).id === 'string' && 'create' in value

/** What a server has of a setup, unchecked. */
interface Sent {
  readonly task?: { readonly spec?: { readonly task?: unknown; readonly states?: unknown } }
  readonly tfjs?: { readonly fused?: unknown; readonly compiled?: unknown } | null
  readonly core?: unknown
}

/**
 * A setup whose task is found where this worker has it: what is imported is what the worker was started with, never
 * what the server names.
 *
 * @throws UsageError, as the end of a sentence, for a task that it does not have
 */
export function withKnownTask(setup: unknown, tasks: KnownTasks): unknown {
  const { task, tfjs, core: _, ...others } = (setup ?? {}) as Sent
  // Neither a core nor binaries of tfjs are taken from there.
  const rest = { ...others, tfjs: { fused: tfjs?.fused, compiled: tfjs?.compiled } }
  const described: TaskDescription = parseTask(task?.spec?.task)
  if (described.module === undefined) return { ...rest, task: { ...task, spec: { ...task?.spec, task: described } } }
  const known = tasks.get(described.id)
  if (!known) {
    const file = described.module.split(/[\\/]/).at(-1)?.split(/[?#]/)[0]
    throw new UsageError(`it does not know the task ${described.id}; start it with --import ${file}.`)
  }
  return { ...rest, task: { ...task, spec: { ...task?.spec, task: { ...described, ...known } } } }
}
