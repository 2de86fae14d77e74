import { f32, f64, i32, struct, u8 } from '../core/layout.ts'
import type { Pointer } from '../core/ops.ts'
import type { EnvironmentSpec } from '../envs/contract.ts'
import { episodeFields, episodeNames, episodeNumbers } from '../envs/episode-layout.ts'
import { actionSize, observationSize } from '../envs/spaces.ts'
import { type Head, HeadKind } from '../nn/policy.ts'

// What a rollout in the core reads and writes: the environments of one particle, and the transitions of one rollout.

/** As the class Environments in assembly/rl/rollout.ts. */
export const environmentsStruct = struct([
  ...episodeNames,
  'count',
  'current',
  'finished',
  'finishedReturn',
  'head',
  'low',
  'high',
  'bounded',
])

/** The fields that environments carry from one rollout to the next. */
export const environmentState = ['state', 'current', 'elapsed', 'episode', 'episodeReturn'] as const

/** The E running environments of one particle. */
export function environmentFields(spec: EnvironmentSpec, E: number) {
  return {
    environments: environmentsStruct.field,
    ...episodeFields(spec, E),
    /** [E, O] what each environment shows now. */
    current: f32(E, observationSize(spec)),
    /** Episodes ended, and the sum of their returns. */
    finished: i32(1),
    finishedReturn: f64(1),
    /** [A] bounds of an action. */
    low: f32(actionSize(spec)),
    high: f32(actionSize(spec)),
    /** [E, A] actions within them. */
    bounded: f32(E, actionSize(spec)),
  }
}

type EnvironmentFields = ReturnType<typeof environmentFields>

/** Fills the record that ops read the environments from, the constants of the physics and the bounds of actions. */
export function writeEnvironments(
  {
    at,
    view,
  }: {
    at: { [K in keyof EnvironmentFields]: Pointer }
    view: { environments: Uint32Array; constants: Float64Array; low: Float32Array; high: Float32Array }
  },
  spec: EnvironmentSpec,
  head: Head,
  E: number,
): void {
  if (spec.actionSpace.kind === 'box') {
    view.low.set(spec.actionSpace.low)
    view.high.set(spec.actionSpace.high)
  }
  environmentsStruct.write(view.environments, {
    ...at,
    ...episodeNumbers(view, spec),
    count: E,
    head: HeadKind[head.name],
  })
}

/** As the class Batch in assembly/rl/rollout.ts. */
export const batchStruct = struct([
  'steps',
  'observation',
  'nextObservation',
  'action',
  'reward',
  'terminated',
  'truncated',
  'time',
  'episodicReward',
  'outputs',
])

/**
 * The transitions of one rollout of one particle: T steps of E environments, O numbers an observation, A an action.
 *
 * @param outputs numbers that the policy's layers give for a row, where a gradient reads them; 0 where none does
 */
export function batchFields(T: number, E: number, O: number, A: number, outputs = 0) {
  return {
    batch: batchStruct.field,
    /** [T, E, O] */
    observation: f32(T, E, O),
    /** [T, E, O] what followed: at the end of an episode its final observation, not the first of the next. */
    nextObservation: f32(T, E, O),
    /** [T, E, A] */
    action: f32(T, E, A),
    /** [T, E] */
    reward: f64(T, E),
    /** [T, E] 1 where the task ended. */
    terminated: u8(T, E),
    /** [T, E] 1 where the time limit cut the episode. */
    truncated: u8(T, E),
    /** [T, E] steps into the episode, before the action. */
    time: i32(T, E),
    /** | [T, E, S(w₁)] | [T, E, S(w₂)] | … |, S(w) as in assembly/nn/dense.ts. */
    outputs: f32(T * E * outputs),
  }
}

type BatchFields = ReturnType<typeof batchFields>

/**
 * Fills the record that ops read the batch from.
 *
 * @param episodicReward whether the last step of an episode gets the rewards of all, and the others none
 */
export function writeBatch(
  { at, view }: { at: { [K in keyof BatchFields]: Pointer }; view: { batch: Uint32Array; outputs: Float32Array } },
  T: number,
  episodicReward: boolean,
): void {
  const outputs = view.outputs.length > 0 ? at.outputs : 0
  batchStruct.write(view.batch, { ...at, steps: T, episodicReward: episodicReward ? 1 : 0, outputs })
}
