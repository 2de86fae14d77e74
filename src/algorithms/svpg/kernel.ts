import { UsageError } from '../../core/errors.ts'
import { padded } from '../../core/layout.ts'
import { refuseNoState } from '../../core/options.ts'
import type { Policy } from '../../nn/policy.ts'
import { type Divergence, divergences } from '../../rl/visitation-density.ts'
import type { BandwidthRule } from '../../svgd/bandwidth-rules.ts'
import { blockwise, imq, type Kernel, matern32, rbf, sliced } from '../../svgd/kernels.ts'

/** Kernels on parameters, on outputs, and those on behaviour. */
const kernels = {
  ...{ rbf, matern32, imq },
  sliced: (options: { bandwidth: BandwidthRule }, seed: number) => sliced(rbf(options), { seed }),
} as const
export const kernelNames = [...(Object.keys(kernels) as (keyof typeof kernels)[]), 'function', ...divergences] as const
type KernelName = (typeof kernelNames)[number]

export const isDivergence = (name: KernelName): name is Divergence => (divergences as readonly string[]).includes(name)

/** Of its settings. */
interface ParameterKernel {
  readonly kernel: KernelName
  readonly bandwidth: BandwidthRule
  readonly perLayer: boolean
  readonly seed: number
}

/** The kernel on parameters that settings name. */
export function parameterKernel({ kernel, bandwidth, perLayer, seed }: ParameterKernel, { net, size }: Policy): Kernel {
  // With a kernel on functions the arena only has the room of one.
  const whole = kernels[kernel === 'function' ? 'rbf' : (kernel as keyof typeof kernels)]({ bandwidth }, seed)
  if (!perLayer) return whole
  const widths = net.layers.map(({ inputs, outputs }) => (inputs + 1) * outputs)
  // Standard deviations start equal in all particles: a block of their own would have no bandwidth, so they join the
  // last layer.
  widths[widths.length - 1] += size - net.size
  return blockwise(widths, whole)
}

/** ω in iteration t (from 0), the share of the exploration that a kernel on behaviour gives. */
export function explorationShare(
  { kernel, exploration }: { kernel: KernelName; exploration: number | 'anneal' },
  iterations?: number,
): (t: number) => number {
  if (!isDivergence(kernel)) return () => 0
  if (exploration !== 'anneal') return () => exploration
  if (iterations === undefined)
    throw new UsageError('exploration goes from 1 to 0 over the run: set iterations, or a fixed exploration.')
  return (t) => Math.max(1 - t / iterations, 0)
}

/** What kernelMatrix() reads of the state of svpg. */
export interface InteractingPolicies {
  readonly particles: number
  readonly config: { readonly interaction: string }
  readonly arena: { readonly view: { readonly kernel: Float32Array; readonly meanKernel: Float32Array } }
  /** Whose arena has the kernel instead, where it is on functions. */
  readonly functions?: Pick<InteractingPolicies, 'arena'> | null
}

/**
 * [n][n] the kernel matrix of the last step, with a kernel on each layer their mean; null where particles do not
 * interact.
 */
export function kernelMatrix(state: InteractingPolicies): number[][] | null {
  refuseNoState('kernelMatrix', state, 'svpg', 'svpg.init')
  const { arena, functions, particles: n, config } = state
  if (config.interaction !== 'stein' && config.interaction !== 'determinant') return null
  const { kernel, meanKernel } = (functions ?? { arena }).arena.view
  const matrix = meanKernel.length > 0 ? meanKernel : kernel
  return Array.from({ length: n }, (_, i) => [...matrix.subarray(i * padded(n), i * padded(n) + n)])
}
