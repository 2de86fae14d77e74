import { f32, f64, i32, struct, u8 } from '../core/layout.ts'
import type { Pointer } from '../core/ops.ts'
import type { Seed } from '../core/random.ts'
import type { EnvironmentSpec } from './contract.ts'
import { episodeFields, episodeNames, episodeNumbers } from './episode-layout.ts'
import { sizeOf } from './spaces.ts'

/** As the class Vector in assembly/envs/vector.ts. */
export const vectorStruct = struct([
  ...episodeNames,
  'rows',
  'autoreset',
  'seedLo',
  'seedHi',
  'action',
  'observation',
  'reward',
  'terminated',
  'truncated',
  'ended',
  'finalObservation',
  'finalElapsed',
  'finalReturn',
  'listed',
  'seeds',
])

/**
 * What happens to a row whose episode has ended, as Gymnasium's AutoresetMode has it: nothing until it is reset; its
 * next step ignores the action and shows the initial observation, with reward 0 and no flags; or it is reset in the
 * same step.
 */
const Autoreset = { disabled: 0, 'next-step': 1, 'same-step': 2 } as const
/** When an environment of a vector begins its next episode: in Gymnasium's words. */
export type AutoresetMode = keyof typeof Autoreset

/** N environments with physics in the core. */
export function vectorFields(spec: EnvironmentSpec, N: number) {
  const O = sizeOf(spec.observationSpace)
  return {
    vector: vectorStruct.field,
    ...episodeFields(spec, N),
    /** [N, A] */
    action: f32(N, sizeOf(spec.actionSpace)),
    /** [N, O] */
    observation: f32(N, O),
    /** [N] */
    reward: f64(N),
    terminated: u8(N),
    truncated: u8(N),
    /** [N] 1 where the next step resets. */
    ended: u8(N),
    /** [N, O] what the episode that ended last in a row showed at its end; kept in mode same-step only. */
    finalObservation: f32(N, O),
    /** [N] its steps. */
    finalElapsed: i32(N),
    /** [N] its rewards. */
    finalReturn: f64(N),
    /** [N] rows, and [4] seeds, that the core works on. */
    listed: i32(N),
    seeds: f64(4),
  }
}

type Fields = ReturnType<typeof vectorFields>

/** Fills the record that ops read the vector from, and the constants of the physics. */
export function writeVector(
  { at, view }: { at: { [K in keyof Fields]: Pointer }; view: { vector: Uint32Array; constants: Float64Array } },
  spec: EnvironmentSpec,
  { rows, autoreset, seed }: { rows: number; autoreset: AutoresetMode; seed: Seed },
): void {
  vectorStruct.write(view.vector, {
    ...at,
    ...episodeNumbers(view, spec),
    rows,
    autoreset: Autoreset[autoreset],
    seedLo: seed.lo,
    seedHi: seed.hi,
  })
}
