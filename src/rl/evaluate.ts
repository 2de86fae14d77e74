import { createArena } from '../core/arena.ts'
import { breathing } from '../core/breathing.ts'
import { RunError, UsageError } from '../core/errors.ts'
import { f32, f64, i32, struct, u8 } from '../core/layout.ts'
import { type CoreSource, compileCore } from '../core/module.ts'
import { splitSeed } from '../core/random.ts'
import { leaveIfAborted } from '../core/require.ts'
import type { StopSignal } from '../core/runtime-types.ts'
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
function evaluationFields({ spec, policy, theta }: PoliciesToEvaluate, M: number) {
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
  /** Whether anybody still waits for it. */
  readonly signal?: StopSignal
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
 *   RunError for an observation or a reward that is not finite; the reason of a signal that is aborted
 */
export async function* evaluatePopulation(population: (Acting | Policies) & Play): AsyncGenerator<EvaluatedParticle> {
  refuseEndless(population.spec)
  refuseLong(population.spec, population.episodes)
  if ('actRows' in population) refuseOtherForm(population.spec, 'The agents', population)
  const returnsOf = await (arePolicies(population) ? playerOfPolicies(population) : playerOf(population, population))
  for (const greedy of [true, false]) {
    for (let particle = 0; particle < population.particles; particle++) {
      leaveIfAborted(population.signal)
      const returns = await returnsOf(particle, greedy)
      yield { particle, greedy, meanReturn: returns.reduce((sum, value) => sum + value, 0) / population.episodes }
    }
  }
}

/** [episodes] the returns of a particle. */
type Player = (particle: number, greedy: boolean) => Promise<Float64Array>

/** Episodes that one call of the core plays, so that a signal arrives in between. */
const MOST_ROWS = 1024

/** Policies act and step in one op where the physics is in the core: see docs/architecture.md. */
async function playerOfPolicies(population: PoliciesToEvaluate): Promise<Player> {
  const { spec, policy, theta, particles, episodes, core, signal } = population
  refuseMisfit(spec, policy, theta, particles)
  const module = await compileCore(core)
  if (!spec.core) return playerOf(population, policyAgents(module, spec, population))
  const rows = Math.ceil(episodes / Math.ceil(episodes / MOST_ROWS))
  const { ops, at, view } = await createArena(module, evaluationFields(population, rows))
  view.theta.set(theta)
  writePolicy({ at, view }, policy, theta.length / particles)
  writeEnvironments({ at, view }, spec, policy.head, rows)
  evaluationStruct.write(view.evaluation, at)
  const { lo, hi } = splitSeed(population.seed)
  const breath = breathing(signal)
  return async (particle, greedy) => {
    const returns = new Float64Array(episodes)
    for (let first = 0; first < episodes; first += rows) {
      if (breath.isDue()) await breath.take()
      ops.evaluate(at.evaluation, at.policy, particle, greedy ? 1 : 0, first, lo, hi)
      returns.set(view.returns.subarray(0, Math.min(rows, episodes - first)), first)
    }
    const bad = returns.findIndex((value) => !Number.isFinite(value))
    if (bad < 0) return returns
    throw new RunError(`${spec.id}, particle ${particle}: episode ${bad} has the return ${returns[bad]}.`)
  }
}

async function playerOf({ spec, episodes, seed, core, signal }: Play, agents: Acting): Promise<Player> {
  const module = await compileCore(core)
  return (particle, greedy) => playEpisodes(module, { spec, agents, particle, greedy, episodes, seed, signal })
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
