import { f32, f64, i32, struct, u8 } from '../core/layout.ts'
import type { Pointer } from '../core/ops.ts'

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
])

/** The transitions of one rollout of one particle: T steps of E environments, O numbers an observation, A an action. */
export function batchFields(T: number, E: number, O: number, A: number) {
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
  }
}

type Fields = ReturnType<typeof batchFields>

/**
 * Fills the record that ops read the batch from.
 *
 * @param episodicReward whether the last step of an episode gets the rewards of all, and the others none
 */
export function writeBatch(
  { at, view }: { at: { [K in keyof Fields]: Pointer }; view: { batch: Uint32Array } },
  T: number,
  episodicReward: boolean,
): void {
  batchStruct.write(view.batch, { ...at, steps: T, episodicReward: episodicReward ? 1 : 0 })
}
