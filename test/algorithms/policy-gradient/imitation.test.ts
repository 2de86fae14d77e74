import { beforeAll, describe, expect, test } from '@jest/globals'
import type { SvpgOptions } from '../../../src/algorithms/svpg/settings.ts'
import '@tensorflow/tfjs-backend-cpu'
import { createPolicyGradient } from '../../../src/algorithms/policy-gradient/evaluation-state.ts'
import { evaluateParticle } from '../../../src/algorithms/policy-gradient/policy-gradient.ts'
import {
  emptyMemory,
  imitatedRows,
  type Memory,
  remember,
} from '../../../src/algorithms/policy-gradient/self-imitation.ts'
import {
  imitationRewards,
  keepBest,
  noTrajectories,
  rowWeights,
} from '../../../src/algorithms/policy-gradient/trajectory-imitation.ts'
import {
  type Behaviour,
  contextFor,
  createBehaviour,
  observeBehaviour,
} from '../../../src/algorithms/svpg/behaviour-kernel.ts'
import { svpg } from '../../../src/algorithms/svpg/svpg.ts'
import { createArena } from '../../../src/core/arena.ts'
import { compileCore } from '../../../src/core/module.ts'
import { Purpose, splitSeed } from '../../../src/core/random.ts'
import { cartPole } from '../../../src/envs/cartpole.ts'
import type { EnvironmentSpec } from '../../../src/envs/contract.ts'
import { box, discrete } from '../../../src/envs/spaces.ts'
import { mlp, valueNetwork } from '../../../src/nn/network.ts'
import { type Head, policyOf } from '../../../src/nn/policy.ts'
import { startTfjs, tf } from '../../../src/nn/tfjs.ts'
import { type Episode, returnsToGo } from '../../../src/rl/episodes.ts'
import { type EstimatorOptions, estimatorOf } from '../../../src/rl/estimator.ts'
import type { Job, ParticleState } from '../../../src/rl/evaluator.ts'
import { headFor } from '../../../src/rl/heads.ts'
import { initialiseTrainable, shuffleFields, trainable, trainableFields } from '../../../src/rl/trainable.ts'
import { explorationRewards } from '../../../src/rl/visitation-density.ts'
import { behaviourKernelReference, explorationRewardsReference } from '../../reference/behaviour.ts'
import { slopes, surrogateReference } from '../../reference/distributions.ts'
import {
  discriminatorLossReference,
  gainLossReference,
  importanceReference,
  judgementReference,
  normalisedReference,
} from '../../reference/imitation.ts'
import { mlpReference } from '../../reference/mlp.ts'
import { lambdaReturnsReference } from '../../reference/returns.ts'

const core = await compileCore()
beforeAll(() => startTfjs({ core }))

const rowsOf = (rows: ArrayLike<number>, width: number) =>
  Array.from({ length: rows.length / width }, (_, b) => Array.from({ length: width }, (_, k) => rows[b * width + k]))

function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number) {
  const scale = Math.max(...Array.from(expected, Math.abs))
  expect(scale).toBeGreaterThan(0)
  expect(actual).toHaveLength(expected.length)
  Array.from(expected, (value, k) => expect(Math.abs(actual[k] - value)).toBeLessThan(tolerance * scale))
}

/** Runs with tfjs on this backend. */
async function on<T>(backend: string, run: () => T): Promise<T> {
  await tf.setBackend(backend)
  const result = run()
  await tf.setBackend('wasm')
  return result
}

const episode = (observations: number[], reward: number[]): Episode => ({
  observation: Float32Array.from(observations),
  action: Float32Array.from(reward, () => 1),
  reward: Float64Array.from(reward),
})

