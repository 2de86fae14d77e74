import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { UsageError } from '../../src/core/errors.ts'
import { problemsOf } from '../../src/envs/check.ts'
import type { EnvironmentSpec, Step } from '../../src/envs/contract.ts'
import { make } from '../../src/envs/make.ts'
import { environments } from '../../src/envs/registry.ts'
import { box, discrete } from '../../src/envs/spaces.ts'
import { makeVector } from '../../src/envs/vector.ts'
import { clipAction, repeatAction, rescaleAction } from '../../src/envs/wrappers/actions.ts'
import { episodeStatistics, recordEpisodes, recording, timeLimit } from '../../src/envs/wrappers/episodes.ts'
import { normaliseObservation } from '../../src/envs/wrappers/observations.ts'
import { episodicReward, normaliseReward, scaleReward, sparseReward } from '../../src/envs/wrappers/rewards.ts'
import { countInto, deviation, frozen, runningStatistics, sizeStatistics } from '../../src/envs/wrappers/statistics.ts'
import { wrap } from '../../src/envs/wrappers/wrap.ts'
import type { Wrapper } from '../../src/envs/wrappers/wrapper.ts'
import { echo, walk } from './tasks.ts'

/** The steps of one episode. */
async function episode(task: EnvironmentSpec, actions: Iterable<number | number[]>, seed = 1): Promise<Step[]> {
  const env = await make(task)
  env.reset({ seed })
  const steps: Step[] = []
  for (const action of actions) {
    steps.push(env.step(action))
    if (steps.at(-1)?.terminated || steps.at(-1)?.truncated) break
  }
  return steps
}
const rewards = async (task: EnvironmentSpec, actions: Iterable<number | number[]>) =>
  (await episode(task, actions)).map(({ reward }) => reward)
const rows = (...values: number[]) => values.map((value) => [value])

