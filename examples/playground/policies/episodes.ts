import { type AnyTrainStep, encodePolicy, type MadeEnvironment, make } from 'steinrl'
import { loadPolicy } from 'steinrl/policy'
import core from 'steinrl/policy.wasm?url'
import type { Episode, Question } from './protocol.ts'

type Actor = (observation: Float32Array, step: number) => number | Float32Array

/** Plays episodes of the particles as they are after a step; each episode starts in another state. */
export async function createPlayer(env: string): Promise<Player> {
  const world = await make(env)
  const compiled = await WebAssembly.compileStreaming(fetch(core))
  let played = 0
  return {
    async play(step, { place, particle, greedy }) {
      const act = await actorOf(step, world, compiled, { particle, greedy, seed: played })
      return { kind: 'episode', place, iteration: step.iteration, ...record(world, act, played++) }
    },
  }
}

export interface Player {
  play(step: AnyTrainStep, question: Question & { kind: 'episode' }): Promise<Episode>
}

interface ActRequest {
  readonly particle: number
  readonly greedy: boolean
  readonly seed: number
}

async function actorOf(
  step: AnyTrainStep,
  { spec }: MadeEnvironment,
  module: WebAssembly.Module,
  turn: ActRequest,
): Promise<Actor> {
  const agents = step.agents()
  const { actionSpace } = spec
  if (!('policy' in agents)) {
    const out = new Float32Array(actionSpace.kind === 'box' ? actionSpace.low.length : 1)
    return (observation, at) => {
      agents.act(out, { ...turn, observation, rows: 1, purpose: 0, step: at, seed: { lo: turn.seed, hi: 0 } })
      return actionSpace.kind === 'box' ? out : out[0]
    }
  }
  const finite = (bound: number) => (Number.isFinite(bound) ? bound : null)
  const bounds =
    actionSpace.kind === 'box' ? { low: actionSpace.low.map(finite), high: actionSpace.high.map(finite) } : null
  const { description, weights } = encodePolicy({ ...agents, env: spec.id, bounds })
  const policy = await loadPolicy({ description, weights, core: module })
  return (observation, at) => policy.act(observation, { ...turn, step: at })
}

function record(env: MadeEnvironment, act: Actor, seed: number): Pick<Episode, 'states' | 'rewards'> {
  const states: number[] = []
  const rewards: number[] = []
  let { obs } = env.reset({ seed })
  states.push(...env.state)
  for (let over = false; !over; ) {
    const step = env.step(act(obs, rewards.length))
    obs = step.obs
    states.push(...env.state)
    rewards.push(step.reward)
    over = step.terminated || step.truncated
  }
  return { states: Float64Array.from(states), rewards: Float64Array.from(rewards) }
}