describe('self-imitation from transitions', () => {
  test('returns are discounted to each step, and the oldest transitions go first', () => {
    const one = episode([1, 2, 3], [1, 0, 4])
    expect([...returnsToGo(one, 0.5)]).toEqual([2, 2, 4])
    const memory = emptyMemory(4, 1, 1)
    remember(memory, [one, episode([4, 5], [7, 8])], 1)
    expect([...memory.memoryObservation]).toEqual([5, 2, 3, 4])
    expect([...memory.memoryReturn]).toEqual([8, 4, 4, 15])
    expect([...memory.memoryCount]).toEqual([4, 1])
  })

  test('only what went better than the critic expected has a weight, and a priority', async () => {
    const net = valueNetwork(1, [])
    const arena = await createArena(core, { ...trainableFields('critic', net), ...shuffleFields(512) })
    const critic = trainable(arena, 'critic', net)
    initialiseTrainable(critic, splitSeed(1), 0, { purpose: Purpose.critic })
    critic.view.theta.fill(0)
    const memory = emptyMemory(4, 1, 1)
    // V = 0: returns above it are at the first two, below it at the others.
    for (const [k, reward] of [0.5, 0.25, -1, -2].entries()) remember(memory, [episode([k], [reward])], 1)
    const estimator = estimatorOf({ estimator: 'a2c', selfImitation: 'transitions', imitationValueWeight: 0 })
    const rows = imitatedRows(memory, critic, estimator, splitSeed(3), arena)
    rows?.observation.forEach((k, b) => {
      const weight = rows.weight[b]
      if (k >= 2) expect(weight).toBe(0)
      else expect(weight).toBeGreaterThan(0)
    })
    expect([...memory.memoryPriority.subarray(0, 2)]).toEqual([0.5, 0.25])
    expect(memory.memoryPriority[2]).toBeLessThan(1e-5)
    // Drawn again, the better ones crowd out the others.
    const again = imitatedRows(memory, critic, estimator, splitSeed(4), arena)
    expect(again?.weight.filter((weight) => weight > 0).length).toBeGreaterThan(480)
  })
})

describe('a step of self-imitation', () => {
  const [alpha, beta] = [0.7, 0.4]
  const returns = [2, 0.3, -1, 0.8, 1.5, -0.2]
  const priorities = [1, 0.5, 0.25, 2, 0.125, 0.75]

  /** A critic that is neither small nor constant, and a memory whose observations tell its rows. */
  async function remembered(size: number, options: EstimatorOptions = {}) {
    const net = valueNetwork(1, [5])
    const arena = await createArena(core, { ...trainableFields('critic', net), ...shuffleFields(size) })
    const critic = trainable(arena, 'critic', net)
    initialiseTrainable(critic, splitSeed(1), 0, { purpose: Purpose.critic })
    critic.view.theta.forEach((_, k) => {
      critic.view.theta[k] = k < net.size ? 0.5 * Math.sin(2 * k + 1) : 0
    })
    const memory: Memory = {
      ...emptyMemory(returns.length, 1, 1),
      memoryObservation: Float32Array.from(returns, (_, k) => k),
      memoryReturn: Float64Array.from(returns),
      memoryPriority: Float64Array.from(priorities),
      memoryCount: Int32Array.of(returns.length, 0),
    }
    const exponents = { priorityExponent: alpha, importanceExponent: beta }
    const more = { imitationBatch: size, imitationValueWeight: 0.5, ...exponents, ...options }
    const estimator = estimatorOf({ estimator: 'a2c', selfImitation: 'transitions', ...more })
    const before = [...critic.view.theta]
    const criticAt = (k: number) => mlpReference(net, before, [k])[0]
    return {
      net,
      critic,
      memory,
      before,
      criticAt,
      take: () => imitatedRows(memory, critic, estimator, splitSeed(3), arena),
    }
  }

  test.each([200, 30])('weighs %p rows as their definition says', async (size) => {
    const { criticAt, take, memory } = await remembered(size)
    const taken = take()
    const rows = [...(taken?.observation ?? [])]
    expect(rows).toHaveLength(size)
    const u = importanceReference(priorities, rows, alpha, beta)
    const gains = rows.map((k) => Math.max(returns[k] - criticAt(k), 0))
    const count = Math.max(gains.filter((gain) => gain > 0).length, 64)
    expectClose(
      taken?.weight ?? [],
      gains.map((gain, b) => (u[b] * Math.min(gain, 1)) / count),
      1e-5,
    )
    // Gains above 1, between, and none.
    expect([gains.some((gain) => gain > 1), gains.some((gain) => gain > 0 && gain < 1), gains.includes(0)]).toEqual([
      ...[true, true, true],
    ])
    rows.forEach((k) => {
      expect(memory.memoryPriority[k]).toBeCloseTo(Math.max(returns[k] - criticAt(k), 1e-6), 5)
    })
  })

  test('draws in proportion to the powers of the priorities', async () => {
    const size = 20_000
    const { take } = await remembered(size)
    const total = priorities.reduce((sum, p) => sum + p ** alpha, 0)
    const rows = [...(take()?.observation ?? [])]
    priorities.forEach((p, k) => {
      const share = p ** alpha / total
      const drawn = rows.filter((row) => row === k).length / size
      expect(Math.abs(drawn - share)).toBeLessThan(4.5 * Math.sqrt((share * (1 - share)) / size))
    })
  })

  test.each(['wasm', 'cpu'])(
    'the critic goes down ½ mean u (R − V)₊², by finite differences, on %s',
    async (backend) => {
      const { net, critic, before, take } = await remembered(90)
      const taken = await on(backend, take)
      const drawn = [...(taken?.observation ?? [])]
      const u = importanceReference(priorities, drawn, alpha, beta)
      const rows = drawn.map((k, b) => ({ observation: [k], target: returns[k], importance: u[b] }))
      const numeric = slopes((theta) => gainLossReference(net, theta, rows), before.slice(0, net.size))
      expectClose(critic.view.direction.map((g) => -g).subarray(0, net.size), numeric, 1e-5)
      // The weight of the loss scales the rate: Adam itself would not see it.
      const half = await remembered(90, { imitationValueWeight: 0.25 })
      half.take()
      const moved = (one: typeof half) => Math.abs(one.critic.view.theta[0] - one.before[0])
      expect(moved({ ...half, critic, before }) / moved(half)).toBeCloseTo(2, 2)
    },
  )
})

