// Algorithms
export { type SvpgConfig, type SvpgInfo, type SvpgOptions, type SvpgState, svpg } from './algorithms/svpg.ts'
// Core
export { RunError, UsageError } from './core/errors.ts'
export { exponential, type Generator, generator, normal, uniform, uniformInteger } from './core/generator.ts'
export { type CoreSource, compileCore, compileRelaxedCore } from './core/module.ts'
export type { Minibatch, Population, PopulationScore } from './core/population.ts'
export { type CheckOptions, checkEnvironment, problemsOf } from './envs/check.ts'
export type { Environment, EnvironmentSpec, Info, Reset, Step } from './envs/contract.ts'
export type { Grid } from './envs/grid.ts'
export { inTypeScript } from './envs/instances.ts'
export { type MadeEnvironment, type MadeState, type MakeOptions, make } from './envs/make.ts'
// Environments
export {
  isMujocoId,
  type MujocoEnvironment,
  type MujocoId,
  type MujocoOptions,
  type MujocoSpec,
  mujoco,
  mujocoIds,
} from './envs/mujoco.ts'
export { goalReached, goalsOf } from './envs/multigoal.ts'
export { mazeCell, mazeCells, mazeWalls, type Wall, wallConstants } from './envs/point-maze.ts'
export { environments } from './envs/registry.ts'
export {
  type Canvas,
  circle,
  drawCanvas,
  drawSvg,
  line,
  type Point,
  polygon,
  rectangle,
  type Scene,
  type Shape,
  type SvgOptions,
  text,
} from './envs/render.ts'
export {
  type Action,
  type Box,
  box,
  contains,
  type Discrete,
  discrete,
  flatSize,
  flatten,
  type Space,
  sampler,
  sizeOf,
} from './envs/spaces.ts'
export {
  type MakeVectorOptions,
  makeVector,
  type VectorEnvironment,
  type VectorInfo,
  type VectorReset,
  type VectorStep,
} from './envs/vector.ts'
export type { AutoresetMode } from './envs/vector-fields.ts'
export { clipAction, repeatAction, rescaleAction } from './envs/wrappers/actions.ts'
export {
  episodeStatistics,
  type RecordedEpisode,
  type Recording,
  recordEpisodes,
  recording,
  timeLimit,
} from './envs/wrappers/episodes.ts'
export { type NormaliseObservationOptions, normaliseObservation } from './envs/wrappers/observations.ts'
export {
  episodicReward,
  type NormaliseRewardOptions,
  normaliseReward,
  scaleReward,
  sparseReward,
} from './envs/wrappers/rewards.ts'
export { frozen, type RunningStatistics, runningStatistics } from './envs/wrappers/statistics.ts'
export { type Change, type Wrapper, wrap, wrapper } from './envs/wrappers/wrapper.ts'
// Experiments
export { type ExperimentProgress, readExperiment, runExperiment } from './experiments/experiment.ts'
export type { ExperimentOptions } from './experiments/plan.ts'
export {
  type ExperimentSettings,
  type ExperimentVariant,
  type Preset,
  type Published,
  presetNamed,
  presets,
} from './experiments/presets.ts'
export type { ExperimentSummary, RunResult, VariantSummary } from './experiments/summary.ts'
// Networks
export { type Activation, type Layer, mlp, type Network } from './nn/network.ts'
export { type LogDensity, logDensity } from './nn/score.ts'
export { startTfjs, type TfjsOptions } from './nn/tfjs.ts'
// Stein variational gradient descent
export { constant, cyclical, linearRamp, logLinearRamp, type Schedule, tanhRamp } from './svgd/annealing.ts'
export {
  type BandwidthName,
  type BandwidthRule,
  bandwidthNames,
  DEFAULT_BANDWIDTH,
  type DistanceStatistics,
} from './svgd/bandwidth.ts'
export type { SteinInfo, Variant } from './svgd/direction.ts'
export {
  type Discrepancy,
  type DiscrepancyKernel,
  type DiscrepancyOptions,
  type GoodnessOfFit,
  type GoodnessOfFitOptions,
  goodnessOfFit,
  steinDiscrepancy,
} from './svgd/discrepancy.ts'
export {
  blockwise,
  type GivenKernel,
  given,
  imq,
  type Kernel,
  linear,
  matern32,
  preconditioned,
  rbf,
  sumOf,
} from './svgd/kernels.ts'
export type { MinibatchOptions } from './svgd/minibatch.ts'
export {
  type AdagradOptions,
  type AdamOptions,
  adagrad,
  adam,
  type Optimizer,
  sgd,
} from './svgd/optimizers.ts'
export {
  createSVGD,
  particlesOf,
  type Score,
  type StepOptions,
  type SvgdInfo,
  type SvgdOptions,
  type SvgdRun,
  type SvgdStart,
  type SvgdState,
  svgd,
} from './svgd/svgd.ts'
// Training and its results
export type { Evaluation, IterationMetrics, RunSummary } from './train/metrics.ts'
export { renderReport } from './train/report.ts'
export { createRun, finishRun, type Run, readRun, record, type SavedPopulation } from './train/run-directory.ts'
export { decodeTensors, encodeTensors, type Tensor, type TensorFile } from './train/safetensors.ts'
export {
  type AlgorithmName,
  algorithms,
  type EvaluateOptions,
  evaluate,
  kernelMatrix,
  runConfig,
  type TrainOptions,
  type TrainStep,
  train,
} from './train/train.ts'
