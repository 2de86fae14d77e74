import { describe, expect, test } from '@jest/globals'
import { make } from '../../src/envs/make.ts'
import { makeVector } from '../../src/envs/vector.ts'
import { rescaleAction } from '../../src/envs/wrappers/actions.ts'
import { broken, echo, walk } from './tasks.ts'

describe("a task of one's own", () => {
  test('has the interface of the built-in ones, and is cut at its limit', async () => {
    const env = await make({ ...echo, maxEpisodeSteps: 3 })
    expect(env.reset({ seed: 1 }).obs).toEqual(Float32Array.of(0))
    expect(env.step([2])).toEqual({ obs: Float32Array.of(2), reward: 2, terminated: false, truncated: false, info: {} })
    expect(env.step([-1]).truncated).toBe(false)
    expect(env.step([1])).toMatchObject({ terminated: false, truncated: true })
    expect([...env.state]).toEqual([2])
    expect(() => env.step([1])).toThrow('Echo: the episode ended after 3 steps; call reset before the next step.')
  })

  test('may end by itself', async () => {
    const env = await make(walk)
    env.reset({ seed: 1 })
    let last = env.step(1)
    while (!last.terminated && !last.truncated) last = env.step(1)
    expect(last).toMatchObject({ obs: Float32Array.of(3), reward: 1, terminated: true, truncated: false })
  })

  test('maxEpisodeSteps is a replacement of its limit', async () => {
    const env = await make(echo, { maxEpisodeSteps: 12 })
    env.reset()
    for (let t = 1; t <= 12; t++) expect(env.step([0]).truncated).toBe(t === 12)
    await expect(make(echo, { maxEpisodeSteps: 0 })).rejects.toThrow(
      'maxEpisodeSteps must be a whole number from 1 to 1000000, got 0.',
    )
  })

  test('observations are copies', async () => {
    const row = [0]
    // biome-ignore format: short
    const create = () => ({ reset: () => ({ obs: row, info: {} }), step: () => ({ obs: row, reward: 0, terminated: false, truncated: false, info: {} }) })
    const env = await make({ ...echo, create })
    const { obs } = env.reset()
    row[0] = 9
    expect(obs[0]).toBe(0)
  })

  test.each([
    [
      'reset gave the observation [1, 2]; an observation is 1 finite number',
      { reset: (r: object) => ({ ...r, obs: [1, 2] }) },
    ],
    [
      'reset gave the observation [NaN]; an observation is 1 finite number',
      { reset: (r: object) => ({ ...r, obs: [Number.NaN] }) },
    ],
    ['reset gave the observation undefined; an observation is 1 finite number', { reset: () => undefined }],
    [
      'step 2 gave the observation [Infinity]; an observation is',
      { step: (r: object, t: number) => (t < 2 ? r : { ...r, obs: [Infinity] }) },
    ],
    ['step 1 gave the observation 4; an observation is', { step: (r: object) => ({ ...r, obs: 4 }) }],
    ['step 1 gave the reward NaN; a reward must be finite', { step: (r: object) => ({ ...r, reward: Number.NaN }) }],
    ['step 1 gave terminated 1; it must be true or false', { step: (r: object) => ({ ...r, terminated: 1 }) }],
    [
      'step 1 gave truncated undefined; it must be true or false',
      { step: (r: object) => ({ ...r, truncated: undefined }) },
    ],
  ])('%s', async (message, answer) => {
    const env = await make(broken(answer))
    expect(() => {
      env.reset({ seed: 0 })
      env.step(0)
      env.step(0)
    }).toThrow(`Broken: ${message}`)
  })
})

