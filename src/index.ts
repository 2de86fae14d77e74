/**
 * The package: train, evaluate, fit and look. More of each subject is in steinrl/svgd, /envs, /bayes, /algorithms,
 * /render and /tools.
 *
 * @module steinrl
 */

export type { AdrState } from './algorithms/adr/adr.ts'
export type { AdrInfo } from './algorithms/adr/metrics.ts'
export type { AdrConfig, AdrOptions } from './algorithms/adr/settings.ts'
export type { Algorithm, CommonOptions, Metrics, Saved, StateParts } from './algorithms/algorithm.ts'
export {
  type AmortizedInfo,
  type AmortizedOptions,
  type AmortizedState,
  createAmortizedSVGD,
} from './algorithms/amortized-svgd/amortized-svgd.ts'
export type { AmortizedProblem } from './algorithms/amortized-svgd/directions.ts'
export type { S2acInfo, S2acState } from './algorithms/s2ac/s2ac.ts'
export type { S2acConfig, S2acOptions } from './algorithms/s2ac/settings.ts'
export type { SacInfo, SacState } from './algorithms/sac/sac.ts'
export type { SacConfig, SacOptions } from './algorithms/sac/settings.ts'
export type { SqlClassState } from './algorithms/sql/classes.ts'
export type { SqlComposeClassState } from './algorithms/sql/compose-classes.ts'
export type { SqlComposeConfig, SqlComposeOptions } from './algorithms/sql/compose-settings.ts'
export type { SqlComposeInfo, SqlInfo } from './algorithms/sql/info.ts'
export type { SqlConfig, SqlOptions } from './algorithms/sql/settings.ts'
export type { SqlState } from './algorithms/sql/sql.ts'
export type { SqlComposeState } from './algorithms/sql/sql-compose.ts'
export type { SvpgConfig, SvpgOptions } from './algorithms/svpg/settings.ts'
export type { SvpgInfo, SvpgState } from './algorithms/svpg/svpg.ts'
export type { RedisAddress, Workers } from './cluster/address.ts'
export type { CompileMode } from './compile/compiled.ts'
export { type LogDensity, type LogDensityOptions, logDensity } from './compile/log-density.ts'
export type { Arena } from './core/arena.ts'
export type { Closable } from './core/disposable.ts'
export { RunError, UsageError } from './core/errors.ts'
export { type Generator, generator, normal, uniform } from './core/generator.ts'
export type { Field, FieldType, Layout, Pointers, Views } from './core/layout.ts'
export { type CoreModule, type CoreSource, compileCore } from './core/module.ts'
export type { Ops, Pointer } from './core/ops.ts'
export type { Minibatch, Outputs, Population, PopulationScore } from './core/population.ts'
export type { Seed } from './core/random.ts'
export type {
  Address,
  Bytes,
  CanvasContext,
  NumberArray,
  OwnFloat32Array,
  StopSignal,
  WasmMemory,
  WasmModule,
} from './core/runtime-types.ts'
export type { Tensor, TensorFile } from './core/safetensors.ts'
export type { Entries } from './core/settings.ts'
export type {
  LoggedRows,
  ReadContent,
  RowLog,
  StateContent,
  StatePart,
  StateReader,
  StateWriter,
  ValueSchema,
} from './core/state.ts'
export type { CurveEstimate, Estimate, Value } from './core/statistics.ts'
export type { ThreadPool } from './core/thread-pool.ts'
export type { ConstantValue } from './envs/builtin.ts'
export { type CheckOptions, checkEnvironment, problemsOf } from './envs/check.ts'
export type { MakeOptions } from './envs/configured.ts'
export type { Environment, EnvironmentSpec, Info, Making, Reset, Step } from './envs/contract.ts'
export type { TaskDescription, WrapperDescription } from './envs/description.ts'
export type { CellGrid } from './envs/grid.ts'
export { type MadeEnvironment, type MadeState, make } from './envs/make.ts'
export type { EngineImport } from './envs/mujoco/engine.ts'
export { type MujocoEnvironment, type MujocoId, type MujocoOptions, type MujocoSpec, mujoco } from './envs/mujoco.ts'
export type { Wall } from './envs/point-maze.ts'
export { environments } from './envs/registry.ts'
export {
  type Canvas,
  type Circle,
  drawSvg,
  type Line,
  type Point,
  type Polygon,
  type Scene,
  type Shape,
  type SvgOptions,
  type Text,
} from './envs/render.ts'
export {
  type Action,
  type ActionSpace,
  type Box,
  box,
  type Dict,
  type Discrete,
  discrete,
  type Element,
  type MultiBinary,
  type MultiDiscrete,
  type Space,
  sampler,
  type Tuple,
} from './envs/spaces.ts'
export type { Outcome, Transitions } from './envs/transitions.ts'
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
  timeLimit,
} from './envs/wrappers/episodes.ts'
export {
  type NormaliseObservationOptions,
  normaliseObservation,
  type ObservationRule,
} from './envs/wrappers/observations.ts'
export { type NormaliseRewardOptions, normaliseReward, type RewardRule, scaleReward } from './envs/wrappers/rewards.ts'
export { frozen, type RunningStatistics, runningStatistics } from './envs/wrappers/statistics.ts'
export { wrap } from './envs/wrappers/wrap.ts'
export { type Change, type Remaking, type Wrapper, wrapper } from './envs/wrappers/wrapper.ts'
export type { Comparison, Improvement, MeasureEstimate, Profile } from './experiments/comparison.ts'
export { readExperiment } from './experiments/directory.ts'
export { type ExperimentProgress, runExperiment } from './experiments/experiment.ts'
export type { PresetGrid } from './experiments/grid.ts'
export type { Measures, PopulationCurves } from './experiments/measures.ts'
export type { DescribedVariant, Description, ExperimentOptions } from './experiments/plan.ts'
export type { ExperimentSettings, ExperimentVariant, Preset, Published } from './experiments/preset.ts'
export { presetNamed, presets } from './experiments/presets.ts'
export type { RunProgress } from './experiments/run-job.ts'
export type { Interval } from './experiments/scores.ts'
export type { ExperimentSummary, RunResult, VariantSummary } from './experiments/summary.ts'
export { onnxModel } from './export/onnx.ts'
export type { SinglePolicy } from './export/parts.ts'
export { type ExportFormat, type ExportOptions, exportFormats, exportRun } from './export/run.ts'
export type { Activation, Layer, Network } from './nn/network.ts'
export type { Head, HeadName, Policy, PolicyShape } from './nn/policy.ts'
export { startTfjs, type TfjsOptions } from './nn/tfjs.ts'
export type { MinibatchOptions, MinibatchState } from './optim/minibatch.ts'
export {
  type AdagradOptions,
  type AdamOptions,
  adam,
  type Moment,
  type MomentArena,
  type Optimizer,
  type OptimizerArena,
} from './optim/optimizers.ts'
export type { Schedule } from './optim/schedules.ts'
export {
  type Bounds,
  encodePolicy,
  type Normalisation,
  type PolicyDescription,
  type PopulationToExport,
} from './policy/description.ts'
export type { Acting, ActionForm, ActOptions, AgentAction, Who } from './policy/request.ts'
export type { Evaluation, IterationEvaluation, IterationMetrics, RunSummary, ShownEpisode } from './report/metrics.ts'
export type { Agents, CommonAgents, DrawingAgents, Policies, PolicyAgents } from './rl/agents.ts'
export type { Baseline, Estimator } from './rl/estimator.ts'
export type { ParticleInfo, Visited } from './rl/evaluator.ts'
export type { Episodes } from './rl/off-policy.ts'
export { type EvaluationGrid, evaluateGrid, type GridOptions, type Ranges } from './rl/randomisation.ts'
export type { Replay } from './rl/replay.ts'
export type { BandwidthName, BandwidthRule, DistanceStatistics } from './svgd/bandwidth-rules.ts'
export {
  type Discrepancy,
  type DiscrepancyKernel,
  type DiscrepancyOptions,
  type FixedDiscrepancyKernel,
  type GoodnessOfFit,
  type GoodnessOfFitOptions,
  steinDiscrepancy,
} from './svgd/discrepancy.ts'
export type { SteinInfo, Variant } from './svgd/fields.ts'
export {
  type Coordinates,
  type CustomKernel,
  type GraphBlock,
  imq,
  type Kernel,
  type LinearMaps,
  rbf,
  type Term,
} from './svgd/kernels.ts'
export type { SvgdFields } from './svgd/memory.ts'
export type { PerStateBandwidth, PerStateBandwidthName } from './svgd/per-state.ts'
export type { Score, Scored, Scores } from './svgd/scores.ts'
export type { SvgdStart } from './svgd/start.ts'
export {
  createSVGD,
  particlesOf,
  type StepOptions,
  type SvgdInfo,
  type SvgdOptions,
  type SvgdRun,
  type SvgdState,
  svgd,
} from './svgd/svgd.ts'
export type { Checkpoint, CheckpointAbout, LogPlace, Snapshot, SnapshotAbout } from './train/checkpoint.ts'
export type { FoundCheckpoint, KeptCheckpoints } from './train/checkpoint-files.ts'
export { continueRun } from './train/continue-run.ts'
export type { Evaluated } from './train/loop.ts'
export { encodeParticles } from './train/particles-file.ts'
export { createRun, finishRun, type RecordOptions, record } from './train/record.ts'
export { renderReport } from './train/report.ts'
export type { ResumeOptions } from './train/resume.ts'
export type { Run } from './train/run.ts'
export { type LoadOptions, loadAgents, readRun, type SavedPopulation } from './train/run-directory.ts'
export type { SinglePolicyName, SinglePolicyOptions } from './train/single-policies.ts'
export {
  type AlgorithmName,
  type AnyTrainOptions,
  type AnyTrainStep,
  algorithms,
  type EvaluateOptions,
  evaluate,
  type RunConfig,
  runConfig,
  type TrainOptions,
  type TrainStep,
  train,
} from './train/train.ts'
