import * as v from 'valibot'
import { type CompiledGradient, compiledGradient } from '../../compile/compiled.ts'
import { type Arena, createArena } from '../../core/arena.ts'
import { UsageError } from '../../core/errors.ts'
import { f32, padded } from '../../core/layout.ts'
import type { CoreModule } from '../../core/module.ts'
import { Purpose, type Seed } from '../../core/random.ts'
import { joined } from '../../core/rows.ts'
import { countSchema } from '../../core/schemas.ts'
import { arraysPart, fieldsPart, partsOf, type StatePart } from '../../core/state.ts'
import { forward } from '../../nn/forward.ts'
import { initialiseInto, type Network } from '../../nn/network.ts'
import type { Policy } from '../../nn/policy.ts'
import { stateActions } from '../../nn/state-action.ts'
import { beginTfjs, type TfjsOptions, tf } from '../../nn/tfjs.ts'
import { adam } from '../../optim/optimizers.ts'
import type { ParticleState, Visited } from '../../rl/evaluator.ts'
import { type Moments, noMoments, normaliseInPlace, withRows } from '../../rl/normalisation.ts'
import { type Divergence, densityNetwork, logHalf, logRatios } from '../../rl/visitation-density.ts'
import { type CustomKernel, given, type Kernel } from '../../svgd/kernels.ts'

/**
 * What a population does, and how alike its members are in that: a density for each, learned as the log ratio
 *
 *     l_i(s, a) ≈ log ρ_i(s, a) / ρ(s, a),   ρ = 1/n Σ_j ρ_j,
 *
 * by telling the rows of policy i from those of all (noise-contrastive estimation), so that l_i − l_j = log ρ_i/ρ_j.
 */
export interface Behaviour {
  readonly divergence: Divergence
  /** T */
  readonly temperature: number
  readonly policy: Policy
  readonly net: Network
  readonly arena: Arena<ReturnType<typeof densityFields>>
  /** The last visits of all, the newest first; [iterations][n]. */
  visits: readonly (readonly Visited[])[]
  moments: Moments
  /** [n × n] k_ij */
  readonly kernel: Float32Array
  /** The gradient of what the densities are trained on. */
  readonly differentiate: CompiledGradient
  steps: number
}

/**
 * The kernel on behaviour for the Stein direction: K as observed, and in place of ∇_{θ_j} k the exploration gradients
 * of the particles, Σ_{j≠i} k_ij times the policy gradient of explorationRewards.
 */
export function behaviourKernel({ kernel: observed }: Behaviour, exploration: readonly Float32Array[]): Kernel {
  const supply: CustomKernel = (kernel, repulsion) => {
    kernel.set(observed)
    exploration.forEach((row, i) => {
      repulsion.set(row, i * row.length)
    })
  }
  return given(supply)
}

interface BehaviourOptions {
  readonly divergence: Divergence
  readonly temperature: number | null
  readonly tfjs?: TfjsOptions
}

/** T in k = exp(−D/T), by divergence: those of the authors' code. */
const DEFAULT_TEMPERATURES: Readonly<Record<Divergence, number>> = { js: 0.5, 'symmetric-kl': 1 }

export async function createBehaviour(
  core: CoreModule,
  n: number,
  policy: Policy,
  { divergence, temperature, tfjs }: BehaviourOptions,
  seed: Seed,
): Promise<Behaviour> {
  // Workers have a tfjs of their own, and this thread may have none.
  await beginTfjs({ ...tfjs, core })
  const net = densityNetwork(policy)
  const arena = await createArena(core, densityFields(n, net))
  for (let i = 0; i < n; i++) {
    initialiseInto(arena.view.start, net, arena.ops, seed, i, { purpose: Purpose.density })
    arena.view.theta.set(arena.view.start.subarray(0, net.size), i * net.size)
  }
  return {
    ...{ divergence, policy, net, arena, visits: [], steps: 0 },
    temperature: temperature ?? DEFAULT_TEMPERATURES[divergence],
    moments: noMoments(net.widths[0]),
    kernel: new Float32Array(n * n).fill(1),
    differentiate: compiledGradient({ name: 'The loss of the densities', varies: true }),
  }
}

const densityFields = (n: number, { size }: Network) => ({
  /** [n, size] */
  theta: f32(n, size),
  direction: f32(n, size),
  moment1: f32(n, size),
  moment2: f32(n, size),
  start: f32(padded(size)),
})

/** Learns from the newest visits, and computes the kernel. */
export function observeBehaviour(behaviour: Behaviour, visited: readonly Visited[]): void {
  behaviour.visits = [visited, ...behaviour.visits].slice(0, REMEMBERED)
  for (const rows of visited) behaviour.moments = withRows(behaviour.moments, rowsOf(behaviour, rows))
  const own = visited.map((_, i) => joinedRows(behaviour, i))
  trainDensities(behaviour, own)
  similarity(behaviour, own)
}

const rowsOf = ({ policy: { observations, head } }: Behaviour, { observation, action }: Visited) =>
  stateActions(observation, action, observations, head)

/** The remembered rows of policy i, normalised. */
function joinedRows(behaviour: Behaviour, i: number): Float32Array {
  const parts = behaviour.visits.map((visited) => rowsOf(behaviour, visited[i]))
  return normaliseInPlace(joined(parts), behaviour.moments)
}