describe('self-imitation from trajectories', () => {
  test('the best are kept, and weigh by their returns', () => {
    const episodes = [episode([1], [1]), episode([2, 2], [2, 3]), episode([3], [3])]
    const held = keepBest(noTrajectories(2), episodes, 2)
    expect([...held.bestReturn]).toEqual([5, 3])
    expect([...held.bestObservation]).toEqual([2, 2, 3])
    const more = keepBest(held, [episode([9], [4])], 2)
    expect([...more.bestReturn]).toEqual([5, 4])
    const weights = rowWeights(more)
    expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 6)
    expect(weights[0]).toBeGreaterThan(weights[2])
  })

  test.each(['positive', 'log-odds'] as const)(
    'the %s reward is higher where the best trajectories are',
    async (imitationReward) => {
      await startTfjs()
      const net = mlp([3, 8, 1])
      const arena = await createArena(core, trainableFields('discriminator', net))
      const discriminator = trainable(arena, 'discriminator', net)
      initialiseTrainable(discriminator, splitSeed(1), 0, { purpose: Purpose.discriminator })
      // The best trajectory always takes action 1, the policy takes each every other time.
      const held = keepBest(noTrajectories(3), [episode(Array(20).fill(0), Array(20).fill(1))], 10)
      const head = { name: 'categorical', actions: 2 } as const
      const rows = { observation: new Float32Array(20), action: Float32Array.from({ length: 20 }, (_, k) => k % 2) }
      const settings = { discriminatorSteps: 200, discriminatorLearningRate: 1e-2, imitationReward }
      const rewards = new Float64Array(20)
      imitationRewards(rewards, held, discriminator, { ...rows, observations: 1, head }, estimatorOf(settings))
      // D is 2/3 at what both do, as the best do it twice as often, and near 0 at what only the policy does.
      const odds = Math.log(2)
      expect(rewards[1]).toBeCloseTo(imitationReward === 'positive' ? Math.log(3) : odds, 1)
      expect(rewards[0]).toBeLessThan(imitationReward === 'positive' ? 0.2 : -2)
    },
  )
})

