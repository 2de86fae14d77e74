// Several numbered choices at once, from the task to the exported policy.
import { describe, expect, test } from '@jest/globals'
import { checkEnvironment, problemsOf } from '../../src/envs/check.ts'
import type { EnvironmentSpec } from '../../src/envs/contract.ts'
import { make } from '../../src/envs/make.ts'
import { box, contains, dict, discrete, multiBinary, multiDiscrete, tuple } from '../../src/envs/spaces.ts'
import { makeVector } from '../../src/envs/vector.ts'
import { clipAction } from '../../src/envs/wrappers/actions.ts'
import { flattenObservation, type StructuredSpec } from '../../src/envs/wrappers/flatten-observation.ts'
import { normaliseObservation } from '../../src/envs/wrappers/observations.ts'
import { wrap } from '../../src/envs/wrappers/wrap.ts'
import { playEpisode } from '../../src/play/episode.ts'
import { encodePolicy } from '../../src/policy/description.ts'
import { encodeParticles } from '../../src/train/particles-file.ts'
import { loadAgents } from '../../src/train/run-directory.ts'
import { type AnyTrainOptions, type AnyTrainStep, evaluate, train } from '../../src/train/train.ts'
import { loaded } from '../policy/exported.ts'
import lights from '../rl/fixtures/lights.js'

const task = lights as EnvironmentSpec

/** Two switches and the state of both, 4 steps. */
const switches = (): StructuredSpec => ({
  id: 'Switches-v0',
  observationSpace: dict({ wanted: multiBinary(2), at: tuple([discrete(4), box([0], [1])]) }),
  actionSpace: multiBinary(2),
  maxEpisodeSteps: 4,
  create() {
    let seed = 0
    let step = 0
    const obs = () => ({ wanted: [(seed + step) % 2, (seed >> 1) % 2], at: [step % 4, [step / 4]] })
    return {
      reset(options) {
        seed = options.seed % 1000
        step = 0
        return { obs: obs(), info: {} }
      },
      step(action) {
        const { wanted } = obs()
        const reward = wanted.filter((w, k) => w === (action as ArrayLike<number>)[k]).length
        step++
        return { obs: obs(), reward, terminated: false, truncated: false, info: {} }
      },
    }
  },
})

async function lastOf(options: object): Promise<AnyTrainStep> {
  let last: AnyTrainStep | undefined
  for await (const step of train(options as AnyTrainOptions)) last = step as AnyTrainStep
  return last as AnyTrainStep
}

/** θ of the population. */
const thetaOf = (step: AnyTrainStep) => [...step.agents().theta]

const learning = { hidden: [], environments: 8, steps: 40, iterations: 25, seed: 1, learningRate: 0.05 }

describe('learning', () => {
  test.each(['ppo', 'a2c', 'reinforce', 'svpg'] as const)('%s finds what each choice should be', async (algorithm) => {
    const particles = algorithm === 'svpg' ? { particles: 3, temperature: 0.01, iterations: 60 } : {}
    const step = await lastOf({ ...learning, algorithm, env: task, ...particles })
    const { greedy, sampled } = await evaluate({ env: task, agents: step.agents(), episodes: 10, seed: 2 })
    // The most is 30, and 13.3 without knowing anything.
    for (const value of greedy) expect(value).toBe(30)
    for (const value of sampled) expect(value).toBeGreaterThan(20)
  })

  test('bits of a MultiBinary task whose observations are names and lists', async () => {
    const env = flattenObservation(switches())
    await checkEnvironment(env)
    const step = await lastOf({ ...learning, algorithm: 'ppo', env })
    const agents = step.agents()
    const { greedy } = await evaluate({ env, agents, episodes: 10, seed: 2 })
    expect(greedy[0]).toBe(8)
    // Names in order, numbers one-hot: at = (2, [0.5]), wanted = [1, 0].
    const action = agents.act([0, 0, 1, 0, 0.5, 1, 0])
    expect(action).toEqual(Int32Array.of(1, 0))
  })
})

describe('the same bits', () => {
  const small = { env: task, particles: 3, hidden: [5], environments: 2, steps: 12, iterations: 3, seed: 4 }
  const variants: Record<string, AnyTrainOptions> = {
    svpg: { ...small },
    'svpg, ppo': { ...small, estimator: 'ppo', epochs: 2, criticHidden: [4], criticEpochs: 1 },
    'svpg, a kernel on functions': { ...small, kernel: 'function', probeStates: 3 },
    'svpg, a kernel on behaviour': { ...small, kernel: 'js' },
  }

  test.each(Object.entries(variants))('%s: on workers, and going on from a checkpoint', async (_, options) => {
    const whole = thetaOf(await lastOf(options))
    expect(whole.every(Number.isFinite)).toBe(true)
    expect(thetaOf(await lastOf({ ...options, workers: 2 }))).toEqual(whole)
    let checkpoint: Uint8Array | null = null
    for await (const step of train(options) as AsyncIterable<AnyTrainStep>)
      if (step.iteration === 2) checkpoint = await step.checkpoint()
    expect(thetaOf(await lastOf({ resume: checkpoint }))).toEqual(whole)
  })
})

