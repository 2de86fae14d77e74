// tfjs in Node: the same files, which are CommonJS there. Before Node 24 an import of CommonJS looks through all of it
// for the names that it exports, for tfjs half a second, which require() does not.
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
require('@tensorflow/tfjs-layers')

export const tf = require('@tensorflow/tfjs-core') as typeof import('@tensorflow/tfjs-core')
export const { setWasmPaths } =
  require('@tensorflow/tfjs-backend-wasm') as typeof import('@tensorflow/tfjs-backend-wasm')