describe('the discriminator', () => {
  /** Rows of a policy and of two trajectories, the second one better. */
  async function judged(head: Head, backend: string) {
    const O = 2
    const A = head.name === 'categorical' ? 1 : head.actions
    const net = mlp([O + head.actions, 6, 1])
    const arena = await createArena(core, trainableFields('discriminator', net))
    const discriminator = trainable(arena, 'discriminator', net)
    initialiseTrainable(discriminator, splitSeed(2), 0, { purpose: Purpose.discriminator })
    discriminator.view.theta.forEach((_, k) => {
      discriminator.view.theta[k] = k < net.size ? 0.7 * Math.sin(3 * k + 2) : 0
    })
    const before = [...discriminator.view.theta.subarray(0, net.size)]
    const make = (rows: number, by: number) => ({
      // One row so far from the others that it is clipped.
      observation: Float32Array.from({ length: rows * O }, (_, k) => (k === 4 ? 60 : Math.sin(by * k + 1))),
      action: Float32Array.from({ length: rows * A }, (_, k) =>
        head.name === 'categorical' ? (k * by) % head.actions : Math.cos(by * k),
      ),
    })
    const episodes = [
      { ...make(4, 5), reward: Float64Array.of(0, 1, 0, 0) },
      { ...make(6, 7), reward: Float64Array.of(1, 1, 1, 0, 1, 0) },
    ]
    const held = keepBest(noTrajectories(O + head.actions), episodes, 5)
    const own = make(40, 3)
    const asRows = ({ observation, action }: Pick<Episode, 'observation' | 'action'>) =>
      rowsOf(observation, O).map((row, b) => [
        ...row,
        ...(head.name === 'categorical'
          ? Array.from({ length: head.actions }, (_, a) => (a === action[b] ? 1 : 0))
          : rowsOf(action, A)[b]),
      ])
    const rewards = new Float64Array(40)
    await on(backend, () =>
      imitationRewards(rewards, held, discriminator, { ...own, observations: O, head }, estimatorOf({})),
    )
    const all = asRows(own)
    // The better one first, as they are held.
    const best = normalisedReference([...asRows(episodes[1]), ...asRows(episodes[0])], all)
    return {
      net,
      discriminator,
      before,
      rewards,
      own: normalisedReference(all, all),
      best,
      weights: [...rowWeights(held)],
    }
  }

  const heads: Head[] = [
    { name: 'categorical', actions: 3 },
    { name: 'gaussian', actions: 2 },
  ]

  test.each(heads.flatMap((head) => ['wasm', 'cpu'].map((backend) => ({ head, backend }))))(
    'goes down its loss, by finite differences of a float64 twin: $head.name, $backend',
    async ({ head, backend }) => {
      const { net, discriminator, before, rewards, own, best, weights } = await judged(head, backend)
      const numeric = slopes((theta) => discriminatorLossReference(net, theta, own, best, weights), before)
      expectClose(discriminator.view.direction.map((g) => -g).subarray(0, net.size), numeric, 1e-5)
      // −log(1 − D) with the discriminator as it is now: the more a row is like the best, the more it is worth.
      const theta = discriminator.view.theta
      const expected = own.map((row) => -Math.log(1 - judgementReference(net, theta, row)))
      expectClose(rewards, expected, 1e-5)
    },
  )

  test('without trajectories there is nothing to be had', async () => {
    const net = mlp([3, 1])
    const discriminator = trainable(
      await createArena(core, trainableFields('discriminator', net)),
      'discriminator',
      net,
    )
    const rows = { observation: Float32Array.of(1, 2), action: Float32Array.of(0, 1), observations: 1 }
    const head: Head = { name: 'categorical', actions: 2 }
    const rewards = Float64Array.of(5, 5)
    const held = imitationRewards(rewards, noTrajectories(3), discriminator, { ...rows, head }, estimatorOf({}))
    expect([...rewards]).toEqual([0, 0])
    expect(held.bestMoments[0]).toBe(2)
  })
})

