// tfjs for bundlers and for every runtime but Node. tfjs-layers is imported for its side effect: it registers the
// gradients, which tfjs-core alone does not have in Node.
import '@tensorflow/tfjs-layers'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import * as tf from '@tensorflow/tfjs-core'

export { setWasmPaths, tf }
