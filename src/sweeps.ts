/**
 * Settings tried and compared: random, Sobol sequences, successive halving, and other programs' samplers.
 *
 * @module steinrl/sweeps
 */

export type { Metrics } from './algorithms/algorithm.ts'
export type { Address, NumberArray } from './core/runtime-types.ts'
export type { Environment, EnvironmentSpec, Info, Making, Reset, Step } from './envs/contract.ts'
export type { TaskDescription, WrapperDescription } from './envs/description.ts'
export type { CellGrid } from './envs/grid.ts'
export type { Circle, Line, Point, Polygon, Scene, Shape, Text } from './envs/render.ts'
export type { Action, ActionSpace, Box, Discrete, MultiBinary, MultiDiscrete } from './envs/spaces.ts'
export type { Outcome, Transitions } from './envs/transitions.ts'
export type { IterationMetrics } from './report/metrics.ts'
export type { TrialState } from './sweeps/journal.ts'
export type { ForeignSampler, SweepDescription, SweepObjective, SweepOptions } from './sweeps/plan.ts'
export type { SweepResult, SweepTrial } from './sweeps/result.ts'
export { sobol } from './sweeps/sobol.ts'
export type { SweepChoice, SweepRange, SweepSpace } from './sweeps/space.ts'
export { readSweep, runSweep, type SweepProgress } from './sweeps/sweep.ts'
export type { TrialProgress } from './sweeps/trial.ts'
export type { SinglePolicyName } from './train/single-policies.ts'
export type { AlgorithmName } from './train/train.ts'
