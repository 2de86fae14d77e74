import { beforeAll, describe, expect, test } from '@jest/globals'
import { latentFields, latentsOf, samplerNetworks } from '../../../src/algorithms/sql/sampler.ts'
import { absoluteDeterminant, samplerLogDensity } from '../../../src/algorithms/sql/sampler-learning.ts'
import type { SqlOptions } from '../../../src/algorithms/sql/settings.ts'
import { type SqlState, sql } from '../../../src/algorithms/sql/sql.ts'
import { createArena } from '../../../src/core/arena.ts'
import { RunError } from '../../../src/core/errors.ts'
import { compileCore } from '../../../src/core/module.ts'
import { Purpose, splitSeed } from '../../../src/core/random.ts'
import { environmentSpec } from '../../../src/envs/registry.ts'
import type { Box } from '../../../src/envs/spaces.ts'
import { startTfjs, tf } from '../../../src/nn/tfjs.ts'
import type { DrawingAgents } from '../../../src/rl/agents.ts'
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
  samplerReference,
  single,
  slopesOf,
} from '../../helpers/gradient-step.ts'
import { momentsOf, oneStep, softOptimum, twoSteps } from '../../helpers/one-step.ts'
import { mlpReference } from '../../reference/mlp.ts'
import { numbersOf } from '../../reference/statistics.ts'

beforeAll(() => startTfjs())

const small = {
  hidden: [32, 32],
  batchSize: 32,
  warmup: 64,
  steps: 64,
  environments: 8,
  learningRate: 6e-3,
  samplerLearningRate: 3e-3,
  targetEvery: 50,
}

/** With a sampler, as actions are continuous here. */
const begun = async (options: SqlOptions) => (await sql.init(options)) as SqlState
const agentsOf = (state: SqlState) => sql.agents(state) as DrawingAgents

async function trained(options: SqlOptions, iterations: number): Promise<SqlState> {
  const state = await begun({ ...small, ...options, iterations })
  for (let t = 0; t < iterations; t++) await sql.step(state)
  return state
}

function actionsOf(agents: DrawingAgents, x: number, rows: number, greedy = false): Float32Array {
  return agents.actRows(new Float32Array(rows).fill(x), { greedy, seed: 4 })
}

/** Two hills, the right one higher. */
const hills = (a: number) => -6 * Math.min((a + 0.5) ** 2, (a - 0.5) ** 2) + (a > 0 ? 0.1 : 0)
const parabola = (a: number) => -8 * (a - 0.3) ** 2

describe('one step, where π(a) ∝ exp(r(a)/α) is known', () => {
  const temperatures = [0.15, 0.5]
  let states: SqlState[]
  beforeAll(async () => {
    states = []
    for (const temperature of temperatures) states.push(await trained({ env: oneStep(parabola), temperature }, 14))
  })

  test.each([0, 1])('a hill, α number %d: mean and spread of what is drawn', (k) => {
    const drawn = momentsOf(actionsOf(agentsOf(states[k]), 1, 4000))
    const exact = softOptimum(parabola, temperatures[k])
    expect(Math.abs(drawn.mean - exact.mean)).toBeLessThan(0.05)
    expect(Math.abs(drawn.deviation / exact.deviation - 1)).toBeLessThan(0.15)
  })

  test('a hill is evaluated greedily and sampled', async () => {
    const returns: number[] = []
    const [state] = states
    const evaluation = evaluatePopulation({ ...agentsOf(state), spec: state.spec, episodes: 60, seed: 3 })
    for await (const { meanReturn } of evaluation) returns.push(meanReturn)
    expect(returns[0]).toBeGreaterThan(-0.05)
    expect(returns[1]).toBeLessThan(returns[0])
  })

  test.each([0, 1, 2, 3, 4])(
    'two hills, seed %d: a residual sampler keeps both, in about their shares',
    async (seed) => {
      const temperature = 0.3
      const state = await trained({ env: oneStep(hills), temperature, residual: true, seed }, 16)
      const drawn = actionsOf(agentsOf(state), 1, 4000)
      const left = drawn.filter((a) => a < 0)
      const exactLeft = softOptimum((a) => (a < 0 ? hills(a) : -100), temperature)
      const share = 1 / (1 + Math.exp(0.1 / temperature))
      expect(Math.abs(left.length / drawn.length - share)).toBeLessThan(0.12)
      expect(Math.abs(momentsOf(left).mean - exactLeft.mean)).toBeLessThan(0.08)
      for (const a of actionsOf(agentsOf(state), 1, 20, true)) expect(Math.abs(a - 0.5)).toBeLessThan(0.15)
    },
  )
})

