import { describe, expect, test } from '@jest/globals'
import { createArena } from '../../src/core/arena.ts'
import { f32, padded } from '../../src/core/layout.ts'
import { compileCore } from '../../src/core/module.ts'
import { Purpose, splitSeed } from '../../src/core/random.ts'
import { cartPole } from '../../src/envs/cartpole.ts'
import type { EnvironmentSpec } from '../../src/envs/contract.ts'
import { make } from '../../src/envs/make.ts'
import { box, discrete } from '../../src/envs/spaces.ts'
import { initialiseInto } from '../../src/nn/network.ts'
import { policyFields, policyOf, writePolicy } from '../../src/nn/policy.ts'
import { evaluatePopulation } from '../../src/rl/evaluate.ts'
import { headFor } from '../../src/rl/heads.ts'
import {
  carryEnvironments,
  createRoller,
  replayEpisodes,
  restartEnvironments,
  resumeEnvironments,
  rollout,
  seedFields,
  startEnvironments,
  type Task,
  writeTask,
} from '../../src/rl/rollout.ts'
import { batchFields, environmentFields } from '../../src/rl/rollout-layout.ts'
import { train } from '../../src/train/train.ts'

const module = await compileCore()
const policy = policyOf({ observations: 4, hidden: [12], head: headFor(cartPole) })
const E = 5
const T = 40
const seed = splitSeed(11)

/** CartPole through the interface that a user's environment has: the physics is the same, the loop is TypeScript. */
async function cartPoleInTypeScript(count: number, maxEpisodeSteps = 500): Promise<EnvironmentSpec> {
  const made = await Promise.all(Array.from({ length: count }, () => make('CartPole-v1')))
  return { ...cartPole, maxEpisodeSteps, core: undefined, create: () => made.pop() as NonNullable<(typeof made)[0]> }
}

/** A particle on a task, before its first rollout. */
async function running(spec: EnvironmentSpec, { particle = 1, steps = T, episodicReward = false } = {}) {
  const arena = await createArena(module, {
    theta: f32(padded(policy.size)),
    ...policyFields(policy, E),
    ...environmentFields(spec, E),
    ...batchFields(steps, E, 4, 1),
    ...seedFields(),
  })
  initialiseInto(arena.view.theta, policy.net, arena.ops, seed, particle, { lastGain: 1 })
  writePolicy(arena, policy, arena.view.theta.length)
  const task: Task = { spec, head: policy.head, environments: E, steps, episodicReward, seed }
  writeTask(arena, task)
  const roller = createRoller(task, particle)
  startEnvironments(arena, task, roller)
  return { arena, task, roller }
}

const rows = ['observation', 'nextObservation', 'action', 'reward', 'terminated', 'truncated', 'time'] as const
const carried = ['current', 'elapsed', 'episode', 'episodeReturn', 'finished', 'finishedReturn'] as const

test('the fused rollout and the TypeScript loop give the same bits, over several rollouts', async () => {
  const fused = await running({ ...cartPole, maxEpisodeSteps: 30 })
  const typed = await running(await cartPoleInTypeScript(E, 30))
  for (let k = 0; k < 3; k++) {
    rollout(fused.arena, fused.task, fused.roller, k * T)
    rollout(typed.arena, typed.task, typed.roller, k * T)
    for (const name of [...rows, ...carried])
      expect([name, ...typed.arena.view[name]]).toEqual([name, ...fused.arena.view[name]])
  }
  expect(fused.arena.view.terminated.includes(1)).toBe(true)
  expect(fused.arena.view.truncated.includes(1)).toBe(true)
})

test('with episodic reward the last step pays for all, across rollouts, and the returns are the same', async () => {
  const short = { ...cartPole, maxEpisodeSteps: 30 }
  const plain = await running(short)
  const fused = await running(short, { episodicReward: true })
  const typed = await running(await cartPoleInTypeScript(E, 30), { episodicReward: true })
  const sums = Array<number>(E).fill(0)
  for (let k = 0; k < 3; k++) {
    for (const { arena, task, roller } of [plain, fused, typed]) rollout(arena, task, roller, k * T)
    const { reward, terminated, truncated } = plain.arena.view
    const expected = Array.from(reward, (r, row) => {
      const sum = sums[row % E] + r
      const isOver = terminated[row] === 1 || truncated[row] === 1
      sums[row % E] = isOver ? 0 : sum
      return isOver ? sum : 0
    })
    expect([...fused.arena.view.reward]).toEqual(expected)
    expect([...typed.arena.view.reward]).toEqual(expected)
    for (const name of carried) expect([name, ...fused.arena.view[name]]).toEqual([name, ...plain.arena.view[name]])
  }
  expect(fused.arena.view.terminated.includes(1)).toBe(true)
  expect(fused.arena.view.truncated.includes(1)).toBe(true)
})

