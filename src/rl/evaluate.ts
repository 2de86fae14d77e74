import { createArena } from '../core/arena.ts'
import { RunError, UsageError } from '../core/errors.ts'
import { f32, f64, i32, struct, u8 } from '../core/layout.ts'
import { type CoreSource, compileCore } from '../core/module.ts'
import { splitSeed } from '../core/random.ts'
import type { EnvironmentSpec } from '../envs/contract.ts'
import { refuseEndless } from '../envs/errors.ts'
import { actionSize } from '../envs/spaces.ts'
import { policyFields, writePolicy } from '../nn/policy.ts'
import type { Acting } from '../policy/request.ts'
import { arePolicies, type Policies, policyAgents } from './agents.ts'
import { refuseMisfit, refuseOtherForm } from './heads.ts'
import { playEpisodes } from './play.ts'
import { environmentFields, writeEnvironments } from './rollout-layout.ts'

/** As the class Evaluation in assembly/rl/rollout.ts. */
export const evaluationStruct = struct(['environments', 'action', 'reward', 'terminated', 'running', 'returns'])

/** Room for M environments that play an episode each. */
function evaluationFields({ spec, policy, theta, episodes: M }: PoliciesToEvaluate) {
  return {
    theta: f32(theta.length),
    ...policyFields(policy, M),
    ...environmentFields(spec, M),
    evaluation: evaluationStruct.field,
    action: f32(M, actionSize(spec)),
    reward: f64(M),
    terminated: u8(M),
    running: i32(M),
    returns: f64(M),
  }
}

/** How a population is played. */
interface Play {
  readonly spec: EnvironmentSpec
  readonly episodes: number
  readonly seed: number
  readonly core?: CoreSource
}

type PoliciesToEvaluate = Policies & Play

/** Mean return of one particle acting one way. */
interface EvaluatedParticle {
  readonly particle: number
  readonly greedy: boolean
  readonly meanReturn: number
}

/**
 * Plays `episodes` episodes with every particle, first greedily (the best action that is known), then sampled; every
 * particle gets the same initial states. Yields after each particle, so that a caller can show progress or stop.
 *
 * @throws UsageError for agents that do not fit the task or are not finite, for a task without a time limit, and for
 *   more than 1e9 steps a particle;
 *   RunError for an observation or a reward that is not finite
 */
export async function* evaluatePopulation(population: (Acting | Policies) & Play): AsyncGenerator<EvaluatedParticle> {
  refuseEndless(population.spec)
  refuseLong(population.spec, population.episodes)
  if ('actRows' in population) refuseOtherForm(population.spec, 'The agents', population)
  const returnsOf = await (arePolicies(population) ? playerOfPolicies(population) : playerOf(population, population))
  for (const greedy of [true, false]) {
    for (let particle = 0; particle < population.particles; particle++) {
      const returns = returnsOf(particle, greedy)
      yield { particle, greedy, meanReturn: returns.reduce((sum, value) => sum + value, 0) / population.episodes }
    }
  }
}

/** [episodes] the returns of a particle. */
type Player = (particle: number, greedy: boolean) => Float64Array

/** Policies act and step in one op where the physics is in the core: see docs/architecture.md. */
async function playerOfPolicies(population: PoliciesToEvaluate): Promise<Player> {
  const { spec, policy, theta, particles, episodes, core } = population
  refuseMisfit(spec, policy, theta, particles)
  const module = await compileCore(core)
  if (!spec.core) return playerOf(population, policyAgents(module, spec, population))
  const { ops, at, view } = await createArena(module, evaluationFields(population))
  view.theta.set(theta)
  writePolicy({ at, view }, policy, theta.length / particles)
  writeEnvironments({ at, view }, spec, policy.head, episodes)
  evaluationStruct.write(view.evaluation, at)
  const { lo, hi } = splitSeed(population.seed)
  return (particle, greedy) => {
    ops.evaluate(at.evaluation, at.policy, particle, greedy ? 1 : 0, lo, hi)
    const bad = view.returns.findIndex((value) => !Number.isFinite(value))
    if (bad < 0) return view.returns
    throw new RunError(`${spec.id}, particle ${particle}: episode ${bad} has the return ${view.returns[bad]}.`)
  }
}

async function playerOf({ spec, episodes, seed, core }: Play, agents: Acting): Promise<Player> {
  const module = await compileCore(core)
  return (particle, greedy) => playEpisodes(module, { spec, agents, particle, greedy, episodes, seed })
}

/** A quarter of an hour of a task in the core, for each particle. */
const MOST_STEPS_PLAYED = 1_000_000_000

/**
 * Refuses an evaluation that may not end while anybody waits.
 *
 * @throws UsageError
 */
export function refuseLong({ id, maxEpisodeSteps }: EnvironmentSpec, episodes: number): void {
  if (episodes * maxEpisodeSteps <= MOST_STEPS_PLAYED) return
  throw new UsageError(
    `${episodes} episodes of up to ${maxEpisodeSteps} steps of ${id} are more than ${MOST_STEPS_PLAYED} steps for each particle: take at most ${Math.floor(MOST_STEPS_PLAYED / maxEpisodeSteps)} episodes.`,
  )
}
