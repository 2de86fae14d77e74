import { type Arena, createArenaSync } from '../core/arena.ts'
import { f32 } from '../core/layout.ts'
import type { CoreModule } from '../core/module.ts'
import type { Ops } from '../core/ops.ts'
import { joined, mean, rowAt, spreadRows, takeRows } from '../core/rows.ts'
import { type ActingPolicies, actorLayout, actorOf, actWith } from '../policy/acting.ts'
import { choleskyOf } from '../svgd/cholesky.ts'
import type { Policies } from './agents.ts'
import type { Visited } from './evaluator.ts'

// Whether the policies of a population differ, measured at states that they share.

/**
 * Policies and rows of each that are compared: n² times as many densities are computed as rows of one policy. 16 would
 * take 8 % of an iteration of SVPG on CartPole-v1 by default, 8 take 2 %.
 */
const MOST_POLICIES = 8
const MOST_ROWS = 8

/** How much policies differ. */
interface Diversity {
  /**
   * Mean over pairs of the bits that an action tells of which of the two took it, 1 − H(p), p = π_i/(π_i + π_j), over
   * rows of both in equal parts: 0 the same, 1 apart. Where both visit the same states it is an estimate of the
   * divergence of Jensen and Shannon of π_i(·|s) and π_j(·|s), whose terms are never below 0.
   */
  readonly actionDivergence: number
  /**
   * log det(K + εI), k_ij = exp(−4 d_ij), ε = 10⁻⁶, with d_ij the mean over all states of the squared difference of
   * greedy actions, in halves of the width of their bounds and averaged over dimensions, or the share of states with
   * another class: close to 0 where all differ, log ε for each policy that is the same as another.
   */
  readonly behaviourVolume: number
}

const RIDGE = 1e-6
const SHARPNESS = 4

/** Bounds of continuous actions; empty for classes. */
interface Bounds {
  readonly low: readonly number[]
  readonly high: readonly number[]
}

/**
 * How much the policies differ at rows that they visited; of many policies and rows, some that are spread evenly over
 * them. `room` is made by diversityRoom for the same policies.
 */
export function diversityOf(
  room: DiversityRoom,
  { policy, particles, theta }: Policies,
  visited: readonly Visited[],
  bounds: Bounds,
): Diversity {
  const policies = { ...noBest, policy, particles, theta, ...bounds }
  const chosen = [...spreadRows(particles, MOST_POLICIES)]
  const rows = chosen.map((i) => someRows(visited[i], policy.observations))
  return {
    actionDivergence: meanDivergence(room, policies, chosen, rows),
    behaviourVolume: logVolume(room, policies, chosen, joined(rows.map(({ observation }) => observation))),
  }
}

const noBest = { best: 0, normalisation: null }

/** Memory for diversityOf. */
export type DiversityRoom = Arena<ReturnType<typeof fieldsOf>>

export const diversityRoom = (core: CoreModule, { policy, particles, theta }: Policies): DiversityRoom =>
  createArenaSync(core, fieldsOf({ ...noBest, policy, particles, theta, low: [], high: [] }))

const fieldsOf = (policies: ActingPolicies) => ({ ...actorLayout(policies), likely: f32(MOST_ROWS) })

function someRows({ observation, action }: Visited, O: number): Visited {
  const count = observation.length / O
  const rows = spreadRows(count, MOST_ROWS)
  return { observation: takeRows(observation, rows, O), action: takeRows(action, rows, action.length / count) }
}

/** D_ij = ½ E_i[1 − H(p)] + ½ E_j[1 − H(p)], p = π_i/(π_i + π_j). */
function meanDivergence(room: DiversityRoom, policies: ActingPolicies, chosen: number[], rows: Visited[]): number {
  actorOf(policies, room)
  const likely = chosen.map((i) => rows.map((each) => logProbs(room, i, each, policies.policy.observations)))
  const { ops } = room
  const half = (own: Float32Array, other: Float32Array) =>
    mean(Float64Array.from(own, (value, b) => 1 - coinEntropy(1 / (1 + ops.exp64(other[b] - value)), ops)))
  let sum = 0
  for (let i = 0; i < chosen.length; i++)
    for (let j = 0; j < i; j++) sum += (half(likely[i][i], likely[j][i]) + half(likely[j][j], likely[i][j])) / 2
  return sum / ((chosen.length * (chosen.length - 1)) / 2)
}

/** H of a coin that shows heads with probability p, in bits. */
function coinEntropy(p: number, { log64 }: Pick<Ops, 'log64'>): number {
  const term = (q: number) => (q > 0 ? (-q * log64(q)) / Math.LN2 : 0)
  return term(p) + term(1 - p)
}

/** [rows] log π_i(a|s), of as many rows at a time as the room has activations for. */
function logProbs({ ops, at, view }: DiversityRoom, i: number, { observation, action }: Visited, O: number) {
  const count = observation.length / O
  const A = action.length / count
  const out = new Float32Array(count)
  const most = Math.min(view.episodes.length, MOST_ROWS)
  for (let first = 0; first < count; first += most) {
    const rows = Math.min(most, count - first)
    view.observation.set(observation.subarray(first * O, (first + rows) * O))
    view.action.set(action.subarray(first * A, (first + rows) * A))
    ops.policyLogProb(at.policy, i, at.observation, rows, at.action, at.likely)
    out.set(view.likely.subarray(0, rows), first)
  }
  return out
}

function logVolume(room: DiversityRoom, policies: ActingPolicies, chosen: number[], observation: Float32Array): number {
  const { low, high } = policies
  const { actRows } = actWith(policies, () => actorOf(policies, room))
  const acts = joined(chosen.map((particle) => actRows(observation, { particle, greedy: true }) as Float32Array))
  const row = (i: number) => rowAt(acts, chosen.length, acts.length / chosen.length, i)
  const apart = (x: number, y: number, c: number) => {
    if (low.length === 0) return x === y ? 0 : 1
    const width = high[c % low.length] - low[c % low.length]
    const difference = (x - y) / (Number.isFinite(width) ? width / 2 : 1)
    return difference * difference
  }
  const K = chosen.map((_, i) =>
    chosen.map((_, j) => {
      const d = mean(row(i).map((x, c) => apart(x, row(j)[c], c)))
      return room.ops.exp64(-SHARPNESS * d) + (i === j ? RIDGE : 0)
    }),
  )
  return choleskyOf(K, 'The likeness of policies').reduce((sum, line, i) => sum + 2 * room.ops.log64(line[i]), 0)
}