describe('imitation in a population', () => {
  /** Six steps, each worth 1 with action 1. */
  const press: EnvironmentSpec = {
    id: 'Press',
    observationSpace: box([-1], [1]),
    actionSpace: discrete(2),
    maxEpisodeSteps: 6,
    create: () => ({
      reset: () => ({ obs: [0.5], info: {} }),
      step: (action: number) => ({ obs: [0.5], reward: action, terminated: false, truncated: false, info: {} }),
    }),
  }
  const small = { env: press, particles: 1, environments: 8, steps: 12, hidden: [], temperature: 1, seed: 4 }

  test('the share μ of the discriminator: the gradient is (1 − μ) that of the task + μ that of its rewards', async () => {
    const gradient = async (imitationShare: number, selfImitation: 'trajectories' | 'none' = 'trajectories') => {
      const state = await svpg.init({ ...small, selfImitation, imitationShare })
      // In the first rollout there is nothing to imitate before episodes have ended.
      await svpg.evaluate(state)
      return state.arena.view.score.slice(0, state.policy.size)
    }
    const [task, judge, mixed] = [await gradient(0), await gradient(1), await gradient(0.3)]
    expectClose(
      mixed,
      task.map((g, k) => 0.7 * g + 0.3 * judge[k]),
      1e-5,
    )
    expect([...judge]).not.toEqual([...task])
    expect([...task]).toEqual([...(await gradient(0, 'none'))])
  })

  test('the discriminator alone leads to what the best trajectories did', async () => {
    const options = { selfImitation: 'trajectories', imitationShare: 1, discriminatorLearningRate: 0.01 } as const
    const state = await svpg.init({ ...small, ...options, learningRate: 0.02, discriminatorHidden: [8] })
    let told = await svpg.step(state)
    expect(told.particles[0].meanReturn).toBeLessThan(4.5)
    for (let k = 0; k < 80; k++) told = await svpg.step(state)
    expect(told.particles[0].meanReturn).toBeGreaterThan(5)
  })

  test('steps of self-imitation alone lead to what went well', async () => {
    const state = await svpg.init({
      ...{ ...small, estimator: 'a2c', selfImitation: 'transitions', learningRate: 0.02, criticHidden: [] },
      // V ≈ 0, and the return of a step is its reward: only pressing went better than expected.
      ...{ criticLearningRate: 1e-30, imitationSteps: 1, discount: 0 },
    })
    const before = (await svpg.evaluate(state))[0].meanReturn
    for (let k = 0; k < 60; k++) {
      await svpg.evaluate(state, undefined, 1)
      svpg.move(state)
    }
    state.iteration++
    expect(before).toBeLessThan(4.5)
    expect((await svpg.evaluate(state))[0].meanReturn).toBeGreaterThan(5)
  })
})

describe.each(['js', 'symmetric-kl'] as const)('the kernel on behaviour, %s', (divergence) => {
  test('is 1 for policies that do the same, and falls where they do not', async () => {
    const policy = policyOf({ observations: 1, hidden: [], head: { name: 'categorical', actions: 2 } })
    const behaviour = await createBehaviour(core, 3, policy, { divergence, temperature: null }, splitSeed(2))
    // The first two are around 1, the third around −1.
    const visited = [1, 1, -1].map((centre, i) => ({
      observation: Float32Array.from({ length: 64 }, (_, k) => centre + 0.3 * Math.sin(7 * k + i)),
      action: Float32Array.from({ length: 64 }, (_, k) => k % 2),
    }))
    for (let k = 0; k < 30; k++) observeBehaviour(behaviour, visited)
    const { kernel } = behaviour
    expect([kernel[0], kernel[4], kernel[8]]).toEqual([1, 1, 1])
    expect(kernel[1]).toBe(kernel[3])
    expect(kernel[1]).toBeGreaterThan(0.85)
    expect(kernel[2]).toBeLessThan(0.5)
    expect(kernel[5]).toBeLessThan(0.5)
  })
})