test('episodes are begun anew where they have taken a step, in the core and in TypeScript alike', async () => {
  const fused = await running({ ...cartPole, maxEpisodeSteps: T })
  const typed = await running(await cartPoleInTypeScript(E, T))
  for (const { arena, task, roller } of [fused, typed]) rollout(arena, task, roller, 0)
  fused.arena.view.elapsed[1] = 0
  typed.arena.view.elapsed[1] = 0
  const before = [...fused.arena.view.episode]
  for (const { arena, task, roller } of [fused, typed]) restartEnvironments(arena, task, roller)
  expect([...fused.arena.view.episode]).toEqual(before.map((number, e) => (e === 1 ? number : number + 1)))
  expect([...fused.arena.view.elapsed]).toEqual(Array(E).fill(0))
  for (const { arena, task, roller } of [fused, typed]) rollout(arena, task, roller, T)
  expect([...fused.arena.view.time.subarray(0, E)]).toEqual(Array(E).fill(0))
  for (const name of [...rows, ...carried])
    expect([name, ...typed.arena.view[name]]).toEqual([name, ...fused.arena.view[name]])
})

test('another particle with the same parameters has other random numbers', async () => {
  const [one, two] = [await running(cartPole), await running(cartPole, { particle: 2 })]
  two.arena.view.theta.set(one.arena.view.theta)
  rollout(one.arena, one.task, one.roller, 0)
  rollout(two.arena, two.task, two.roller, 0)
  expect([...two.arena.view.observation]).not.toEqual([...one.arena.view.observation])
  expect([...two.arena.view.action]).not.toEqual([...one.arena.view.action])
})

test.each([
  ['in the core', async () => ({ ...cartPole, maxEpisodeSteps: 30 })],
  ['in TypeScript', () => cartPoleInTypeScript(2 * E, 30)],
])('a task %s goes on elsewhere with what its particle carries, with the same bits', async (_, spec) => {
  const here = await running(await spec())
  rollout(here.arena, here.task, here.roller, 0)
  const taken = carryEnvironments(here.arena, here.roller)
  rollout(here.arena, here.task, here.roller, T)

  const there = await running(await spec())
  const roller = createRoller(there.task, 1)
  resumeEnvironments(there.arena, taken)
  replayEpisodes(there.arena, there.task, roller, taken)
  rollout(there.arena, there.task, roller, T)
  for (const name of [...rows, ...carried])
    expect([name, ...there.arena.view[name]]).toEqual([name, ...here.arena.view[name]])
  expect(carryEnvironments(there.arena, roller)).toEqual(carryEnvironments(here.arena, here.roller))
})

test('an episode that never ends is stepped once a step, however old it is', async () => {
  let steps = 0
  const endless: EnvironmentSpec = {
    ...{ id: 'Endless', observationSpace: box([0], [1]), actionSpace: discrete(2), maxEpisodeSteps: 1_000_000 },
    create: () => ({
      reset: () => ({ obs: [0], info: {} }),
      step: () => ({ obs: [++steps % 2], reward: 1, terminated: false, truncated: false, info: {} }),
    }),
  }
  const sizes = { particles: 2, environments: 3, steps: 50, hidden: [4] }
  for (const estimator of ['reinforce', 'ppo'] as const) {
    steps = 0
    for await (const { iteration } of train({ env: endless, iterations: 20, ...sizes, estimator }))
      expect(steps).toBe(iteration * 2 * 3 * 50)
  }
})

