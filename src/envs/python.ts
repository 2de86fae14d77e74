import { platform } from '#platform'
import { pythonTask } from '#python'
import { show, UsageError } from '../core/errors.ts'
import { refuseUnknown } from '../core/options.ts'
import { isRecord, requireThat } from '../core/require.ts'
import { check, positiveNumber, wholeNumber } from '../core/schemas.ts'
import type { EnvironmentSpec } from './contract.ts'
import { stepLimit } from './schemas.ts'

/** What ids of tasks in Python begin with. */
const PREFIX = 'python:'

/** Whether an id is that of a task in Python, such as python:CartPole-v1. */
export const isPythonId = (id: string): boolean => typeof id === 'string' && id.startsWith(PREFIX)

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
  /**
   * Seconds that a process may take for one step of all its instances, or one reset of them, before it is ended: a task
   * that hangs ends the run. Loading may take 60 at least. Default: the variable PYTHON_LIMIT, or else 60.
   */
  readonly limit?: number
}

/** Seconds: far longer than a request takes that ends at all. */
const LIMIT = 60

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
 *   that are no vectors of fixed length; RunError, later, for what the task raises, a process that ends and one that
 *   hangs
 */
export async function python(id: string, options: PythonOptions = {}): Promise<EnvironmentSpec> {
  refuseUnknown('python', options, ['constants', 'maxEpisodeSteps', 'interpreter', 'processes', 'limit'])
  requireThat(typeof id === 'string' && id.length > 0, 'python', 'the id of a task', id)
  const { constants = {}, maxEpisodeSteps, interpreter, processes } = options
  requireThat(isRecord(constants), 'python', 'constants by name', constants)
  if (maxEpisodeSteps !== undefined) check(stepLimit, maxEpisodeSteps)
  if (interpreter !== undefined && (typeof interpreter !== 'string' || interpreter === ''))
    throw new UsageError(`interpreter must be the command of a Python, got ${show(interpreter)}.`)
  const start = await platform.loadChildren()
  if (!start) throw new UsageError(`${id}: Python is run from Node on Linux and macOS only.`)
  return pythonTask({
    id: isPythonId(id) ? id : `${PREFIX}${id}`,
    command: interpreter ?? (platform.variable('PYTHON') || 'python3'),
    processes: check(wholeNumber('processes', 1, 1024), processes ?? platform.threads.count()),
    limit: limitOf(options.limit),
    constants,
    maxEpisodeSteps,
    start,
  })
}

function limitOf(limit: number | undefined): number {
  if (limit !== undefined) return check(positiveNumber('limit'), limit)
  const text = platform.variable('PYTHON_LIMIT')
  return text ? check(positiveNumber('The variable PYTHON_LIMIT'), Number(text)) : LIMIT
}
