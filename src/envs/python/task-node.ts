import { reasonOf, show, UsageError } from '../../core/errors.ts'
import { decodeText, encodeText } from '../../core/text.ts'
import type { StartChild } from '../../platform/platform.ts'
import type { EnvironmentSpec } from '../contract.ts'
import { type ActionSpace, type Box, box, discrete, multiBinary, multiDiscrete, sizeOf } from '../spaces.ts'
import { bridgeProcess, type Failure, LOAD, raised, refused } from './bridge.ts'
import { rowPool } from './pool.ts'

/** A task as it is started. */
interface PythonTask {
  readonly id: string
  readonly command: string
  readonly processes: number
  /** Seconds that a process may take for steps and resets. */
  readonly limit: number
  readonly constants: Readonly<Record<string, unknown>>
  readonly maxEpisodeSteps: number | undefined
  readonly start: StartChild
}

/** A number, or 'Infinity', which JSON does not know. */
type Bounds = { readonly low: readonly (number | string)[]; readonly high: readonly (number | string)[] }

/** What the bridge knows of a task. */
interface Described {
  readonly observation: Bounds
  readonly action: Bounds | { readonly n: number } | { readonly choices: readonly number[] } | { readonly bits: number }
  readonly maxEpisodeSteps: number | null
  readonly rewardThreshold: number | null
}

const boxOf = ({ low, high }: Bounds): Box => box(low.map(Number), high.map(Number))

function actionSpaceOf(action: Described['action']): ActionSpace {
  if ('n' in action) return discrete(action.n)
  if ('choices' in action) return multiDiscrete(action.choices)
  return 'bits' in action ? multiBinary(action.bits) : boxOf(action)
}

/** The description of a task, from a process that has loaded it. */
export function pythonTask(task: PythonTask): EnvironmentSpec {
  const { id, constants } = task
  const { bridge, described } = startProcess(task)
  const { observation, action, rewardThreshold } = described
  const limit = task.maxEpisodeSteps ?? described.maxEpisodeSteps
  if (limit === null) {
    bridge.stop()
    throw new UsageError(`${id} has no time limit: give it maxEpisodeSteps, on the command line --max-episode-steps.`)
  }
  const observationSpace = boxOf(observation)
  const actionSpace = actionSpaceOf(action)
  const sizes = { id, observations: sizeOf(observationSpace), actions: sizeOf(actionSpace) }
  const pool = rowPool(sizes, bridge, () => startProcess(task).bridge, task.processes)
  const other = (changes: Partial<PythonTask>) => {
    pool.stopIdle()
    return pythonTask({ ...task, ...changes })
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
function startProcess({ id, command, limit, constants, maxEpisodeSteps, start }: PythonTask) {
  const child = started(() => start(command, new URL(BRIDGE, import.meta.url)), `${id}: ${show(command)}`)
  if (!child)
    throw new UsageError(
      `${id}: ${show(command)} cannot be started; name a Python that has gymnasium by the variable PYTHON.`,
    )
  const inLoading = refused(id, command)
  let refuse: (failure: Failure) => Error = inLoading
  const bridge = bridgeProcess({ id, limit }, child, (failure) => refuse(failure))
  const { options, ...kwargs } = constants
  bridge.send(LOAD, encodeText(JSON.stringify({ id: id.slice(id.indexOf(':') + 1), kwargs, options, maxEpisodeSteps })))
  try {
    const described = JSON.parse(decodeText(bridge.receive())) as Described
    refuse = raised(id)
    return { bridge, described }
  } catch (error) {
    bridge.stop()
    throw error
  }
}

/** @throws UsageError where Node runs with --permission and without --allow-child-process */
function started<T>(start: () => T, what: string): T {
  try {
    return start()
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_ACCESS_DENIED') throw error
    throw new UsageError(`${what} cannot be started: ${reasonOf(error)}; node needs --allow-child-process for it.`)
  }
}

/** From src and dist the same; not written where it is used, as bundlers would carry it along. */
const BRIDGE = '../../../python/bridge.py'
