import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { kernelMatrix } from '../../src/algorithms/svpg/kernel.ts'
import { rowOf, svpg } from '../../src/algorithms/svpg/svpg.ts'
import { RunError, UsageError } from '../../src/core/errors.ts'
import type { EnvironmentSpec } from '../../src/envs/contract.ts'
import { box, discrete } from '../../src/envs/spaces.ts'
import { tf } from '../../src/nn/tfjs.ts'
import { encodeParticles } from '../../src/train/particles-file.ts'
import { createRun, record } from '../../src/train/record.ts'
import { readRun } from '../../src/train/run-directory.ts'
import { type AnyTrainOptions, type TrainOptions, type TrainStep, train } from '../../src/train/train.ts'

const small = {
  ...{ env: 'CartPole-v1', particles: 3, iterations: 6, environments: 2, steps: 16, hidden: [8], seed: 4 },
} satisfies TrainOptions

/** A task whose reward is `reward(instance, step)`; instances are counted as they are made, steps from 1. */
function task(reward: (instance: number, step: number) => number): EnvironmentSpec {
  let made = 0
  return {
    id: 'Walk-v0',
    observationSpace: box([-10, -1], [10, 1]),
    actionSpace: discrete(2),
    maxEpisodeSteps: 10,
    create: () => {
      const instance = made++
      let position = 0
      let steps = 0
      return {
        reset: () => {
          position = 0
          return { obs: [position, 1], info: {} }
        },
        step: (action: number) => {
          position += action === 1 ? 1 : -1
          steps++
          return {
            ...{ obs: [position, 1], reward: reward(instance, steps), info: {} },
            ...{ terminated: Math.abs(position) === 10, truncated: false },
          }
        },
      }
    },
  }
}

/** The parameters of every particle without the padding between them. */
function parameters({ state }: TrainStep): number[] {
  return Array.from({ length: state.particles }, (_, i) => [...rowOf(state, 'theta', i)]).flat()
}

