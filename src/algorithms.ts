/**
 * The algorithms as records of functions over a state, for loops of one's own.
 *
 * @module steinrl/algorithms
 */

export { type AdrState, adr } from './algorithms/adr/adr.ts'
export type { AdrInfo } from './algorithms/adr/metrics.ts'
export { type AdrConfig, type AdrOptions, randomisations } from './algorithms/adr/settings.ts'
export type { Algorithm, CommonOptions, Metrics, Saved, StateParts } from './algorithms/algorithm.ts'
export {
  type AmortizedInfo,
  type AmortizedOptions,
  type AmortizedState,
  createAmortizedSVGD,
} from './algorithms/amortized-svgd/amortized-svgd.ts'
export { loadAmortized, saveAmortized } from './algorithms/amortized-svgd/checkpoint.ts'
export type { AmortizedProblem } from './algorithms/amortized-svgd/directions.ts'
export { type S2acInfo, type S2acState, s2ac } from './algorithms/s2ac/s2ac.ts'
export type { S2acConfig, S2acOptions } from './algorithms/s2ac/settings.ts'
export { type SacInfo, type SacState, sac } from './algorithms/sac/sac.ts'
export type { SacConfig, SacOptions } from './algorithms/sac/settings.ts'
export type { SqlClassState } from './algorithms/sql/classes.ts'
export type { SqlComposeClassState } from './algorithms/sql/compose-classes.ts'
export type { SqlComposeConfig, SqlComposeOptions } from './algorithms/sql/compose-settings.ts'
export type { SqlComposeInfo, SqlInfo } from './algorithms/sql/info.ts'
export type { SqlConfig, SqlOptions } from './algorithms/sql/settings.ts'
export { type SqlState, sql } from './algorithms/sql/sql.ts'
export { type SqlComposeState, sqlCompose } from './algorithms/sql/sql-compose.ts'
export { type InteractingPolicies, kernelMatrix } from './algorithms/svpg/kernel.ts'
export type { SvpgConfig, SvpgOptions } from './algorithms/svpg/settings.ts'
export { type SvpgInfo, type SvpgState, svpg } from './algorithms/svpg/svpg.ts'
export type { RedisAddress, Workers } from './cluster/address.ts'
export type { CompileMode } from './compile/compiled.ts'
export { type OutputsExpression, type OutputsOptions, outputsOf } from './compile/outputs.ts'
export type { CoreModule, CoreSource } from './core/module.ts'
export type { Minibatch, Outputs, Population, PopulationScore } from './core/population.ts'
export type { Address, Bytes, NumberArray, WasmModule } from './core/runtime-types.ts'
export type { Entries } from './core/settings.ts'
export type { LoggedRows, RowLog, StatePart, StateReader, StateWriter, ValueSchema } from './core/state.ts'
export type { Environment, EnvironmentSpec, Info, Making, Reset, Step } from './envs/contract.ts'
export type { CellGrid } from './envs/grid.ts'
export type { Circle, Line, Point, Polygon, Scene, Shape, Text } from './envs/render.ts'
export type { Action, ActionSpace, Box, Discrete, MultiBinary, MultiDiscrete } from './envs/spaces.ts'
export type { Outcome, Transitions } from './envs/transitions.ts'
export type { Activation, Layer, Network } from './nn/network.ts'
export type { Head, HeadName, Policy, PolicyShape } from './nn/policy.ts'
export type { TfjsOptions } from './nn/tfjs.ts'
export type { MinibatchOptions } from './optim/minibatch.ts'
export type { Acting, ActionForm, ActOptions, AgentAction, Who } from './policy/request.ts'
export type { Agents, CommonAgents, DrawingAgents, Policies, PolicyAgents } from './rl/agents.ts'
export type { Baseline, Estimator } from './rl/estimator.ts'
export type { ParticleInfo, Visited } from './rl/evaluator.ts'
export type { Episodes } from './rl/off-policy.ts'
export {
  constantsAt,
  type EvaluationGrid,
  evaluateGrid,
  type GridOptions,
  gridPoints,
  type Ranges,
} from './rl/randomisation.ts'
export type { BandwidthName, BandwidthRule, DistanceStatistics } from './svgd/bandwidth-rules.ts'
export type { FixedDiscrepancyKernel } from './svgd/discrepancy.ts'
export type { SteinInfo, Variant } from './svgd/fields.ts'
export type { Coordinates, CustomKernel, GraphBlock, Kernel, LinearMaps, Term } from './svgd/kernels.ts'
export type { PerStateBandwidth, PerStateBandwidthName } from './svgd/per-state.ts'
export type { Score, Scores } from './svgd/scores.ts'