describe('every wrapper', () => {
  const wrappers: [string, Wrapper, string | EnvironmentSpec][] = [
    ['timeLimit', timeLimit(20), walk],
    ['repeatAction', repeatAction(3), walk],
    ['clipAction', clipAction(), echo],
    ['rescaleAction', rescaleAction(), echo],
    ['scaleReward', scaleReward(2), walk],
    ['sparseReward', sparseReward(0.5), walk],
    ['episodicReward', episodicReward(), walk],
    ['episodeStatistics', episodeStatistics(), walk],
    ['recordEpisodes', recordEpisodes(recording(2)), walk],
    ['normaliseObservation', normaliseObservation({ statistics: frozen(runningStatistics()) }), walk],
    ['normaliseReward', normaliseReward({ statistics: frozen(runningStatistics()) }), walk],
  ]

  test.each(wrappers)('%s passes the checker, states included, alone and around others', async (_, wrapper, task) => {
    const wrapped = await wrap(task, wrapper)
    expect(await problemsOf(wrapped)).toEqual([])
    expect(await problemsOf(await wrap(task, episodicReward(), wrapper, repeatAction(2)))).toEqual([])
  })

  test.each(wrappers)('%s goes on from a state that was saved, its own memory included', async (_, wrapper, task) => {
    const env = await make(await wrap(task, wrapper))
    const { kind } = env.spec.actionSpace
    const take = (k: number) => env.step(kind === 'discrete' ? k % 2 : [Math.sin(k)])
    env.reset({ seed: 5 })
    for (let k = 0; k < 3; k++) take(k)
    const saved = structuredClone(env.getState())
    /** To the end of the episode, where what a wrapper remembers shows. */
    function onwards() {
      const steps: Step[] = []
      for (let k = 3; k < 60; k++) {
        steps.push(structuredClone(take(k)))
        if (steps.at(-1)?.terminated || steps.at(-1)?.truncated) break
      }
      return steps
    }
    const first = onwards()
    env.reset({ seed: 6 })
    take(0)
    env.setState(saved)
    expect(onwards()).toEqual(first)
  })

  test('around physics in the core: the same steps as without', async () => {
    const [plain, wrapped] = [await make('CartPole-v1'), await make(await wrap('CartPole-v1', scaleReward(2)))]
    expect(wrapped.spec).toMatchObject({ id: 'CartPole-v1', rewardThreshold: 950, wrappers: ['scaleReward(2)'] })
    expect(wrapped.spec.core).toBeUndefined()
    for (const seed of [1, 2]) {
      expect(wrapped.reset({ seed })).toEqual(plain.reset({ seed }))
      for (let last = plain.step(0), t = 1; !last.terminated; last = plain.step(t++ % 3 ? 1 : 0)) {
        expect(wrapped.step(t === 1 ? 0 : (t - 1) % 3 ? 1 : 0)).toEqual({ ...last, reward: 2 })
        expect(wrapped.state).toEqual(plain.state)
      }
    }
  })

  test('many instances share memories and not states', async () => {
    const { create } = await wrap('CartPole-v1', scaleReward(1))
    const envs = Array.from({ length: 150 }, () => create?.())
    const starts = envs.map((env, seed) => Float32Array.from(env?.reset({ seed }).obs ?? []).join())
    const again = envs.map((env) => Float32Array.from(env?.state ?? []).join())
    expect(again).toEqual(starts)
    expect(new Set(starts).size).toBe(150)
  })

  test('constants reach the task inside', async () => {
    const light = await make(await wrap('CartPole-v1', scaleReward(2)), { constants: { gravity: 0 } })
    const moon = await make('CartPole-v1', { constants: { gravity: 0 } })
    light.reset({ seed: 1 })
    moon.reset({ seed: 1 })
    expect([light.step(1).obs, light.step(1).reward]).toEqual([moon.step(1).obs, 2])
    await expect(make(await wrap(walk, scaleReward(2)), { constants: { gravity: 0 } })).rejects.toThrow(
      'Walk has no constant',
    )
  })

  test('a task in the core needs wrap', () => {
    expect(() => scaleReward(2)(environments['CartPole-v1'])).toThrow(
      'scaleReward(2) cannot be put around "CartPole-v1", its physics is in the core: use await wrap(task, ...wrappers).',
    )
  })

  test('workers must not load the task without its wrapper', async () => {
    expect((await wrap({ ...walk, module: './walk.js' }, scaleReward(2))).module).toBeUndefined()
    expect(timeLimit(3)({ ...walk, module: './walk.js' }).module).toBeUndefined()
  })

  test('the names are kept from the inside out', async () => {
    expect((await wrap(echo, rescaleAction(), clipAction())).wrappers).toEqual(['rescaleAction(-1, 1)', 'clipAction()'])
  })
})

describe('time', () => {
  test('timeLimit: shorter or longer than the task, and physics stays in the core', async () => {
    expect(await episode(timeLimit(4)(echo), rows(0, 0, 0, 0, 0))).toHaveLength(4)
    const long = await episode(timeLimit(14)(echo), rows(...new Array(20).fill(0)))
    expect([long.length, long.at(-1)?.terminated, long.at(-1)?.truncated]).toEqual([14, false, true])
    expect(timeLimit(9)(environments['CartPole-v1'])).toMatchObject({ maxEpisodeSteps: 9, core: { kind: 0 } })
    expect(() => timeLimit(0)).toThrow('maxEpisodeSteps must be a whole number from 1')
  })

  test('repeatAction: rewards are added, the last observation is shown, and the limit counts the own steps', async () => {
    const spec = await wrap(echo, repeatAction(4))
    expect(spec.maxEpisodeSteps).toBe(3)
    const steps = await episode(spec, rows(1, 2, 3))
    // The limit of ten falls in the middle of the third.
    expect(steps.map(({ reward, truncated }) => [reward, truncated])).toEqual([
      [4, false],
      [8, false],
      [6, true],
    ])
    expect(steps[1].obs[0]).toBe(2)
  })

  test('repeatAction stops at the end of an episode', async () => {
    const task = await wrap({ ...walk, maxEpisodeSteps: 1000 }, repeatAction(5))
    const last = (await episode(task, new Array(200).fill(1))).at(-1)
    expect(last).toMatchObject({ obs: Float32Array.of(3), terminated: true, truncated: false })
  })

  test('a limit outside reaches the wrappers inside', async () => {
    const spec = await wrap(echo, repeatAction(2), episodicReward(), timeLimit(3))
    expect(spec.maxEpisodeSteps).toBe(3)
    expect(await rewards(spec, rows(1, 1, 1, 1))).toEqual([0, 0, 6])
    expect(
      (await make(await wrap(echo, repeatAction(2), episodicReward()), { maxEpisodeSteps: 2 })).spec.maxEpisodeSteps,
    ).toBe(2)
  })
})