describe('a residual sampler', () => {
  const plane = { ...small, env: 'MultiGoal-v0', residual: true }

  test.each([
    [1, 'the first number of the action'],
    [2, 'both'],
    [3, 'both'],
  ])('begins near N(0, I) in every state, with %d latents for %s', async (latents) => {
    const state = await begun({ ...plane, latents })
    for (const place of [
      [0, 0],
      [6, -6],
    ]) {
      const rows = 2000
      const observation = Float32Array.from({ length: 2 * rows }, (_, k) => place[k % 2])
      const u = rowsOf(agentsOf(state).actRows(observation, { greedy: false, seed: 4 }).map(Math.atanh), 2)
      for (const c of [0, 1]) {
        const { mean, deviation } = momentsOf(u.map((one) => one[c]))
        // What the network adds, with a last layer a tenth as large as without the latents, is no more than this.
        expect(Math.abs(mean)).toBeLessThan(0.7)
        expect(Math.abs(deviation - (c < latents ? 1 : 0))).toBeLessThan(0.3)
      }
    }
  })

  test('is restored as one, and begins no run of another', async () => {
    const state = await begun(plane)
    const saved = sql.save(state)
    const observation = Float32Array.of(1, 2, -3, 4)
    const again = await sql.restore(saved, state.spec)
    expect((again as DrawingAgents).actRows(observation, { seed: 4 })).toEqual(
      agentsOf(state).actRows(observation, { seed: 4 }),
    )
    await expect(begun({ ...plane, residual: false, from: saved })).rejects.toThrow(
      'from must have a sampler that is not residual, as the settings say.',
    )
  })
})

describe('two steps: Q of the first is γ V of the second', () => {
  test.each<[string, Partial<SqlOptions>]>([
    ['values from uniform actions', { valueParticles: 64 }],
    [
      'values from the policy, a pair of Q networks that follow slowly, a reward scale and its α',
      { proposalFrom: 200, critics: 2, polyak: 0.1, targetEvery: 1, rewardScale: 4, temperature: 0.8 },
    ],
  ])('%s', async (_, options) => {
    const temperature = 0.2
    const discount = 0.9
    const state = await trained({ env: twoSteps(parabola), temperature, discount, ...options }, 16)
    const exact = discount * softOptimum(parabola, temperature).value * (options.rewardScale ?? 1)
    const { q } = state.critics
    for (const a of [-0.6, 0, 0.6]) {
      const [value] = mlpReference(q.net, q.view.theta, [0, a])
      expect(Math.abs(value - exact) / (options.rewardScale ?? 1)).toBeLessThan(0.06)
    }
  })
})

