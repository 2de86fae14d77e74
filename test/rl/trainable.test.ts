import { beforeAll, describe, expect, test } from '@jest/globals'
import type { SvpgOptions } from '../../src/algorithms/svpg/settings.ts'
import '@tensorflow/tfjs-backend-cpu'
import { svpg } from '../../src/algorithms/svpg/svpg.ts'
import { createArena } from '../../src/core/arena.ts'
import { RunError } from '../../src/core/errors.ts'
import { compileCore } from '../../src/core/module.ts'
import { Purpose, splitSeed } from '../../src/core/random.ts'
import { valueNetwork } from '../../src/nn/network.ts'
import { startTfjs, tf } from '../../src/nn/tfjs.ts'
import {
  initialiseTrainable,
  outputsInto,
  shuffleFields,
  trainable,
  trainableFields,
  trainCritic,
} from '../../src/rl/trainable.ts'
import { slopes } from '../reference/distributions.ts'
import { mlpReference } from '../reference/mlp.ts'

const core = await compileCore()
beforeAll(() => startTfjs({ core }))

type CriticTraining = Parameters<typeof trainCritic>[3]

const O = 3
const net = valueNetwork(O, [6, 5])
const seed = splitSeed(4)

/** A critic before its first rollout of B rows, and rows whose targets are a function of the observation. */
async function fresh(B: number, particle = 0) {
  const arena = await createArena(core, { ...trainableFields('critic', net), ...shuffleFields(B) })
  const critic = trainable(arena, 'critic', net)
  initialiseTrainable(critic, seed, particle, { purpose: Purpose.critic })
  const observation = Float32Array.from({ length: B * O }, (_, k) => Math.sin(1.7 * k))
  const target = Float64Array.from({ length: B }, (_, b) => 2 * observation[O * b] - observation[O * b + 1] ** 2 + 0.5)
  return { arena, critic, observation, target }
}

type Fresh = Awaited<ReturnType<typeof fresh>>

const train = ({ arena, critic, observation, target }: Fresh, options: CriticTraining, by = seed) =>
  trainCritic(critic, observation, target, options, by, arena)

const rowsOf = ({ observation, target }: Fresh) =>
  Array.from(target, (_, b) => [...observation.subarray(O * b, O * b + O)])

/** ½ mean (V(s) − target)², in float64. */
function loss(one: Fresh, theta: ArrayLike<number>): number {
  const errors = rowsOf(one).map((x, b) => mlpReference(net, theta, x)[0] - one.target[b])
  return errors.reduce((sum, e) => sum + e * e, 0) / 2 / errors.length
}

test('values are those of the network', async () => {
  const { critic, observation, ...rest } = await fresh(10)
  const out = new Float64Array(10)
  outputsInto(out, critic, observation)
  rowsOf({ critic, observation, ...rest }).forEach((x, b) => {
    expect(out[b]).toBeCloseTo(mlpReference(net, critic.view.theta, x)[0], 5)
  })
})

test('a critic begins close to 0 everywhere, and every particle with its own', async () => {
  const [one, two] = [await fresh(10), await fresh(10, 1)]
  const out = new Float64Array(10)
  outputsInto(out, one.critic, one.observation)
  expect(Math.max(...out.map(Math.abs))).toBeLessThan(0.5)
  expect([...two.critic.view.theta]).not.toEqual([...one.critic.view.theta])
})

test.each(['wasm', 'cpu'])(
  'one step of its Adam goes down the gradient of the squared error, tfjs on %s',
  async (backend) => {
    await tf.setBackend(backend)
    const one = await fresh(24)
    const { theta, direction, moment1 } = one.critic.view
    const before = Float64Array.from(theta)
    const numeric = slopes((moved) => loss(one, moved), [...before.slice(0, net.size)])
    train(one, { criticLearningRate: 1e-2, criticEpochs: 1, criticBatch: 24 })
    await tf.setBackend('wasm')
    const largest = Math.max(...numeric.map(Math.abs))
    numeric.forEach((g, k) => {
      expect(Math.abs(direction[k] + g)).toBeLessThan(1e-5 * largest)
      // m = (1 − β₁) times the direction, which is −∇.
      expect(Math.abs(moment1[k] + 0.1 * g)).toBeLessThan(1e-5 * largest)
    })
    expect(loss(one, theta)).toBeLessThan(loss(one, before))
    expect(one.critic.steps[0]).toBe(1)
  },
)