describe('the rows of a rollout', () => {
  const limit = 25
  const collected = running({ ...cartPole, maxEpisodeSteps: limit }, { steps: 200 }).then((run) => {
    rollout(run.arena, run.task, run.roller, 0)
    return run.arena.view
  })

  /** Calls fn with each row and the row of the same environment one step later. */
  async function eachRow(fn: (view: Awaited<typeof collected>, row: number, later: number) => void) {
    const view = await collected
    for (let t = 0; t < 199; t++) {
      for (let e = 0; e < E; e++) fn(view, t * E + e, (t + 1) * E + e)
    }
  }
  const observation = (array: Float32Array, row: number) => [...array.subarray(4 * row, 4 * row + 4)]

  test('inside an episode the next observation is the observation of the next row', () =>
    eachRow((view, row, later) => {
      if (view.terminated[row] || view.truncated[row]) return
      expect(observation(view.nextObservation, row)).toEqual(observation(view.observation, later))
      expect(view.time[later]).toBe(view.time[row] + 1)
    }))

  test('at an end the final observation is kept and a new episode begins', () =>
    eachRow((view, row, later) => {
      if (!view.terminated[row] && !view.truncated[row]) return
      expect(observation(view.nextObservation, row)).not.toEqual(observation(view.observation, later))
      expect(observation(view.observation, later).every((x) => Math.abs(x) < 0.05)).toBe(true)
      expect(view.time[later]).toBe(0)
    }))

  test('terminated where the pole fell, truncated where time ran out, and only there', () =>
    eachRow((view, row) => {
      const [x, , angle] = observation(view.nextObservation, row)
      expect(view.terminated[row]).toBe(Math.abs(x) > 2.4 || Math.abs(angle) > (12 * 2 * Math.PI) / 360 ? 1 : 0)
      expect(view.truncated[row]).toBe(view.time[row] === limit - 1 ? 1 : 0)
    }))

  test('statistics count the episodes that ended and their returns', async () => {
    const view = await collected
    let ends = 0
    let lengths = 0
    for (let row = 0; row < 200 * E; row++) {
      if (!view.terminated[row] && !view.truncated[row]) continue
      ends++
      lengths += view.time[row] + 1
    }
    expect([view.finished[0], view.finishedReturn[0]]).toEqual([ends, lengths])
  })

  test('episodes of different environments start differently', async () => {
    const view = await collected
    const starts = new Set<string>()
    let count = 0
    view.time.forEach((time, row) => {
      if (time !== 0) return
      count++
      starts.add(observation(view.observation, row).join())
    })
    expect(starts.size).toBe(count)
  })
})

describe('evaluation', () => {
  const n = 3
  const population = async (spec: EnvironmentSpec) => {
    const D = policy.size + 2
    const { ops, at, view } = await createArena(module, { theta: f32(n, D) })
    ops.fillNormal(at.theta, n * D, 5, 0, Purpose.user, 0, 0, 0)
    const results = []
    const { theta } = view
    for await (const result of evaluatePopulation({ spec, policy, theta, particles: n, episodes: 20, seed: 3 })) {
      results.push(result)
    }
    return results
  }

  test('the fused form and the TypeScript loop agree exactly', async () => {
    expect(await population(cartPole)).toEqual(await population(await cartPoleInTypeScript(2 * n)))
  })

  test('every particle is evaluated greedily and sampled', async () => {
    const results = await population(cartPole)
    expect(results.map(({ particle, greedy }) => `${particle}${greedy ? 'g' : 's'}`)).toEqual([
      '0g',
      '1g',
      '2g',
      '0s',
      '1s',
      '2s',
    ])
    // A policy with random weights keeps the pole up for some 10 to 100 steps.
    expect(results.every(({ meanReturn }) => meanReturn > 7 && meanReturn < 250)).toBe(true)
  })

  test.each<[string, Partial<Parameters<typeof evaluatePopulation>[0]>, string]>([
    [
      'another width',
      { policy: policyOf({ observations: 3, hidden: [], head: policy.head }) },
      'The policies have 3 observations and 2 discrete actions, but CartPole-v1 has 4 observations and 2 discrete actions.',
    ],
    [
      'more classes',
      { policy: policyOf({ observations: 4, hidden: [], head: { name: 'categorical', actions: 3 } }) },
      'The policies have 4 observations and 3 discrete actions, but CartPole-v1 has 4 observations and 2 discrete actions.',
    ],
    [
      'another head',
      { policy: policyOf({ observations: 4, hidden: [], head: { name: 'gaussian', actions: 1 } }) },
      'The policies have 4 observations and 1 continuous action, but CartPole-v1 has 4 observations and 2 discrete actions.',
    ],
    ['rows that are too short', { theta: new Float32Array(9) }, '1 policies of 86 parameters do not fit theta'],
    [
      'a parameter that is not finite',
      { theta: new Float32Array(86).fill(Number.NaN, 7, 8) },
      'Parameter 7 of particle 0 is NaN; parameters must be finite.',
    ],
  ])('refuses %s', async (_, wrong, message) => {
    const population = { spec: cartPole, policy, theta: new Float32Array(86), particles: 1, episodes: 1, seed: 0 }
    await expect(evaluatePopulation({ ...population, ...wrong }).next()).rejects.toThrow(message)
  })
})
