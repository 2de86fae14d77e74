/**
 * The algorithms as records of functions over a state, for loops of one's own.
 *
 * @module steinrl/algorithms
 */

export { type AdrState, adr } from './algorithms/adr/adr.ts'
export type { AdrInfo } from './algorithms/adr/metrics.ts'
export { type AdrConfig, type AdrOptions, randomisations } from './algorithms/adr/settings.ts'
export type { Algorithm, CommonOptions, Metrics, Saved } from './algorithms/algorithm.ts'
export {
  type AmortizedInfo,
  type AmortizedOptions,
  type AmortizedState,
  createAmortizedSVGD,
} from './algorithms/amortized-svgd/amortized-svgd.ts'
export { type S2acInfo, type S2acState, s2ac } from './algorithms/s2ac/s2ac.ts'
export type { S2acConfig, S2acOptions } from './algorithms/s2ac/settings.ts'
export { type SacInfo, type SacState, sac } from './algorithms/sac/sac.ts'
export type { SacConfig, SacOptions } from './algorithms/sac/settings.ts'
export type { SqlComposeConfig, SqlComposeOptions } from './algorithms/sql/compose-settings.ts'
export type { SqlConfig, SqlOptions } from './algorithms/sql/settings.ts'
export { type SqlInfo, type SqlState, sql } from './algorithms/sql/sql.ts'
export { type SqlComposeInfo, type SqlComposeState, sqlCompose } from './algorithms/sql/sql-compose.ts'
export { kernelMatrix } from './algorithms/svpg/kernel.ts'
export type { SvpgConfig, SvpgOptions } from './algorithms/svpg/settings.ts'
export { type SvpgInfo, type SvpgState, svpg } from './algorithms/svpg/svpg.ts'
export {
  constantsAt,
  type EvaluationGrid,
  evaluateGrid,
  type GridOptions,
  gridPoints,
  type Ranges,
} from './rl/randomisation.ts'
