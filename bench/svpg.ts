import { differentiate } from '../src/algorithms/reinforce.ts'
import { svpg } from '../src/algorithms/svpg.ts'
import { weighAdvantages } from '../src/rl/returns.ts'
import { rollout } from '../src/rl/rollout.ts'
import { measure, type Row } from './harness.ts'

/** The four stages of one SVPG iteration on CartPole-v1 with the default settings, and the iteration as a whole. */
export default async function bench(): Promise<Row[]> {
  const state = await svpg.init({ env: 'CartPole-v1', seed: 0 })
  const { arena, task, net, config } = state
  const { particles: n, environments: E, steps: T } = task
  const params = { particles: n, environments: E, steps: T, hidden: config.hidden.join('-'), parameters: net.size }
  const transitions = n * E * T
  const each = (stage: (i: number) => void) => () => {
    for (let i = 0; i < n; i++) stage(i)
  }
  // A policy that has learned a little, so that episodes are neither all short nor all cut.
  for (let k = 0; k < 10; k++) svpg.step(state)
  return measure('SVPG on CartPole-v1', [
    {
      name: 'rollout',
      params,
      run: () => rollout(arena, task, 0, n, state.iteration * T),
      derive: (ms) => ({ stepsPerSecond: Math.round((transitions / ms) * 1000) }),
    },
    { name: 'returns', params, run: each((i) => weighAdvantages(arena, i, T, E, config)) },
    { name: 'gradient', params, run: each((i) => void differentiate(arena, task, net, i, config)) },
    { name: 'move', params, run: () => void svpg.move(state) },
    {
      name: 'iteration',
      params,
      run: () => void svpg.step(state),
      derive: (ms) => ({ stepsPerSecond: Math.round((transitions / ms) * 1000) }),
    },
  ])
}
