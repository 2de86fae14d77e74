import { show, UsageError } from '../core/errors.ts'
import type { CoreSource } from '../core/module.ts'
import { namesOf, requireOptions } from '../core/options.ts'
import { ofUser } from '../core/own-code.ts'
import { isRecord, requireThat } from '../core/require.ts'
import type { ConstantValue } from './builtin.ts'
import type { EnvironmentSpec } from './contract.ts'
import { asTask } from './description-problems.ts'
import { environmentSpec } from './registry.ts'
import { timeLimit } from './wrappers/episodes.ts'

/** Changes to a task as make() takes them. */
export interface MakeOptions {
  /** Overrides of the task's constants by name. */
  constants?: Readonly<Record<string, ConstantValue>>
  /** Steps after which an episode is truncated; default: the task's. */
  maxEpisodeSteps?: number
  /** The WASM core; default: this package's steinrl.wasm. */
  core?: CoreSource
}

export const MAKE_OPTIONS = namesOf<MakeOptions>({ constants: true, maxEpisodeSteps: true, core: true })

/**
 * The same task with other constants and another time limit, as make and makeVector run it. A run directory and workers
 * know what it was made of, which they cannot of what a `configure` of one's own gives.
 *
 * @throws UsageError for a constant that the task does not have, or a value that is not allowed
 */
export function configured(env: string | EnvironmentSpec, options: MakeOptions): EnvironmentSpec {
  requireOptions('configured', options, MAKE_OPTIONS)
  const { constants, maxEpisodeSteps } = options
  requireThat(constants === undefined || isRecord(constants), 'configured', 'constants by name', constants)
  const task = environmentSpec(env)
  const spec = constants && Object.keys(constants).length > 0 ? withConstants(task, constants) : task
  if (maxEpisodeSteps === undefined) return spec
  return timeLimit(maxEpisodeSteps)(spec)
}

function withConstants(task: EnvironmentSpec, constants: NonNullable<MakeOptions['constants']>): EnvironmentSpec {
  // Where the physics is in the core, its constants say all; a task of one's own is known by what it was made of.
  const { id, configure } = task
  if (configure) {
    const changed = ofUser(`${id}: configure`, () => configure(constants))
    if (!isRecord(changed)) throw new UsageError(`${id}: configure gave ${show(changed)}; it must give a task.`)
    return { made: { from: task, by: { constants } }, ...asTask(changed) }
  }
  throw new UsageError(`${id} has no constant "${Object.keys(constants)[0]}"; it has none.`)
}