const metricsOf = async (path: string) =>
  (await readFile(join(path, 'metrics.jsonl'), 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'steinrl-test-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

test('yields one step an iteration, with the live state', async () => {
  const seen: number[][] = []
  for await (const step of train(small)) {
    seen.push(parameters(step))
    expect(step.iteration).toBe(seen.length)
    expect(step.iterations).toBe(6)
    expect(step.metrics.iteration).toBe(step.iteration)
    expect(step.state.iteration).toBe(step.iteration)
  }
  expect(seen).toHaveLength(6)
  expect(seen[0]).toHaveLength(3 * 58)
  expect(seen[5]).not.toEqual(seen[4])
})

test('a temperature that is changed on the way gives the bits of a schedule that goes the same way', async () => {
  const scheduled: number[][] = []
  const schedule = { temperatureSchedule: 'linear', temperatureFrom: 10, temperature: 4 } as const
  for await (const step of train({ ...small, ...schedule, iterations: 3 })) scheduled.push(parameters(step))
  const changed: number[][] = []
  const temperatures: number[] = []
  for await (const step of train({ ...small, temperature: 10, iterations: 3 })) {
    changed.push(parameters(step))
    temperatures.push(step.metrics.temperature)
    step.setTemperature(step.iteration === 1 ? 7 : 4)
  }
  expect(temperatures).toEqual([10, 7, 4])
  expect(changed).toEqual(scheduled)
})

test('a temperature must be above 0, and an algorithm that learns it says so', async () => {
  for await (const step of train({ ...small, iterations: 1 }))
    expect(() => step.setTemperature(0)).toThrow(new UsageError('temperature must be a finite number above 0, got 0.'))
  const sac: TrainOptions<'sac'> = { algorithm: 'sac', env: 'Pendulum-v1', hidden: [8], steps: 2, iterations: 1 }
  for await (const step of train(sac))
    expect(() => step.setTemperature(1)).toThrow('The temperature of sac cannot be changed while it runs, to 1.')
})

test('encodeParticles() gives what a run would have saved', async () => {
  const path = join(directory, 'run')
  await createRun(path, { env: small.env })
  for await (const step of train({ ...small, iterations: 2 })) {
    await writeFile(join(path, 'particles.safetensors'), encodeParticles(step) as Uint8Array)
    const { env, theta, particles } = await readRun(path)
    expect({ env, theta: [...theta], particles }).toEqual({ env: small.env, theta: parameters(step), particles: 3 })
    step.state.arena.view.theta[70] = Number.NaN
    expect(encodeParticles(step)).toBeNull()
    break
  }
})

test('particles depend on the seed, not on what ran before or at the same time', async () => {
  const finish = async (options: TrainOptions) => {
    let last: number[] = []
    for await (const step of train(options)) last = parameters(step)
    return last
  }
  const alone = await finish(small)
  const [first, other, second] = await Promise.all([finish(small), finish({ ...small, seed: 5 }), finish(small)])
  expect(first).toEqual(alone)
  expect(second).toEqual(alone)
  expect(other).not.toEqual(alone)
})

test('a consumer may leave at any step: record() has saved what there is', async () => {
  const path = join(directory, 'run')
  const run = await createRun(path, { env: small.env })
  let expected: number[] = []
  for await (const step of record(run, train({ ...small, iterations: 1_000_000 }))) {
    expected = parameters(step)
    if (step.iteration === 4) break
  }
  const saved = await readRun(path)
  expect([...saved.theta]).toEqual(expected)
  expect(saved).toMatchObject({
    particles: 3,
    policy: { hidden: [8] },
    env: 'CartPole-v1',
    config: { env: 'CartPole-v1' },
  })
  expect((await metricsOf(path)).map(({ iteration }) => iteration)).toEqual([1, 2, 3, 4])
  expect(await metricsOf(path)).toEqual(run.metrics)
})

test('an error of the consumer passes through record(), and the run is saved', async () => {
  const path = join(directory, 'run')
  const run = await createRun(path, { env: small.env })
  let expected: number[] = []
  const consume = async () => {
    for await (const step of record(run, train(small))) {
      expected = parameters(step)
      if (step.iteration === 2) throw new Error('a plot went wrong')
    }
  }
  await expect(consume()).rejects.toThrow('a plot went wrong')
  expect([...(await readRun(path)).theta]).toEqual(expected)
})

test.each([Number.NaN, Number.POSITIVE_INFINITY])(
  'a reward of %p names iteration, particle, environment and value; the run so far stays readable',
  async (bad) => {
    // Two environments a particle, 16 steps an iteration: instance 2 is the first of particle 1, step 40 in
    // iteration 3.
    const env = task((instance, step) => (instance === 2 && step >= 40 ? bad : 1))
    const path = join(directory, 'run')
    const run = await createRun(path, { env: env.id })
    let expected: number[] = []
    const consume = async () => {
      for await (const step of record(run, train({ ...small, env }))) expected = parameters(step)
    }
    const error = await consume().catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(RunError)
    expect((error as RunError).message).toBe(
      `Iteration 3: Walk-v0 gave particle 1 the reward ${bad}; a reward must be finite.`,
    )
    expect((await metricsOf(path)).map(({ iteration }) => iteration)).toEqual([1, 2])
    const saved = await readRun(path)
    expect([...saved.theta]).toEqual(expected)
    expect(saved).toMatchObject({ particles: 3, policy: { observations: 2, hidden: [8] }, env: 'Walk-v0' })
  },
)

test('a reward that is no number is named as well', async () => {
  const env = task(() => undefined as unknown as number)
  await expect(train({ ...small, env }).next()).rejects.toThrow(
    'Iteration 1: Walk-v0 gave particle 0 the reward undefined; a reward must be finite.',
  )
})

test('what an environment throws itself is told with its place, and is the cause of the error', async () => {
  const cause = new TypeError('a bug of the user')
  const env = task(() => {
    throw cause
  })
  const error = await train({ ...small, env })
    .next()
    .catch((thrown: unknown) => thrown)
  const sentence = /^Iteration 1: Particle 0: Walk-v0: step 1 failed: a bug of the user \(.*train\.test\.ts:\d+\)\.$/
  expect(error).toMatchObject({ name: 'RunError', message: expect.stringMatching(sentence), cause })
})

test('particles that are not finite are never saved over good ones', async () => {
  const path = join(directory, 'run')
  const run = await createRun(path, { env: small.env })
  let last: number[] = []
  for await (const step of record(run, train(small))) {
    last = parameters(step)
    if (step.iteration < 3) continue
    step.state.arena.view.theta[70] = Number.NaN
    break
  }
  // What is saved is a copy taken when the iteration ended.
  expect([...(await readRun(path)).theta]).toEqual(last)
})

test('tfjs holds as many tensors after any later iteration as after the second', async () => {
  const counts: number[] = []
  for await (const { iteration } of train({ ...small, iterations: 10, entropyBonus: 0.01 })) {
    if (iteration >= 2) counts.push(tf.memory().numTensors)
  }
  expect(counts).toHaveLength(9)
  expect(new Set(counts).size).toBe(1)
})

test.each<[wrong: Partial<TrainOptions>, says: string]>([
  [{ iterations: 0 }, 'iterations must be a whole number from 1 to 1000000000, got 0.'],
  [{ iterations: 2.5 }, 'got 2.5.'],
  [{ algorithm: 'dqn' as 'svpg' }, 'Unknown algorithm "dqn"; there are svpg,'],
  [{ algorithm: 'PPO2' as 'svpg' }, 'a2c, reinforce, and the nearest is ppo.'],
  [
    { algorithm: 'ppo', particles: 2 } as object as TrainOptions,
    'ppo trains one policy and has no particles, which is a setting of svpg.',
  ],
  [{ env: 'Mars-v0' }, 'Unknown environment "Mars-v0"; there are CartPole-v1'],
  [{ temperature: Number.NaN }, 'temperature must be a finite number above 0, got NaN.'],
  [{ env: { ...task(() => 1), create: undefined } }, 'Walk-v0: create must be a function, got undefined.'],
])('%p is refused before the first step', async (wrong, says) => {
  const error = await train({ ...small, ...wrong })
    .next()
    .catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(UsageError)
  expect((error as UsageError).message).toContain(says)
})

test.each([
  [false, [4 * 8 + 8 + 8 * 2 + 2]],
  [true, [4 * 8 + 8, 8 * 2 + 2]],
])('the kernel matrix is that of the last step; perLayer %p: the mean over the layers', async (perLayer, widths) => {
  const state = await svpg.init({ ...small, perLayer })
  await svpg.step(state)
  const theta = Array.from({ length: 3 }, (_, i) => [...rowOf(state, 'theta', i)])
  const { stein } = await svpg.step(state)
  const kernel = kernelMatrix(state) as number[][]
  theta.forEach((x, i) => {
    theta.forEach((y, j) => {
      let from = 0
      const values = widths.map((width, b) => {
        const columns = Array.from({ length: width }, (_, k) => from + k)
        from += width
        const square = columns.reduce((sum, k) => sum + (x[k] - y[k]) ** 2, 0)
        return Math.exp(-square / (stein?.bandwidths[b] as number))
      })
      expect(kernel[i][j]).toBeCloseTo(values.reduce((sum, value) => sum + value, 0) / widths.length, 5)
    })
  })
})

describe('algorithms of continuous actions', () => {
  const walk = task(() => 0)
  const discreteTask = { ...walk, id: 'Discrete' }
  const startsAtOne = { kind: 'discrete', n: 2, start: 1 } as EnvironmentSpec['actionSpace']
  const tasks: readonly [what: string, env: string | EnvironmentSpec, message: string][] = [
    ['a built-in task with discrete actions', 'CartPole-v1', 'needs continuous actions, and those of CartPole-v1 are'],
    ['a task of one’s own with discrete actions', discreteTask, 'needs continuous actions, and those of Discrete are'],
    ['actions counted from 1', { ...discreteTask, actionSpace: startsAtOne }, 'Discrete: its actionSpace starts at 1;'],
    ['actions without bounds', { ...walk, actionSpace: box([-Infinity], [1]) }, 'has actions without bounds'],
  ]
  test.each(
    // Numbered actions are refused by s2ac alone.
    (['sac', 'sql', 'sql-compose', 's2ac'] as const).flatMap((name) =>
      tasks.slice(name === 's2ac' ? 0 : 2).map((task) => [name, ...task] as const),
    ),
  )('%s refuses %s', async (algorithm, _, env, message) => {
    const components = algorithm === 'sql-compose' && { components: [{}, {}], iterations: 30 }
    const steps = train({ algorithm, env, iterations: 1, ...components } as unknown as AnyTrainOptions)
    const error = await steps.next().catch((thrown: Error) => thrown)
    expect(error).toBeInstanceOf(UsageError)
    expect((error as Error).message).toContain(message)
  })
})

test('a setting that must be given and is not is named', async () => {
  const steps = train({ algorithm: 'sql-compose', env: 'Pendulum-v1', iterations: 1 } as unknown as AnyTrainOptions)
  await expect(steps.next()).rejects.toThrow(new UsageError('components is missing.'))
})

test('save() of a step of a population of policies says what gives them', async () => {
  for await (const step of train({ env: 'CartPole-v1', particles: 2, iterations: 1, steps: 8, hidden: [4] }))
    expect(() => step.save()).toThrow('The population of svpg is one of policies: agents() gives what is to be saved.')
})
