import { beforeAll, describe, expect, test } from '@jest/globals'
import { type S2acOptions, s2ac } from '../../src/algorithms/s2ac.ts'
import { createSteinSampler, steinSteps } from '../../src/algorithms/stein-sampler.ts'
import { RunError } from '../../src/core/errors.ts'
import { compileCore } from '../../src/core/module.ts'
import { splitSeed } from '../../src/core/random.ts'
import { startTfjs } from '../../src/nn/tfjs.ts'
import type { Actors } from '../../src/rl/agents.ts'
import { numbersOf } from '../reference/statistics.ts'
import { momentsOf, oneStep, softOptimum } from './one-step.ts'

const core = await compileCore()
beforeAll(() => startTfjs({ core }))

const LOG_2PI = Math.log(2 * Math.PI)

/** B sets of K particles from N(0, start²), moved towards a density with the given score. */
function moved(
  { A = 1, K = 128, B = 4, L = 2400, stepSize = 0.0125, start = 0.8, bandwidth = 1 },
  score: (x: number) => number,
) {
  const { normal } = numbersOf(5)
  const draw = () => Float32Array.from({ length: B * K * A }, () => start * normal())
  const [driving, driven] = [draw(), draw()]
  const logDensity = Float32Array.from({ length: B * K }, (_, i) => {
    const z = Array.from(driven.subarray(i * A, (i + 1) * A), (u) => u / start)
    return z.reduce((sum, x) => sum - 0.5 * x * x - Math.log(start) - 0.5 * LOG_2PI, 0)
  })
  const sampler = createSteinSampler(core, { states: B, fixed: K, width: A })
  const steps = {
    steps: L,
    stepSize,
    bandwidth,
    score: (out: Float32Array, x: Float32Array) => void out.set(x.map(score)),
  }
  const begun = { driving: driving.slice(), driven: driven.slice(), logDensity: logDensity.slice() }
  steinSteps(sampler, { driving, driven, logDensity }, steps)
  return { driven, logDensity, begun, entropy: -logDensity.reduce((sum, x) => sum + x, 0) / logDensity.length }
}

describe('the closed-form density of a Stein sampler', () => {
  test.each([0.5, 0.8])('has the entropy of the Gaussian of deviation %d within 0.05 nats', (deviation) => {
    const { entropy } = moved({ bandwidth: 4 * deviation * deviation }, (x) => -x / deviation ** 2)
    const exact = Math.log(deviation) + 0.5 * (LOG_2PI + 1)
    expect(Math.abs(entropy - exact)).toBeLessThan(0.05)
  })

  test('has the entropy of a mixture of two Gaussians within 0.05 nats', () => {
    const [s, m] = [0.5, 1.2]
    const weigh = (x: number) => 1 / (1 + Math.exp((-2 * m * x) / s ** 2))
    const { entropy } = moved(
      { K: 256, B: 4, start: 1.3, stepSize: 0.02, L: 3000 },
      (x) => -(x + m - 2 * m * weigh(x)) / s ** 2,
    )
    let exact = 0
    for (let x = -5; x < 5; x += 1e-3) {
      const p = [m, -m].reduce(
        (sum, c) => sum + (0.5 * Math.exp(-(((x - c) / s) ** 2) / 2)) / (s * Math.sqrt(2 * Math.PI)),
        0,
      )
      exact -= p * Math.log(p) * 1e-3
    }
    expect(Math.abs(entropy - exact)).toBeLessThan(0.05)
  })

  test('is that of the map of a driven particle, by finite differences of a float64 twin', () => {
    const [K, L, stepSize, h] = [6, 4, 0.01, 1.5]
    const score = (x: number) => -3 * (x - 0.4)
    const { begun, driven, logDensity } = moved({ K, B: 1, L, stepSize, bandwidth: h }, score)
    const field = (x: readonly number[], u: number) =>
      x.reduce((sum, y) => sum + Math.exp(-((u - y) ** 2) / h) * (score(y) + (2 / h) * (u - y)), 0) / x.length
    const map = (u: number) => {
      let x = [...begun.driving]
      for (let l = 0; l < L; l++) {
        u += stepSize * field(x, u)
        x = x.map((y) => y + stepSize * field(x, y))
      }
      return u
    }
    for (let i = 0; i < K; i++) {
      const u = begun.driven[i]
      expect(Math.abs(map(u) - driven[i])).toBeLessThan(1e-5)
      const slope = (map(u + 1e-5) - map(u - 1e-5)) / 2e-5
      // To first order in ε: the square of a step's divergence is left.
      expect(Math.abs(logDensity[i] - begun.logDensity[i] + Math.log(slope))).toBeLessThan(3e-3)
    }
  })
})