describe('what is no wrapper is refused', () => {
  test.each<[name: string, wrapper: unknown, sentence: string]>([
    ['repeatAction that was not called', repeatAction, 'wrap takes what repeatAction makes: call it, repeatAction(…).'],
    ['clipAction that was not called', clipAction, 'wrap takes what clipAction makes: call it, clipAction(…).'],
    ['a function that gives nothing', () => undefined, 'wrap takes wrappers that give a task, got undefined.'],
    ['a function that gives half a task', () => ({ id: 'Half' }), 'Half: its observationSpace must be'],
  ])('%s', async (_, wrapper, sentence) => {
    await expect(wrap('CartPole-v1', wrapper as Wrapper)).rejects.toThrow(sentence)
  })
})

describe('actions', () => {
  test('clipAction', async () => {
    const spec = await wrap(echo, clipAction())
    expect(spec.actionSpace).toEqual(box([-Infinity], [Infinity]))
    expect(await rewards(spec, rows(-5, 5, 0.5))).toEqual([-2, 3, 0.5])
    await expect(wrap(walk, clipAction())).rejects.toThrow('Walk has discrete actions: clipAction needs a box.')
  })

  test('rescaleAction', async () => {
    const spec = await wrap(echo, rescaleAction())
    expect(spec.actionSpace).toEqual(box([-1], [1]))
    expect(await rewards(spec, rows(-1, 0, 1, 0.5))).toEqual([-2, 0.5, 3, 1.75])
    expect(await rewards(await wrap(echo, rescaleAction(0, 10)), rows(0, 10, 2))).toEqual([-2, 3, -1])
    await expect(wrap(echo, clipAction(), rescaleAction())).rejects.toThrow('Echo has actions without bounds')
    expect(() => rescaleAction(1, 1)).toThrow('rescaleAction needs two finite numbers in order, got [1, 1].')
  })
})

