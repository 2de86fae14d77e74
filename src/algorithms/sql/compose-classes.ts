import type { CoreModule } from '../../core/module.ts'
import { normOf } from '../../core/rows.ts'
import { countSchema } from '../../core/schemas.ts'
import { fieldsPart, partsOf } from '../../core/state.ts'
import type { EnvironmentSpec } from '../../envs/contract.ts'
import type { Network } from '../../nn/network.ts'
import { type Policy, policyOf } from '../../nn/policy.ts'
import { type PolicyAgents, policyAgents } from '../../rl/agents.ts'
import { type Metrics, offPolicyMetrics, type StateParts } from '../algorithm.ts'
import * as classes from './classes.ts'
import type { SqlComposeConfig } from './compose-settings.ts'
import type { SqlComposeInfo } from './info.ts'

// Composition over numbered actions: the policy of Σ_c Q_c is known as soon as the components are. Networks side by
// side are one network of as many times their width, and the sum of their outputs is its last layer; a component is the
// same network without the others. So all of them are policies of one shape, which are exported as such.

/** What a composition over numbered actions holds between two iterations. */
export interface SqlComposeClassState {
  readonly config: SqlComposeConfig
  readonly spec: EnvironmentSpec
  readonly core: CoreModule
  readonly components: readonly classes.SqlClassState[]
  /** The shape of all components side by side. */
  readonly policy: Policy
  iteration: number
}

export function composing(
  components: readonly classes.SqlClassState[],
  { config, spec, core }: Pick<SqlComposeClassState, 'config' | 'spec' | 'core'>,
): SqlComposeClassState {
  const [{ policy }] = components
  const wide = policyOf({ ...policy, hidden: policy.hidden.map((width) => width * components.length) })
  return { config, spec, core, components, policy: wide, iteration: 0 }
}

/** One iteration of every component while they learn; after that nothing changes. */
export async function step(state: SqlComposeClassState): Promise<SqlComposeInfo> {
  const isLearning = state.iteration < state.config.componentIterations
  const components: SqlComposeInfo['components'][number][] = []
  for (const component of state.components) components.push(isLearning ? await classes.step(component) : null)
  state.iteration++
  return { components, direction: null }
}

/**
 * Parameters of networks of one shape side by side, whose outputs add up; a network that is null adds nothing.
 *
 * @param out [wide.size]
 * @param thetas [components] parameters [net.size]
 */
function sideBySideInto(
  out: Float32Array,
  wide: Network,
  net: Network,
  thetas: readonly (Float32Array | null)[],
): void {
  out.fill(0)
  const last = net.layers.length - 1
  thetas.forEach((theta, c) => {
    if (!theta) return
    net.layers.forEach(({ inputs, outputs, weight, bias }, l) => {
      const to = wide.layers[l]
      const [row, column] = [l === 0 ? 0 : c * inputs, l === last ? 0 : c * outputs]
      for (let i = 0; i < inputs; i++)
        for (let j = 0; j < outputs; j++)
          out[to.weight + (row + i) * to.outputs + column + j] += theta[weight + i * outputs + j]
      for (let j = 0; j < outputs; j++) out[to.bias + column + j] += theta[bias + j]
    })
  })
}

/** The policies of the components, and last that of the sum. */
export function agents({ core, spec, components, policy }: SqlComposeClassState): PolicyAgents {
  const own = components.map((component) => classes.agents(component).theta)
  const theta = new Float32Array((own.length + 1) * policy.size)
  for (let i = 0; i <= own.length; i++) {
    const parts = own.map((one, c) => (i === own.length || i === c ? one : null))
    const row = theta.subarray(i * policy.size, (i + 1) * policy.size)
    sideBySideInto(row, policy.net, components[0].policy.net, parts)
  }
  return policyAgents(core, spec, { policy, particles: own.length + 1, theta }, own.length)
}

export function parts(state: SqlComposeClassState): StateParts {
  const all = state.components.map(classes.parts)
  const named = (kind: keyof StateParts) => Object.fromEntries(all.map((part, c) => [`component-${c}`, part[kind]]))
  return {
    population: partsOf(named('population')),
    rest: partsOf({ ...named('rest'), counters: fieldsPart(state, { iteration: countSchema }) }),
  }
}

export function measure(state: SqlComposeClassState, { components }: SqlComposeInfo): Metrics {
  const all = state.components.map((component, c) => ({ component, info: components[c] }))
  const [{ component }] = all
  const metrics = offPolicyMetrics(component.loop, component.critics.q.view.theta, { episodes: 0, meanReturn: null })
  return {
    ...metrics,
    transitions: all.reduce((sum, { component: { loop } }) => sum + loop.steps * loop.envs.num, 0),
    returns: [...all.map(({ info }) => info?.meanReturn ?? null), null],
    episodes: [...all.map(({ info }) => info?.episodes ?? 0), 0],
    entropy: [...all.map(({ info }) => info?.entropy ?? 0), 0],
    thetaNorm: [...all.map(({ component: { critics } }) => normOf(critics.q.view.theta)), 0],
    temperature: classes.temperatureOf(component),
  }
}
