import { beforeAll, describe, expect, test } from '@jest/globals'
import { classPolicyLoss, classValue } from '../../src/algorithms/sac/classes.ts'
import { sac } from '../../src/algorithms/sac/sac.ts'
import type { SqlClassState } from '../../src/algorithms/sql/classes.ts'
import { sql } from '../../src/algorithms/sql/sql.ts'
import { sqlCompose } from '../../src/algorithms/sql/sql-compose.ts'
import { configured } from '../../src/envs/configured.ts'
import type { Transitions } from '../../src/envs/transitions.ts'
import { startTfjs, tf } from '../../src/nn/tfjs.ts'
import { softMaximum } from '../../src/rl/class-values.ts'
import { expectFollowed, expectSame, meanOf, randomise, rowsOf, slopesOf } from '../helpers/gradient-step.ts'
import { mlpReference } from '../reference/mlp.ts'
import { softOptimumOf } from '../reference/soft-optimum.ts'

beforeAll(() => startTfjs())

const single = {
  ...{ env: 'Acrobot-v1', hidden: [5], activation: 'tanh' as const, learningRate: 1e-3, discount: 0.8 },
  ...{ steps: 8, environments: 2, warmup: 16, gradientSteps: 1, batchSize: 6, replaySize: 40 },
}
const N = 3
const most = (values: readonly number[]) => Math.max(...values)

function logSoftmax(logits: readonly number[]): number[] {
  const total = logits.reduce((sum, x) => sum + Math.exp(x - most(logits)), 0)
  return logits.map((x) => x - most(logits) - Math.log(total))
}

test('the soft maximum overflows for no temperature', async () => {
  const values = tf.tensor2d([1000, 999, -1000, 3, 3, 3], [2, 3])
  const found = await softMaximum(values, 0.01).array()
  expect(found[0]).toBeCloseTo(1000, 3)
  expect(found[1]).toBeCloseTo(3 + 0.01 * Math.log(3), 5)
})

test('SQL: a gradient step against a float64 twin and finite differences', async () => {
  const state = (await sql.init({
    ...single,
    temperature: 0.4,
    critics: 2,
    targetEvery: 1,
    polyak: 0.1,
  })) as SqlClassState
  const { q, target } = state.critics
  const before = randomise(q.view.theta, 2 * q.net.size, 3)
  const old = randomise(target.view, 2 * q.net.size, 4)
  const one = (theta: Float64Array, k: number, s: readonly number[]) =>
    mlpReference(q.net, theta.subarray(k * q.net.size, (k + 1) * q.net.size), [...s])
  const told = await sql.step(state)
  const { batch } = state.loop
  const [states, next] = [rowsOf(batch.observation, 6), rowsOf(batch.nextObservation, 6)]
  const values = next.map((s) => {
    const least = one(old, 0, s).map((x, a) => Math.min(x, one(old, 1, s)[a]) / 0.4)
    return 0.4 * (most(least) + Math.log(least.reduce((sum, x) => sum + Math.exp(x - most(least)), 0)))
  })
  const y = values.map((v, b) => batch.reward[b] + 0.8 * (1 - batch.terminated[b]) * v)
  const loss = (theta: Float64Array) =>
    meanOf(
      y.map((t, b) => [0, 1].reduce((sum, k) => sum + 0.5 * (one(theta, k, states[b])[batch.action[b]] - t) ** 2, 0)),
    )
  expectSame(
    q.view.direction,
    slopesOf((theta) => -loss(theta), before),
  )
  expect(told.qLoss).toBeCloseTo(loss(before), 3)
  expect(told.value).toBeCloseTo(meanOf(values), 4)
  expectFollowed(target.view, old, q.view.theta.subarray(0, old.length), 0.1)
  sql.close(state)
})

describe('SAC', () => {
  test('value and loss of a policy against a float64 twin and finite differences', async () => {
    const state = await sac.init({ ...single, temperature: 0.3 })
    const { actor, critics, policy } = state
    const theta = randomise(actor.view.theta, policy.size, 5)
    const size = critics.q.net.size
    const [now, old] = [randomise(critics.q.view.theta, 2 * size, 6), randomise(critics.target.view, 2 * size, 7)]
    const states = Array.from({ length: 4 }, (_, b) => Array.from({ length: 6 }, (_, k) => Math.sin(3 * b + k)))
    const least = (of: Float64Array, s: readonly number[]) => {
      const [a, b] = [0, 1].map((k) => mlpReference(critics.q.net, of.subarray(k * size, (k + 1) * size), [...s]))
      return a.map((x, c) => Math.min(x, b[c]))
    }
    const sum = (of: Float64Array, t: Float64Array, sign: number) =>
      states.map((s) => {
        const log = logSoftmax(mlpReference(policy.net, t, [...s]))
        return log.reduce((all, l, a) => all + Math.exp(l) * sign * (least(of, s)[a] - 0.3 * l), 0)
      })
    const judged = { net: policy.net, critics, temperature: 0.3 }
    const x = tf.tensor2d(states)
    const t = tf.tensor1d(actor.view.theta.slice(0, policy.size))
    expectSame(await classValue(judged, t, x).data(), sum(old, theta, 1))
    const gradient = tf.grad((p) => classPolicyLoss(judged, p as tf.Tensor1D, x)[0])(t)
    expectSame(
      await gradient.data(),
      slopesOf((p) => meanOf(sum(now, p, -1)), theta),
    )
    sac.close(state)
  })

  test('keeps half of the largest entropy where none is set', async () => {
    const state = await sac.init(single)
    expect(state.targetEntropy).toBeCloseTo(0.5 * Math.log(N), 6)
    sac.close(state)
  })
})