describe('rewards', () => {
  test('scaleReward', async () => {
    expect(await rewards(await wrap(echo, scaleReward(-0.5)), rows(2, 1))).toEqual([-1, -0.5])
    expect(() => scaleReward(Number.NaN)).toThrow('scaleReward needs a finite number, got NaN.')
  })

  test('sparseReward: by a number or a function of step and state', async () => {
    expect(await rewards(await wrap(echo, sparseReward(1)), rows(0.5, 1, 2, -1))).toEqual([0, 1, 2, 0])
    const bySum = sparseReward(({ obs }, state) => (Number(state?.[0]) > 3 ? obs[0] : 0))
    expect(await rewards(await wrap(echo, bySum), rows(2, 1, 1, 2))).toEqual([0, 0, 1, 2])
  })

  test('episodicReward: the same return, on the last step, ended or cut', async () => {
    expect(await rewards(await wrap(timeLimit(4)(echo), episodicReward()), rows(1, 2, 0, -1))).toEqual([0, 0, 0, 2])
    const plain = await rewards(walk, new Array(30).fill(1))
    const paid = await rewards(await wrap(walk, episodicReward()), new Array(30).fill(1))
    expect(paid.slice(0, -1).every((reward) => reward === 0)).toBe(true)
    expect(paid.at(-1)).toBe(plain.reduce((sum, reward) => sum + reward, 0))
  })

  test('normaliseReward: frozen statistics are used and stay', async () => {
    const statistics = { count: 4, mean: [2], squares: [16], frozen: true }
    const env = await make(await wrap(echo, normaliseReward({ statistics, epsilon: 1e-14 })))
    env.reset()
    expect(env.step([3]).reward).toBeCloseTo(1.5, 12)
    expect(env.step([-1]).reward).toBeCloseTo(-0.5, 12)
    expect(statistics).toEqual({ count: 4, mean: [2], squares: [16], frozen: true })
  })

  test('what rules there are is said, and what is clipped', () => {
    expect(() => normaliseReward({ rule: 'rllab' as never })).toThrow(UsageError)
    expect(() => normaliseObservation({ rule: 'rllab' as never })).toThrow(UsageError)
    expect(() => normaliseReward({ clip: -1 })).toThrow(UsageError)
  })
})

describe('statistics', () => {
  test('are the mean and the variance, also far from zero', () => {
    const statistics = { ...runningStatistics(), mean: [0, 0], squares: [0, 0] }
    const values = Array.from({ length: 1000 }, (_, k) => [1e9 + (k % 10), k])
    for (const value of values) countInto(statistics, value)
    expect(statistics.mean[0]).toBeCloseTo(1e9 + 4.5, 5)
    expect(deviation(statistics, 0, 0)).toBeCloseTo(Math.sqrt(8.25), 6)
    expect(deviation(statistics, 1, 0)).toBeCloseTo(Math.sqrt((1000 ** 2 - 1) / 12), 8)
    expect(() => sizeStatistics(statistics, 3)).toThrow('The statistics must be of 3 numbers, got 2.')
  })

  test('begin with mean 0 and variance 1 of little weight', () => {
    const statistics = runningStatistics()
    sizeStatistics(statistics, 2)
    expect(statistics).toEqual({ count: 1e-4, mean: [0, 0], squares: [1e-4, 1e-4], frozen: false })
    expect(deviation(statistics, 1, 0)).toBe(1)
  })

  test('normaliseObservation: resets counted, shared by all instances, clipped where that is asked for', async () => {
    const statistics = runningStatistics()
    const options = { statistics, epsilon: 1e-9, clip: 1.2 }
    const task = await wrap(echo, normaliseObservation({ ...options, rule: 'stable-baselines3' }))
    expect(task.observationSpace).toEqual(box([-1.2], [1.2]))
    const [first, second] = [await make(task), await make(task)]
    expect(first.reset().obs).toEqual(Float32Array.of(0))
    expect(second.reset().obs[0]).toBe(0)
    // 0, 0, 3: mean 1, variance 2.
    expect(first.step([3]).obs[0]).toBe(Math.fround(1.2))
    // 0, 0, 3, 1: mean 1.
    expect(second.step([1]).obs[0]).toBeCloseTo(0, 4)
    expect(statistics.count).toBeCloseTo(4, 3)
    expect(statistics.squares[0]).toBeCloseTo(6, 3)
  })

  test('saved with a policy and frozen for evaluation', async () => {
    const statistics = runningStatistics()
    await episode(await wrap(walk, normaliseObservation({ statistics })), new Array(30).fill(0))
    const saved = JSON.parse(JSON.stringify(statistics))
    const task = await wrap(walk, normaliseObservation({ statistics: frozen(saved) }))
    const [a, b] = [await episode(task, new Array(30).fill(0), 5), await episode(task, new Array(30).fill(0), 5)]
    expect(a).toEqual(b)
    expect(statistics.count).toBeGreaterThan(5)
    expect(saved).toEqual(statistics)
    await expect(wrap('CartPole-v1', normaliseObservation({ statistics }))).rejects.toThrow(
      'The statistics must be of 4 numbers, got 1.',
    )
  })
})

