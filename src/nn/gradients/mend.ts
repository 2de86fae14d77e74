import { tf } from '#tfjs'
import { registerChainedOps } from './chained.ts'
import { registerEinsum } from './einsum.ts'
import { differentiateElementwise } from './elementwise.ts'
import { differentiateImages } from './images.ts'
import { differentiateIndexing } from './indexing.ts'
import { registerKernels } from './kernels.ts'
import { guardMemory } from './memory.ts'
import { refuseRoundingUp, registerMaxPoolGradient } from './pooling.ts'
import { differentiateProducts } from './products.ts'
import { differentiateReductions } from './reductions.ts'
import { refuseTheRest } from './refusals.ts'
import { mendTape } from './tape.ts'

const mended = new WeakSet<object>()

/**
 * Makes tfjs's gradients right where they are silently wrong, adds those that are missing, and has the rest refused by
 * name. Holds for every gradient that its one tfjs takes. docs/tfjs.md has the list.
 */
export function mendGradients(): void {
  const engine = tf.engine()
  if (mended.has(engine)) return
  mended.add(engine)
  mendTape()
  registerChainedOps()
  if (tf.getBackend() === 'wasm') {
    guardMemory()
    registerKernels()
    registerEinsum()
    registerMaxPoolGradient()
    refuseRoundingUp()
  }
  differentiateElementwise()
  differentiateReductions()
  differentiateIndexing()
  differentiateProducts()
  differentiateImages()
  refuseTheRest()
}