describe('log q of a sampler', () => {
  const spec = environmentSpec('MultiGoal-v0')
  const shape = { hidden: [9], activation: 'tanh' as const, latents: 2, qs: 1, candidates: 4 }
  const { sampler } = samplerNetworks(spec, shape)
  const { normal } = numbersOf(3)
  const theta = Float32Array.from({ length: sampler.size }, () => 0.6 * normal())
  const rows = 8
  const state = Float32Array.from({ length: 2 * rows }, normal)
  const latent = Float32Array.from({ length: 2 * rows }, normal)

  test.each([false, true])(
    'is the density of a change of variables, residual %s, by finite differences of a float64 twin',
    (residual) => {
      const values = samplerLogDensity(
        { sampler, theta, shape: { ...shape, residual } },
        Math.log,
        tf.tensor2d(state, [rows, 2]),
        tf.tensor2d(latent, [rows, 2]),
      )
      for (let r = 0; r < rows; r++) {
        const s = [state[2 * r], state[2 * r + 1]]
        const xi = [latent[2 * r], latent[2 * r + 1]]
        const action = (a: number, b: number) =>
          mlpReference(sampler, theta, [...s, a, b]).map((u, c) => Math.tanh(u + (residual ? [a, b][c] : 0)))
        const h = 1e-5
        const slope = (k: number) => {
          const step = [0, 1].map((c) => (c === k ? h : 0))
          const up = action(xi[0] + step[0], xi[1] + step[1])
          const down = action(xi[0] - step[0], xi[1] - step[1])
          return up.map((x, c) => (x - down[c]) / (2 * h))
        }
        const [a, b] = [slope(0), slope(1)]
        const exact =
          -0.5 * (xi[0] ** 2 + xi[1] ** 2) - Math.log(2 * Math.PI) - Math.log(Math.abs(a[0] * b[1] - a[1] * b[0]))
        expect(Math.abs(values[r] - exact)).toBeLessThan(2e-4 * Math.max(1, Math.abs(exact)))
      }
    },
  )

  test('determinants by elimination: a permutation, a singular matrix, three rows by Sarrus', () => {
    expect(absoluteDeterminant(Float64Array.of(0, 2, 3, 0), 2)).toBe(6)
    expect(absoluteDeterminant(Float64Array.of(1, 2, 2, 4), 2)).toBe(0)
    const m = Float64Array.from({ length: 9 }, normal)
    const [a, b, c, d, e, f, g, h, i] = m
    const sarrus = a * e * i + b * f * g + c * d * h - c * e * g - b * d * i - a * f * h
    expect(absoluteDeterminant(m, 3)).toBeCloseTo(Math.abs(sarrus), 12)
  })
})

