import { type CompiledGradient, type CompiledValues, compiledGradient, compiledValues } from '../../compile/compiled.ts'
import { type Arena, createArena } from '../../core/arena.ts'
import { RunError, UsageError } from '../../core/errors.ts'
import type { CoreModule } from '../../core/module.ts'
import { joined, mean, meanNorm, rowAt, unpadded } from '../../core/rows.ts'
import { forward } from '../../nn/forward.ts'
import { type ObjectiveOptions, objectiveOfOutputs } from '../../nn/losses.ts'
import { actionWidth, factorsOf, type Policy } from '../../nn/policy.ts'
import { beginTfjs, type TfjsOptions, tf } from '../../nn/tfjs.ts'
import type { Probes } from '../../rl/evaluator.ts'
import type { BandwidthRule } from '../../svgd/bandwidth-rules.ts'
import { steinDirection } from '../../svgd/direction.ts'
import { type SteinArena, type SteinInfo, steinFields } from '../../svgd/fields.ts'
import { type Kernel, rbf } from '../../svgd/kernels.ts'
import { estimatorObjective } from '../policy-gradient/policy-gradient.ts'
import { volumeGradient } from './determinant.ts'
import { isMutual } from './interaction.ts'
import type { SvpgConfig } from './settings.ts'

/**
 * SVGD on what policies are as functions. At P = n m probe states X, m drawn from the rollout of each policy and shared
 * by all, a policy is the outputs f_i = f(X; θ_i) [P × K] of its network, those of a categorical head less their mean
 * over the classes, which changes no probability; log σ of a Gaussian head stands behind them. With J_i = ∂f_i/∂θ_i
 *
 *     φ(θ_i) = s_i/n + J_iᵀ 1/n [ Σ_{j≠i} k(f_j, f_i) g_j + Σ_j ∇_{f_j} k(f_j, f_i) ],   k(f, f) = 1
 *
 * The score in function space is the gradient by the outputs, and it exists where policy j has been: g_j is (1/α) times
 * Σ_b w_b ∇_f log π_f(a_b|s_b) at its own m probe states, 0 at the others, an unbiased estimate of that over the whole
 * rollout, whose pull-back through θ_i moves policy i where j was as j would move. Of its own score policy i has all
 * rows, J_iᵀ g_i = s_i, and so its own term stays the full policy gradient. A prior is on parameters, is part of s_i
 * and is not shared; steps of self-imitation are not shared either.
 *
 * With the interaction 'determinant' nothing is shared, and in place of the repulsion stands the gradient of the
 * logarithm of the volume of all policies, determinant.ts: φ(θ_i) = 1/n [ s_i + J_iᵀ ∇_{f_i} log det(K + εI) ].
 *
 * Source: Wang, Ren, Zhu & Zhang 2019 (arXiv 1902.09754), equation 4, for posteriors; the score is ours.
 */
export interface FunctionSpace {
  readonly policy: Policy
  readonly particles: number
  readonly kernel: Kernel
  /** theta are the outputs [n, F], score the gradients by them, direction what is pulled back. */
  readonly arena: Arena<ReturnType<typeof steinFields>>
  readonly objective: ObjectiveOptions
  /** m */
  readonly probeStates: number
  /** [P] the probe states of all policies, those of each after the other; null before the first rollout. */
  probes: Probes | null
  /** Whether policies act on each other by their scores in this pass. */
  isSharing: boolean
  readonly outputs: CompiledValues
  readonly pullBack: CompiledGradient
  readonly differentiate: CompiledGradient
}

interface FunctionSpaceOptions {
  /** m */
  readonly probeStates: number
  readonly bandwidth: BandwidthRule
  /** What the policy gradient is of. */
  readonly objective: ObjectiveOptions
  readonly tfjs?: TfjsOptions
}

/** @throws UsageError for fewer probe states than outputs of a policy */
export async function createFunctionSpace(
  core: CoreModule,
  n: number,
  policy: Policy,
  { probeStates, bandwidth, objective, tfjs }: FunctionSpaceOptions,
): Promise<FunctionSpace> {
  const states = n * probeStates
  const outputs = outputsOf(policy)
  if (states < outputs)
    throw new UsageError(
      `A kernel on functions needs at least as many probe states as the ${outputs} outputs of a policy, ` +
        `got ${states}: ${probeStates} of each of ${n} policies.`,
    )
  await beginTfjs({ ...tfjs, core })
  const kernel = rbf({ bandwidth })
  const arena = await createArena(core, steinFields(n, states * outputs + freeOf(policy), { kernel, norms: false }))
  return {
    ...{ policy, particles: n, kernel, arena, objective, probeStates, probes: null, isSharing: true },
    outputs: compiledValues({ name: 'The outputs at probe states' }),
    pullBack: compiledGradient({ name: 'The pull-back to parameters' }),
    differentiate: compiledGradient({ name: 'The objective of outputs', varies: true }),
  }
}

