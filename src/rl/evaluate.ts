import { type Arena, createArena, f32, f64, i32, struct, u8 } from '../core/arena.ts'
import { RunError, show } from '../core/errors.ts'
import { type CoreSource, compileCore } from '../core/module.ts'
import { joinSeed, Purpose, splitSeed } from '../core/random.ts'
import type { EnvironmentSpec } from '../envs/contract.ts'
import type { Network } from '../nn/network.ts'
import { policyFields, writePolicy } from '../nn/policy.ts'
import { actionSize, observationSize } from './environments.ts'
import { seedFields } from './rollout.ts'

/** As the class Evaluation in assembly/rl/rollout.ts. */
export const evaluationStruct = struct([
  'kind',
  'constants',
  'maxSteps',
  'observationSize',
  'episodes',
  'state',
  'observation',
  'action',
  'reward',
  'terminated',
  'running',
  'returns',
])

function evaluationFields(spec: EnvironmentSpec, net: Network, n: number, D: number, episodes: number) {
  return {
    theta: f32(n, D),
    ...policyFields(net, episodes),
    ...seedFields(),
    evaluation: evaluationStruct.field,
    constants: f64(Object.keys(spec.core?.constants ?? {}).length),
    state: f64(episodes, spec.core?.stateSize ?? 0),
    observation: f32(episodes, observationSize(spec)),
    action: f32(episodes, actionSize(spec)),
    reward: f64(episodes),
    terminated: u8(episodes),
    running: i32(episodes),
    returns: f64(episodes),
  }
}

type EvaluationArena = Arena<ReturnType<typeof evaluationFields>>

export interface PopulationToEvaluate {
  readonly spec: EnvironmentSpec
  readonly net: Network
  /** [n, D] */
  readonly theta: Float32Array
  readonly particles: number
  readonly episodes: number
  readonly seed: number
  readonly core?: CoreSource
}

/** Mean return of one particle acting one way. */
export interface EvaluatedParticle {
  readonly particle: number
  readonly greedy: boolean
  readonly meanReturn: number
}

/**
 * Plays `episodes` episodes with every particle, first greedily (the most probable action), then sampled; every particle
 * gets the same initial states. Yields after each particle, so that a caller can show progress or stop.
 */
export async function* evaluatePopulation(population: PopulationToEvaluate): AsyncGenerator<EvaluatedParticle> {
  const { spec, net, theta, particles, episodes, core } = population
  const D = theta.length / particles
  const module = await compileCore(core)
  const arena = await createArena(module, evaluationFields(spec, net, particles, D, episodes))
  const { ops, at, view } = arena
  view.theta.set(theta)
  view.constants.set(Object.values(spec.core?.constants ?? {}))
  writePolicy(arena, net, D)
  evaluationStruct.write(view.evaluation, {
    ...at,
    kind: spec.core?.kind ?? 0,
    maxSteps: spec.maxEpisodeSteps,
    observationSize: observationSize(spec),
    episodes,
  })
  const { lo, hi } = splitSeed(population.seed)
  for (const greedy of [true, false]) {
    for (let particle = 0; particle < particles; particle++) {
      if (spec.core) ops.evaluate(at.evaluation, at.policy, particle, greedy ? 1 : 0, lo, hi)
      else evaluateInTypeScript(arena, population, particle, greedy)
      yield { particle, greedy, meanReturn: view.returns.reduce((sum, value) => sum + value, 0) / episodes }
    }
  }
}

function evaluateInTypeScript(
  arena: EvaluationArena,
  population: PopulationToEvaluate,
  i: number,
  greedy: boolean,
): void {
  const { ops, at, view } = arena
  const { spec, episodes } = population
  const { lo, hi } = splitSeed(population.seed)
  const env = spec.create?.()
  if (!env) return
  for (let episode = 0; episode < episodes; episode++) {
    ops.deriveSeed(at.episodeSeed, lo, hi, Purpose.evaluate, 0, episode, 0)
    view.observation.set(env.reset({ seed: joinSeed(view.episodeSeed) }).obs)
    view.running[0] = episode
    view.returns[episode] = 0
    for (let step = 0, over = false; step < spec.maxEpisodeSteps && !over; step++) {
      ops.act(at.policy, i, at.observation, 1, at.action, at.running, greedy ? 1 : 0, Purpose.evaluate, step, lo, hi)
      const { obs, reward, terminated, truncated } = env.step(view.action[0])
      if (!Number.isFinite(reward))
        throw new RunError(`${spec.id} gave particle ${i} the reward ${show(reward)}; a reward must be finite.`)
      view.observation.set(obs)
      view.returns[episode] += reward
      over = terminated || truncated
    }
  }
}