describe('one gradient step, against a float64 twin', () => {
  const settings = {
    ...single,
    ...{ temperature: 0.4, rewardScale: 2, particles: 7, fixedShare: 0.5, bandwidth: 1.5, valueParticles: 5 },
    ...{ samplerLearningRate: 2e-3, targetEvery: 1, polyak: 0.25 },
  }

  async function stepped(options: Partial<SqlOptions>) {
    const state = await begun({ ...settings, ...options })
    const { critics, sampler, loop, config } = state
    fill(loop.replay, 30, 1)
    const size = config.critics * critics.q.net.size
    const before = {
      q: randomise(critics.q.view.theta, size, 2),
      target: randomise(critics.target.view, size, 3),
      sampler: randomise(sampler.view.theta, sampler.net.size, 4),
    }
    const info = await sql.step(state)
    return { state, info, before, after: Float64Array.from(critics.q.view.theta.subarray(0, size)) }
  }

  const latents = ({ learning, arena, loop }: SqlState, rows: number, use: number) => {
    const { ops, at, view } = use === 2 ? learning.arena : arena
    ops.fillNormal(at.latent, 2 * rows, loop.seed.lo, loop.seed.hi, Purpose.noise, 0, use, 0)
    return rowsOf(view.latent.slice(0, 2 * rows), 2)
  }

  test.each<[string, Partial<SqlOptions>]>([
    ['a pair, uniform actions', { critics: 2 }],
    ['one Q, uniform actions', { critics: 1 }],
    ['actions of the sampler', { critics: 1, proposalFrom: 0 }],
  ])('Q goes towards r + γ (1 − d) α log mean exp(Q/α)/q: %s', async (_, options) => {
    const { state, info, before } = await stepped(options)
    const { critics, loop, arena, nets } = state
    const { reward, terminated, nextObservation } = loop.batch
    const { ops, at, view } = arena
    expect(new Set(terminated).size).toBe(2)
    ops.fillUniform(at.uniform, 60, loop.seed.lo, loop.seed.hi, Purpose.noise, 0, 0, 0)
    const uniform = rowsOf(view.uniform.slice(0, 60), 2).map((u) => ({
      action: u.map((x) => 2 * x - 1),
      density: 1 / 4,
    }))
    const xi = latents(state, 30, 1)
    const proposal = (s: number[], k: number) => {
      if (options.proposalFrom === undefined) return uniform[k]
      const action = (x: Float64Array) => mlpReference(nets.sampler, before.sampler, [...s, ...x]).map(Math.tanh)
      const [a, b] = [0, 1].map((c) => slopesOf((x) => action(x)[c], xi[k]))
      const density = Math.exp(gaussianReference(xi[k], [0, 0], [1, 1])) / Math.abs(a[0] * b[1] - a[1] * b[0])
      return { action: action(Float64Array.from(xi[k])), density }
    }
    const values = rowsOf(nextObservation, 2).map((s, b) => {
      const terms = Array.from({ length: 5 }, (_, k) => {
        const { action, density } = proposal(s, 5 * b + k)
        return Math.exp(Math.min(...qsReference(nets.q, before.target, s, action)) / 0.4) / density
      })
      return 0.4 * Math.log(meanOf(terms))
    })
    const y = values.map((value, b) => 2 * reward[b] + 0.8 * (1 - terminated[b]) * value)
    const loss = (theta: Float64Array) => qLossReference(nets.q, theta, loop.batch, y)
    expect(info.value).toBeCloseTo(meanOf(values), 4)
    expect((info.qLoss as number) / loss(before.q)).toBeCloseTo(1, 4)
    expectSame(
      critics.q.view.direction,
      slopesOf((theta) => -loss(theta), before.q),
    )
    expectFollowed(critics.target.view, before.target, critics.q.view.theta, 0.25)
  })

  test.each([
    [1, false],
    [2, false],
    [1, true],
  ])('the sampler goes along φ of the other particles of its state, %d Q, residual %s', async (qs, residual) => {
    const { state, info, before, after } = await stepped({ critics: qs, residual })
    const { sampler, loop, nets } = state
    const xi = latents(state, 6 * 7, 2)
    const block = (from: number, count: number) =>
      Array.from({ length: 6 }, (_, b) => xi.slice(from + b * count, from + (b + 1) * count))
    const { direction, norm } = samplerReference({
      sampler: sampler.net,
      theta: before.sampler,
      states: rowsOf(loop.batch.observation, 2),
      fixed: block(0, 3),
      moved: block(18, 4),
      worth: (s, a) => Math.min(...qsReference(nets.q, after, s, a)) / 0.4,
      bandwidth: 1.5,
      residual,
    })
    expectSame(sampler.view.direction, direction)
    expect(info.direction).toBeCloseTo(norm, 4)
    expect(info.bandwidth).toBe(1.5)
    // The first step of Adam is as long as its rate.
    const moved = Math.max(...before.sampler.map((x, k) => Math.abs(sampler.view.theta[k] - x)))
    expect(moved).toBeCloseTo(2e-3, 5)
  })

  test('it acts by the squashed output of the sampler for the state and its noise', async () => {
    const { state, before } = await stepped({})
    const { ops, at, view } = state.arena
    const { lo, hi } = state.loop.seed
    ops.fillNormal(at.latent, 2, lo, hi, Purpose.action, 0, 0, 0)
    const u = mlpReference(state.nets.sampler, before.sampler, [0.3, -0.7, ...view.latent.subarray(0, 2)])
    u.forEach((x, c) => void expect(state.loop.action[c]).toBeCloseTo(Math.tanh(x), 5))
  })

  test('targets are copied when their step has come, not before', async () => {
    const state = await begun({ ...settings, targetEvery: 3, polyak: 1 })
    const { critics, loop } = state
    fill(loop.replay, 30, 1)
    const start = [...critics.target.view]
    for (let t = 1; t <= 3; t++) {
      expect([...critics.target.view]).toEqual(start)
      await sql.step(state)
    }
    expect([...critics.target.view]).toEqual([...critics.q.view.theta])
    expect([...critics.target.view]).not.toEqual(start)
  })

  test.each([
    [0.5, true],
    [1, false],
  ])('with a polyak of %p alone targets follow after the first step: %p', async (polyak, isFollowing) => {
    const state = await begun({ ...settings, targetEvery: undefined, polyak })
    const { critics, loop } = state
    fill(loop.replay, 30, 1)
    const start = [...critics.target.view]
    await sql.step(state)
    const due = start.map((old, k) => (isFollowing ? Math.fround((old + critics.q.view.theta[k]) / 2) : old))
    due.forEach((value, k) => void expect(critics.target.view[k]).toBeCloseTo(value, 6))
    expect([...critics.q.view.theta]).not.toEqual(start)
  })
})