/** Every state and action of the lake often enough, by uniform steps; γ and α at which all values matter. */
const lake = { ...{ env: configured('FrozenLake-v1', {}), hidden: [], temperature: 0.2, discount: 0.95 } }

test('SQL on FrozenLake-v1 finds the soft optimum: Q within 0.05, the policy within 0.02', async () => {
  const P = lake.env.transitions?.() as Transitions
  const { q, policy } = softOptimumOf(P, 0.95, 0.2, 1000)
  const run = { ...{ environments: 256, warmup: 400_000, replaySize: 420_000, steps: 1, batchSize: 1024, seed: 3 } }
  const learning = { targetEvery: 1, polyak: 0.02, gradientSteps: 20 }
  let from: ReturnType<typeof sql.save> | undefined
  for (const learningRate of [0.01, 0.001]) {
    const state = (await sql.init({ ...lake, ...run, ...learning, learningRate, from })) as SqlClassState
    for (let t = 0; t < 400_000 / 256 + 200; t++) await sql.step(state)
    from = sql.save(state)
    sql.close(state)
  }
  const agents = await sql.restore(from as NonNullable<typeof from>, lake.env)
  const { data } = (from as NonNullable<typeof from>).tensors.q
  P.forEach((outcomes, s) => {
    if (outcomes[0].length === 1) return
    const found = [0, 1, 2, 3].map((a) => data[4 * s + a] + data[64 + a])
    found.forEach((value, a) => void expect(Math.abs(value - q[s][a])).toBeLessThan(0.05))
    const shares = logSoftmax(found.map((x) => x / 0.2)).map(Math.exp)
    expect(0.5 * shares.reduce((sum, p, a) => sum + Math.abs(p - policy[s][a]), 0)).toBeLessThan(0.02)
  })
  const first = P.map((_, k) => (k === 0 ? 1 : 0))
  const best = policy[0].indexOf(most(policy[0]))
  expect(agents.act(first)).toBe(best)
}, 400_000)

test('a composition acts by the sum of the Qs, each component by its own', async () => {
  const options = { ...single, env: 'CartPole-v1', hidden: [4, 3], temperature: 0.5 }
  const state = await sqlCompose.init({
    ...{ ...options, components: [{ gravity: 9 }, { gravity: 5 }], componentIterations: 1, iterations: 2 },
  })
  if (!('policy' in state)) throw new Error('There is a sampler.')
  state.components.forEach(({ critics: { q } }, c) => void randomise(q.view.theta, q.net.size, 8 + c))
  const { policy, theta, particles } = sqlCompose.agents(state) as {
    policy: typeof state.policy
    theta: Float32Array
    particles: number
  }
  expect(particles).toBe(3)
  const s = [0.3, -0.5, 0.1, 0.7]
  const own = state.components.map(({ critics: { q } }) =>
    mlpReference(q.net, Float64Array.from(q.view.theta.subarray(0, q.net.size)), s).map((x) => x / 0.5),
  )
  const exact = [...own, own[0].map((x, a) => x + own[1][a])]
  exact.forEach((logits, i) => {
    const found = mlpReference(policy.net, Float64Array.from(theta.subarray(i * policy.size, (i + 1) * policy.size)), s)
    logits.forEach((x, a) => void expect(found[a]).toBeCloseTo(x, 4))
  })
  sqlCompose.close(state)
})

test.each(['sac', 'sql'] as const)('%s on numbered actions: the same seed, the same bytes', async (name) => {
  const run = async (seed: number) => {
    const state = name === 'sac' ? await sac.init({ ...single, seed }) : await sql.init({ ...single, seed })
    for (let t = 0; t < 2; t++) await (name === 'sac' ? sac.step(state as never) : sql.step(state as never))
    return state.critics.q.view.theta.slice()
  }
  expect(await run(1)).toEqual(await run(1))
  expect(await run(1)).not.toEqual(await run(2))
})

test('settings of the sampler are refused where there is none', async () => {
  await expect(sql.init({ ...single, particles: 8 })).rejects.toThrow(
    'particles is of a sampler of continuous actions, which Acrobot-v1 has not: leave it at 32, got 8.',
  )
})
