import { f32, f64, i32, struct, u8, u32 } from '../core/layout.ts'
import type { Pointer } from '../core/ops.ts'
import type { Seed } from '../core/random.ts'
import type { EnvironmentSpec } from './contract.ts'
import { sizeOf } from './spaces.ts'

/** As the class Vector in assembly/envs/vector.ts. */
export const vectorStruct = struct([
  'kind',
  'constants',
  'maxSteps',
  'observationSize',
  'actionSize',
  'rows',
  'autoreset',
  'seedLo',
  'seedHi',
  'state',
  'action',
  'observation',
  'reward',
  'terminated',
  'truncated',
  'elapsed',
  'episodeReturn',
  'episode',
  'ended',
  'finalObservation',
  'finalElapsed',
  'finalReturn',
])

/**
 * What happens to a row whose episode has ended, as Gymnasium's AutoresetMode has it: nothing until it is reset; its next
 * step ignores the action and shows the initial observation, with reward 0 and no flags; or it is reset in the same step.
 */
export const Autoreset = { disabled: 0, 'next-step': 1, 'same-step': 2 } as const
/** When an environment of a vector begins its next episode: in Gymnasium's words. */
export type AutoresetMode = keyof typeof Autoreset

/** N environments with physics in the core. */
export function vectorFields(spec: EnvironmentSpec, N: number) {
  const O = sizeOf(spec.observationSpace)
  return {
    vector: vectorStruct.field,
    constants: f64(Object.keys(spec.core?.constants ?? {}).length),
    /** [N, stateSize] */
    state: f64(N, spec.core?.stateSize ?? 0),
    /** [N, A] */
    action: f32(N, sizeOf(spec.actionSpace)),
    /** [N, O] */
    observation: f32(N, O),
    /** [N] */
    reward: f64(N),
    terminated: u8(N),
    truncated: u8(N),
    /** [N] steps since the last reset. */
    elapsed: i32(N),
    /** [N] rewards since the last reset. */
    episodeReturn: f64(N),
    /** [N] number of the running episode. */
    episode: u32(N),
    /** [N] 1 where the next step resets. */
    ended: u8(N),
    /** [N, O] what the episode that ended last in a row showed at its end; kept in mode same-step only. */
    finalObservation: f32(N, O),
    /** [N] its steps. */
    finalElapsed: i32(N),
    /** [N] its rewards. */
    finalReturn: f64(N),
  }
}

type Fields = ReturnType<typeof vectorFields>

/** Fills the record that ops read the vector from, and the constants of the physics. */
export function writeVector(
  { at, view }: { at: { [K in keyof Fields]: Pointer }; view: { vector: Uint32Array; constants: Float64Array } },
  spec: EnvironmentSpec,
  { rows, autoreset, seed }: { rows: number; autoreset: AutoresetMode; seed: Seed },
): void {
  view.constants.set(Object.values(spec.core?.constants ?? {}))
  vectorStruct.write(view.vector, {
    ...at,
    kind: spec.core?.kind ?? 0,
    maxSteps: spec.maxEpisodeSteps,
    observationSize: sizeOf(spec.observationSpace),
    actionSize: sizeOf(spec.actionSpace),
    rows,
    autoreset: Autoreset[autoreset],
    seedLo: seed.lo,
    seedHi: seed.hi,
  })
}
