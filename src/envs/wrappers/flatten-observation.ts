import { isExpected, RunError, show, UsageError } from '../../core/errors.ts'
import { requireThat } from '../../core/require.ts'
import type { Environment, EnvironmentSpec, Info, Step } from '../contract.ts'
import { nameOf } from '../errors.ts'
import { flatSize, flatten, flattenSpace } from '../flatten.ts'
import { type Action, type Element, requireSpace, type Space } from '../spaces.ts'
import { around } from './wrapper.ts'

/** One environment whose observations are elements of any space. */
export interface StructuredEnvironment extends Omit<Environment, 'reset' | 'step' | 'begin' | 'beginReset'> {
  reset(options: { seed: number }): { readonly obs: Element; readonly info: Info }
  step(action: Action): Omit<Step, 'obs'> & { readonly obs: Element }
}

/** A task of one's own whose observations are elements of any space. */
export interface StructuredSpec
  extends Omit<EnvironmentSpec, 'observationSpace' | 'create' | 'core' | 'configure' | 'limit' | 'made'> {
  readonly observationSpace: Space
  readonly create: () => StructuredEnvironment
}

/**
 * A task whose observations are numbered, by name or lists as one whose observations are vectors, in the order of
 * FlattenObservation of Gymnasium 1.4: names sorted, a numbered choice as 0 … 1 … 0.
 *
 *     export default flattenObservation({
 *       id: 'mine',
 *       observationSpace: dict({ place: box([-1, -1], [1, 1]), kind: discrete(3) }),
 *       actionSpace: multiDiscrete([3, 2]),
 *       maxEpisodeSteps: 100,
 *       create: () => new Mine(),     // its observations are { place: [0, 0.5], kind: 2 }
 *     })
 *
 * @throws UsageError for what is no task, and for spaces that have no vector of fixed length; RunError, later, for an
 *   observation that is not in the space
 */
export function flattenObservation(task: StructuredSpec): EnvironmentSpec {
  const isTask = typeof task === 'object' && task !== null && typeof task.create === 'function'
  requireThat(isTask, 'flattenObservation', 'a task with an observationSpace and create()', task)
  const { id, observationSpace: space, create } = task
  requireSpace('flattenObservation', space)
  if (hasNothing(space)) throw new UsageError(`${show(id)}: its observationSpace has no numbers.`)
  return { ...task, observationSpace: flattenSpace(space), create: () => flat(id, space, create()) }
}

const hasNothing = (space: Space) => flatSize(space) === 0

function flat(id: string, space: Space, env: StructuredEnvironment): Environment {
  const memory = { elapsed: 0 }
  const vector = (obs: Element) => {
    try {
      return flatten(space, obs)
    } catch (error) {
      if (!isExpected(error)) throw error
      throw new RunError(
        `${id}: ${nameOf(memory.elapsed)} gave an observation that is not in its space: ${error.message}`,
      )
    }
  }
  return around(env, {
    memory,
    reset(options) {
      memory.elapsed = 0
      const { obs, info } = env.reset(options)
      return { obs: vector(obs), info }
    },
    step(action) {
      memory.elapsed++
      const result = env.step(action)
      return { ...result, obs: vector(result.obs) }
    },
  })
}
