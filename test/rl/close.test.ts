import { beforeEach, describe, expect, test } from '@jest/globals'
import loadMujoco from '@mujoco/mujoco'
import type { SvpgOptions } from '../../src/algorithms/svpg/settings.ts'
import { svpg } from '../../src/algorithms/svpg/svpg.ts'
import { cartPole } from '../../src/envs/cartpole.ts'
import { problemsOf } from '../../src/envs/check.ts'
import type { Environment, EnvironmentSpec } from '../../src/envs/contract.ts'
import { make } from '../../src/envs/make.ts'
import { mujoco } from '../../src/envs/mujoco.ts'
import { box, discrete } from '../../src/envs/spaces.ts'
import { makeVector } from '../../src/envs/vector.ts'
import { scaleReward } from '../../src/envs/wrappers/rewards.ts'
import { wrap } from '../../src/envs/wrappers/wrap.ts'
import { policyOf } from '../../src/nn/policy.ts'
import type { Agents } from '../../src/rl/agents.ts'
import { evaluatePopulation } from '../../src/rl/evaluate.ts'
import { headFor } from '../../src/rl/heads.ts'
import { evaluateGrid } from '../../src/rl/randomisation.ts'
import { type AlgorithmName, type AnyTrainOptions, evaluate, train } from '../../src/train/train.ts'

/** Instances made and closed; each may be closed once and not used afterwards. */
const count = { made: 0, closed: 0 }
beforeEach(() => {
  Object.assign(count, { made: 0, closed: 0 })
})

/** A task whose instances hold something that has to be freed. */
const holding: EnvironmentSpec = {
  id: 'Holding',
  observationSpace: box([-1], [1]),
  actionSpace: discrete(2),
  maxEpisodeSteps: 5,
  create() {
    count.made++
    let isOpen = true
    const use = () => {
      if (!isOpen) throw new Error('used after it was closed')
    }
    return {
      reset() {
        use()
        return { obs: [0], info: {} }
      },
      step(action) {
        use()
        return {
          obs: [0.5],
          reward: typeof action === 'number' ? action : action[0],
          terminated: false,
          truncated: false,
          info: {},
        }
      },
      close() {
        use()
        isOpen = false
        count.closed++
      },
    }
  },
}

const small = { env: holding, particles: 3, environments: 2, steps: 8, hidden: [], seed: 1 } satisfies SvpgOptions

describe('training closes its environments', () => {
  test('at the end, and when a consumer stops early', async () => {
    for await (const _ of train({ ...small, iterations: 2 })) expect(count).toEqual({ made: 6, closed: 0 })
    expect(count).toEqual({ made: 6, closed: 6 })
    for await (const _ of train({ ...small, iterations: 9 })) break
    expect(count).toEqual({ made: 12, closed: 12 })
  })

  test('through wrappers', async () => {
    const env = await wrap(holding, scaleReward(2))
    for await (const _ of train({ ...small, env, iterations: 1 }));
    expect(count.made).toBeGreaterThanOrEqual(6)
    expect(count.closed).toBe(count.made)
  })

  test('when a step fails', async () => {
    const create = () => ({ ...(holding.create?.() as object), step: () => ({ obs: [0], reward: Number.NaN }) })
    const env = { ...holding, create: create as unknown as EnvironmentSpec['create'] }
    const run = async () => {
      for await (const _ of train({ ...small, env, iterations: 1 }));
    }
    await expect(run()).rejects.toThrow('Iteration 1:')
    expect(count).toEqual({ made: 2, closed: 2 })
  })

  test('where rows are collected again, those of the first time', async () => {
    const state = await svpg.init({ ...small, particles: 1 })
    await svpg.evaluate(state)
    // The same iteration again: other instances are brought to where it began.
    await svpg.evaluate(state)
    expect(count).toEqual({ made: 4, closed: 2 })
    svpg.close(state)
    expect(count).toEqual({ made: 4, closed: 4 })
  })

  test('and a state that is stepped all the same makes new ones, with the same bits', async () => {
    const [closed, open] = [await svpg.init(small), await svpg.init(small)]
    for (const state of [closed, open]) await svpg.step(state)
    svpg.close(closed)
    for (const state of [closed, open]) await svpg.step(state)
    expect([...closed.arena.view.theta]).toEqual([...open.arena.view.theta])
    for (const state of [closed, open]) svpg.close(state)
    expect(count.closed).toBe(count.made)
  })
})

