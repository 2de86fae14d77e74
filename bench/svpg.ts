import { createPolicyGradient, takeUp } from '../src/algorithms/policy-gradient/evaluation-state.ts'
import { differentiate } from '../src/algorithms/policy-gradient/policy-gradient.ts'
import { rowOf, type SvpgState, svpg } from '../src/algorithms/svpg/svpg.ts'
import { compileCore } from '../src/core/module.ts'
import { weighAdvantages } from '../src/rl/advantages.ts'
import { rollout } from '../src/rl/rollout.ts'
import { type Case, measure, type Row } from './harness.ts'

/**
 * The four stages of one SVPG iteration on CartPole-v1 with the default settings and the iteration as a whole; then an
 * iteration at the scale of the SVPG paper, by this thread, one worker and two.
 */
export default async function bench(): Promise<Row[]> {
  return [...(await benchStages()), ...(await benchPaper())]
}

async function benchStages(): Promise<Row[]> {
  const state = await svpg.init({ env: 'CartPole-v1', seed: 0 })
  // Policies that have learned a little, so that episodes are neither all short nor all cut.
  for (let k = 0; k < 10; k++) await svpg.step(state)
  const { particles: n, task, policy, config } = state
  const { environments: E, steps: T } = task
  const params = { particles: n, environments: E, steps: T, hidden: config.hidden.join('-'), parameters: policy.size }
  const gradient = await createPolicyGradient({ task, policy, estimator: config, core: await compileCore() })
  const each = (stage: (i: number) => void) => () => {
    for (let i = 0; i < n; i++) stage(i)
  }
  takeUp(gradient, jobOf(state, 0))
  const { arena } = gradient
  return measure('SVPG on CartPole-v1', [
    {
      name: 'rollout',
      params,
      run: each((i) => void rollout(arena, task, takeUp(gradient, jobOf(state, i)), state.iteration * T)),
      derive: stepsPerSecond(n * E * T),
    },
    { name: 'returns', params, run: each(() => void weighAdvantages(arena, T, E, config, () => {})) },
    { name: 'gradient', params, run: each((i) => void differentiate(gradient, i, arena.view)) },
    { name: 'move', params, run: () => void svpg.move(state) },
    { name: 'iteration', params, run: () => svpg.step(state), derive: stepsPerSecond(n * E * T) },
  ])
}

const jobOf = (state: SvpgState, particle: number): Parameters<typeof takeUp>[1] => ({
  ...{ particle, step: state.iteration * state.task.steps, pass: 0, carried: state.carried[particle] },
  ...{ theta: rowOf(state, 'theta', particle), behaviour: rowOf(state, 'theta', particle), context: null },
})

const stepsPerSecond = (transitions: number) => (ms: number) => ({
  stepsPerSecond: Math.round((transitions / ms) * 1000),
})

/** 16 particles, 10,000 steps each, 100-50-25 tanh and a Gaussian head. */
const PAPER = { env: 'Pendulum-v1', particles: 16, environments: 20, steps: 500, hidden: [100, 50, 25], seed: 0 }

async function benchPaper(): Promise<Row[]> {
  const cases: Case[] = []
  const states: SvpgState[] = []
  for (const workers of [0, 1, 2]) {
    const state = await svpg.init({ ...PAPER, workers })
    states.push(state)
    cases.push({
      name: `iteration, ${['this thread', '1 worker', '2 workers'][workers]}`,
      params: { particles: 16, environments: 20, steps: 500, hidden: '100-50-25', parameters: state.policy.size },
      run: () => svpg.step(state),
      derive: stepsPerSecond(160_000),
    })
  }
  const rows = await measure('SVPG at the scale of its paper', cases, { minSamples: 8, maxTime: 8 })
  for (const state of states) svpg.close(state)
  return rows
}