const small = {
  hidden: [24],
  batch: 24,
  start: 48,
  steps: 48,
  environments: 4,
  learningRate: 5e-3,
  polyak: 0.05,
  svgdSteps: 4,
}
const parabola = (a: number) => -8 * (a - 0.3) ** 2

async function trained(options: S2acOptions, iterations: number) {
  const state = await s2ac.init({ ...small, ...options, iterations })
  for (let t = 0; t < iterations; t++) await s2ac.step(state)
  return state
}

function actionsOf(agents: Actors, rows: number, greedy = false): Float32Array {
  const out = new Float32Array(rows)
  const observation = new Float32Array(rows).fill(1)
  agents.act(out, { particle: 0, observation, rows, greedy, purpose: 6, step: 0, seed: splitSeed(4) })
  return out
}

test.each([0.2, 0.6])(
  'one step with a quadratic reward, α = %d: actions have the mean and the spread of exp(r/α)',
  async (temperature) => {
    const state = await trained({ env: oneStep(parabola), temperature, stepSize: 0.02 }, 16)
    const actions = momentsOf(actionsOf(s2ac.agents(state), 2000))
    const exact = softOptimum(parabola, temperature)
    expect(Math.abs(actions.mean - exact.mean)).toBeLessThan(0.06)
    expect(Math.abs(actions.deviation / exact.deviation - 1)).toBeLessThan(0.25)
    for (const a of actionsOf(s2ac.agents(state), 20, true)) expect(Math.abs(a - 0.3)).toBeLessThan(0.2)
  },
)

test('saved and restored it draws the same actions', async () => {
  const state = await trained({ env: oneStep(parabola), selection: 'softmax-q' }, 2)
  const again = await s2ac.restore(s2ac.save(state), state.spec)
  for (const greedy of [false, true])
    expect(actionsOf(again, 30, greedy)).toEqual(actionsOf(s2ac.agents(state), 30, greedy))
})

test('same seed, same bytes', async () => {
  const run = async () => (await trained({ env: 'MultiGoalMaxEntropy-v0', seed: 3 }, 2)).actor.view.theta
  expect(await run()).toEqual(await run())
})

test.each<[Partial<S2acOptions>, string]>([
  [{ env: 'CartPole-v1' }, 's2ac needs continuous actions, and those of CartPole-v1 are discrete: take svpg.'],
  [{ temperature: 0 }, 'temperature must be a finite number above 0, got 0.'],
  [{ particles: 0 }, 'particles must be a whole number from 1 to 10000, got 0.'],
  [{ replay: 5 }, 'replay must hold at least a batch of 24 transitions, got 5.'],
  [{ selection: 'best' as 'random' }, 'selection must be one of random, max-q, softmax-q'],
])('refuses %j', async (options, message) => {
  await expect(s2ac.init({ env: 'Pendulum-v1', ...small, ...options })).rejects.toThrow(message)
})

test('Q that is not finite stops the run and leaves the start as it was', async () => {
  const state = await s2ac.init({ ...small, env: oneStep(parabola) })
  await s2ac.step(state)
  state.critics.q.view.theta.fill(Number.NaN)
  const before = state.actor.view.theta.slice()
  const failed = s2ac.step(state)
  await expect(failed).rejects.toThrow(RunError)
  await expect(failed).rejects.toThrow(/^Iteration 2: .*not finite\.$/)
  expect(state.actor.view.theta).toEqual(before)
})
