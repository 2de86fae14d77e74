import { tf } from '#tfjs'
import { UsageError } from '../../core/errors.ts'

const PARTS = 'Write real and imaginary parts as two tensors.'
const FOURIER = 'Multiply by a matrix of cosines and one of sines with tf.matMul.'
const CONVOLUTION = 'Write the convolution as tf.slice and tf.matMul.'
const COUNTING = 'Compare with tf.less and sum.'

/** What to write instead of ops that have no gradient, or that tfjs's WASM backend cannot run. */
const instead: Readonly<Record<string, string>> = {
  Complex: PARTS,
  ComplexAbs: PARTS,
  Real: PARTS,
  Imag: PARTS,
  FFT: FOURIER,
  IFFT: FOURIER,
  Conv2DBackpropFilter: CONVOLUTION,
  DepthwiseConv2dNativeBackpropFilter: CONVOLUTION,
  DepthwiseConv2dNativeBackpropInput: CONVOLUTION,
  Conv3DBackpropFilterV2: CONVOLUTION,
  Conv3DBackpropInputV2: CONVOLUTION,
  TensorScatterUpdate: 'Write tf.where(mask, updates, x) with a constant mask.',
  SparseToDense: 'Write tf.scatterND.',
  SparseSegmentSum: 'Write tf.unsortedSegmentSum(tf.gather(x, indices), ids, count).',
  SparseSegmentMean: 'Write tf.unsortedSegmentSum(tf.gather(x, indices), ids, count), divided by the counts.',
  MaxPoolWithArgmax: 'Write tf.maxPool.',
  SearchSorted: COUNTING,
  LowerBound: COUNTING,
  UpperBound: COUNTING,
  Bincount: COUNTING,
  DenseBincount: COUNTING,
  Multinomial: 'Draw outside of the function that is differentiated, and hand the draws in.',
}

/** Kernels of tfjs-core that no other backend than the WASM one is asked for, and that it lacks. */
const lacking = [
  ...[tf.Complex, tf.ComplexAbs, tf.Real, tf.Imag, tf.FFT, tf.IFFT],
  ...[tf.Conv2DBackpropFilter, tf.DepthwiseConv2dNativeBackpropFilter, tf.DepthwiseConv2dNativeBackpropInput],
  ...[tf.LowerBound, tf.UpperBound],
]

/**
 * Registers one sentence where tfjs would name its insides: for every kernel without a gradient, and for those that the
 * WASM backend lacks. Comes after all gradients.
 */
export function refuseTheRest(): void {
  for (const kernelName of lacking) {
    if (tf.getKernel(kernelName, 'wasm')) continue
    tf.registerKernel({
      kernelName,
      backendName: 'wasm',
      kernelFunc: () => refuse(`tfjs's WASM backend has no ${kernelName}`, kernelName),
    })
  }
  for (const { kernelName } of tf.getKernelsForBackend('wasm')) {
    if (tf.getGradient(kernelName)) continue
    tf.registerGradient({ kernelName, gradFunc: () => refuse(`tfjs has no gradient of ${kernelName}`, kernelName) })
  }
}

function refuse(what: string, name: string): never {
  throw new UsageError(
    `${what}. ${instead[name] ?? 'Write it in other ops; docs/tfjs.md lists those with a gradient.'}`,
  )
}