describe('episodes', () => {
  test('episodeStatistics: in the info of the last step only', async () => {
    const steps = await episode(await wrap(timeLimit(3)(echo), episodeStatistics()), rows(1, 2, -1))
    expect(steps.map(({ info }) => info.episode)).toEqual([undefined, undefined, { return: 2, length: 3 }])
    const ended = await episode(await wrap(walk, episodeStatistics()), new Array(30).fill(1))
    expect(ended.at(-1)?.info).toMatchObject({ x: 3, episode: { length: ended.length } })
  })

  test('recordEpisodes: seed and actions play the same states again', async () => {
    const into = recording(2)
    const env = await make(await wrap('CartPole-v1', recordEpisodes(into)), { maxEpisodeSteps: 12 })
    for (const seed of [1, 2, 3]) {
      env.reset({ seed })
      for (let last = env.step(1), t = 0; !last.terminated && !last.truncated; t++) last = env.step(t % 2)
    }
    expect(into.episodes.map(({ seed }) => seed)).toEqual([2, 3])
    const plain = await make('CartPole-v1')
    for (const { seed, actions, states, observations, rewards, truncated, terminated } of into.episodes) {
      expect([actions.length, states.length, observations.length, rewards.length]).toEqual([12, 13, 13, 12])
      expect([terminated, truncated]).toEqual([false, true])
      expect([...plain.reset({ seed }).obs]).toEqual(observations[0])
      actions.forEach((action, t) => {
        expect([...plain.step(action as number).obs]).toEqual(observations[t + 1])
        expect([...plain.state]).toEqual(states[t + 1])
      })
    }
    expect(JSON.parse(JSON.stringify(into))).toEqual(into)
  })
})