test('greedily it takes the best under Q of the actions that it draws', async () => {
  const state = await begun({ ...single, candidates: 6, critics: 2 })
  const { critics, sampler, nets, spec } = state
  const q = randomise(critics.q.view.theta, 2 * nets.q.size, 2)
  const theta = randomise(sampler.view.theta, nets.sampler.size, 4)
  const agents = agentsOf(state)
  const observation = Float32Array.of(0.5, -1, 2, 0.1)
  const best = agents.actRows(observation, { seed: 4 })
  // Without greed the same noise goes to rows of a single action each.
  const repeated = [0, 1].flatMap((row) => Array(6).fill([...observation.subarray(2 * row, 2 * row + 2)]))
  const all = agents.actRows(repeated.flat(), { seed: 4, greedy: false })
  const { low, high } = spec.actionSpace as Box
  const drawn = rowsOf(all, 2)
  const room = await createArena(await compileCore(), latentFields(12, 2))
  const draw = { particle: 0, purpose: Purpose.evaluate, step: 0, seed: splitSeed(4) }
  const xi = rowsOf(latentsOf(room, { latentSet: null, shape: state.shape }, 12, draw).slice(0, 24), 2)
  const squashed = xi.map((one, k) => mlpReference(nets.sampler, theta, [...repeated[k], ...one]).map(Math.tanh))
  drawn.forEach((a, k) => {
    a.forEach((x, c) => void expect(x).toBeCloseTo(low[c] + 0.5 * (squashed[k][c] + 1) * (high[c] - low[c]), 5))
  })
  const worth = squashed.map((a, k) => Math.min(...qsReference(nets.q, q, repeated[k], a)))
  const told = agents.value?.(0, Float32Array.from(repeated.flat()), Float32Array.from(squashed.flat())) ?? []
  worth.forEach((value, k) => void expect(told[k]).toBeCloseTo(value, 4))
  for (const row of [0, 1]) {
    const own = worth.slice(6 * row, 6 * row + 6)
    expect([...best.subarray(2 * row, 2 * row + 2)]).toEqual(drawn[6 * row + own.indexOf(Math.max(...own))])
  }
})

test('latents of a set are its rows, all of them', async () => {
  const room = await createArena(await compileCore(), latentFields(100, 2))
  const latentSet = Float32Array.of(1, 10, 2, 20, 3, 30)
  const shape = { hidden: [], activation: 'tanh' as const, latents: 2, qs: 1, candidates: 1 }
  const draw = { seed: splitSeed(4), purpose: 6, particle: 0, step: 0 }
  const rows = rowsOf(latentsOf(room, { latentSet, shape }, 100, draw), 2)
  for (const m of [1, 2, 3]) {
    const count = rows.filter(([x, y]) => x === m && y === 10 * m).length
    // 33 on average, with a deviation of 4.7.
    expect(Math.abs(count - 100 / 3)).toBeLessThan(20)
  }
  expect(rows.every(([x, y]) => y === 10 * x)).toBe(true)
})