test('evaluation closes its environments', async () => {
  const policy = policyOf({ observations: 1, hidden: [], head: headFor(holding) })
  const theta = new Float32Array(2 * policy.size)
  const population = { spec: holding, policy, theta, particles: 2, episodes: 2, seed: 1 }
  for await (const _ of evaluatePopulation(population)) expect(count.closed).toBe(count.made)
  expect(count.made).toBe(4)
})

/** The same with continuous actions, constants and an instance that fails in its own way. */
const continuous = (changes: object = {}): EnvironmentSpec => ({
  ...holding,
  actionSpace: box([-1], [1]),
  create: () => ({ ...(holding.create?.() as Environment), ...changes }),
  configure: () => continuous(changes),
})
const plainStep = { obs: [0.5], reward: 1, terminated: false, truncated: false, info: {} }
/** NaN at step 15, which all instances count together. */
function failing(): EnvironmentSpec {
  let steps = 0
  return continuous({ step: () => (++steps === 15 ? { ...plainStep, reward: Number.NaN } : plainStep) })
}

const offPolicy = { environments: 2, steps: 10, warmup: 4, batchSize: 4, hidden: [4] }
const algorithms: Record<AlgorithmName, object> = {
  svpg: { ...small },
  adr: { ...small, ranges: { wind: [0, 1] }, moves: 1, references: 1 },
  sac: offPolicy,
  sql: offPolicy,
  'sql-compose': { ...offPolicy, components: [{ wind: 0 }, { wind: 1 }], componentIterations: 1 },
  s2ac: { ...offPolicy, particles: 2, svgdSteps: 1 },
}

describe.each(Object.entries(algorithms))('%s', (algorithm, settings) => {
  const run = (changes: object) => train({ iterations: 3, ...settings, algorithm, ...changes } as AnyTrainOptions)

  test('training closes what it opened: at the end, when left early, and when a task fails', async () => {
    for await (const _ of run({ env: continuous() })) expect(count.made).toBeGreaterThan(count.closed)
    expect(count.closed).toBe(count.made)
    for await (const _ of run({ env: continuous() })) break
    expect(count.closed).toBe(count.made)
    const before = count.made
    const failed = async () => {
      for await (const _ of run({ env: failing() }));
    }
    await expect(failed()).rejects.toThrow('the reward NaN')
    expect(count.made).toBeGreaterThan(before)
    expect(count.closed).toBe(count.made)
  })

  test('so does one that cannot begin', async () => {
    const broken = continuous({ reset: () => ({ obs: [Number.NaN], info: {} }) })
    await expect(run({ env: broken }).next()).rejects.toThrow('observation')
    expect(count.made).toBeGreaterThan(0)
    expect(count.closed).toBe(count.made)
    // The third instance cannot be made.
    let made = 0
    const scarce = continuous()
    const create = () => {
      if (++made > 2) throw new Error('no more of them')
      return scarce.create?.() as Environment
    }
    const env = { ...scarce, create, configure: () => ({ ...scarce, create }) }
    await expect(run({ env, environments: 3 }).next()).rejects.toThrow('no more of them')
    expect(count.closed).toBe(count.made)
  })

  test('so does its evaluation, also when it is left early or the task fails', async () => {
    let agents: Agents | undefined
    for await (const step of run({ env: continuous() })) agents = step.agents()
    const played = { spec: continuous(), ...(agents as Agents), episodes: 40, seed: 0 }
    for await (const _ of evaluatePopulation(played)) expect(count.closed).toBe(count.made)
    for await (const _ of evaluatePopulation(played)) break
    expect(count.closed).toBe(count.made)
    await expect(evaluate({ env: failing(), agents: agents as Agents, episodes: 9 })).rejects.toThrow('the reward NaN')
    expect(count.closed).toBe(count.made)
  })
})