/** Null where the kernel is not on functions, or there is none. */
export async function functionsFor(
  config: SvpgConfig,
  { core, n, policy, tfjs }: { core: CoreModule; n: number; policy: Policy; tfjs?: TfjsOptions },
): Promise<FunctionSpace | null> {
  const { kernel, interaction, probeStates, bandwidth } = config
  if (kernel !== 'function' || !isMutual(interaction)) return null
  return createFunctionSpace(core, n, policy, { probeStates, bandwidth, objective: estimatorObjective(config), tfjs })
}

/** K, and how many parameters of the head are outputs at every state. */
const outputsOf = ({ net }: Policy) => net.widths[net.widths.length - 1]
const freeOf = ({ net, size }: Policy) => size - net.size

/**
 * Takes the probe states of all policies, one after the other, for the steps until the next rollout.
 *
 * @throws RunError where those of a policy are not as many as they should be
 */
export function takeProbes(space: FunctionSpace, probes: readonly Probes[]): void {
  const { policy, probeStates: m } = space
  const sizes = { observation: m * policy.observations, action: m * actionWidth(policy.head), weight: m, logProb: m }
  probes.forEach((each, i) => {
    for (const [name, size] of Object.entries(sizes) as [keyof Probes, number][]) {
      const count = each?.[name]?.length ?? 'no'
      if (count !== size)
        throw new RunError(
          `Policy ${i} came back with ${count} numbers of ${name} at its ${m} probe states, not ${size}.`,
        )
    }
  })
  space.probes = {
    observation: joined(probes.map(({ observation }) => observation)),
    action: joined(probes.map(({ action }) => action)),
    weight: joined(probes.map(({ weight }) => weight)),
    logProb: joined(probes.map(({ logProb }) => logProb)),
  }
}

/** What the direction is made of beside the scores of the policies themselves. */
interface FunctionVariant {
  /** Whether others act by their scores, or by the repulsion alone. */
  readonly isSharing: boolean
  /** Whether the volume of all pushes them apart instead of pairs. Default false. */
  readonly byVolume?: boolean
  /** 1/α */
  readonly inverse: number
  readonly repulsion: number
}

/**
 * From theta and score s of the policies to direction, in place. The measures of drive, repulsion and sharing are of
 * parameters, those of the kernel of outputs.
 */
export function functionDirection(
  { view }: Pick<SteinArena, 'view'>,
  space: FunctionSpace,
  { isSharing, byVolume, inverse, repulsion }: FunctionVariant,
): SteinInfo {
  const { policy, particles: n, arena, kernel } = space
  const dimension = stateOutputs(space) + freeOf(policy)
  const size = { particles: n, dimension }
  outputsInto(space, view.theta)
  arena.view.score.fill(0)
  if (isSharing && space.isSharing) scoresInto(space, view.theta, inverse)
  steinDirection(arena, size, kernel, { repulsion: 0 })
  // Its own term is the policy gradient on all rows.
  const { direction, score } = arena.view
  for (let k = 0; k < direction.length; k++) direction[k] -= score[k] / n
  const shared = pulledBack(space, view.theta)
  const info = steinDirection(arena, size, kernel, { drive: 0, repulsion })
  if (byVolume) volumeGradient(arena, n, info.bandwidth, repulsion / n)
  const apart = pulledBack(space, view.theta)
  const drive = new Float32Array(shared.length)
  for (let i = 0; i < n; i++) {
    const [own, out] = [rowAt(view.score, n, policy.size, i), rowAt(view.direction, n, policy.size, i)]
    for (let c = 0, k = i * policy.size; c < policy.size; c++, k++) {
      drive[k] = own[c] / n + shared[k]
      out[c] = drive[k] + apart[k]
    }
  }
  const norm = (rows: Float32Array) => meanNorm(rows, policy.size)
  return { ...info, drive: norm(drive), repulsion: norm(apart), sharing: norm(shared) }
}

const stateOutputs = ({ policy, probes }: FunctionSpace) => statesOf(policy, probes) * outputsOf(policy)

function statesOf({ observations }: Policy, probes: Probes | null): number {
  if (!probes) throw new UsageError('A kernel on functions needs a rollout: svpg.evaluate comes before svpg.move.')
  return probes.observation.length / observations
}

