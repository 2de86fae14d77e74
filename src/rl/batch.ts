import { f32, f64, i32, struct, u8 } from '../core/arena.ts'
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
])

/** The transitions of one rollout: T steps of E environments for each of n particles, O numbers an observation, A an action. */
export function batchFields(n: number, T: number, E: number, O: number, A: number) {
  return {
    batch: batchStruct.field,
    /** [n, T, E, O] */
    observation: f32(n, T, E, O),
    /** [n, T, E, O] what followed: at the end of an episode its final observation, not the first of the next. */
    nextObservation: f32(n, T, E, O),
    /** [n, T, E, A] */
    action: f32(n, T, E, A),
    /** [n, T, E] */
    reward: f64(n, T, E),
    /** [n, T, E] 1 where the task ended. */
    terminated: u8(n, T, E),
    /** [n, T, E] 1 where the time limit cut the episode. */
    truncated: u8(n, T, E),
    /** [n, T, E] steps into the episode, before the action. */
    time: i32(n, T, E),
  }
}

type Fields = ReturnType<typeof batchFields>

/** Fills the record that ops read the batch from. */
export function writeBatch(
  { at, view }: { at: { [K in keyof Fields]: Pointer }; view: { batch: Uint32Array } },
  T: number,
): void {
  batchStruct.write(view.batch, { ...at, steps: T })
}
