import { f64, i32, u32 } from '../core/layout.ts'
import type { EnvironmentSpec } from './contract.ts'
import { actionSize, observationSize } from './spaces.ts'

/** As the class Episodes in assembly/envs/episodes.ts, with which the records of vectors and rollouts begin. */
export const episodeNames = [
  'kind',
  'constants',
  'maxSteps',
  'observationSize',
  'actionSize',
  'state',
  'elapsed',
  'episode',
  'episodeReturn',
] as const

/** The running episodes of rows of an environment. */
export function episodeFields({ core }: EnvironmentSpec, rows: number) {
  return {
    constants: f64(Object.keys(core?.constants ?? {}).length),
    /** [rows, stateSize] */
    state: f64(rows, core?.stateSize ?? 0),
    /** [rows] steps since the last reset. */
    elapsed: i32(rows),
    /** [rows] number of the running episode. */
    episode: u32(rows),
    /** [rows] rewards since the last reset. */
    episodeReturn: f64(rows),
  }
}

/** The numbers of the record, and the constants of the physics in their field. */
export function episodeNumbers({ constants }: { constants: Float64Array }, spec: EnvironmentSpec) {
  constants.set(Object.values(spec.core?.constants ?? {}))
  return {
    kind: spec.core?.kind ?? 0,
    maxSteps: spec.maxEpisodeSteps,
    observationSize: observationSize(spec),
    actionSize: actionSize(spec),
  }
}