/** f_i into the rows of the space. */
function outputsInto(space: FunctionSpace, theta: Float32Array): void {
  const { policy, particles: n, arena } = space
  const width = stateOutputs(space)
  const [values] = space.outputs(() => [outputsAt(space, tf.tensor2d(networks(space, theta), [n, policy.net.size]))])
  for (let i = 0; i < n; i++) {
    const row = rowAt(arena.view.theta, n, width + freeOf(policy), i)
    row.set(values.subarray(i * width, (i + 1) * width))
    centre(policy, row.subarray(0, width))
    row.set(rowAt(theta, n, policy.size, i).subarray(policy.net.size), width)
  }
}

/** [n, net.size] the parameters of the networks alone. */
const networks = ({ policy, particles }: FunctionSpace, theta: Float32Array) =>
  unpadded(theta, particles, policy.net.size)

/** [n, P, K] */
function outputsAt({ policy, particles: n, probes }: FunctionSpace, theta: tf.Tensor): tf.Tensor3D {
  const { observation } = probes as Probes
  const states = statesOf(policy, probes)
  const all = joined(Array(n).fill(observation))
  return forward(policy.net, theta, tf.tensor3d(all, [n, states, policy.observations]))
}

/** Logits less their mean in each state and factor: an orthogonal projection, its own transpose. */
function centre(policy: Policy, outputs: Float32Array): void {
  if (policy.head.name !== 'categorical') return
  const factors = factorsOf(policy.head)
  for (let at = 0, f = 0; at < outputs.length; f = (f + 1) % factors.length) {
    const row = outputs.subarray(at, at + factors[f])
    const middle = mean(row)
    for (let k = 0; k < row.length; k++) row[k] -= middle
    at += row.length
  }
}

/** g_j into the rows of the space. */
function scoresInto(space: FunctionSpace, theta: Float32Array, inverse: number): void {
  const { policy, particles: n, arena, differentiate, objective } = space
  const probes = space.probes as Probes
  const width = stateOutputs(space)
  const count = width / n
  const m = statesOf(policy, probes) / n
  const free = freeOf(policy)
  // A policy whose outputs are its parameters.
  const tabular = { ...policy, net: { ...policy.net, size: count }, size: count + free }
  for (let j = 0; j < n; j++) {
    const part = (values: Float32Array) => values.slice((j * values.length) / n, ((j + 1) * values.length) / n)
    const objectiveAt = (x: tf.Tensor) => {
      const outputs = tf.reshape(tf.slice(x, 0, count), [m, count / m]) as tf.Tensor2D
      const rows = {
        action: tf.tensor2d(part(probes.action), [m, actionWidth(policy.head)]),
        weight: tf.tensor1d(part(probes.weight)),
        logProb: objective.clip === null ? undefined : tf.tensor1d(part(probes.logProb)),
      }
      return [objectiveOfOutputs(tabular, outputs, x as tf.Tensor1D, rows, objective).objective] as const
    }
    const f = rowAt(arena.view.theta, n, width + free, j)
    const x = new Float32Array(count + free)
    x.set(f.subarray(j * count, (j + 1) * count))
    x.set(rowAt(theta, n, policy.size, j).subarray(policy.net.size), count)
    const { gradient } = differentiate(objectiveAt, x, [count + free])
    const row = rowAt(arena.view.score, n, width + free, j)
    for (let k = 0; k < count; k++) row[j * count + k] = inverse * gradient[k]
    for (let k = 0; k < free; k++) row[width + k] = inverse * gradient[count + k]
  }
}

/** [n, parameters] J_iᵀ of the directions of the space. */
function pulledBack(space: FunctionSpace, theta: Float32Array): Float32Array {
  const { policy, particles: n, arena } = space
  const width = stateOutputs(space)
  const free = freeOf(policy)
  const rows = Array.from({ length: n }, (_, i) => rowAt(arena.view.direction, n, width + free, i))
  const along = joined(rows.map((row) => row.subarray(0, width)))
  centre(policy, along)
  const states = width / outputsOf(policy)
  const product = (x: tf.Tensor) =>
    [tf.sum(tf.mul(outputsAt(space, x), tf.tensor3d(along, [n, states, outputsOf(policy)])))] as const
  const { gradient } = space.pullBack(product, networks(space, theta), [n, policy.net.size])
  const out = new Float32Array(n * policy.size)
  rows.forEach((row, i) => {
    out.set(gradient.subarray(i * policy.net.size, (i + 1) * policy.net.size), i * policy.size)
    out.set(row.subarray(width), i * policy.size + policy.net.size)
  })
  return out
}
