import { beforeAll, describe, expect, test } from '@jest/globals'
import { sac } from '../../../src/algorithms/sac/sac.ts'
import type { SacOptions } from '../../../src/algorithms/sac/settings.ts'
import { RunError } from '../../../src/core/errors.ts'
import { Purpose, splitSeed } from '../../../src/core/random.ts'
import { evaluatePopulation } from '../../../src/rl/evaluate.ts'
import {
  expectFollowed,
  expectSame,
  fill,
  gaussianReference,
  meanOf,
  qLossReference,
  qsReference,
  randomise,
  rowsOf,
  single,
  slopeReference,
  slopesOf,
} from '../../helpers/gradient-step.ts'
import { momentsOf, oneStep, softOptimum, twoSteps } from '../../helpers/one-step.ts'
import { mlpReference } from '../../reference/mlp.ts'

const small = { hidden: [32], batchSize: 64, warmup: 64, steps: 64, environments: 8, learningRate: 1e-2, polyak: 0.1 }

async function trained(options: SacOptions, iterations: number) {
  const state = await sac.init({ ...small, ...options, iterations })
  let info = await sac.step(state)
  for (let t = 1; t < iterations; t++) info = await sac.step(state)
  return { state, info }
}

/** Actions that the policy draws where the observation is `x`. */
function actionsAt(state: Awaited<ReturnType<typeof sac.init>>, x: number, count: number): Float32Array {
  const out: number[] = []
  const { ops, at, view } = state.arena
  const { lo, hi } = splitSeed(5)
  for (let step = 0; out.length < count; step++) {
    view.current.fill(x)
    ops.act(at.policy, 0, at.current, 8, at.action, 0, 0, 6, 0, step, lo, hi)
    out.push(...view.action.subarray(0, 8))
  }
  return Float32Array.from(out)
}

const parabola = (a: number) => -8 * (a - 0.3) ** 2

describe('one step with a quadratic reward', () => {
  const temperatures = [0.1, 0.4]
  let states: Awaited<ReturnType<typeof sac.init>>[]
  beforeAll(async () => {
    states = []
    for (const temperature of temperatures)
      states.push((await trained({ env: oneStep(parabola), temperature }, 14)).state)
  })

  test('the policy becomes exp(r/α), whose spread grows with α', () => {
    temperatures.forEach((temperature, k) => {
      const actions = momentsOf(actionsAt(states[k], 1, 4000))
      const exact = softOptimum(parabola, temperature)
      expect(Math.abs(actions.mean - exact.mean)).toBeLessThan(0.03)
      expect(Math.abs(actions.deviation - exact.deviation)).toBeLessThan(0.03)
    })
  })

  test('it is evaluated as any population of policies: greedily best', async () => {
    const returns: number[] = []
    const [state] = states
    const evaluation = evaluatePopulation({ ...sac.agents(state), spec: state.spec, episodes: 50, seed: 3 })
    for await (const { meanReturn } of evaluation) returns.push(meanReturn)
    expect(returns[0]).toBeGreaterThan(-0.02)
    expect(returns[1]).toBeLessThan(returns[0])
  })
})

test('two steps: the value of the second, with its entropy, comes back to the first', async () => {
  const temperature = 0.2
  const { state } = await trained({ env: twoSteps(parabola), temperature, discount: 0.9 }, 20)
  // γ V(s₁) less what α log π takes of the first step, whose best policy is uniform: y = γ V, and α H = α log 2.
  const { value } = softOptimum(parabola, temperature)
  const first = momentsOf(actionsAt(state, 0, 4000))
  expect(first.deviation).toBeGreaterThan(0.5)
  const { net, view } = state.critics.q
  for (const a of [-0.5, 0, 0.5])
    expect(Math.abs(mlpReference(net, view.theta, [0, a])[0] - 0.9 * value)).toBeLessThan(0.06)
})

test('a temperature of auto keeps the entropy that is asked for', async () => {
  const targetEntropy = -0.5
  const { info } = await trained({ env: oneStep(parabola), targetEntropy, learningRate: 2e-2 }, 12)
  expect(Math.abs((info.entropy as number) - targetEntropy)).toBeLessThan(0.1)
  // A Gaussian of that entropy has σ = exp(H − ½ log 2πe), and α = 2 · 8 σ².
  const deviation = Math.exp(targetEntropy - 0.5 * Math.log(2 * Math.PI * Math.E))
  expect(info.temperature / (16 * deviation ** 2)).toBeGreaterThan(0.75)
  expect(info.temperature / (16 * deviation ** 2)).toBeLessThan(1.35)
})