/** Adam steps on the densities in an iteration, its rate, and how many of the last iterations they are shown. */
const DENSITY_STEPS = 10
const DENSITY_RATE = 5e-4
const REMEMBERED = 2

/**
 * Σ_i mean softplus(−l_i) over the rows of i + mean softplus(l_i) over as many rows of all: least where l_i = log
 * ρ_i/ρ.
 */
function trainDensities(behaviour: Behaviour, own: readonly Float32Array[]): void {
  const { net, arena, differentiate } = behaviour
  const n = own.length
  const C = net.widths[0]
  const m = own[0].length / C
  const { ops, at, view } = arena
  const optimizer = adam({ learningRate: DENSITY_RATE })
  const mine = joined(own)
  for (let step = 0; step < DENSITY_STEPS; step++) {
    const all = joined(Array(n).fill(pooled(own, C, behaviour.steps)))
    const gain = (theta: tf.Tensor) => {
      const truth = forward(net, theta, tf.tensor3d(mine, [n, m, C]))
      const noise = forward(net, theta, tf.tensor3d(all, [n, m, C]))
      const loss = tf.add(tf.sum(tf.softplus(tf.neg(truth))), tf.sum(tf.softplus(noise)))
      return [tf.mul(loss, -1 / m)] as const
    }
    view.direction.set(differentiate(gain, view.theta, [n, net.size]).gradient)
    behaviour.steps++
    optimizer.step({ ops, at, view }, behaviour.steps)
  }
}

/** As many rows as one policy has, taken from all in turn; n steps take every row of every policy. */
function pooled(own: readonly Float32Array[], C: number, turn: number): Float32Array {
  const n = own.length
  const m = own[0].length / C
  const out = new Float32Array(m * C)
  for (let k = 0; k < m; k++) {
    const from = own[k % n]
    const row = (Math.floor(k / n) * n + turn) % m
    out.set(from.subarray(row * C, (row + 1) * C), k * C)
  }
  return out
}

/** k_ij = exp(−D(ρ_i, ρ_j)/T) from the log ratios at the rows of i and of j. */
function similarity({ net, arena, kernel, divergence, temperature }: Behaviour, own: readonly Float32Array[]): void {
  const { ops, view } = arena
  const n = own.length
  const C = net.widths[0]
  const m = own[0].length / C
  const l = logRatios(net, view.theta, n, joined(own))
  for (let i = 0; i < n; i++) {
    kernel[i * n + i] = 1
    for (let j = 0; j < i; j++) {
      let sum = 0
      for (let k = 0; k < m; k++) {
        // Row k of policy i, then row k of policy j.
        const atI = l[(i * n + i) * m + k] - l[(j * n + i) * m + k]
        const atJ = l[(j * n + j) * m + k] - l[(i * n + j) * m + k]
        sum += divergence === 'js' ? logHalf(atI, ops) + logHalf(atJ, ops) : atI + atJ
      }
      const D = Math.max(sum / (2 * m), 0)
      kernel[i * n + j] = ops.exp64(-D / temperature)
      kernel[j * n + i] = kernel[i * n + j]
    }
  }
}

/** What it has learned of a population, and the visits that it learns from next. */
export function behaviourPart(behaviour: Behaviour): StatePart {
  const { arena, kernel, policy } = behaviour
  const { theta, moment1, moment2 } = arena.view
  const n = Math.round(Math.sqrt(kernel.length))
  return partsOf({
    densities: arraysPart({ theta, moment1, moment2, kernel }),
    steps: fieldsPart(behaviour, { steps: countSchema }),
    visits: {
      save(to) {
        const visits = behaviour.visits.flat()
        to.value('iterations', behaviour.visits.length)
        to.array('moments', behaviour.moments)
        to.array('observation', joined(visits.map(({ observation }) => observation)))
        to.array('action', joined(visits.map(({ action }) => action)))
      },
      load(from) {
        const iterations = from.value('iterations', v.picklist([0, 1, REMEMBERED]))
        const moments = from.array('moments', behaviour.moments)
        const observation = from.array('observation', new Float32Array(0), 'any')
        const action = from.array('action', new Float32Array(0), 'any')
        const each = observation.length / (iterations * n)
        const rows = each / policy.observations
        const isWhole = Number.isInteger(rows) && Number.isInteger(action.length / (iterations * n * rows))
        if (iterations > 0 ? !isWhole : observation.length + action.length > 0)
          throw new UsageError(`its visits are no rows of ${n} particles.`)
        const part = (values: Float32Array, k: number) => {
          const size = values.length / (iterations * n)
          return values.slice(k * size, (k + 1) * size)
        }
        const visit = (k: number) => ({ observation: part(observation, k), action: part(action, k) })
        const visits = Array.from({ length: iterations }, (_, t) =>
          Array.from({ length: n }, (_, i) => visit(t * n + i)),
        )
        return () => void Object.assign(behaviour, { visits, moments })
      },
    },
  })
}

/** What evaluating policy i needs to know of the others; null before anything was seen. */
export function contextFor(behaviour: Behaviour, i: number): ParticleState | null {
  const { visits, arena, moments, kernel } = behaviour
  if (visits.length === 0) return null
  const n = visits[0].length
  return {
    densities: arena.view.theta.slice(),
    densityMoments: moments.slice(),
    similar: kernel.slice(i * n, (i + 1) * n),
  }
}
