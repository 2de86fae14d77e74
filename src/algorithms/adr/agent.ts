import { createArena } from '../../core/arena.ts'
import { RunError } from '../../core/errors.ts'
import { f32, padded } from '../../core/layout.ts'
import type { CoreModule } from '../../core/module.ts'
import { Purpose } from '../../core/random.ts'
import { meanInto } from '../../core/rows.ts'
import type { StatePart } from '../../core/state.ts'
import { type Initialisation, initialiseInto, mlp, valueNetwork } from '../../nn/network.ts'
import type { Policy } from '../../nn/policy.ts'
import { adam } from '../../optim/optimizers.ts'
import { advantageFields } from '../../rl/advantages.ts'
import type { Estimator } from '../../rl/estimator.ts'
import type { Outcome, ParticleState } from '../../rl/evaluator.ts'
import { startHead } from '../../rl/heads.ts'
import type { Task } from '../../rl/rollout.ts'
import { type Learning, learningRateNow } from '../../rl/schedules.ts'
import { initialiseTrainable, saveTrainable, trainable, trainableFields } from '../../rl/trainable.ts'
import { drawFields, transitionDiscriminator, transitionSize } from './discriminator.ts'

interface AgentSettings {
  readonly randomisation: 'adr' | 'uniform' | 'default'
  readonly transitionHidden: readonly number[]
  readonly transitionBatch: number
  readonly initialisation: Initialisation['scheme']
  readonly gain: number
  readonly lastGain: number
  readonly initialDeviation: number | 'auto'
}

/** The agent, its critic, and the discriminator of transitions. */
export async function createAgent(
  core: CoreModule,
  { config, estimator, policy, task }: { config: AgentSettings; estimator: Estimator; policy: Policy; task: Task },
) {
  const { spec, seed } = task
  const isActive = config.randomisation === 'adr'
  const { observations, head } = policy
  const nets = {
    critic: estimator.baseline === 'value' ? valueNetwork(observations, estimator.criticHidden) : null,
    transition: isActive ? mlp([transitionSize(observations, head), ...config.transitionHidden, 1]) : null,
  }
  const D = padded(policy.size)
  const arena = await createArena(core, {
    /** [1, D] the agent, its gradient and the moments of its Adam. */
    theta: f32(D),
    direction: f32(D),
    moment1: f32(D),
    moment2: f32(D),
    ...trainableFields('critic', nets.critic),
    ...trainableFields('transition', nets.transition),
    ...drawFields(isActive ? config.transitionBatch : 0),
  })
  const { initialisation: scheme, gain, lastGain } = config
  const theta = arena.view.theta.subarray(0, policy.size)
  initialiseInto(theta, policy.net, arena.ops, seed, 0, { scheme, gain, lastGain })
  startHead(theta, policy, spec, config.initialDeviation, arena.ops)
  const discriminator = nets.transition && transitionDiscriminator(trainable(arena, 'transition', nets.transition))
  if (discriminator) initialiseTrainable(discriminator.network, seed, 0, { purpose: Purpose.discriminator })
  const critic = nets.critic && trainable(arena, 'critic', nets.critic)
  if (critic) initialiseTrainable(critic, seed, 0, { purpose: Purpose.critic })
  const linear = advantageFields(0, observations, estimator.baseline)
  const linearModel = new Float64Array(linear.linearModel.shape[0])
  const valueWeights = new Float64Array(linear.valueWeights.shape[0])
  /** What the agent has beside its policy: the mean over the rollouts of an iteration of what they made of it. */
  const carried: ParticleState = { ...(critic && saveTrainable(critic)), linearModel, valueWeights }
  return { arena, discriminator, carried }
}

interface Agent extends Learning {
  readonly arena: Awaited<ReturnType<typeof createAgent>>['arena']
  readonly policy: Policy
  /** Steps of Adam. */
  updates: number
}

/** One step of Adam along the mean of the gradients. */
export function update(state: Agent, rollouts: readonly Outcome[]): void {
  const { arena, policy } = state
  const gradients = rollouts.map(({ gradient }) => gradient)
  meanInto(arena.view.direction, gradients)
  state.updates++
  adam({ learningRate: learningRateNow(state) }).step(arena, state.updates)
  if (arena.ops.firstNonFinite(arena.at.theta, policy.size) >= 0)
    throw new RunError('The parameters of the agent are not finite after the step.')
}

/** What the agent has beside its policy. */
export const carriedPart = (agent: { carried: ParticleState }): StatePart => ({
  save(to) {
    for (const [name, array] of Object.entries(agent.carried)) to.array(name, array)
  },
  load(from) {
    const found = Object.entries(agent.carried).map(([name, array]) => [name, from.array(name, array)])
    return () => {
      agent.carried = Object.fromEntries(found)
    }
  },
})

/** What the agent carries on: the mean of what every rollout made of its critic, each from the same one. */
export function merged(carried: ParticleState, rollouts: readonly Outcome[]): ParticleState {
  const all = rollouts.map((outcome) => outcome.carried as ParticleState)
  const entries = Object.entries(carried).map(([name, array]) => {
    const out = array.slice()
    if (out instanceof Int32Array) out.set(all[0][name])
    else
      meanInto(
        out as Float32Array,
        all.map((each) => each[name]),
      )
    return [name, out]
  })
  return Object.fromEntries(entries)
}