test('agents: actions in the terms of the task, files, evaluation, episodes, steinrl/policy', async () => {
  const step = await lastOf({ env: task, particles: 2, hidden: [5], environments: 2, steps: 10, iterations: 1 })
  const agents = step.agents()
  expect(agents.actions).toEqual({ kind: 'multi-discrete', size: 3, choices: [3, 2, 2] })
  const row = [0, 1, 0, 1, 0, 0, 1]
  for (const greedy of [true, false])
    for (const particle of [0, 'per-call', 'mean'] as const) {
      const action = agents.act(row, { particle, greedy })
      expect(action).toBeInstanceOf(Int32Array)
      expect(contains(task.actionSpace, action)).toBe(true)
      expect([...(action as Int32Array)]).toEqual([...agents.actRows(row, { particle, greedy })])
    }
  const { episode } = await playEpisode({ agents, particle: 1 })
  expect(episode.actions).toHaveLength(10)
  expect(episode.actions.every((action) => contains(task.actionSpace, action))).toBe(true)
  const { greedy } = await evaluate({ env: task, agents, episodes: 1, seed: 0 })
  expect(greedy[1]).toBe(episode.return)

  if (!('policy' in agents)) throw new Error('these are policies')
  const { policy, theta } = agents
  const again = await loadAgents(encodeParticles(step) as Uint8Array, { env: task })
  expect(again.act(row, { particle: 1 })).toEqual(agents.act(row, { particle: 1 }))
  const population = { env: task.id, policy, theta, particles: 2, best: 0 }
  const exported = await loaded(population)
  const { description } = encodePolicy(population)
  expect(description.policy.head).toEqual({ name: 'categorical', actions: 7, factors: [3, 2, 2] })
  const rows = Float32Array.from({ length: 7 * 20 }, (_, k) => Math.sin(k))
  for (const options of [{}, { greedy: false, seed: 3 }, { particle: 'mean', greedy: false }] as const)
    expect(exported.actRows(rows, options)).toEqual(agents.actRows(rows, options))
})

describe('tasks', () => {
  test('one environment and many: whole lists are needed, of numbers that there are', async () => {
    const env = await make(task)
    env.reset({ seed: 1 })
    expect(env.step([2, 1, 0]).obs).toHaveLength(7)
    for (const wrong of [[3, 0, 0], [0, 0], 1, [0, 0.5, 0]])
      expect(() => env.step(wrong)).toThrow(
        'Lights-v0: an action is a list of 3 whole numbers from [0, 0, 0] to [2, 1, 1], got',
      )
    const envs = await makeVector(task, { num: 2 })
    envs.reset({ seed: 1 })
    envs.step([0, 1, 0, 2, 0, 1])
    expect(() => envs.step([0, 1, 0, 0, 2, 1])).toThrow('Lights-v0, row 1: an action is a list of 3 whole numbers')
    expect(() => envs.step([0, 1])).toThrow('a batch of actions has 2 x 3 numbers')
  })

  test('wrappers go around them; those of continuous actions refuse', async () => {
    await checkEnvironment(task)
    const wrapped = await wrap(flattenObservation(switches()), normaliseObservation())
    const env = await make(wrapped)
    expect(env.reset({ seed: 1 }).obs).toHaveLength(7)
    await expect(wrap(task, clipAction())).rejects.toThrow('Lights-v0 has discrete actions: clipAction needs a box.')
  })

  test.each(['sac', 'sql', 's2ac'] as const)('%s refuses and says what to take', async (algorithm) => {
    await expect(lastOf({ algorithm, env: task })).rejects.toThrow(
      `${algorithm} takes actions that are one number or continuous, and those of Lights-v0 are several choices at once (multi-discrete): take ppo, a2c, reinforce or svpg.`,
    )
  })

  test('what is wrong about spaces is told', async () => {
    expect(await problemsOf({ ...task, actionSpace: multiDiscrete([2], [1]) })).toEqual([
      'Lights-v0: its actionSpace starts at [1]; actions are counted from 0 here.',
    ])
    expect(await problemsOf({ ...task, actionSpace: { kind: 'multi-discrete', n: [0] } })).toEqual([
      'Lights-v0: n of its actionSpace must be made of whole numbers of at least 1, got [0].',
    ])
    const [structured] = await problemsOf(switches() as unknown as EnvironmentSpec)
    expect(structured).toContain('its observationSpace must be a box, got {"kind":"dict"')
    expect(structured).toContain('flattenObservation() makes one of it.')
    const graph = { ...switches(), observationSpace: { kind: 'graph' } as never }
    expect(() => flattenObservation(graph)).toThrow('takes no graph spaces, as they have no vector of fixed length.')
    const wrong = flattenObservation({ ...switches(), observationSpace: dict({ wanted: discrete(2) }) })
    const [first] = await problemsOf(wrong)
    expect(first).toContain(
      'reset threw "Switches-v0: reset gave an observation that is not in its space: flatten takes',
    )
  })

  test('agents of other choices are refused', async () => {
    const step = await lastOf({ env: task, particles: 1, hidden: [], environments: 1, steps: 4, iterations: 1 })
    const other = { ...task, actionSpace: multiDiscrete([2, 3, 2]) }
    await expect(evaluate({ env: other, agents: step.agents(), episodes: 1 })).rejects.toThrow(
      'The agents have 7 observations and 3 choices among [3, 2, 2], but Lights-v0 has 7 observations and 3 choices among [2, 3, 2].',
    )
  })
})
