import { describe, expect, test } from '@jest/globals'
import { compileCore } from '../../src/core/module.ts'
import type { EnvironmentSpec } from '../../src/envs/contract.ts'
import { inTypeScript } from '../../src/envs/instances.ts'
import { environmentSpec } from '../../src/envs/registry.ts'
import { timeLimit } from '../../src/envs/wrappers/episodes.ts'
import { normaliseObservation } from '../../src/envs/wrappers/observations.ts'
import { normaliseReward } from '../../src/envs/wrappers/rewards.ts'
import { wrap } from '../../src/envs/wrappers/wrap.ts'
import { decodeCheckpoint } from '../../src/train/checkpoint.ts'
import { checkedMetrics } from '../../src/train/kept-numbers.ts'
import { type AnyTrainOptions, type AnyTrainStep, train } from '../../src/train/train.ts'

const small = { particles: 2, environments: 2, steps: 24, hidden: [6] }
const critic = { criticHidden: [4], criticEpochs: 1 }
const offPolicy = { hidden: [6], batchSize: 8, warmup: 20, steps: 24 }

/** Every algorithm, and what of each has a state of its own. */
const runs: Readonly<Record<string, AnyTrainOptions>> = {
  svpg: { env: 'CartPole-v1', ...small },
  'svpg, a2c': { env: 'CartPole-v1', ...small, ...critic, estimator: 'a2c', evolutionEvery: 2 },
  'svpg, ppo with continuous actions': { env: 'Pendulum-v1', ...small, ...critic, estimator: 'ppo', epochs: 2 },
  'svpg, the linear baseline of rllab': { env: 'CartPole-v1', ...small, baseline: 'linear-rllab' },
  'svpg, jointly': { env: 'CartPole-v1', ...small, interaction: 'joint' },
  'svpg, imitating transitions': {
    ...{ env: 'CartPole-v1', ...small, ...critic, estimator: 'a2c', selfImitation: 'transitions' },
    ...{ imitationCapacity: 100, imitationBatch: 8 },
  },
  'svpg, imitating trajectories': {
    ...{ env: 'CartPole-v1', ...small, ...critic, selfImitation: 'trajectories', discriminatorHidden: [4] },
  },
  'svpg, a kernel on behaviour': { env: 'CartPole-v1', ...small, ...critic, kernel: 'js', exploration: 0.5 },
  'svpg, a kernel on functions': { env: 'CartPole-v1', ...small, ...critic, kernel: 'function', probeStates: 2 },
  'svpg in the maze': { env: 'PointMaze-v0', ...small },
  adr: {
    ...{ algorithm: 'adr', env: 'Pendulum-v1', ranges: { mass: [0.5, 2], length: [0.5, 1.5] }, particles: 3, moves: 2 },
    ...{
      steps: 20,
      hidden: [6],
      particleHidden: [4],
      transitionHidden: [4],
      transitionMemory: 2,
      horizon: 3,
      epochs: 1,
    },
  },
  'adr, uniform': {
    ...{ algorithm: 'adr', env: 'Pendulum-v1', ranges: { mass: [0.5, 2] }, randomisation: 'uniform', particles: 2 },
    ...{ steps: 20, hidden: [6], epochs: 1 },
  },
  sac: { algorithm: 'sac', env: 'Pendulum-v1', ...offPolicy, environments: 2 },
  'sac, a replay that is full': { algorithm: 'sac', env: 'Pendulum-v1', ...offPolicy, replaySize: 40 },
  sql: { algorithm: 'sql', env: 'Pendulum-v1', ...offPolicy, particles: 8, valueParticles: 4 },
  s2ac: { algorithm: 's2ac', env: 'Pendulum-v1', ...offPolicy, particles: 4, svgdSteps: 2 },
  'sql-compose': {
    ...{ algorithm: 'sql-compose', env: 'MultiGoal-v0', ...offPolicy, particles: 8, valueParticles: 4 },
    ...{ components: [{ goal1X: 0 }, { goal1Y: 0 }], componentIterations: 4 },
  },
}

interface Ran {
  readonly metrics: readonly object[]
  readonly checkpoint: Uint8Array
}

async function run(options: object, upTo = Number.POSITIVE_INFINITY): Promise<Ran> {
  const metrics: object[] = []
  let last: AnyTrainStep | undefined
  let checkpoint = new Uint8Array()
  for await (const step of train(options as AnyTrainOptions) as AsyncIterable<AnyTrainStep>) {
    const { seconds: _, ...rest } = step.metrics
    metrics.push(rest)
    last = step
    if (step.iteration < Math.min(upTo, step.iterations)) continue
    checkpoint = (await last.checkpoint()) as typeof checkpoint
    break
  }
  return { metrics, checkpoint }
}

