/**
 * What algorithms of one's own are made of.
 *
 * @module steinrl/tools
 */

export { type LogDensity, logDensity } from './compile/log-density.ts'
export { decodeTensors, encodeTensors, type Tensor, type TensorFile } from './core/safetensors.ts'
export { layersModel } from './export/layers.ts'
export { onnxModel } from './export/onnx.ts'
export type { SinglePolicy } from './export/parts.ts'
export { type Activation, type Layer, mlp, type Network } from './nn/network.ts'
export { startTfjs, type TfjsOptions } from './nn/tfjs.ts'
export { createReplay, mergeReplays, type Replay, replayOf, store, tensorsOf } from './rl/replay.ts'