describe.each(['js', 'symmetric-kl'] as const)('a float64 twin of the behaviour, %s', (divergence) => {
  const head: Head = { name: 'categorical', actions: 2 }
  const policy = policyOf({ observations: 1, hidden: [], head })

  /** Three policies that were seen a few times. */
  async function seen(temperature: number | null) {
    const behaviour = await createBehaviour(core, 3, policy, { divergence, temperature }, splitSeed(2))
    const visit = (k: number) =>
      [0.2, -0.3, 1].map((centre, i) => ({
        observation: Float32Array.from({ length: 20 }, (_, b) => centre + Math.sin(7 * b + i + k)),
        action: Float32Array.from({ length: 20 }, (_, b) => (b + i) % 2),
      }))
    for (let k = 0; k < 12; k++) observeBehaviour(behaviour, visit(k))
    return behaviour
  }

  /** [n][rows] the log ratios at some visits, with the moments that the behaviour has. */
  function ratiosAt({ net, arena, moments }: Behaviour, observation: ArrayLike<number>, action: ArrayLike<number>) {
    const O = 1
    const C = net.widths[0]
    const deviation = (c: number) => Math.sqrt(moments[1 + C + c] / moments[0])
    const clip = (value: number) => Math.min(Math.max(value, -5), 5)
    const rows = Array.from(action, (a, b) => [observation[b * O], a === 0 ? 1 : 0, a === 1 ? 1 : 0])
    const normalised = rows.map((row) => row.map((value, c) => clip((value - moments[1 + c]) / deviation(c))))
    return [0, 1, 2].map((i) => {
      const theta = arena.view.theta.subarray(i * net.size, (i + 1) * net.size)
      return normalised.map((row) => clip(mlpReference(net, theta, row)[0]))
    })
  }

  test.each([null, 0.2])('the kernel at temperature %p', async (temperature) => {
    const behaviour = await seen(temperature)
    // l[i][j]: ratios of policy i at the rows of policy j.
    const at = [0, 1, 2].map((j) => {
      const visits = behaviour.visits.map((visited) => visited[j])
      return ratiosAt(
        behaviour,
        visits.flatMap(({ observation }) => [...observation]),
        visits.flatMap(({ action }) => [...action]),
      )
    })
    const l = [0, 1, 2].map((i) => at.map((ratios) => ratios[i]))
    const T = temperature ?? (divergence === 'js' ? 0.5 : 1)
    expectClose(behaviour.kernel, behaviourKernelReference(l, divergence, T).flat(), 1e-4)
    expect(Math.min(...behaviour.kernel)).toBeLessThan(0.97)
  })

  test('the rewards for being elsewhere', async () => {
    const behaviour = await seen(null)
    const visited = { observation: Float32Array.of(-1, 0, 0.5, 2), action: Float32Array.of(0, 1, 1, 0) }
    const l = ratiosAt(behaviour, visited.observation, visited.action)
    for (const i of [0, 1, 2]) {
      const out = new Float64Array(4)
      const context = contextFor(behaviour, i) as ParticleState
      const weight = explorationRewards(out, behaviour.arena.ops, i, context, { policy, divergence, visited })
      const similar = [...behaviour.kernel.subarray(3 * i, 3 * i + 3)]
      expectClose(out, explorationRewardsReference(l, i, similar, divergence), 1e-3)
      expect(weight).toBeCloseTo(
        similar.reduce((sum, k, j) => sum + (j === i ? 0 : k), 0),
        6,
      )
    }
  })

  test('densities learn the ratios: of two policies that act alike in different proportions', async () => {
    const behaviour = await createBehaviour(core, 2, policy, { divergence, temperature: 1 }, splitSeed(5))
    const shares = [0.75, 0.25]
    const visited = shares.map((share) => ({
      observation: Float32Array.from({ length: 32 }, (_, b) => Math.sin(b % 4)),
      // Each fourth of the rows has the share of action 1.
      action: Float32Array.from({ length: 32 }, (_, b) => (Math.floor(b / 4) < 8 * share ? 1 : 0)),
    }))
    for (let k = 0; k < 40; k++) observeBehaviour(behaviour, visited)
    const f = (p: number, q: number) => (divergence === 'js' ? Math.log((2 * p) / (p + q)) : Math.log(p / q))
    const [p, q] = shares
    const D = p * f(p, q) + (1 - p) * f(1 - p, 1 - q)
    expect(behaviour.kernel[1] / Math.exp(-D)).toBeCloseTo(1, 1)
  })
})