describe('errors', () => {
  test.each([[[3.1]], [[Number.NaN]], [[1, 1]], [[]], [4]])('a box does not take %j', async (action) => {
    const env = await make(echo)
    env.reset()
    const shown = Array.isArray(action) ? `[${action.join(', ')}]` : action
    expect(() => env.step(action)).toThrow(`Echo: an action is 1 finite number from -2 to 3, got ${shown}.`)
  })

  test('an infinite action is refused even without bounds', async () => {
    const env = await make({ ...echo, actionSpace: { kind: 'box', low: [-Infinity], high: [Infinity] } })
    env.reset()
    expect(() => env.step(Float32Array.of(Infinity))).toThrow('Echo: an action is 1 finite number, got [Infinity].')
  })

  test('a task that clips actions itself takes every finite one, alone, in vectors and until a wrapper scales them', async () => {
    const clips = { ...echo, clipsActions: true }
    const env = await make(clips)
    env.reset()
    expect(env.step([5]).reward).toBe(5)
    expect(() => env.step([Number.NaN])).toThrow('Echo: an action is 1 finite number, got [NaN].')
    const envs = await makeVector(clips, { num: 1 })
    envs.reset()
    expect(envs.step([5]).reward[0]).toBe(5)
    expect(() => envs.step([Infinity])).toThrow('Echo, row 0: an action is 1 finite number, got [Infinity].')
    const scaled = await make(rescaleAction()(clips))
    scaled.reset()
    expect(() => scaled.step([1.5])).toThrow('Echo: an action is 1 finite number from -1 to 1, got [1.5].')
  })

  test('a refused action does not move the environment', async () => {
    const env = await make('CartPole-v1')
    env.reset({ seed: 1 })
    const before = env.getState()
    expect(() => env.step(2)).toThrow()
    expect(env.getState()).toEqual(before)
  })

  test('an unknown id names the nearest', async () => {
    await expect(make('cartpole')).rejects.toThrow('and the nearest is CartPole-v1.')
    await expect(make('Pendulun-v0')).rejects.toThrow('and the nearest is Pendulum-v1.')
    // Nothing is near: no guess.
    await expect(make('qqqq')).rejects.toThrow(
      /^Unknown environment "qqqq"; there are CartPole-v1, .*Pendulum-v1(, \S+)*\.$/,
    )
    await expect(make('qqqq')).rejects.not.toThrow('nearest')
  })

  test('a task without constants has no constant', async () => {
    await expect(make(walk, { constants: { gravity: 1 } })).rejects.toThrow(
      'Walk has no constant "gravity"; it has none.',
    )
  })

  test('a seed is a whole number', async () => {
    const env = await make('CartPole-v1')
    expect(() => env.reset({ seed: -1 })).toThrow('seed must be a whole number of at least 0, got -1.')
    expect(() => env.reset({ seed: 0.5 })).toThrow('seed must be')
  })

  test('a task that can do nothing', async () => {
    await expect(make({ ...walk, create: undefined })).rejects.toThrow(
      'Walk: create must be a function, got undefined.',
    )
    const env = await make(broken({}))
    expect(() => env.getState()).toThrow('Broken has no getState.')
    expect(() => env.render()).toThrow('Broken has no render function.')
  })
})

describe('seeds and states', () => {
  test.each(['CartPole-v1', walk])('resets without a seed follow from the last seed: %p', async (task) => {
    const env = await make(task, { maxEpisodeSteps: 40 })
    const starts = (seed: number) => [env.reset({ seed }), env.reset(), env.reset()].map(({ obs }) => obs.join())
    const first = Array.from({ length: 5 }, (_, seed) => starts(seed))
    expect(Array.from({ length: 5 }, (_, seed) => starts(seed))).toEqual(first)
    expect(new Set(first.flat()).size).toBeGreaterThan(2)
    const fresh = await make(task)
    expect(fresh.reset().obs.join()).toBe(first[0][0])
  })

  test.each(['CartPole-v1', walk, echo])(
    'a saved state goes on to the same end, also in another instance: %p',
    async (task) => {
      const [env, other] = [await make(task), await make(task)]
      const action = env.spec.actionSpace.kind === 'discrete' ? 0 : [1]
      env.reset({ seed: 3 })
      env.step(action)
      const saved = JSON.parse(JSON.stringify(env.getState()))
      const follow = (which: typeof env) => {
        const steps = [which.step(action)]
        for (let last = steps[0]; !last.terminated && !last.truncated; steps.push(last)) last = which.step(action)
        return [...steps, which.reset()]
      }
      const first = follow(env)
      expect(first.length).toBeGreaterThan(5)
      env.setState(saved)
      expect(follow(env)).toEqual(first)
      other.reset({ seed: 3 })
      other.setState(saved)
      expect(follow(other)).toEqual(first)
    },
  )

  test('a state that had ended has ended', async () => {
    const env = await make(echo, { maxEpisodeSteps: 1 })
    env.reset()
    const running = env.getState()
    env.step([0])
    const over = env.getState()
    env.setState(running)
    env.step([0])
    env.reset()
    env.setState(over)
    expect(() => env.step([0])).toThrow('the episode ended after 1 steps')
  })
})
