import { UsageError } from '../../core/errors.ts'
import { compileCore } from '../../core/module.ts'
import { isRecord, requireFunction, requireThat } from '../../core/require.ts'
import type { EnvironmentSpec } from '../contract.ts'
import { asTask } from '../description-problems.ts'
import { inTypeScript } from '../instances.ts'
import { taskNamed } from '../named.ts'
import { clipAction, repeatAction, rescaleAction } from './actions.ts'
import { episodeStatistics, recordEpisodes, timeLimit } from './episodes.ts'
import { normaliseObservation } from './observations.ts'
import { episodicReward, normaliseReward, scaleReward, sparseReward } from './rewards.ts'
import type { Wrapper } from './wrapper.ts'

/** What makes wrappers and is none itself. */
const MAKERS: readonly unknown[] = [
  ...[repeatAction, clipAction, rescaleAction, timeLimit, episodeStatistics, recordEpisodes],
  ...[normaliseObservation, normaliseReward, scaleReward, sparseReward, episodicReward],
]

/**
 * A task, by its id or of one's own, with wrappers around it, the first one innermost:
 *
 *     const task = await wrap('Pendulum-v1', repeatAction(2), rescaleAction())
 *
 * Physics in the core is stepped from TypeScript then, row by row. For a core of one's own there is inTypeScript().
 */
export async function wrap(env: string | EnvironmentSpec, ...wrappers: readonly Wrapper[]): Promise<EnvironmentSpec> {
  for (const each of wrappers) {
    requireFunction('A wrapper', each, 'as repeatAction(2) gives')
    if (MAKERS.includes(each)) throw new UsageError(`wrap takes what ${each.name} makes: call it, ${each.name}(…).`)
  }
  const spec = await taskNamed(env)
  const task = spec.core ? inTypeScript(spec, await compileCore()) : spec
  return wrappers.reduce((inner, wrapper) => {
    const changed = wrapper(inner)
    requireThat(isRecord(changed), 'wrap', 'wrappers that give a task', changed)
    return asTask(changed)
  }, task)
}
