import { describe, expect, test } from '@jest/globals'
import { deriveSeed } from '../../src/core/generator.ts'
import { compileCore } from '../../src/core/module.ts'
import { Purpose } from '../../src/core/random.ts'
import type { EnvironmentSpec } from '../../src/envs/contract.ts'
import { inTypeScript } from '../../src/envs/instances.ts'
import { make } from '../../src/envs/make.ts'
import { environments } from '../../src/envs/registry.ts'
import { discrete, sampler } from '../../src/envs/spaces.ts'
import { makeVector, type VectorStep } from '../../src/envs/vector.ts'
import type { AutoresetMode } from '../../src/envs/vector-fields.ts'
import { broken, echo, walk } from './tasks.ts'

const hosted = inTypeScript(environments['CartPole-v1'], await compileCore())
const modes: AutoresetMode[] = ['next-step', 'same-step', 'disabled']

/** A copy of all that a step gives. */
const copyOf = ({ obs, reward, terminated, truncated, info }: VectorStep) => ({
  obs: [...obs],
  reward: [...reward],
  terminated: [...terminated],
  truncated: [...truncated],
  resetMask: [...info.resetMask],
  finalMask: [...info.finalMask],
  finalObservation: [...info.finalObservation],
  finalReturn: [...info.finalReturn],
  finalElapsed: [...info.finalElapsed],
})

async function played(task: string | EnvironmentSpec, autoreset: AutoresetMode, seed: number) {
  const num = 7
  const envs = await makeVector(task, { num, autoreset, maxEpisodeSteps: 40 })
  const sample = sampler(discrete(2), seed)
  const steps: ReturnType<typeof copyOf>[] = []
  const first = [...envs.reset({ seed }).obs]
  for (let t = 0; t < 120; t++) {
    const step = envs.step(Float32Array.from({ length: num }, sample))
    steps.push(copyOf(step))
    const ended = step.info.finalMask.slice()
    if (autoreset === 'disabled' && ended.some(Boolean))
      steps.push({ ...copyOf(step), ...envs.reset({ mask: ended }), info: 0 } as never)
  }
  return [first, ...steps].map((step) => JSON.stringify(step))
}

describe('the core and TypeScript give the same bits', () => {
  test.each(modes)('%s', async (autoreset) => {
    const inCore = await played('CartPole-v1', autoreset, 5)
    const inRows = await played(hosted, autoreset, 5)
    expect(inCore.length).toBeGreaterThan(120)
    expect(inRows.length).toBe(inCore.length)
    expect(inCore.findIndex((step, t) => step !== inRows[t])).toBe(-1)
    expect((await played('CartPole-v1', autoreset, 6))[0]).not.toBe(inCore[0])
  })
})

test.each(['CartPole-v1', walk])(
  'every row is a single environment with the seeds that training derives: %p',
  async (task) => {
    const envs = await makeVector(task, { num: 3, autoreset: 'same-step' })
    const single = await make(task)
    const actions: number[][] = []
    const seen: VectorStep['obs'][] = []
    const sample = sampler(discrete(2), 9)
    envs.reset({ seed: 11 })
    for (let t = 0; t < 100; t++) {
      actions.push([sample(), sample(), sample()])
      seen.push(envs.step(actions[t]).obs.slice())
    }
    const O = envs.spec.observationSpace.low.length
    for (let row = 0; row < 3; row++) {
      let episode = 0
      const start = () => single.reset({ seed: deriveSeed(11, Purpose.episode, 0, row, episode++) }).obs
      start()
      for (let t = 0; t < 100; t++) {
        const step = single.step(actions[t][row])
        const expected = step.terminated || step.truncated ? start() : step.obs
        expect([...seen[t].subarray(row * O, (row + 1) * O)]).toEqual([...expected])
      }
      expect(episode).toBeGreaterThan(2)
    }
  },
)

describe("Gymnasium's three modes, on a task that shows its action and is cut after two steps", () => {
  const start = async (autoreset: AutoresetMode) => {
    const envs = await makeVector(echo, { num: 2, maxEpisodeSteps: 2, autoreset })
    envs.reset()
    envs.step([1, 2])
    return envs
  }

  test('next-step: the step after the end ignores its action, with reward 0 and no flags', async () => {
    const envs = await start('next-step')
    expect(copyOf(envs.step([0.5, 3]))).toEqual({
      obs: [0.5, 3],
      reward: [0.5, 3],
      terminated: [0, 0],
      truncated: [1, 1],
      resetMask: [0, 0],
      finalMask: [1, 1],
      finalObservation: [0.5, 3],
      finalReturn: [1.5, 5],
      finalElapsed: [2, 2],
    })
    expect(copyOf(envs.step([3, 3]))).toMatchObject({
      obs: [0, 0],
      reward: [0, 0],
      truncated: [0, 0],
      resetMask: [1, 1],
      finalMask: [0, 0],
    })
    expect(copyOf(envs.step([1, 1]))).toMatchObject({
      obs: [1, 1],
      reward: [1, 1],
      truncated: [0, 0],
      resetMask: [0, 0],
    })
  })

  test('same-step: the reset observation, and the final one in info', async () => {
    const envs = await start('same-step')
    expect(copyOf(envs.step([0.5, 3]))).toMatchObject({
      obs: [0, 0],
      reward: [0.5, 3],
      truncated: [1, 1],
      resetMask: [1, 1],
      finalMask: [1, 1],
      finalObservation: [0.5, 3],
      finalReturn: [1.5, 5],
    })
    expect(copyOf(envs.step([1, 1]))).toMatchObject({
      obs: [1, 1],
      truncated: [0, 0],
      resetMask: [0, 0],
      finalMask: [0, 0],
    })
  })

  test('disabled: an ended row must be reset', async () => {
    const envs = await start('disabled')
    expect(copyOf(envs.step([0.5, 3]))).toMatchObject({ obs: [0.5, 3], truncated: [1, 1], finalMask: [1, 1] })
    expect(() => envs.step([0, 0])).toThrow('Echo, row 0: the episode ended after 2 steps; reset it with a mask')
    const { obs, info } = envs.reset({ mask: [1, 0] })
    expect([[...obs], [...info.resetMask]]).toEqual([
      [0, 3],
      [1, 0],
    ])
    expect(() => envs.step([0, 0])).toThrow('Echo, row 1: the episode ended')
    envs.reset({ mask: [false, true] as never })
    expect(copyOf(envs.step([1, 1]))).toMatchObject({ obs: [1, 1], truncated: [0, 0] })
  })

  test('terminated and truncated are told apart', async () => {
    const envs = await makeVector(walk, { num: 4, autoreset: 'same-step', maxEpisodeSteps: 7 })
    envs.reset({ seed: 1 })
    const ends = new Set<string>()
    for (let t = 0; t < 60; t++) {
      const { terminated, truncated, info } = envs.step([1, 1, 1, 0])
      terminated.forEach((flag, row) => {
        if (!info.finalMask[row]) return
        ends.add(`${flag}${truncated[row]}`)
        expect(info.finalObservation[row] === 3).toBe(flag === 1)
        if (!flag) expect(info.finalElapsed[row]).toBe(7)
        expect(info.finalInfo[row]).toEqual({ x: info.finalObservation[row] })
        expect(info.rows[row]).toHaveProperty('seed')
      })
    }
    expect(ends).toContain('10')
    expect(ends).toContain('01')
  })
})

