import { createArenaSync } from '../core/arena.ts'
import { show, UsageError } from '../core/errors.ts'
import type { CoreModule } from '../core/module.ts'
import { Purpose, type Seed, splitSeed } from '../core/random.ts'
import { isFloat32, isRecord, requireThat } from '../core/require.ts'
import { unpadded } from '../core/rows.ts'
import type { EnvironmentSpec } from '../envs/contract.ts'
import { actionSize, observationSize } from '../envs/spaces.ts'
import type { Network } from '../nn/network.ts'
import { type Policy, parsePolicy } from '../nn/policy.ts'
import { actionAs, actorLayout, actorOf, actWith } from '../policy/acting.ts'
import {
  type Acting,
  type ActOptions,
  type ActRequest,
  countRows,
  finite,
  particleOf,
  refuseLength,
  refuseOverflow,
  requestOf,
} from '../policy/request.ts'
import { formOfSpace } from './heads.ts'

/**
 * What training gives and a run directory holds: particles that act, in a loop of one's own,
 *
 *     const env = await make('CartPole-v1')
 *     let { obs } = env.reset({ seed: 7 })
 *     for (let over = false; !over; ) {
 *       const step = env.step(agents.act(obs))
 *       …
 *     }
 *
 * or in evaluate({ agents }). They stay as they are when training goes on.
 */
export type Agents = PolicyAgents | DrawingAgents

/** What all agents have: the task they were trained on, and what acting needs. */
export interface CommonAgents extends Acting {
  /**
   * What they were trained on: its observations go in, and actions as its step() takes them come out. Null where it is
   * one of your own and readRun() was not given it.
   */
  readonly task: EnvironmentSpec | null
  /** Who acts where no particle is named; null where nothing is known of them. */
  readonly best: number | null
  /** [n, parameters] */
  readonly theta: Float32Array
}

/** Agents that are policies. */
export type PolicyAgents = CommonAgents & Policies

/**
 * Agents whose actions an algorithm of their own draws: soft Q-learning's samplers, particles of Stein soft
 * actor-critic.
 */
export interface DrawingAgents extends CommonAgents {
  /** [n] what the actions are drawn by, where that is a network of noise: an ActionSampler each. */
  readonly samplers?: readonly object[]
  /** What particle i thinks that actions [rows, A] in [−1, 1] are worth in states [rows, O]; where it knows. */
  readonly value?: (i: number, observation: Float32Array, action: Float32Array) => Float32Array
  /**
   * Whether their evaluation begins in the initial states that makeVector() of its seed has, and not in those of
   * policies.
   */
  readonly startsAsVector?: boolean
}

/** A network of observations [rows, O] and noise [rows, L] whose outputs, through tanh, are actions in [−1, 1]. */
export interface ActionSampler {
  readonly sampler: Network
  /** [at least the network's parameters] */
  readonly theta: Float32Array
  /** L; whether the first of them are added to the outputs. */
  readonly shape: { readonly latents: number; readonly residual?: boolean }
  /** [M, L] the only noise there is; null where it is drawn from N(0, I). */
  readonly latentSet: Float32Array | null
}

/** What agents have, where they are spread into the options of an evaluation: { spec, ...agents }. */
export const AGENT_FIELDS: readonly string[] = [
  ...['particles', 'observations', 'actions', 'act', 'actRows', 'task', 'best', 'theta', 'policy', 'value'],
  ...['startsAsVector', 'description', 'samplers'],
]

/** n policies of one shape. */
export interface Policies {
  readonly policy: Policy
  readonly particles: number
  /** [n, at least the policy's parameters] */
  readonly theta: Float32Array
}

/**
 * Refuses what can neither act nor is policies.
 *
 * @throws UsageError
 */
export function requireAgents(taker: string, agents: unknown): asserts agents is Acting | Policies {
  const isOne = isRecord(agents) && Number.isSafeInteger(agents.particles) && Number(agents.particles) > 0
  const { policy, theta, actRows, observations, actions } = (isOne ? agents : {}) as Record<string, unknown>
  const doAct = typeof actRows === 'function' && Number.isSafeInteger(observations) && isRecord(actions)
  const arePolicies = isRecord(policy) && isFloat32(theta) && (actRows === undefined || doAct)
  const areThey = policy === undefined ? doAct : arePolicies
  if (!areThey)
    throw new UsageError(
      `agents must be what step.agents(), loadAgents() or loadPolicy() gives, got ${agents === undefined ? 'none' : show(agents)}.`,
    )
  if (policy !== undefined) requirePolicy(taker, policy)
}

