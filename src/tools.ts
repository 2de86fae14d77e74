/**
 * What algorithms of one's own are made of, and what stands around the loop of train().
 *
 * @module steinrl/tools
 */

export type { Metrics } from './algorithms/algorithm.ts'
export type { CompileMode } from './compile/compiled.ts'
export { type LogDensity, type LogDensityOptions, logDensity } from './compile/log-density.ts'
export type { CoreSource } from './core/module.ts'
export type { Minibatch, Outputs, Population, PopulationScore } from './core/population.ts'
export type { Address, Bytes, NumberArray, StopSignal, WasmModule } from './core/runtime-types.ts'
export { decodeTensors, encodeTensors, type Tensor, type TensorFile } from './core/safetensors.ts'
export type { Environment, EnvironmentSpec, Info, Making, Reset, Step } from './envs/contract.ts'
export type { CellGrid } from './envs/grid.ts'
export type { Circle, Line, Point, Polygon, Scene, Shape, Text } from './envs/render.ts'
export type { Action, ActionSpace, Box, Discrete, MultiBinary, MultiDiscrete } from './envs/spaces.ts'
export type { Outcome, Transitions } from './envs/transitions.ts'
export {
  type BootstrapOptions,
  bootstrapIntervals,
  type Interval,
  interquartileMean,
  performanceProfile,
  probabilityOfImprovement,
  type RunScores,
} from './experiments/scores.ts'
export { importStableBaselines, type StableBaselinesOptions } from './export/import/stable-baselines.ts'
export { type LayersModelFiles, layersModel } from './export/layers.ts'
export { onnxModel } from './export/onnx.ts'
export type { SinglePolicy } from './export/parts.ts'
export { type EpisodesFile, type PlayedRun, type PlayRunOptions, playRun } from './export/play-run.ts'
export { type Activation, type Layer, mlp, type Network } from './nn/network.ts'
export type { Head, HeadName, Policy, PolicyShape } from './nn/policy.ts'
export { startTfjs, type TfjsOptions } from './nn/tfjs.ts'
export { type Episode, type EpisodeOptions, type PlayedEpisode, playEpisode } from './play/episode.ts'
export type { Bounds, Normalisation } from './policy/description.ts'
export type { Acting, ActionForm, ActOptions, AgentAction, Who } from './policy/request.ts'
export type { Evaluation, IterationMetrics } from './report/metrics.ts'
export type { Agents, CommonAgents, DrawingAgents, Policies, PolicyAgents } from './rl/agents.ts'
export { type Distilled, type DistilOptions, distil } from './rl/distil.ts'
export type { EvaluationGrid, Ranges } from './rl/randomisation.ts'
export {
  createReplay,
  mergeReplays,
  type Replay,
  type ReplaySizes,
  replayOf,
  store,
  type Transition,
  tensorsOf,
} from './rl/replay.ts'
export { type CheckpointStore, openCheckpointStore } from './train/checkpoint-store.ts'
export type { Logger } from './train/logger.ts'
export { logTo } from './train/loggers.ts'
export {
  type Best,
  checkpointEvery,
  type Evaluated,
  type EvaluateEveryOptions,
  evaluateEvery,
  everyIterations,
  type KeepBestOptions,
  keepBest,
  type LoopStep,
  type Passing,
  pipe,
  type StepHelper,
  type StopAtOptions,
  type StopOptions,
  type StopWithoutImprovementOptions,
  stopAt,
  stopWithoutImprovement,
  type WithBest,
} from './train/loop.ts'
export { type MlflowOptions, mlflowLogger } from './train/mlflow.ts'
