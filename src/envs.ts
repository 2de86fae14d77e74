/**
 * The environments alone, without tfjs.
 *
 * @module steinrl/envs
 */

export type { Closable } from './core/disposable.ts'
export { RunError, UsageError } from './core/errors.ts'
export { exponential, type Generator, generator, normal, uniform, uniformInteger } from './core/generator.ts'
export { type CoreModule, type CoreSource, compileCore, compileRelaxedCore } from './core/module.ts'
export type { Address, Bytes, CanvasContext, NumberArray, WasmModule } from './core/runtime-types.ts'
export type { LoggedRows, RowLog, StatePart, StateReader, StateWriter, ValueSchema } from './core/state.ts'
export type { PlanckImport } from './envs/box2d/engine.ts'
export { type Box2dId, type Box2dOptions, box2d, box2dIds, isBox2dId } from './envs/box2d.ts'
export type { ConstantValue } from './envs/builtin.ts'
export { type CheckOptions, checkEnvironment, problemsOf } from './envs/check.ts'
export { configured, type MakeOptions } from './envs/configured.ts'
export type { Environment, EnvironmentSpec, Info, Making, Reset, Step } from './envs/contract.ts'
export {
  describeTask,
  type TaskDescription,
  type TaskOptions,
  taskFrom,
  type WrapperDescription,
} from './envs/description.ts'
export { flatSize, flatten, flattenSpace, unflatten } from './envs/flatten.ts'
export type { CellGrid } from './envs/grid.ts'
export { inTypeScript } from './envs/instances.ts'
export { type MadeEnvironment, type MadeState, make } from './envs/make.ts'
export type { EngineImport } from './envs/mujoco/engine.ts'
export {
  isMujocoId,
  type MujocoEnvironment,
  type MujocoId,
  type MujocoOptions,
  type MujocoSpec,
  mujoco,
  mujocoIds,
} from './envs/mujoco.ts'
export { goalReached, goalsAt, goalsOf } from './envs/multigoal.ts'
export { mazeCell, mazeCells, mazeWalls, type Wall, wallConstants } from './envs/point-maze.ts'
export { isPythonId, type PythonOptions, python } from './envs/python.ts'
export { environments } from './envs/registry.ts'
export {
  type Canvas,
  type Circle,
  circle,
  drawCanvas,
  drawSvg,
  type Line,
  line,
  type Point,
  type Polygon,
  polygon,
  rectangle,
  type Scene,
  type Shape,
  type SvgOptions,
  type Text,
  text,
} from './envs/render.ts'
export {
  type Action,
  type ActionSpace,
  type Box,
  box,
  contains,
  type Dict,
  type Discrete,
  dict,
  discrete,
  type Element,
  type MultiBinary,
  type MultiDiscrete,
  multiBinary,
  multiDiscrete,
  type Space,
  sampler,
  sizeOf,
  type Tuple,
  tuple,
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
  recording,
  timeLimit,
} from './envs/wrappers/episodes.ts'
export {
  flattenObservation,
  type StructuredEnvironment,
  type StructuredSpec,
} from './envs/wrappers/flatten-observation.ts'
export {
  type NormaliseObservationOptions,
  normaliseObservation,
  type ObservationRule,
} from './envs/wrappers/observations.ts'
export {
  episodicReward,
  type NormaliseRewardOptions,
  normaliseReward,
  type RewardRule,
  scaleReward,
  sparseReward,
} from './envs/wrappers/rewards.ts'
export { frozen, type RunningStatistics, runningStatistics } from './envs/wrappers/statistics.ts'
export { wrap } from './envs/wrappers/wrap.ts'
export { type Change, type Remaking, type Wrapper, wrapper } from './envs/wrappers/wrapper.ts'
