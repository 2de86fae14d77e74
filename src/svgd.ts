/**
 * Stein variational gradient descent alone, without tfjs.
 *
 * @module steinrl/svgd
 */

export type { Arena } from './core/arena.ts'
export { RunError, UsageError } from './core/errors.ts'
export { exponential, type Generator, generator, normal, uniform, uniformInteger } from './core/generator.ts'
export type { Field, FieldType, Layout, Pointers, Views } from './core/layout.ts'
export { type CoreModule, type CoreSource, compileCore, compileRelaxedCore } from './core/module.ts'
export type { Ops, Pointer } from './core/ops.ts'
export type { Minibatch, Outputs, Population, PopulationScore } from './core/population.ts'
export type { Seed } from './core/random.ts'
export type { Address, Bytes, OwnFloat32Array, StopSignal, WasmMemory, WasmModule } from './core/runtime-types.ts'
export type { ThreadPool } from './core/thread-pool.ts'
export type { MinibatchOptions, MinibatchState } from './optim/minibatch.ts'
export {
  type AdagradOptions,
  type AdamOptions,
  adagrad,
  adam,
  type CoinOptions,
  coin,
  type Moment,
  type MomentArena,
  type Optimizer,
  type OptimizerArena,
  sgd,
} from './optim/optimizers.ts'
export { type RelativeAdamOptions, relativeAdam } from './optim/relative-adam.ts'
export {
  constant,
  cyclical,
  linearRamp,
  logLinearRamp,
  type RampOptions,
  type Schedule,
  type ScheduleLength,
  tanhRamp,
} from './optim/schedules.ts'
export {
  type BandwidthName,
  type BandwidthRule,
  bandwidthNames,
  DEFAULT_BANDWIDTH,
  type DistanceStatistics,
} from './svgd/bandwidth-rules.ts'
export { loadSvgd, saveSvgd } from './svgd/checkpoint.ts'
export {
  type Discrepancy,
  type DiscrepancyKernel,
  type DiscrepancyOptions,
  type FixedDiscrepancyKernel,
  type GoodnessOfFit,
  type GoodnessOfFitOptions,
  goodnessOfFit,
  steinDiscrepancy,
} from './svgd/discrepancy.ts'
export type { SteinInfo, Variant } from './svgd/fields.ts'
export {
  bilinearMatern,
  blockwise,
  type Coordinates,
  type CustomKernel,
  type GraphBlock,
  given,
  graphical,
  imq,
  type Kernel,
  type LinearMaps,
  linear,
  matern32,
  preconditioned,
  rbf,
  sliced,
  sumOf,
  type Term,
} from './svgd/kernels.ts'
export type { SvgdFields } from './svgd/memory.ts'
export { type NewtonOptions, svgdNewton } from './svgd/newton.ts'
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
