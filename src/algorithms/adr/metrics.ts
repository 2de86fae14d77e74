import { joined, mean, normOf, takeRows } from '../../core/rows.ts'
import { actionWidth, type Policy } from '../../nn/policy.ts'
import type { ParticleInfo, Visited } from '../../rl/evaluator.ts'
import { constantsAt, type Ranges } from '../../rl/randomisation.ts'
import type { Task } from '../../rl/rollout.ts'
import type { SteinInfo } from '../../svgd/fields.ts'
import { type Metrics, steinMetrics } from '../algorithm.ts'

/** Where the agent was trained in one iteration, and what came of it. */
export interface AdrInfo {
  /** [n × moves] metrics of each rollout of the agent. */
  readonly rollouts: readonly ParticleInfo[]
  /** [n × moves][d] where they were, in the unit cube; in the default environment none. */
  readonly points: readonly Float32Array[]
  /** Of the rollouts; null where there is no discriminator. */
  readonly rewards: readonly number[] | null
  /** Share of transitions that it classifies rightly; null where there is none. */
  readonly accuracy: number | null
  /** Of the particles over the ranges; null where there are none. */
  readonly stein: SteinInfo | null
  /** Workers that died in this iteration, in a sentence each. */
  readonly losses: readonly string[]
}

interface Run {
  readonly config: { readonly references: number; readonly temperature: number; readonly ranges: Ranges }
  readonly task: Task
  readonly policy: Policy
  readonly arena: { readonly view: { readonly theta: Float32Array } }
  readonly discriminator: object | null
  readonly iteration: number
}

export function measure(state: Run, { rollouts, points, rewards, accuracy, stein }: AdrInfo): Metrics {
  const { config, task, arena, policy, iteration } = state
  const perIteration = rollouts.length + (state.discriminator ? config.references : 0)
  const ended = rollouts.filter(({ meanReturn }) => meanReturn !== null)
  const episodes = rollouts.reduce((sum, rollout) => sum + rollout.episodes, 0)
  const total = ended.reduce((sum, { meanReturn, episodes }) => sum + (meanReturn as number) * episodes, 0)
  const { theta } = arena.view
  return {
    transitions: iteration * perIteration * task.environments * task.steps,
    returns: [episodes === 0 ? null : total / episodes],
    episodes: [episodes],
    entropy: [mean(rollouts.map(({ entropy }) => entropy))],
    thetaNorm: [normOf(theta.subarray(0, policy.size))],
    ...steinMetrics(stein),
    temperature: config.temperature,
    ...(rewards && { discriminatorReward: mean(rewards), discriminatorAccuracy: accuracy }),
    ...spreads(points, config.ranges),
  }
}

/** Mean and standard deviation of each constant over the points, in its units. */
function spreads(points: readonly Float32Array[], ranges: Ranges): Record<string, number> {
  if (points.length === 0) return {}
  const all = points.map((point) => constantsAt(ranges, point))
  const entries = Object.keys(ranges).flatMap((name) => {
    const values = all.map((constants) => constants[name])
    const centre = mean(values)
    const spread = Math.sqrt(mean(values.map((x) => (x - centre) * (x - centre))))
    return [
      [`${name}Mean`, centre],
      [`${name}Spread`, spread],
    ]
  })
  return Object.fromEntries(entries)
}

/** One in this many rows of each rollout shows where the agent goes. */
const SHOWN = 16

/** Those of the agent, which is the only one of its population. */
export function visited({
  visited,
  policy,
}: {
  readonly visited: readonly Visited[]
  readonly policy: Policy
}): Visited[] {
  const shown = (rows: Float32Array, width: number) =>
    takeRows(
      rows,
      Int32Array.from({ length: Math.ceil(rows.length / width / SHOWN) }, (_, k) => k * SHOWN),
      width,
    )
  const { observations, head } = policy
  return [
    {
      observation: joined(visited.map(({ observation }) => shown(observation, observations))),
      action: joined(visited.map(({ action }) => shown(action, actionWidth(head)))),
    },
  ]
}