test('learns the targets', async () => {
  const one = await fresh(64)
  const before = loss(one, one.critic.view.theta)
  train(one, { criticLearningRate: 1e-2, criticEpochs: 100, criticBatch: 16 })
  expect(loss(one, one.critic.view.theta)).toBeLessThan(before / 50)
  expect(one.critic.steps[0]).toBe(400)
})

test('minibatches that do not divide the rows cover as many epochs, and depend on the seed only', async () => {
  const trained = async (by: number) => {
    const one = await fresh(10)
    train(one, { criticLearningRate: 1e-2, criticEpochs: 3, criticBatch: 4 }, splitSeed(by))
    expect(one.critic.steps[0]).toBe(8)
    return [...one.critic.view.theta]
  }
  expect(await trained(1)).toEqual(await trained(1))
  expect(await trained(1)).not.toEqual(await trained(2))
})

describe('beside the kernel', () => {
  const small: SvpgOptions = {
    ...{ env: 'CartPole-v1', particles: 3, environments: 4, steps: 16, hidden: [8], criticHidden: [7], seed: 2 },
    estimator: 'a2c',
  }
  const criticsOf = ({ carried }: Awaited<ReturnType<typeof svpg.init>>) =>
    carried.map((one) => [...(one?.criticTheta ?? [])])

  test('it is no part of theta, and the move does not touch it', async () => {
    const state = await svpg.init(small)
    expect(state.policy.size).toBe(4 * 8 + 8 + 8 * 2 + 2)
    await svpg.evaluate(state)
    const before = criticsOf(state)
    svpg.move(state)
    expect(criticsOf(state)).toEqual(before)
    expect(new Set(before.map(String)).size).toBe(3)
  })

  test('a particle keeps its own from rollout to rollout, whatever the others learn', async () => {
    const state = await svpg.init({ ...small, interaction: 'independent' })
    const alone = await svpg.init({ ...small, interaction: 'independent', particles: 1 })
    for (let k = 0; k < 3; k++) for (const run of [state, alone]) await svpg.step(run)
    expect(criticsOf(state)[0]).toEqual(criticsOf(alone)[0])
    // 64 rows in minibatches of 64, four epochs a rollout.
    expect(state.carried[0]?.criticSteps).toEqual(Int32Array.of(12))
  })

  test('two particles that share parameters do not share it', async () => {
    const state = await svpg.init(small)
    const D = state.arena.view.theta.length / 3
    for (let i = 1; i < 3; i++) state.arena.view.theta.copyWithin(i * D, 0, D)
    await svpg.evaluate(state)
    expect(new Set(criticsOf(state).map(String)).size).toBe(3)
  })
})

describe('a network that diverges is told by iteration and particle', () => {
  const small: SvpgOptions = {
    ...{ env: 'CartPole-v1', particles: 2, environments: 2, steps: 32, hidden: [4], criticHidden: [4], seed: 2 },
  }
  /** The message of the error that training ends with. */
  async function failure(options: Partial<SvpgOptions>) {
    const state = await svpg.init({ ...small, ...options })
    for (let k = 0; k < 6; k++) {
      const error = await svpg.step(state).catch((thrown: unknown) => thrown)
      if (!(error instanceof Error)) continue
      expect(error).toBeInstanceOf(RunError)
      return error.message
    }
    return 'none'
  }

  test.each<[string, Partial<SvpgOptions>, RegExp]>([
    [
      'the policy',
      { learningRate: 1e38 },
      /^Iteration \d: (Particle 0 is not finite after the step|The policy gradient)/,
    ],
    [
      'the critic',
      { estimator: 'a2c', criticLearningRate: 1e38 },
      /^Iteration \d: (The policy gradient of particle 0 is|Particle 0: The loss of the (critic|discriminator|imitator) network)/,
    ],
    [
      'the critic of self-imitation',
      { estimator: 'a2c', selfImitation: 'transitions', imitationValueWeight: 1e38 },
      /^Iteration \d: (The policy gradient of particle 0 is|Particle 0: The loss of the (critic|discriminator|imitator) network)/,
    ],
    [
      'the discriminator',
      { selfImitation: 'trajectories', discriminatorLearningRate: 1e38 },
      /^Iteration \d: (The policy gradient of particle 0 is|Particle 0: The loss of the (critic|discriminator|imitator) network)/,
    ],
  ])('%s', async (_, options, message) => {
    expect(await failure(options)).toMatch(message)
  })
})
