/**
 * Posteriors by the names of their parameters, fitted without settings.
 *
 * @module steinrl/bayes
 */

export type { Agreement } from './bayes/agreement.ts'
export {
  type DiagnoseOptions,
  type Diagnosis,
  diagnose,
  type ModelParticles,
  type ScoredParticles,
  type Verdict,
} from './bayes/diagnose.ts'
export { columnsOf, type Draw, type Draws } from './bayes/draws.ts'
export { type Fit, type FitOptions, type FitStep, fitPosterior } from './bayes/fit.ts'
export type { Whitening } from './bayes/gaussian.ts'
export * as logp from './bayes/logp.ts'
export type { Mode } from './bayes/mode.ts'
export { type Generated, type Model, type ModelOptions, model, type Terms } from './bayes/model.ts'
export { type Parameters, parameters, type Start, type Supports, type Values } from './bayes/parameters.ts'
export { predict } from './bayes/predict.ts'
export { type Drawn, drawsToArviz, drawsToCsv, drawsToSafetensors, type Nested } from './bayes/save.ts'
export { type SummaryOptions, type SummaryRow, summary } from './bayes/summary.ts'
export {
  above,
  below,
  type Constrained,
  choleskyCorrelation,
  interval,
  ordered,
  positive,
  type RealOptions,
  real,
  type ScalarMath,
  type Shape,
  type Support,
  simplex,
} from './bayes/supports.ts'
export type { Evaluated, Target } from './bayes/target.ts'
export {
  type ScoredDraws,
  type SteinWeightsOptions,
  steinThinning,
  steinWeights,
  type ThinningOptions,
} from './bayes/thinning.ts'
export type { CompileMode } from './compile/compiled.ts'
export type { CoreSource } from './core/module.ts'
export type { Ops, Pointer } from './core/ops.ts'
export type { Minibatch } from './core/population.ts'
export type { Address, Bytes, StopSignal, WasmModule } from './core/runtime-types.ts'
export { startTfjs, type TfjsOptions, tf } from './nn/tfjs.ts'
export type { Score } from './svgd/scores.ts'