test('a grid of constants closes its environments', async () => {
  let agents: Agents | undefined
  for await (const step of train({ ...small, env: continuous(), iterations: 1 })) agents = step.agents()
  await evaluateGrid({ spec: continuous(), ...(agents as Agents), ranges: { wind: [0, 1] }, points: 2, episodes: 2 })
  expect(count.closed).toBe(count.made)
})

test('the checker closes what it made, of right tasks and of wrong ones', async () => {
  expect(await problemsOf(holding)).toEqual([])
  expect(await problemsOf(continuous({ step: () => ({ ...plainStep, reward: Number.NaN }) }))).not.toEqual([])
  expect(count.made).toBeGreaterThan(7)
  expect(count.closed).toBe(count.made)
  const close = () => {
    throw new Error('stuck')
  }
  expect(await problemsOf(continuous({ close }))).toEqual(['Holding: close threw "stuck".'])
})

describe.each([
  ['make', (env: EnvironmentSpec) => make(env)],
  ['makeVector', (env: EnvironmentSpec) => makeVector(env, { num: 3 })],
] as const)('%s', (name, open) => {
  const rows = name === 'make' ? 1 : 3

  test('close() closes the task once; what is closed is not used', async () => {
    for (const env of [await open(holding), await open(cartPole)]) {
      env.reset({ seed: 1 })
      env.close()
      env.close()
      const step = env.step as (action: unknown) => unknown
      for (const use of [() => env.reset(), () => step(name === 'make' ? 1 : [1, 1, 1])])
        expect(use).toThrow(`${env.spec.id}: this environment is closed.`)
    }
    expect(count).toEqual({ made: rows, closed: rows })
  })

  test('`using` closes it', async () => {
    const env = await open(holding)
    // What the runtime does at the end of a block that says `using env = …`.
    env[Symbol.dispose]()
    expect(count).toEqual({ made: rows, closed: rows })
  })

  test('a limit that is missing is refused before anything is made', async () => {
    const endless = { ...holding, maxEpisodeSteps: Infinity }
    await expect(open(endless)).rejects.toThrow('Holding: maxEpisodeSteps, the time limit, must be a whole number')
    expect(count.made).toBe(0)
  })
})

test('one instance that cannot be closed does not keep the others open', async () => {
  let made = 0
  const create = () => {
    const env = holding.create?.() as Environment
    const isStuck = ++made === 1
    return {
      ...env,
      close: () => {
        if (isStuck) throw new Error('stuck')
        env.close?.()
      },
    }
  }
  const envs = await makeVector({ ...holding, create }, { num: 3 })
  expect(() => envs.close()).toThrow('stuck')
  expect(count.closed).toBe(2)
})

test('MuJoCo: training and evaluation leave none of its objects behind', async () => {
  const alive = { models: 0, states: 0 }
  const engine = await loadMujoco()
  const counted = <T extends { delete(): void }>(what: keyof typeof alive, handle: T): T => {
    const free = handle.delete.bind(handle)
    alive[what]++
    handle.delete = () => {
      alive[what]--
      free()
    }
    return handle
  }
  const load = async () => ({
    default: async () => ({
      ...Object.fromEntries(
        (['mj_resetData', 'mj_forward', 'mj_step', 'mj_rnePostConstraint', 'mj_name2id'] as const).map((op) => [
          op,
          engine[op],
        ]),
      ),
      MjModel: { from_xml_string: (xml: string) => counted('models', engine.MjModel.from_xml_string(xml)) },
      MjData: function make(model: never) {
        return counted('states', new engine.MjData(model))
      },
    }),
  })
  const env = { ...(await mujoco('Swimmer-v5', { load })), maxEpisodeSteps: 6 }
  expect(alive).toEqual({ models: 0, states: 0 })
  for (const algorithm of ['svpg', 'sac', 'sql', 's2ac'] as const) {
    const options = { iterations: 2, ...algorithms[algorithm], algorithm, env } as AnyTrainOptions
    let agents: Agents | undefined
    for await (const step of train(options)) {
      agents = step.agents()
      expect(alive.states).toBeGreaterThan(1)
    }
    expect(alive).toEqual({ models: 0, states: 0 })
    await evaluate({ env, agents: agents as Agents, episodes: 3 })
    expect(alive).toEqual({ models: 0, states: 0 })
  }
})