test('steps give the same views every time', async () => {
  for (const task of ['CartPole-v1', walk]) {
    const envs = await makeVector(task, { num: 4 })
    const { obs } = envs.reset()
    const first = envs.step([0, 0, 0, 0])
    expect(first.obs).toBe(obs)
    expect(envs.step([1, 1, 1, 1])).toBe(first)
  }
})

test('a reset without a seed goes on from the last one, which by default is the option', async () => {
  const starts = async (options: object, resets: object[]) => {
    const envs = await makeVector('CartPole-v1', { num: 2, ...options })
    return resets.map((reset) => [...envs.reset(reset).obs].join())
  }
  const first = await starts({}, [{ seed: 4 }, {}, {}])
  expect(new Set(first).size).toBe(3)
  expect(await starts({ seed: 4 }, [{}, {}, {}, { seed: 4 }])).toEqual([...first, first[0]])
})

test('states of the core can be set', async () => {
  const envs = await makeVector('CartPole-v1', { num: 2 })
  envs.reset()
  envs.state.set([0, 0, 0, 0, 5, 0, 0, 0])
  expect([...envs.step([0, 0]).terminated]).toEqual([0, 1])
})

describe('errors', () => {
  test('before the first reset', async () => {
    const envs = await makeVector('CartPole-v1', { num: 2 })
    expect(() => envs.step([0, 0])).toThrow('CartPole-v1: call reset before step; there are no running episodes.')
    expect(() => envs.reset({ mask: [1, 0] })).toThrow('the first reset must be one of all rows')
  })

  test.each([
    ['CartPole-v1', [0], 'CartPole-v1: a batch of actions has 2 numbers, one row after the other, got 1.'],
    ['CartPole-v1', undefined, 'a batch of actions has 2 numbers, one row after the other, got undefined.'],
    ['CartPole-v1', [0, 2], 'CartPole-v1, row 1: an action is a whole number from 0 to 1, got 2.'],
    ['CartPole-v1', [0.5, 0], 'CartPole-v1, row 0: an action is a whole number from 0 to 1, got 0.5.'],
    ['CartPole-v1', [0, Number.NaN], 'CartPole-v1, row 1: an action is a whole number from 0 to 1, got NaN.'],
    [echo, [0, 4], 'Echo, row 1: an action is 1 finite number from -2 to 3, got [4].'],
    [echo, [Number.NaN, 0], 'Echo, row 0: an action is 1 finite number from -2 to 3, got [NaN].'],
  ])('%p, %j', async (task, actions, message) => {
    const envs = await makeVector(task, { num: 2 })
    envs.reset()
    expect(() => envs.step(actions as number[])).toThrow(message)
  })

  test('options', async () => {
    await expect(makeVector('CartPole-v1', { num: 0 })).rejects.toThrow(
      'num must be a whole number of at least 1, got 0.',
    )
    await expect(makeVector('CartPole-v1', { num: 1, autoreset: 'always' as never })).rejects.toThrow(
      'autoreset must be one of next-step, same-step, disabled, got "always".',
    )
    const envs = await makeVector('CartPole-v1', { num: 2, constants: { gravity: 1 } })
    expect(envs.spec.core?.constants.gravity).toBe(1)
    envs.reset()
    expect(() => envs.reset({ mask: [1] })).toThrow('a mask has one number for each of the 2 rows, got 1.')
    expect(() => envs.reset({ mask: [1, 0], seed: 1 })).toThrow('reset takes a seed or a mask, got both.')
  })

  test('a task that is wrong is named with row and step', async () => {
    const envs = await makeVector(broken({ step: (step, t) => (t < 2 ? step : { ...step, reward: Number.NaN }) }), {
      num: 2,
    })
    envs.reset()
    envs.step([0, 0])
    expect(() => envs.step([0, 0])).toThrow('Broken, row 0: step 2 gave the reward NaN; a reward must be finite.')
  })
})
