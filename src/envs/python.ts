import { platform } from '#platform'
import { show, UsageError } from '../core/errors.ts'
import { refuseUnknown } from '../core/options.ts'
import { check, wholeNumber } from '../core/schemas.ts'
import { decodeText, encodeText } from '../core/text.ts'
import type { StartChild } from '../platform/platform.ts'
import type { EnvironmentSpec } from './contract.ts'
import { rowPool } from './python/pool.ts'
import { bridgeProcess, type Failure, LOAD, raised, refused } from './python/process.ts'
import { stepLimit } from './schemas.ts'
import { type Box, box, type Discrete, discrete, sizeOf } from './spaces.ts'

/** What ids of tasks in Python begin with. */
const PREFIX = 'python:'

/** Whether an id is that of a task in Python, such as python:CartPole-v1. */
export const isPythonId = (id: string): boolean => id.startsWith(PREFIX)

/** How a task in Python is made. */
export interface PythonOptions {
  /**
   * What gymnasium.make takes by name. `options` among them are the options of every reset instead, as in
   * `env.reset(options=…)`.
   */
  readonly constants?: Readonly<Record<string, unknown>>
  /** Steps after which an episode is truncated; default: what the task is registered with. */
  readonly maxEpisodeSteps?: number
  /** The Python that has gymnasium. Default: the variable PYTHON, or else python3. */
  readonly interpreter?: string
  /** The most processes that its instances are spread over. Default: as many as run at once on this machine. */
  readonly processes?: number
}

/**
 * A task of Gymnasium in Python, in processes of its own:
 *
 *     const task = await python('python:my_package/MyTask-v0', { constants: { size: 5 }, processes: 2 })
 *
 * Observations are flattened in Gymnasium's order, in float32. A package is imported where Gymnasium does not know the
 * id yet. Processes end when their last instance is closed, and with this program.
 *
 * @param id of Gymnasium, with or without `python:`
 * @throws UsageError where there is no such Python, Gymnasium or task, for a task without a time limit and for spaces
 *   that are no vectors of fixed length; RunError, later, for what the task raises and a process that ends
 */
export async function python(id: string, options: PythonOptions = {}): Promise<EnvironmentSpec> {
  refuseUnknown('python', options, ['constants', 'maxEpisodeSteps', 'interpreter', 'processes'])
  const { maxEpisodeSteps, interpreter, processes } = options
  if (maxEpisodeSteps !== undefined) check(stepLimit, maxEpisodeSteps)
  if (interpreter !== undefined && typeof interpreter !== 'string')
    throw new UsageError(`interpreter must be the command of a Python, got ${show(interpreter)}.`)
  const start = await platform.loadChildren()
  if (!start) throw new UsageError(`${id}: Python is run from Node on Linux and macOS only.`)
  return specOf({
    id: isPythonId(id) ? id : `${PREFIX}${id}`,
    command: interpreter ?? (platform.variable('PYTHON') || 'python3'),
    processes: check(wholeNumber('processes', 1, 1024), processes ?? platform.threads.count()),
    constants: options.constants ?? {},
    maxEpisodeSteps,
    start,
  })
}

interface PythonTask {
  readonly id: string
  readonly command: string
  readonly processes: number
  readonly constants: Readonly<Record<string, unknown>>
  readonly maxEpisodeSteps: number | undefined
  readonly start: StartChild
}

/** A number, or 'Infinity', which JSON does not know. */
type Bounds = { readonly low: readonly (number | string)[]; readonly high: readonly (number | string)[] }

/** What the bridge knows of a task. */
interface Described {
  readonly observation: Bounds
  readonly action: Bounds | { readonly n: number }
  readonly maxEpisodeSteps: number | null
  readonly rewardThreshold: number | null
}

const boxOf = ({ low, high }: Bounds): Box => box(low.map(Number), high.map(Number))

function specOf(task: PythonTask): EnvironmentSpec {
  const { id, constants } = task
  const { process, described } = startProcess(task)
  const { observation, action, rewardThreshold } = described
  const limit = task.maxEpisodeSteps ?? described.maxEpisodeSteps
  if (limit === null) {
    process.stop()
    throw new UsageError(`${id} has no time limit: give it maxEpisodeSteps, on the command line --max-episode-steps.`)
  }
  const observationSpace = boxOf(observation)
  const actionSpace: Box | Discrete = 'n' in action ? discrete(action.n) : boxOf(action)
  const sizes = { id, observations: sizeOf(observationSpace), actions: sizeOf(actionSpace) }
  const pool = rowPool(sizes, process, () => startProcess(task).process, task.processes)
  const other = (changes: Partial<PythonTask>) => {
    pool.stopIdle()
    return specOf({ ...task, ...changes })
  }
  const known = {
    ...{ id, observationSpace, actionSpace, maxEpisodeSteps: limit },
    ...(rewardThreshold !== null && { rewardThreshold }),
  }
  return {
    ...known,
    made: { from: known, by: { constants } },
    create: pool.create,
    configure: (more) => other({ constants: { ...constants, ...more } }),
    limit: (maxEpisodeSteps) => other({ maxEpisodeSteps }),
  }
}

/** A process that has loaded the task. */
function startProcess({ id, command, constants, maxEpisodeSteps, start }: PythonTask) {
  const child = start(command, new URL(BRIDGE, import.meta.url))
  if (!child)
    throw new UsageError(
      `${id}: ${show(command)} cannot be started; name a Python that has gymnasium by the variable PYTHON.`,
    )
  const inLoading = refused(id, command)
  let refuse: (failure: Failure) => Error = inLoading
  const process = bridgeProcess(id, child, (failure) => refuse(failure))
  const { options, ...kwargs } = constants
  process.send(LOAD, encodeText(JSON.stringify({ id: id.slice(PREFIX.length), kwargs, options, maxEpisodeSteps })))
  try {
    const described = JSON.parse(decodeText(process.receive())) as Described
    refuse = raised(id)
    return { process, described }
  } catch (error) {
    process.stop()
    throw error
  }
}

/** The same from src/envs/ and from dist/envs/; not written where it is used, as bundlers would carry it along. */
const BRIDGE = '../../python/bridge.py'
