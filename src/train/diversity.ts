import type { CoreModule } from '../core/module.ts'
import type { EnvironmentSpec } from '../envs/contract.ts'
import type { IterationMetrics } from '../report/metrics.ts'
import type { Policies } from '../rl/agents.ts'
import { type DiversityRoom, diversityOf, diversityRoom } from '../rl/diversity.ts'
import type { Visited } from '../rl/evaluator.ts'

/** What is looked at of the state of an algorithm. */
interface State {
  readonly core?: CoreModule
  readonly spec?: EnvironmentSpec
  readonly policy?: Policies['policy']
  readonly particles?: number
  readonly arena?: { readonly view: { readonly theta?: Float32Array } }
}

/**
 * Measures the diversity of the policies of each iteration, at rows that they visited; gives nothing for an algorithm
 * without several policies.
 */
export function diversityMeter() {
  let room: DiversityRoom | null = null
  return (
    state: unknown,
    visited: readonly Visited[],
  ): Pick<IterationMetrics, 'actionDivergence' | 'behaviourVolume'> => {
    const { core, spec, policy, particles = 0, arena } = state as State
    const theta = arena?.view.theta
    if (!core || !spec || !policy || !theta || particles < 2 || visited.length !== particles) return {}
    const policies = { policy, particles, theta }
    room ??= diversityRoom(core, policies)
    const { actionSpace } = spec
    const bounds = actionSpace.kind === 'box' ? actionSpace : { low: [], high: [] }
    return diversityOf(room, policies, visited, bounds)
  }
}