test('a set of latents shrinks to one: the policy of the last iteration is deterministic, and stays so when it is restored', async () => {
  const state = await trained({ env: oneStep(hills), temperature: 0.3, latentSet: 16 }, 3)
  const drawn = actionsOf(agentsOf(state), 1, 50)
  expect(new Set(drawn).size).toBe(1)
  const again = await sql.restore(sql.save(state), state.spec)
  expect(actionsOf(again, 1, 50)).toEqual(drawn)
})

test('saved and restored it draws the same actions; fine-tuning begins with them', async () => {
  const first = await trained({ env: 'MultiGoal-v0' }, 2)
  const draw = (agents: DrawingAgents, greedy: boolean) => agents.actRows([0, 0, 1, 2, -3, 4], { greedy, seed: 4 })
  const saved = sql.save(first)
  const restored = await sql.restore(saved, first.spec)
  for (const greedy of [false, true]) expect(draw(restored, greedy)).toEqual(draw(agentsOf(first), greedy))
  // As they were called once.
  const entries = Object.entries(saved.tensors).map(([name, tensor]) => [name.replace('critic-', 'judge-'), tensor])
  expect(entries.map(([name]) => name)).toContain('judge-0-0')
  const old = await sql.restore({ ...saved, tensors: Object.fromEntries(entries) }, first.spec)
  expect(draw(old, true)).toEqual(draw(restored, true))
  const tuned = await begun({ ...small, env: 'MultiGoal-v0', from: saved, seed: 9 })
  expect(draw(agentsOf(tuned), true)).toEqual(draw(agentsOf(first), true))
  expect([...tuned.critics.target.view]).toEqual([...first.critics.q.view.theta])
})

test('same seed, same bytes', async () => {
  const run = async () => (await trained({ env: 'MultiGoal-v0', seed: 6 }, 2)).sampler.view.theta
  expect(await run()).toEqual(await run())
})

test.each<[Partial<SqlOptions>, string]>([
  [{ temperature: 0 }, 'temperature must be a finite number above 0, got 0.'],
  [{ temperature: -2 }, 'got -2.'],
  [{ replaySize: 5 }, 'replaySize must hold at least a batch of 32 transitions, got 5.'],
  [
    { particles: 2, fixedShare: 0.5 },
    'fixedShare must leave at least 2 of 2 particles fixed and one to be moved, got 0.5.',
  ],
  [{ bandwidth: 'x' as 's2ac' }, 'bandwidth must be'],
  [{ proposalFrom: 0, latents: 2 }, 'proposalFrom needs as many latents as an action has numbers, 1, got 2.'],
  [{ proposalFrom: 0, latentSet: 4 }, 'proposalFrom needs latents from a density, got a latentSet of 4.'],
  [{ critics: 3 }, 'critics must be a whole number from 1 to 2, got 3.'],
])('refuses %j', async (options, message) => {
  await expect(sql.init({ env: 'Pendulum-v1', ...small, ...options })).rejects.toThrow(message)
})

test('refuses a sampler of another task', async () => {
  const other = sql.save(await begun({ ...small, env: 'MultiGoal-v0' }))
  await expect(sql.restore(other, environmentSpec('Pendulum-v1'))).rejects.toThrow(
    'but a sampler for Pendulum-v1 needs',
  )
})

test('Q that is not finite stops the run and leaves the sampler as it was', async () => {
  const state = await begun({ ...small, env: oneStep(parabola) })
  await sql.step(state)
  state.critics.q.view.theta.fill(Number.POSITIVE_INFINITY)
  const before = state.sampler.view.theta.slice()
  const failed = sql.step(state)
  await expect(failed).rejects.toThrow(RunError)
  await expect(failed).rejects.toThrow(/^Iteration 2: .*not finite\.$/)
  expect(state.sampler.view.theta).toEqual(before)
})
