import { type Arena, createArena } from '../core/arena.ts'
import { f32, f64, i32, struct, u8 } from '../core/layout.ts'
import { type CoreSource, compileCore } from '../core/module.ts'
import { joinSeed, Purpose, splitSeed } from '../core/random.ts'
import type { EnvironmentSpec } from '../envs/contract.ts'
import { makeVector } from '../envs/vector.ts'
import { policyFields, writePolicy } from '../nn/policy.ts'
import { type Actors, type Agents, arePolicies, type Policies } from './agents.ts'
import { actionSize, environmentFields, refuseMisfit, writeEnvironments } from './environments.ts'
import { actionFrom, checkReward, createInstance, seedFields } from './rollout.ts'

/** As the class Evaluation in assembly/rl/rollout.ts. */
export const evaluationStruct = struct(['environments', 'action', 'reward', 'terminated', 'running', 'returns'])

/** Room for M environments that play an episode each. */
function evaluationFields({ spec, policy, theta, episodes: M }: PoliciesToEvaluate) {
  return {
    theta: f32(theta.length),
    ...policyFields(policy, M),
    ...environmentFields(spec, M),
    ...seedFields(),
    evaluation: evaluationStruct.field,
    action: f32(M, actionSize(spec)),
    reward: f64(M),
    terminated: u8(M),
    running: i32(M),
    returns: f64(M),
  }
}

type EvaluationArena = Arena<ReturnType<typeof evaluationFields>>

/** How a population is played. */
interface Play {
  readonly spec: EnvironmentSpec
  readonly episodes: number
  readonly seed: number
  readonly core?: CoreSource
}

type PoliciesToEvaluate = Policies & Play

/** Mean return of one particle acting one way. */
export interface EvaluatedParticle {
  readonly particle: number
  readonly greedy: boolean
  readonly meanReturn: number
}

/**
 * Plays `episodes` episodes with every particle, first greedily (the most probable action), then sampled; every particle
 * gets the same initial states. Yields after each particle, so that a caller can show progress or stop.
 *
 * @throws UsageError for a population that does not fit the task or is not finite
 */
export async function* evaluatePopulation(population: Agents & Play): AsyncGenerator<EvaluatedParticle> {
  if (arePolicies(population)) yield* evaluatePolicies(population)
  else yield* evaluateActors(population)
}

async function* evaluatePolicies(population: PoliciesToEvaluate): AsyncGenerator<EvaluatedParticle> {
  const { spec, policy, theta, particles, episodes, core } = population
  refuseMisfit(spec, policy, theta, particles)
  const arena = await createArena(await compileCore(core), evaluationFields(population))
  const { ops, at, view } = arena
  view.theta.set(theta)
  writePolicy(arena, policy, theta.length / particles)
  writeEnvironments(arena, spec, policy.head, episodes)
  evaluationStruct.write(view.evaluation, at)
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
  { spec, seed, episodes }: PoliciesToEvaluate,
  i: number,
  greedy: boolean,
): void {
  const { ops, at, view, memory } = arena
  const { lo, hi } = splitSeed(seed)
  const env = createInstance(spec)
  try {
    for (let episode = 0; episode < episodes; episode++) {
      ops.deriveSeed(at.episodeSeed, lo, hi, Purpose.evaluate, 0, episode, 0)
      view.current.set(env.reset({ seed: joinSeed(view.episodeSeed) }).obs)
      view.running[0] = episode
      view.returns[episode] = 0
      for (let step = 0, over = false; step < spec.maxEpisodeSteps && !over; step++) {
        // biome-ignore format: one op, one line
        ops.act(at.policy, i, at.current, 1, at.action, at.running, greedy ? 1 : 0, Purpose.evaluate, i, step, lo, hi)
        const given = new Float32Array(memory.buffer, ops.boundActions(at.environments, at.action, 1), view.low.length)
        const { obs, reward, terminated, truncated } = env.step(actionFrom(spec, given, 0))
        checkReward(spec, i, reward)
        view.current.set(obs)
        view.returns[episode] += reward
        over = terminated || truncated
      }
    }
  } finally {
    env.close?.()
  }
}

/** All episodes side by side; a row whose episode is over goes on with another that is not counted. */
async function* evaluateActors({
  spec,
  particles,
  act,
  episodes,
  seed,
  core,
}: Actors & Play): AsyncGenerator<EvaluatedParticle> {
  const envs = await makeVector(spec, { num: episodes, core })
  const actions = new Float32Array(episodes * actionSize(spec))
  const turn = { rows: episodes, purpose: Purpose.evaluate, seed: splitSeed(seed) }
  for (const greedy of [true, false]) {
    for (let particle = 0; particle < particles; particle++) {
      const running = new Set(Array(episodes).keys())
      let total = 0
      let observation = envs.reset({ seed }).obs
      for (let step = 0; running.size > 0; step++) {
        act(actions, { ...turn, particle, observation, greedy, step })
        const { obs, reward, terminated, truncated } = envs.step(actions)
        for (const row of running) {
          checkReward(spec, particle, reward[row])
          total += reward[row]
          if (terminated[row] || truncated[row]) running.delete(row)
        }
        observation = obs
      }
      yield { particle, greedy, meanReturn: total / episodes }
    }
  }
}
