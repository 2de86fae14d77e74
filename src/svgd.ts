/**
 * Stein variational gradient descent alone, without tfjs.
 *
 * @module steinrl/svgd
 */

export { RunError, UsageError } from './core/errors.ts'
export { exponential, type Generator, generator, normal, uniform, uniformInteger } from './core/generator.ts'
export { type CoreSource, compileCore, compileRelaxedCore } from './core/module.ts'
export type { Minibatch, Population, PopulationScore } from './core/population.ts'
export type { MinibatchOptions } from './optim/minibatch.ts'
export {
  type AdagradOptions,
  type AdamOptions,
  adagrad,
  adam,
  type Optimizer,
  sgd,
} from './optim/optimizers.ts'
export { constant, cyclical, linearRamp, logLinearRamp, type Schedule, tanhRamp } from './optim/schedules.ts'
export {
  type BandwidthName,
  type BandwidthRule,
  bandwidthNames,
  DEFAULT_BANDWIDTH,
  type DistanceStatistics,
} from './svgd/bandwidth-rules.ts'
export {
  type Discrepancy,
  type DiscrepancyKernel,
  type DiscrepancyOptions,
  type GoodnessOfFit,
  type GoodnessOfFitOptions,
  goodnessOfFit,
  steinDiscrepancy,
} from './svgd/discrepancy.ts'
export type { SteinInfo, Variant } from './svgd/fields.ts'
export {
  blockwise,
  type CustomKernel,
  given,
  imq,
  type Kernel,
  linear,
  matern32,
  preconditioned,
  rbf,
  sumOf,
} from './svgd/kernels.ts'
export type { Score } from './svgd/scores.ts'
export {
  createSVGD,
  particlesOf,
  type StepOptions,
  type SvgdInfo,
  type SvgdOptions,
  type SvgdRun,
  type SvgdStart,
  type SvgdState,
  svgd,
} from './svgd/svgd.ts'