/** Of the layers that its widths say. */
function requirePolicy(taker: string, given: unknown): void {
  const { size, net } = parsePolicy(given)
  const policy = given as Policy
  const isWhole = policy.size === size && isRecord(policy.net) && policy.net.size === net.size
  requireThat(isWhole && Array.isArray(policy.net.layers), taker, 'a policy whose sizes are those of its layers', given)
}

export const arePolicies = (agents: object): agents is Policies => 'policy' in agents && agents.policy !== undefined

/** Policies as agents that stay as they are now. They take memory for acting when they first act. */
export function policyAgents(
  core: CoreModule,
  task: EnvironmentSpec,
  { policy, particles, theta }: Policies,
  best: number | null = null,
): PolicyAgents {
  const rows = unpadded(theta, particles, policy.size)
  const known = particles === 1 ? 0 : best
  const { low, high } = task.actionSpace.kind === 'box' ? task.actionSpace : { low: [], high: [] }
  const policies = { policy, particles, theta: rows, best: known ?? 0, normalisation: null, low, high }
  let actor: ReturnType<typeof actorOf> | null = null
  const acting = actWith(policies, () => {
    actor ??= actorOf(policies, createArenaSync(core, actorLayout(policies)))
    return actor
  })
  return { ...acting, task, policy, theta: rows, best: known }
}

/** The same agents with another particle that acts where none is named. */
export function withBest<A extends Agents>(agents: A, best: number): A {
  const naming = ({ particle, ...options }: ActOptions = {}): ActOptions => ({
    ...options,
    particle: particle === undefined || particle === 'best' ? best : particle,
  })
  return {
    ...agents,
    best,
    act: (observation, options) => agents.act(observation, naming(options)),
    actRows: (observations, options) => agents.actRows(observations, naming(options)),
  }
}

/** Some rows in which one particle is to act. */
export interface DrawRequest {
  readonly particle: number
  /** [rows, O] */
  readonly observation: Float32Array
  readonly rows: number
  /** Whether to choose the best action that is known rather than to draw one. */
  readonly greedy: boolean
  readonly purpose: number
  readonly seed: Seed
  readonly step: number
  /** The number of the episode of a row, which its random numbers depend on. */
  readonly rowOf: (row: number) => number
}

interface Drawing extends Pick<DrawingAgents, 'particles' | 'best' | 'theta' | 'value' | 'samplers'> {
  readonly task: EnvironmentSpec
  /** Writes actions [rows, A] as the task takes them. What it writes is a function of the request. */
  readonly draw: (out: Float32Array, request: DrawRequest) => void
}

/** Agents whose actions are drawn by an algorithm of their own. */
export function agentsThatDraw({ draw, ...rest }: Drawing): DrawingAgents {
  const { task, particles, best } = rest
  const [O, A] = [observationSize(task), actionSize(task)]

  function actRows(observations: ArrayLike<number>, options: ActOptions = {}): Float32Array {
    const rows = countRows(observations, O)
    const request = requestOf({ particles, best: best ?? 0, together: false }, options, rows)
    const observation = Float32Array.from({ length: rows * O }, (_, k) => finite(observations[k], k % O))
    const out = new Float32Array(rows * A)
    if (typeof request.who === 'number') drawRows(out, request, observation, 0, rows)
    else for (let row = 0; row < rows; row++) drawRows(out, request, observation, row, 1)
    refuseOverflow(out)
    return out
  }

  /** Rows first … first + count − 1, in which the same particle acts. */
  function drawRows(out: Float32Array, request: ActRequest, observation: Float32Array, first: number, count: number) {
    const { greedy, step, seed, episodeOf } = request
    draw(out.subarray(first * A, (first + count) * A), {
      ...{ greedy, step, rows: count, purpose: Purpose.evaluate, seed: splitSeed(seed) },
      particle: particleOf(request, particles, first),
      observation: observation.slice(first * O, (first + count) * O),
      rowOf: (row) => episodeOf(first + row),
    })
  }

  const actions = formOfSpace(task.actionSpace)
  return {
    ...rest,
    observations: O,
    actions,
    startsAsVector: true,
    act(observation, options = {}) {
      refuseLength(observation, O)
      return actionAs(actions.kind, actRows(observation, options))
    },
    actRows,
  }
}
