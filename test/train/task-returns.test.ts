import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { UsageError } from '../../src/core/errors.ts'
import type { EnvironmentSpec } from '../../src/envs/contract.ts'
import { make } from '../../src/envs/make.ts'
import { makeVector } from '../../src/envs/vector.ts'
import { repeatAction } from '../../src/envs/wrappers/actions.ts'
import { episodeStatistics, recordEpisodes, recording } from '../../src/envs/wrappers/episodes.ts'
import { episodicReward, normaliseReward, scaleReward, sparseReward } from '../../src/envs/wrappers/rewards.ts'
import { wrap } from '../../src/envs/wrappers/wrap.ts'
import { playEpisode } from '../../src/play/episode.ts'
import { evaluateEvery, keepBest, pipe, stopAt } from '../../src/train/loop.ts'
import { createRun, finishRun, record } from '../../src/train/record.ts'
import { loadAgents } from '../../src/train/run-directory.ts'
import { type AnyTrainOptions, evaluate, runConfig, train } from '../../src/train/train.ts'

// Normalised rewards are what is learned from; returns are those of the task inside, wherever they are counted.

const small = { particles: 2, iterations: 4, environments: 4, steps: 64, hidden: [8], seed: 4 }
const rules = ['gymnasium', 'gymnasium-same-step', 'stable-baselines3'] as const

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0)

describe.each(rules)('by the rule of %s', (rule) => {
  const normalised = (env: string | EnvironmentSpec) => wrap(env, normaliseReward({ rule }))

  test('evaluation and what follows from it are of the task itself', async () => {
    const env = await normalised('CartPole-v1')
    expect(env.rewardThreshold).toBe(475)
    const loop = pipe(train({ ...small, env }), evaluateEvery(2, { episodes: 3 }), keepBest(), stopAt({ return: 1e6 }))
    for await (const { evaluation, best, agents } of loop) {
      if (!evaluation) continue
      const plain = await evaluate({ agents: agents(), env: 'CartPole-v1', episodes: 3 })
      expect(evaluation).toEqual(plain)
      expect(best?.meanReturn).toBeGreaterThanOrEqual(Math.max(...plain.greedy))
      const { episode } = await playEpisode({ agents: agents(), particle: 0 })
      expect([...new Set(episode.rewards)]).toEqual([1])
      expect(episode.return).toBe(episode.rewards.length)
    }
    expect.assertions(1 + 2 * 4)
  })

  test('a run directory is evaluated in its returns', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'steinrl-task-returns-'))
    try {
      const options = { ...small, iterations: 1, env: await normalised('CartPole-v1') }
      const run = await createRun(join(directory, 'run'), runConfig(options))
      for await (const _ of record(run, train(options)));
      await finishRun(run, '', null, null)
      const agents = await loadAgents(run.directory)
      const found = await evaluate({ agents, episodes: 3 })
      expect(found).toEqual(await evaluate({ agents, env: 'CartPole-v1', episodes: 3 }))
      const [line] = (await readFile(join(run.directory, 'metrics.jsonl'), 'utf8')).split('\n')
      const { returns, episodes } = JSON.parse(line)
      // A reward of 1 a step: sums are whole numbers.
      for (const [i, mean] of returns.entries()) expect(Number((mean * episodes[i]).toFixed(9)) % 1).toBe(0)
    } finally {
      await rm(directory, { recursive: true, force: true })
    }
  })
})

const trainings: readonly object[] = [
  { ...small, particles: 1 },
  { algorithm: 'sac', iterations: 12, hidden: [4], batchSize: 8, warmup: 8, steps: 64, environments: 2 },
]
test.each(trainings)('returns in training are those of the episodes that were played, %#', async (options) => {
  const into = recording(10_000)
  const env = await wrap('Pendulum-v1', recordEpisodes(into), normaliseReward())
  let [total, count] = [0, 0]
  for await (const { metrics } of train({ ...options, env } as AnyTrainOptions)) {
    const [episodes] = metrics.episodes as number[]
    count += episodes
    total += episodes * (metrics.returns[0] ?? 0)
  }
  const ended = into.episodes.filter(({ truncated }) => truncated)
  expect(count).toBeGreaterThan(0)
  expect(ended).toHaveLength(count)
  expect(total).toBeCloseTo(sum(ended.flatMap(({ rewards }) => rewards)), 6)
  // Below -500 in Pendulum-v1; normalised ones add up to some ten.
  expect(total / count).toBeLessThan(-500)
})

