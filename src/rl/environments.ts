import { f32, f64, i32, struct, u32 } from '../core/arena.ts'
import type { Pointer } from '../core/ops.ts'
import type { EnvironmentSpec } from '../envs/contract.ts'
import { sizeOf } from '../envs/spaces.ts'

/** As the class Environments in assembly/rl/rollout.ts. */
export const environmentsStruct = struct([
  'kind',
  'constants',
  'maxSteps',
  'observationSize',
  'actionSize',
  'count',
  'state',
  'current',
  'elapsed',
  'episode',
  'episodeReturn',
  'finished',
  'finishedReturn',
])

/** The running environments of a population: E for each of n particles, and what they carry from one rollout to the next. */
export function environmentFields(spec: EnvironmentSpec, n: number, E: number) {
  return {
    environments: environmentsStruct.field,
    constants: f64(Object.keys(spec.core?.constants ?? {}).length),
    /** [n, E, stateSize] */
    state: f64(n, E, spec.core?.stateSize ?? 0),
    /** [n, E, O] what each environment shows now. */
    current: f32(n, E, observationSize(spec)),
    /** [n, E] steps since the last reset. */
    elapsed: i32(n, E),
    /** [n, E] number of the running episode. */
    episode: u32(n, E),
    /** [n, E] rewards of the running episode so far. */
    episodeReturn: f64(n, E),
    /** [n] episodes ended, and the sum of their returns. */
    finished: i32(n),
    finishedReturn: f64(n),
  }
}

export const observationSize = (spec: EnvironmentSpec) => sizeOf(spec.observationSpace)

export const actionSize = (spec: EnvironmentSpec) => sizeOf(spec.actionSpace)

type Fields = ReturnType<typeof environmentFields>

/** Fills the record that ops read the environments from, and the constants of the physics. */
export function writeEnvironments(
  { at, view }: { at: { [K in keyof Fields]: Pointer }; view: { environments: Uint32Array; constants: Float64Array } },
  spec: EnvironmentSpec,
  E: number,
): void {
  view.constants.set(Object.values(spec.core?.constants ?? {}))
  environmentsStruct.write(view.environments, {
    ...at,
    kind: spec.core?.kind ?? 0,
    maxSteps: spec.maxEpisodeSteps,
    observationSize: observationSize(spec),
    actionSize: actionSize(spec),
    count: E,
  })
}