/** All of a checkpoint but the time that it took. */
async function contentOf(bytes: Uint8Array) {
  const { about, content } = await decodeCheckpoint(bytes)
  return { ...content, about: { ...about, seconds: 0 } }
}

describe.each(Object.entries(runs))('a training that goes on: %s', (_, options) => {
  test('comes to the bytes of one that was not stopped', async () => {
    const whole = await run({ ...options, iterations: 6 })
    const first = await run({ ...options, iterations: 6 }, 3)
    const rest = await run({ resume: first.checkpoint })
    expect([...first.metrics, ...rest.metrics]).toEqual(whole.metrics)
    expect(await contentOf(rest.checkpoint)).toEqual(await contentOf(whole.checkpoint))
    // And as lines of metrics.jsonl they are read back.
    const written = JSON.parse(JSON.stringify(whole.metrics.map((metrics) => ({ ...metrics, seconds: 0 }))))
    expect(checkedMetrics(written)).toEqual(written)
  })
})

// Its discriminators learn from ever new numbers of rows: what a thread has compiled before must not matter.
test('self-imitation of trajectories over fifty iterations: with workers, and stopped', async () => {
  const options = {
    env: 'CartPole-v1',
    selfImitation: 'trajectories',
    particles: 3,
    environments: 3,
    steps: 25,
  } as const
  const long = { ...options, hidden: [8], iterations: 50, seed: 2 } as const
  const whole = await run({ ...long, workers: 0 })
  const first = await run({ ...long, workers: 2 }, 40)
  const rest = await run({ resume: first.checkpoint, workers: 0 })
  expect(await contentOf(rest.checkpoint)).toEqual(await contentOf(whole.checkpoint))
})

test.each([
  ['svpg', 'probeStates', 8, 5],
  ['sql', 'residual', false, true],
  ['s2ac', 'selection', 'random', 'importance'],
])(
  'a run of %s from before there was %s goes on with its default, and not with another',
  async (of, name, had, other) => {
    const whole = await run({ ...runs[of], iterations: 6 })
    const { about, content } = await decodeCheckpoint((await run({ ...runs[of], iterations: 6 }, 3)).checkpoint)
    const { [name]: value, ...config } = about.config as Readonly<Record<string, unknown>>
    expect(value).toBe(had)
    const resume = { about: { ...about, config }, content }
    const rest = await run({ resume })
    expect(await contentOf(rest.checkpoint)).toEqual(await contentOf(whole.checkpoint))
    await expect(run({ resume, [name]: other })).rejects.toThrow(`The run has ${name} ${JSON.stringify(had)}, not `)
  },
)

describe('tasks in TypeScript', () => {
  const cartPole = async () => inTypeScript(environmentSpec('CartPole-v1'), await compileCore())
  const without = (spec: EnvironmentSpec): EnvironmentSpec => ({
    ...spec,
    made: undefined,
    create() {
      const { getState: _, setState: __, ...env } = (spec.create as NonNullable<typeof spec.create>)()
      return env
    },
  })
  const tasks: Readonly<Record<string, () => Promise<EnvironmentSpec>>> = {
    'with states of their own': cartPole,
    'without, whose actions are taken again': async () => without(await cartPole()),
    'whose wrappers learn': () => wrap('Pendulum-v1', normaliseReward(), normaliseObservation()),
    'whose wrappers remember earlier episodes, around a task without states': async () =>
      normaliseReward()(timeLimit(10)(without(inTypeScript(environmentSpec('Pendulum-v1'), await compileCore())))),
    'whose wrappers learn, around a task without states': async () =>
      normaliseObservation()(without(inTypeScript(environmentSpec('Pendulum-v1'), await compileCore()))),
  }
  test.each(Object.entries(tasks))('%s go on', async (name, task) => {
    const isContinuous = name.includes('wrappers')
    for (const options of [small, ...(isContinuous ? [{ algorithm: 'sac', ...offPolicy }] : [])]) {
      const whole = await run({ ...options, env: await task(), iterations: 6 })
      const first = await run({ ...options, env: await task(), iterations: 6 }, 3)
      const rest = await run({ resume: first.checkpoint, env: await task() })
      expect([...first.metrics, ...rest.metrics]).toEqual(whole.metrics)
      expect(await contentOf(rest.checkpoint)).toEqual(await contentOf(whole.checkpoint))
    }
  })
})