describe('one gradient step, against a float64 twin', () => {
  const polyak = 0.25
  const alpha = 0.6

  async function stepped(options: Partial<SacOptions>) {
    const state = await sac.init({ ...single, polyak, temperature: alpha, ...options })
    const { critics, actor, arena, loop } = state
    fill(loop.replay, 30, 1)
    const size = 2 * critics.q.net.size
    const before = {
      q: randomise(critics.q.view.theta, size, 2),
      target: randomise(critics.target.view, size, 3),
      actor: randomise(actor.view.theta, actor.net.size, 4, 0.4),
      temperature: Math.fround(Math.log(alpha)),
    }
    arena.view.theta[0] = before.temperature
    const info = await sac.step(state)
    const { ops, at, view } = arena
    const noise = [0, 1].map((use) => {
      ops.fillNormal(at.noise, 12, loop.seed.lo, loop.seed.hi, Purpose.noise, 0, use, 0)
      return rowsOf(view.noise.subarray(0, 12), 2)
    })
    return { state, info, before, noise, after: Float64Array.from(critics.q.view.theta.subarray(0, size)) }
  }

  /** u = μ + σ ε and log π of tanh u. */
  function drawn({ actor }: Awaited<ReturnType<typeof sac.init>>, theta: Float64Array, s: number[], noise: number[]) {
    const outputs = mlpReference(actor.net, theta, s)
    const [mean, deviation] = [outputs.slice(0, 2), outputs.slice(2).map(Math.exp)]
    const u = noise.map((e, c) => mean[c] + deviation[c] * e)
    return { action: u.map(Math.tanh), logProb: gaussianReference(u, mean, deviation) - slopeReference(u) }
  }

  test('Q goes towards r + γ (1 − d) (the smaller target − α log π), its targets after it', async () => {
    const { state, info, before, noise, after } = await stepped({})
    const { critics, loop } = state
    const { net } = critics.q
    const { reward, terminated, nextObservation } = loop.batch
    expect(new Set(terminated).size).toBe(2)
    const y = rowsOf(nextObservation, 2).map((s, b) => {
      const { action, logProb } = drawn(state, before.actor, s, noise[0][b])
      const q = Math.min(...qsReference(net, before.target, s, action))
      return reward[b] + 0.8 * (1 - terminated[b]) * (q - alpha * logProb)
    })
    const loss = (theta: Float64Array) => qLossReference(net, theta, loop.batch, y)
    expect((info.qLoss as number) / loss(before.q)).toBeCloseTo(1, 4)
    expectSame(
      critics.q.view.direction,
      slopesOf((theta) => -loss(theta), before.q),
    )
    expectFollowed(critics.target.view, before.target, critics.q.view.theta, polyak)
    expect(after).not.toEqual(before.q)
  })

  test.each(['auto', alpha] as const)('the policy goes up the smaller Q − α log π, α %p', async (temperature) => {
    const { state, info, before, noise, after } = await stepped({ temperature, targetEntropy: -1.1 })
    const { actor, critics, loop, arena } = state
    const rows = rowsOf(loop.batch.observation, 2).map((s, b) => ({ s, noise: noise[1][b] }))
    const logProbs = (theta: Float64Array) => rows.map((row) => drawn(state, theta, row.s, row.noise).logProb)
    const objective = (theta: Float64Array) =>
      meanOf(
        rows.map((row) => {
          const { action, logProb } = drawn(state, theta, row.s, row.noise)
          return Math.min(...qsReference(critics.q.net, after, row.s, action)) - alpha * logProb
        }),
      )
    expectSame(actor.view.direction, slopesOf(objective, before.actor))
    const logProb = meanOf(logProbs(before.actor))
    expect(info.entropy).toBeCloseTo(-logProb, 4)
    // One step of Adam is as long as the learning rate; the policy is less sure than the target asks, and α falls.
    expect(-logProb).toBeGreaterThan(-1.1)
    const moved = temperature === 'auto' ? -1e-3 : 0
    expect(arena.view.theta[0] - before.temperature).toBeCloseTo(moved, 6)
    if (temperature === 'auto') expect(arena.view.direction[0]).toBeCloseTo(logProb - 1.1, 4)
    expect(info.temperature / (alpha * Math.exp(moved))).toBeCloseTo(1, 6)
  })

  test('two different Qs begin with copies of themselves as targets', async () => {
    const { critics } = await sac.init(single)
    const { net, view } = critics.q
    expect([...critics.target.view]).toEqual([...view.theta])
    const [first, second] = [0, 1].map((k) => view.theta.slice(k * net.size, (k + 1) * net.size))
    expect(first).not.toEqual(second)
    for (const theta of [first, second]) expect(theta.some((x) => x !== 0)).toBe(true)
  })

  test('the entropy to be kept is less one nat an action', async () => {
    const { targetEntropy } = await sac.init({ ...single, polyak })
    expect(targetEntropy).toBe(-2)
  })
})

test('same seed, same bytes; another seed, others', async () => {
  const run = async (seed: number) => {
    const { state } = await trained({ env: 'Pendulum-v1', seed }, 2)
    return state.actor.view.theta
  }
  const [a, b, c] = [await run(1), await run(1), await run(2)]
  expect(a).toEqual(b)
  expect(a).not.toEqual(c)
})

test.each<[Partial<SacOptions>, string]>([
  [{ temperature: 0 }, 'temperature must be a finite number above 0 or auto, got 0.'],
  [{ temperature: -1 }, 'got -1.'],
  [{ replaySize: 10 }, 'replaySize must hold at least a batch of 64 transitions, got 10.'],
  [{ polyak: 2 }, 'polyak must be a number from 0 to 1, got 2.'],
  [{ targetEntropy: Number.NaN }, 'targetEntropy must be a finite number or auto, got NaN.'],
  [{ discount: 1.1 }, 'discount must be'],
])('refuses %j', async (options, message) => {
  await expect(sac.init({ env: 'Pendulum-v1', ...small, ...options })).rejects.toThrow(message)
})

test('Q that is not finite stops the run and leaves the policy as it was', async () => {
  const state = await sac.init({ env: oneStep(parabola), ...small })
  await sac.step(state)
  state.critics.target.view.fill(Number.NaN)
  const before = state.actor.view.theta.slice()
  const failed = sac.step(state)
  await expect(failed).rejects.toThrow(RunError)
  await expect(failed).rejects.toThrow('Iteration 2: The loss of the q network or its gradient is not finite.')
  expect(state.actor.view.theta).toEqual(before)
  expect(state.critics.q.view.theta.every(Number.isFinite)).toBe(true)
})
