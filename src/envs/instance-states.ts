import { closeAll } from '../core/disposable.ts'
import { RunError } from '../core/errors.ts'
import { ofUser } from '../core/own-code.ts'
import { decodePlain, encodePlain } from '../core/plain.ts'
import { decodeText, encodeText } from '../core/text.ts'
import type { Environment, EnvironmentSpec } from './contract.ts'
import { statesOf } from './description.ts'
import { actionOf, beginEpisode, episodeCounters, namingRow, startEpisode, stepEpisode } from './episodes.ts'
import { creatorOf } from './instances.ts'
import { actTheSame } from './same.ts'
import { actionSize, observationSize } from './spaces.ts'
import { memoriesOf } from './wrappers/wrapper.ts'

// How instances of a task in TypeScript are brought elsewhere in the middle of their episodes.

/**
 * The states of instances by their own getState. Where one of them has none, or none that is plain data, what their
 * wrappers remember; [0] where these remember nothing.
 */
export function saveInstances(instances: readonly Environment[]): Uint8Array {
  const known = instances.length > 0 && instances.every(({ getState, setState }) => getState && setState)
  const states = known
    ? ofUser("The task's getState", () => encodePlain(instances.map((each) => each.getState?.())))
    : undefined
  const memories = instances.map(memoriesOf)
  const text = states ?? (memories.some(({ length }) => length > 0) ? encodePlain({ memories }) : undefined)
  return text === undefined ? new Uint8Array(0) : encodeText(text)
}

/** Whether saveInstances() gave states, with which nothing has to be played again: a list. */
export const haveStates = (saved: ArrayLike<number>): boolean => saved[0] === '['.charCodeAt(0)

/** Gives other instances of the task the states that saveInstances() gave. */
export function loadInstances(instances: readonly Environment[], states: ArrayLike<number>): void {
  const all = decodePlain(decodeText(Uint8Array.from(states))) as unknown[]
  ofUser("The task's setState", () => {
    for (const [e, instance] of instances.entries()) instance.setState?.(all[e])
  })
}

/** What wrappers remember of earlier episodes is not found again by playing the running ones. */
function loadMemories(instances: readonly Environment[], saved: ArrayLike<number>): void {
  if (saved.length === 0) return
  const { memories = [] } = Object(decodePlain(decodeText(Uint8Array.from(saved)))) as { memories?: object[][] }
  for (const [e, instance] of instances.entries())
    for (const [k, memory] of memoriesOf(instance).entries()) Object.assign(memory, memories[e]?.[k])
}

/**
 * Whether episodes of a task can be brought elsewhere: its physics is in the core, its instances tell their states, or
 * the same seed and actions give the same episode, as far as some episodes tell.
 */
export function canBeMoved(spec: EnvironmentSpec): boolean {
  if (spec.core || !spec.create) return true
  const learned = statesOf(spec).map((state) => [state, structuredClone(state)] as const)
  const instance = creatorOf(spec)()
  const tells = instance.getState && instance.setState
  closeAll([instance])
  for (const [state] of learned) if (state) Object.assign(state, { frozen: true })
  try {
    return tells !== undefined || actTheSame(spec, spec)
  } finally {
    for (const [state, before] of learned) if (state) Object.assign(state, before)
  }
}

/** Running episodes of N instances. */
interface RunningEpisodes {
  /** [steps, N, A] the last actions, as many as the longest episode has steps. */
  readonly history: Float32Array
  /** [N] steps of each episode. */
  readonly elapsed: Int32Array
  /** [N, O] what each instance showed last. */
  readonly shown: Float32Array
  /** What saveInstances() gave, where that are not their states; default nothing. */
  readonly saved?: ArrayLike<number>
  seedOf(row: number): number
}

/**
 * Brings new instances to where episodes are, by taking their actions again. What wrappers have learned of them is not
 * learned twice.
 *
 * @throws RunError where the same seed and actions lead elsewhere
 */
export function playAgain(
  spec: EnvironmentSpec,
  instances: readonly Environment[],
  { history, elapsed, shown, saved = [], seedOf }: RunningEpisodes,
): void {
  const learned = statesOf(spec).map((state) => [state, structuredClone(state)] as const)
  const A = actionSize(spec)
  const O = observationSize(spec)
  const width = instances.length * A
  const counters = episodeCounters(instances.length)
  const episodes = { spec, instances, counters, tell: namingRow((row) => `${spec.id}, row ${row}`) }
  for (const e of instances.keys()) beginEpisode(episodes, e, seedOf(e))
  for (const e of instances.keys()) {
    let { obs } = startEpisode(episodes, e, seedOf(e))
    for (let at = history.length - elapsed[e] * width + e * A; at < history.length; at += width)
      obs = stepEpisode(episodes, e, actionOf(spec, history.slice(at, at + A), 0)).obs
    // What statistics that still change make of an observation is not what they made of it then.
    if (learned.every(([state]) => state === null || isFrozen(state)))
      refuseOther(spec, obs, shown.subarray(e * O, (e + 1) * O), elapsed[e])
  }
  for (const [state, before] of learned) if (state) Object.assign(state, before)
  loadMemories(instances, saved)
}

const isFrozen = (state: object) => 'frozen' in state && state.frozen === true

function refuseOther({ id }: EnvironmentSpec, obs: ArrayLike<number>, shown: Float32Array, steps: number): void {
  if (shown.every((value, k) => Object.is(value, Math.fround(obs[k])))) return
  throw new RunError(
    `${id} shows something else when the ${steps} steps of an episode are taken again: the same seed and actions must ` +
      'give the same episode, or the task needs getState and setState.',
  )
}
