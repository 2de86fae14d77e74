// tfjs in Node: the same files, which are CommonJS there. An import of CommonJS looks for the names that it exports by
// reading all of it, for tfjs 0.6 s of processor time, which require() does not.
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
require('@tensorflow/tfjs-layers')

export const tf = require('@tensorflow/tfjs-core') as typeof import('@tensorflow/tfjs-core')
export const { setWasmPaths } =
  require('@tensorflow/tfjs-backend-wasm') as typeof import('@tensorflow/tfjs-backend-wasm')