test.each<EstimatorOptions>([
  {},
  { entropyBonus: 3 },
  { estimator: 'ppo', epochs: 1, minibatches: 1, criticHidden: [3] },
])(
  'the exploration gradient is Σ k times the policy gradient of the rewards for being elsewhere: %j',
  async (options) => {
    const [E, T, discount] = [3, 60, 0.9]
    const task = { spec: cartPole, head: headFor(cartPole), environments: E, steps: T, seed: splitSeed(1) }
    const policy = policyOf({ observations: 4, hidden: [3], head: task.head })
    const estimator = estimatorOf({ standardise: false, discount, ...options })
    const state = await createPolicyGradient({ task, policy, estimator, divergence: 'js', core })
    const behaviour = await createBehaviour(core, 2, policy, { divergence: 'js', temperature: null }, splitSeed(2))
    const visit = (by: number) => ({
      observation: Float32Array.from({ length: 4 * 30 }, (_, k) => Math.sin(by * k) / 10),
      action: Float32Array.from({ length: 30 }, (_, b) => (b * by) % 2),
    })
    for (let k = 0; k < 6; k++) observeBehaviour(behaviour, [visit(3), visit(5)])
    const theta = Float32Array.from({ length: policy.size }, (_, k) => Math.sin(3 * k + 1) / 2)
    const context = contextFor(behaviour, 1) as ParticleState
    const job: Job = { particle: 1, step: 0, theta, behaviour: theta, pass: 0, carried: null, context }
    const { exploration } = evaluateParticle(state, job)

    const { view, ops } = state.arena
    const reward = new Float64Array(T * E)
    const weight = explorationRewards(reward, ops, 1, context, { policy, divergence: 'js', visited: view })
    // The critic of these rewards as it was before it learned from them.
    const fresh = await createPolicyGradient({ task, policy, estimator, divergence: 'js', core })
    const explorer = fresh.explorer as NonNullable<typeof fresh.explorer>
    initialiseTrainable(explorer, task.seed, 1, { purpose: Purpose.exploration })
    const valueOfRow = (x: readonly number[]) => mlpReference(explorer.net, explorer.view.theta, x)[0]
    const [values, nextValues] = [view.observation, view.nextObservation].map((all) => rowsOf(all, 4).map(valueOfRow))
    const advantage = Array<number>(T * E).fill(0)
    for (let e = 0; e < E; e++) {
      const rows = Array.from({ length: T }, (_, t) => t * E + e)
      const of = (all: ArrayLike<number>) => rows.map((row) => all[row])
      const ends = rows.map((row) => (view.terminated[row] ? 'terminated' : null))
      const rollout = { reward: of(reward), value: of(values), nextValue: of(nextValues), ends, discount } as const
      lambdaReturnsReference(rollout, estimator.lambda ?? 1).forEach((target, t) => {
        advantage[rows[t]] = target - values[rows[t]]
      })
    }
    const rows = {
      observation: rowsOf(view.observation, 4),
      action: rowsOf(view.action, 1),
      weight: advantage.map((value) => value / (T * E)),
      noise: advantage.map(() => []),
    }
    const numeric = slopes((moved) => weight * surrogateReference(policy, moved, rows, 0), [...theta])
    expectClose(exploration ?? [], numeric, 1e-3)
  },
)

test.each<Partial<SvpgOptions>>([
  { estimator: 'a2c', selfImitation: 'transitions', imitationSteps: 2 },
  { estimator: 'ppo', selfImitation: 'trajectories', epochs: 2, minibatches: 2 },
  { kernel: 'js', exploration: 0.3 },
])('%j has the same bits with workers', async (options) => {
  const finish = async (workers: number) => {
    const base = { env: 'CartPole-v1', particles: 3, environments: 2, steps: 32, hidden: [8], seed: 1 }
    const state = await svpg.init({ ...base, ...options, workers })
    for (let k = 0; k < 3; k++) await svpg.step(state)
    svpg.close(state)
    return [...state.arena.view.theta]
  }
  expect(await finish(2)).toEqual(await finish(0))
})