describe('the numbers of Gymnasium and stable-baselines3', () => {
  interface Script {
    readonly obs: readonly number[][]
    readonly rewards: readonly number[]
    readonly terminated: boolean
  }
  const golden = JSON.parse(readFileSync(new URL('../golden/gymnasium-wrappers.json', import.meta.url), 'utf8')) as {
    rewards: {
      name: string
      discount: number
      episodes: Script[]
      gymnasium: number[]
      'gymnasium-vector': { SameStep: number[]; NextStep: number[] }
      'stable-baselines3': number[]
    }[]
    observations: { episodes: Script[]; gymnasium: number[][]; 'stable-baselines3': number[][] }
    statistics: { mode: 'SameStep' | 'NextStep'; scripts: Script[][]; ends: [number, number, number, number][] }[]
  }

  /** Plays episodes that are written down, one script an instance. */
  function scripted(scripts: readonly (readonly Script[])[]): EnvironmentSpec {
    let made = 0
    const columns = scripts[0][0].obs[0].length
    return {
      id: 'Script',
      // biome-ignore format: a pair
      observationSpace: box(Array(columns).fill(-Infinity), Array(columns).fill(Infinity)),
      actionSpace: discrete(1),
      maxEpisodeSteps: 100,
      create() {
        const episodes = scripts[made++ % scripts.length]
        let number = -1
        let t = 0
        return {
          reset() {
            number = (number + 1) % episodes.length
            t = 0
            return { obs: Float32Array.from(episodes[number].obs[0]), info: {} }
          },
          step() {
            const { obs, rewards: paid, terminated } = episodes[number]
            const reward = paid[t++]
            const over = t === paid.length
            const ends = { terminated: over && terminated, truncated: over && !terminated }
            return { obs: Float32Array.from(obs[t]), reward, ...ends, info: {} }
          },
        }
      },
    }
  }

  /** What one instance shows and pays, reset after every end. */
  async function play(task: EnvironmentSpec, episodes: readonly Script[]) {
    const env = await make(task)
    const seen: number[][] = []
    const paid: number[] = []
    const last: boolean[] = []
    for (const { rewards: steps } of episodes) {
      seen.push([...env.reset().obs])
      last.push(false)
      steps.forEach((_, t) => {
        const { obs, reward } = env.step(0)
        seen.push([...obs])
        last.push(t === steps.length - 1)
        paid.push(reward)
      })
    }
    return { seen, paid, last }
  }

  function expectClose(found: readonly number[], expected: readonly number[]) {
    expect(found.length).toBe(expected.length)
    found.forEach((value, k) => {
      expect(Math.abs(value - expected[k])).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(expected[k])))
    })
  }

  test.each(golden.rewards)('normaliseReward, by each rule: $name', async ({ discount, episodes, ...expected }) => {
    const paidBy = async (rule: 'gymnasium' | 'gymnasium-same-step' | 'stable-baselines3') =>
      (await play(normaliseReward({ rule, discount })(scripted([episodes])), episodes)).paid
    expectClose(await paidBy('gymnasium'), expected.gymnasium)
    expectClose(await paidBy('gymnasium-same-step'), expected['gymnasium-vector'].SameStep)
    expectClose(await paidBy('stable-baselines3'), expected['stable-baselines3'])
    // Its vectors in mode next-step pay the same as one environment, and nothing for the steps that stand for a reset.
    const nextStep: number[] = []
    const envs = await makeVector(normaliseReward({ discount })(scripted([episodes])), { num: 1 })
    envs.reset()
    for (const _ of expected['gymnasium-vector'].NextStep) nextStep.push(envs.step([0]).reward[0])
    expectClose(nextStep, expected['gymnasium-vector'].NextStep)
  })

  test('the default is the rule of Gymnasium', async () => {
    const { episodes, gymnasium } = golden.rewards[0]
    expectClose((await play(normaliseReward({ discount: 0.5 })(scripted([episodes])), episodes)).paid, gymnasium)
    expect(gymnasium[0]).toBeCloseTo(70.714, 3)
  })

  test('normaliseObservation, by each rule', async () => {
    const { episodes, gymnasium, 'stable-baselines3': stable } = golden.observations
    const task = scripted([episodes])
    const { seen } = await play(normaliseObservation()(task), episodes)
    expect(seen).toEqual(gymnasium)
    const other = await play(normaliseObservation({ rule: 'stable-baselines3' })(task), episodes)
    // It shows the first observation of an episode in place of the last of the one before.
    expectClose(other.seen.filter((_, k) => !other.last[k]).flat(), stable.slice(0, -1).flat())
  })

  test('normaliseObservation has the spaces of Gymnasium', () => {
    const space = (options: object) => normaliseObservation(options)(walk).observationSpace
    expect(space({})).toEqual(box([-Infinity], [Infinity]))
    expect(space({ rule: 'stable-baselines3' })).toEqual(box([-10], [10]))
    expect(space({ rule: 'stable-baselines3', clip: null })).toEqual(box([-Infinity], [Infinity]))
  })

  test.each(golden.statistics)('episodeStatistics of a vector, $mode', async ({ mode, scripts, ends }) => {
    const autoreset = mode === 'SameStep' ? 'same-step' : 'next-step'
    const envs = await makeVector(episodeStatistics()(scripted(scripts)), { num: 2, autoreset })
    envs.reset()
    const found: number[][] = []
    for (let t = 1; t <= 60; t++) {
      const { info } = envs.step([0, 0])
      info.finalMask.forEach((isFinal, row) => {
        const { return: total, length } = (info.finalInfo[row].episode ?? {}) as { return: number; length: number }
        if (isFinal) found.push([t, row, total, length])
        if (isFinal) expect([info.finalReturn[row], info.finalElapsed[row]]).toEqual([total, length])
      })
    }
    expect(found.length).toBe(ends.length)
    expectClose(found.flat(), ends.flat())
  })
})