test('wrappers around it leave the returns alone, those inside make the task', async () => {
  const returnOf = async (env: EnvironmentSpec) => {
    const vector = await makeVector(env, { num: 1 })
    vector.reset({ seed: 3 })
    for (let t = 0; ; t++) {
      const { info } = vector.step([t % 2])
      if (info.finalMask[0]) return info.finalReturn[0]
    }
  }
  const plain = await returnOf(await wrap('CartPole-v1', repeatAction(1)))
  expect(await returnOf(await wrap('CartPole-v1', normaliseReward(), scaleReward(3)))).toBe(plain)
  expect(await returnOf(await wrap('CartPole-v1', normaliseReward(), sparseReward(1e9)))).toBe(plain)
  expect(await returnOf(await wrap('CartPole-v1', normaliseReward(), episodicReward()))).toBe(plain)
  expect(await returnOf(await wrap('CartPole-v1', normaliseReward(), normaliseReward()))).toBe(plain)
  expect(await returnOf(await wrap('CartPole-v1', scaleReward(3), normaliseReward()))).toBe(3 * plain)
  const slow = await returnOf(await wrap('CartPole-v1', repeatAction(2)))
  expect(await returnOf(await wrap('CartPole-v1', normaliseReward(), repeatAction(2)))).toBe(slow)
  expect((await wrap('CartPole-v1', normaliseReward(), scaleReward(3))).rewardThreshold).toBe(475)
  expect((await wrap('CartPole-v1', scaleReward(3), normaliseReward())).rewardThreshold).toBe(1425)
})

test('make() tells both, and episodeStatistics() counts where it stands', async () => {
  const inside = await make(await wrap('CartPole-v1', episodeStatistics(), normaliseReward()))
  const outside = await make(await wrap('CartPole-v1', normaliseReward(), episodeStatistics()))
  for (const env of [inside, outside]) {
    env.reset({ seed: 1 })
    let paid = 0
    let last = env.step(1)
    for (; !last.terminated; last = env.step(1)) {
      paid += last.reward
      expect(last.taskReward).toBe(1)
      expect(last.reward).not.toBe(1)
    }
    paid += last.reward
    const { length, return: total } = last.info.episode as { length: number; return: number }
    expect(total).toBeCloseTo(env === inside ? length : paid, 12)
  }
})

test('a task may tell it too; the setting episodicReward and normalised rewards are refused together', async () => {
  const task = (taskReward: number): EnvironmentSpec => ({
    id: 'Told-v0',
    observationSpace: { kind: 'box', low: [-1], high: [1] },
    actionSpace: { kind: 'discrete', n: 2, start: 0 },
    maxEpisodeSteps: 5,
    create: () => ({
      reset: () => ({ obs: [0], info: {} }),
      step: () => ({ obs: [0], reward: -1, taskReward, terminated: false, truncated: false, info: {} }),
    }),
  })
  const { agents } = await last(train({ ...small, iterations: 1, env: task(7) }))
  expect((await evaluate({ agents: agents(), env: task(7), episodes: 1 })).greedy).toEqual([35, 35])
  await expect(evaluate({ agents: agents(), env: task(Number.NaN), episodes: 1 })).rejects.toThrow('taskReward NaN')
  const env = await wrap('CartPole-v1', normaliseReward())
  await expect(last(train({ ...small, env, episodicReward: true }))).rejects.toThrow(UsageError)
})

async function last<S>(steps: AsyncIterable<S>): Promise<S> {
  let found: S | undefined
  for await (const step of steps) found = step
  return found as S
}
