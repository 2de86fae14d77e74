import { f32, i32, type Layout, type Pointers, padded, type Views } from '../core/layout.ts'
import { Purpose, splitSeed } from '../core/random.ts'
import { actionWidth, type Head, HeadKind, type Policy, policyFields, writePolicy } from '../nn/policy.ts'
import type { PolicyOps } from './core.ts'
import type { Normalisation } from './description.ts'
import {
  type Acting,
  type ActionForm,
  type ActOptions,
  type ActRequest,
  type AgentAction,
  countRows,
  finite,
  particleOf,
  refuseLength,
  refuseOverflow,
  requestOf,
} from './request.ts'

/** Policies of one shape, and what their actions and observations go through. */
export interface ActingPolicies {
  readonly policy: Policy
  readonly particles: number
  /** [n, at least the policy's parameters] */
  readonly theta: Float32Array
  /** Null where it is not known. */
  readonly best: number | null
  readonly normalisation: Normalisation | null
  /** [A] bounds of continuous actions, ±Infinity where there is none; empty for classes. */
  readonly low: readonly number[]
  readonly high: readonly number[]
}

/** Rows that are computed at once. */
const ROWS = 64
/** Fewer are where their activations would need more memory than this. */
const ACTIVATION_BYTES = 4_194_304

/** Room for a population and for a few rows to act on. */
function actorFields({ policy, theta }: ActingPolicies, rows: number) {
  const A = actionWidth(policy.head)
  return {
    theta: f32(theta.length),
    ...policyFields(policy, rows),
    observation: f32(rows, policy.observations),
    action: f32(rows, A),
    /** [rows] number of the episode of each row. */
    episodes: i32(rows),
    /** [A] */
    low: f32(A),
    high: f32(A),
    /** [rows, classes or A] of all particles together. */
    sums: f32(rows, policy.head.actions),
  }
}

type ActorFields = ReturnType<typeof actorFields>

/** The core on a memory of these fields. */
interface ActorArena<L extends Layout> {
  readonly ops: PolicyOps
  readonly at: Pointers<L>
  readonly view: Views<L>
}

type Actor = ReturnType<typeof actorOf>

/** The memory of policies, which their parameters are copied to. */
export function actorLayout(policies: ActingPolicies): ActorFields {
  const { policy } = policies
  const widest = Math.max(policy.observations, ...policy.net.widths.map(padded))
  const rows = Math.floor(ACTIVATION_BYTES / (2 * widest * Float32Array.BYTES_PER_ELEMENT))
  return actorFields(policies, Math.max(1, Math.min(ROWS, rows)))
}

export function actorOf(policies: ActingPolicies, { ops, at, view }: ActorArena<ActorFields>) {
  const { policy, theta, particles } = policies
  view.theta.set(theta)
  writePolicy({ at, view }, policy, theta.length / particles)
  view.low.set(policies.low)
  view.high.set(policies.high)
  return { ops, at, view, policies, rows: view.episodes.length, A: actionWidth(policy.head) }
}

/** What a policy sees, and what it acts with. */
export const formOf = ({ observations, head }: Policy): Pick<Acting, 'observations' | 'actions'> => ({
  observations,
  actions: formOfActions(head),
})

function formOfActions({ name, actions, factors }: Head): ActionForm {
  if (factors) return { kind: 'multi-discrete', size: factors.length, choices: factors }
  return { kind: name === 'categorical' ? 'discrete' : 'box', size: actions }
}

/** Numbers of one action as a task takes it. */
export function actionAs(kind: ActionForm['kind'], numbers: Float32Array): AgentAction {
  if (kind === 'discrete') return numbers[0]
  return kind === 'multi-discrete' ? Int32Array.from(numbers) : numbers
}

/** Policies that act. `actor` is called when one is to act, and may make it then. */
export function actWith(policies: ActingPolicies, actor: () => Actor): Acting {
  const { particles, policy, best } = policies
  const candidates = { particles, best, together: true }
  const actRows = (observations: ArrayLike<number>, options: ActOptions = {}) => {
    const rows = countRows(observations, policy.observations)
    const request = requestOf(candidates, options, rows)
    return actionsOf(actor(), observations, request, rows)
  }
  const form = formOf(policy)
  return {
    particles,
    ...form,
    act(observation, options = {}) {
      refuseLength(observation, policy.observations)
      const action = actRows(observation, options)
      return actionAs(form.actions.kind, action)
    },
    actRows,
  }
}

/** [count × A] */
function actionsOf(actor: Actor, observations: ArrayLike<number>, request: ActRequest, count: number): Float32Array {
  const { rows, A, view } = actor
  const out = new Float32Array(count * A)
  for (let first = 0; first < count; first += rows) {
    const size = Math.min(rows, count - first)
    observe(actor, observations, first, size)
    for (let r = 0; r < size; r++) view.episodes[r] = request.episodeOf(first + r)
    choose(actor, request, first, size)
    for (let k = 0; k < size * A; k++) out[first * A + k] = view.action[k]
  }
  refuseOverflow(out)
  return out
}

/** Writes rows as the network sees them. */
function observe({ policies, view }: Actor, observations: ArrayLike<number>, first: number, size: number): void {
  const O = policies.policy.observations
  const { normalisation } = policies
  for (let k = 0; k < size * O; k++) {
    const value = observations[first * O + k]
    if (normalisation) finite(value, k % O)
    view.observation[k] = finite(normalisation ? normalised(normalisation, value, k % O) : value, k % O)
  }
}

function normalised({ mean, deviation, clip }: Normalisation, x: number, k: number): number {
  return Math.min(Math.max((x - mean[k]) / deviation[k], -clip), clip)
}

/** Writes the actions for the rows of observations in the arena, which begin at row `first` of the request. */
function choose({ ops, at, policies, A }: Actor, request: ActRequest, first: number, rows: number): void {
  const { policy, particles: n } = policies
  const { who, step } = request
  const greedy = request.greedy ? 1 : 0
  const { lo, hi } = splitSeed(request.seed)
  const { evaluate } = Purpose
  if (who === 'mean') {
    // biome-ignore format: one op, one line
    ops.actTogether(at.policy, n, at.observation, rows, at.action, at.episodes, at.low, at.high, at.sums, greedy, evaluate, step, lo, hi)
    return
  }
  const act = (particle: number, row: number, count: number) => {
    const [x, a, e] = [policy.observations, A, 1].map((width) => row * width * Float32Array.BYTES_PER_ELEMENT)
    // biome-ignore format: one op, one line
    ops.act(at.policy, particle, at.observation + x, count, at.action + a, at.episodes + e, greedy, evaluate, particle, step, lo, hi)
  }
  if (typeof who === 'number') act(who, 0, rows)
  else for (let r = 0; r < rows; r++) act(particleOf(request, n, first + r), r, 1)
  ops.boundRows(at.action, at.action, rows, policy.head.actions, at.low, at.high, HeadKind[policy.head.name])
}
