/**
 * What algorithms of one's own are made of.
 *
 * @module steinrl/tools
 */

export type { CompileMode } from './compile/compiled.ts'
export { type LogDensity, type LogDensityOptions, logDensity } from './compile/log-density.ts'
export type { CoreSource } from './core/module.ts'
export type { Minibatch, Population, PopulationScore } from './core/population.ts'
export type { Address, Bytes, NumberArray, WasmModule } from './core/runtime-types.ts'
export { decodeTensors, encodeTensors, type Tensor, type TensorFile } from './core/safetensors.ts'
export { type LayersModelFiles, layersModel } from './export/layers.ts'
export { onnxModel } from './export/onnx.ts'
export type { SinglePolicy } from './export/parts.ts'
export { type Activation, type Layer, mlp, type Network } from './nn/network.ts'
export type { Head, HeadName, Policy, PolicyShape } from './nn/policy.ts'
export { startTfjs, type TfjsOptions } from './nn/tfjs.ts'
export type { Bounds, Normalisation } from './policy/description.ts'
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
