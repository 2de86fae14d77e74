import { beforeAll, describe, expect, test } from '@jest/globals'
import { compileCore } from '../../src/core/module.ts'
import type { EnvironmentSpec } from '../../src/envs/contract.ts'
import { make } from '../../src/envs/make.ts'
import { box, contains, discrete } from '../../src/envs/spaces.ts'
import type { ActOptions, AgentAction } from '../../src/policy/request.ts'
import type { Agents } from '../../src/rl/agents.ts'
import { playEpisodes } from '../../src/rl/play.ts'
import { encodeParticles } from '../../src/train/particles-file.ts'
import { loadAgents } from '../../src/train/run-directory.ts'
import { type AlgorithmName, type AnyTrainOptions, type AnyTrainStep, evaluate, train } from '../../src/train/train.ts'

const small = { iterations: 1, hidden: [8], steps: 40, environments: 2, seed: 3 }
const offPolicy = { ...small, warmup: 20, batchSize: 8 }
const goals = [{ goal0X: 5 }, { goal0X: 4 }]

/** Every algorithm on a task with bounds that are not −1 and 1, and SVPG with classes. */
const runs: Record<string, AnyTrainOptions> = {
  'svpg with classes': { ...small, algorithm: 'svpg', env: 'CartPole-v1', particles: 3 },
  svpg: { ...small, algorithm: 'svpg', env: 'Pendulum-v1', particles: 3 },
  'svpg, squashed': { ...small, algorithm: 'svpg', env: 'Pendulum-v1', particles: 3, head: 'squashed-gaussian' },
  adr: { ...small, algorithm: 'adr', env: 'Pendulum-v1', particles: 2, ranges: { mass: [0.5, 2] }, moves: 1 },
  sac: { ...offPolicy, algorithm: 'sac', env: 'Pendulum-v1' },
  sql: { ...offPolicy, algorithm: 'sql', env: 'Pendulum-v1' },
  'sql-compose': {
    ...{ ...offPolicy, algorithm: 'sql-compose', env: 'MultiGoal-v0', iterations: 2 },
    ...{ componentIterations: 1, components: goals },
  },
  s2ac: { ...offPolicy, algorithm: 's2ac', env: 'Pendulum-v1', particles: 3, svgdSteps: 1 },
}

async function lastOf(options: AnyTrainOptions): Promise<AnyTrainStep> {
  let last: AnyTrainStep | undefined
  for await (const step of train(options as AnyTrainOptions)) last = step as AnyTrainStep
  return last as AnyTrainStep
}

const listOf = (action: AgentAction) => (typeof action === 'number' ? [action] : [...action])

describe.each(Object.entries(runs))('%s', (_, options) => {
  let step: AnyTrainStep
  let agents: Agents
  let task: EnvironmentSpec
  beforeAll(async () => {
    step = await lastOf(options)
    agents = step.agents()
    task = agents.task as EnvironmentSpec
  })

  test('a loop of one’s own: actions are those of the task’s space, and play a whole episode', async () => {
    const env = await make(task, { maxEpisodeSteps: 30 })
    let { obs } = env.reset({ seed: 7 })
    let steps = 0
    for (let over = false; !over; steps++) {
      const action = agents.act(obs, { greedy: steps % 2 === 0, step: steps })
      expect(contains(task.actionSpace, action)).toBe(true)
      expect(typeof action === 'number').toBe(task.actionSpace.kind === 'discrete')
      const next = env.step(action)
      obs = next.obs
      over = next.terminated || next.truncated
    }
    expect(steps).toBeGreaterThan(5)
    env.close()
  })

  test('what the evaluation does is what act() gives for the same particle, episode, step and seed', async () => {
    const particle = agents.particles - 1
    const env = { ...task, maxEpisodeSteps: 6 }
    const evaluation = await evaluate({ env, agents, episodes: 3, seed: 5 })
    for (const greedy of [true, false]) {
      const played: number[] = []
      const again: number[] = []
      const watched = {
        ...agents,
        actRows(observations: ArrayLike<number>, asked: ActOptions) {
          const actions = agents.actRows(observations, asked)
          played.push(...actions)
          const O = agents.observations
          for (const [row, episode] of Array.from(asked.episode as number[]).entries()) {
            const observation = Array.from(observations).slice(row * O, (row + 1) * O)
            again.push(...listOf(agents.act(observation, { ...asked, episode })))
          }
          return actions
        },
      }
      const returns = await playEpisodes(await compileCore(), {
        ...{ spec: env, agents: watched, particle, greedy, episodes: 3, seed: 5 },
      })
      expect(again).toEqual(played)
      expect(played.length).toBeGreaterThan(10)
      const mean = returns.reduce((sum, value) => sum + value, 0) / 3
      expect(evaluation[greedy ? 'greedy' : 'sampled'][particle]).toBe(mean)
    }
  })

  test('rows together are rows alone, whatever the numbers of their episodes', () => {
    const O = agents.observations
    const rows = Float32Array.from({ length: 5 * O }, (_, k) => ((k * 37) % 11) / 11 - 0.5)
    const numbers = [9, 2, 3, 4, 7]
    for (const greedy of [true, false]) {
      const asked = { particle: 0, greedy, seed: 11, step: 6 }
      const together = agents.actRows(rows, { ...asked, episode: numbers })
      const alone = numbers.map((episode, r) =>
        listOf(agents.act(rows.subarray(r * O, (r + 1) * O), { ...asked, episode })),
      )
      expect([...together]).toEqual(alone.flat())
    }
  })

  test('what is drawn depends on seed, episode and step, and on nothing else', () => {
    const observation = new Array(agents.observations).fill(0.1)
    const asked = { particle: 0, greedy: false, seed: 1, episode: 2, step: 3 }
    const drawn = (changes: object) =>
      Array.from({ length: 12 }, (_, k) => listOf(agents.act(observation, { ...asked, step: k, ...changes }))).flat()
    expect(drawn({})).toEqual(drawn({}))
    for (const changes of [{ seed: 2 }, { episode: 5 }]) expect(drawn(changes)).not.toEqual(drawn({}))
    expect(new Set(drawn({})).size).toBeGreaterThan(1)
  })

  test('bytes of the particles bring the same agents back', async () => {
    const again = await loadAgents(encodeParticles(step) as Uint8Array)
    expect([again.particles, again.theta]).toEqual([agents.particles, agents.theta])
    const observation = new Array(agents.observations).fill(-0.2)
    for (let particle = 0; particle < agents.particles; particle++)
      for (const greedy of [true, false]) {
        const asked = { particle, greedy, seed: 2, step: 1 }
        expect(again.act(observation, asked)).toEqual(agents.act(observation, asked))
      }
    // Bytes do not tell which of several policies is the best.
    const named = options.algorithm === 'svpg' ? { particle: 0 } : {}
    expect(again.act(observation)).toEqual(agents.act(observation, named))
    await expect(loadAgents(new Uint8Array(5))).rejects.toThrow('The particles cannot be read: it has 5 bytes')
  })

  test('the state has its task as spec', () => {
    expect((step.state as { spec: EnvironmentSpec }).spec.id).toBe(options.env)
  })

  test.each([
    [[1], {}, /An observation must be \d numbers, got 1\./],
    [{ obs: [1] }, {}, /An observation must be \d numbers, got {"obs":\[1\]}\./],
    ['nan', {}, 'Number 1 of an observation must be a finite float32 number, got NaN.'],
    ['good', { particle: 99 }, 'got 99.'],
    ['good', { particle: 'worst' }, 'got "worst".'],
    ['good', { greedy: 'yes' }, 'greedy must be true or false, got "yes".'],
  ])('refuses %j with %j', (given, wrong, message) => {
    const observation = new Array(agents.observations).fill(0)
    if (given === 'nan') observation[1] = Number.NaN
    const call = () => agents.act(typeof given === 'object' ? (given as number[]) : observation, wrong as object)
    expect(call).toThrow(expect.objectContaining({ name: 'UsageError', message: expect.stringMatching(message) }))
  })
})

test('agents stay as they are when training goes on', async () => {
  const before: { agents: Agents; theta: number[]; action: unknown }[] = []
  const observation = [0.1, 0.2, 0.3]
  for (const algorithm of ['svpg', 'sac', 'sql', 's2ac'] as const) {
    const options = { ...runs[algorithm], iterations: 2 }
    for await (const step of train(options as AnyTrainOptions)) {
      const agents = step.agents()
      before.push({ agents, theta: [...agents.theta], action: agents.act(observation, { particle: 0 }) })
    }
    const [{ agents, theta, action }, later] = before.splice(0)
    expect([...agents.theta]).toEqual(theta)
    expect(agents.act(observation, { particle: 0 })).toEqual(action)
    expect(later.theta).not.toEqual(theta)
  }
})

test('where no particle is named the one of the highest last return acts, or the first before an episode ended', async () => {
  const told: (number | null)[][] = []
  for await (const step of train({ ...small, env: 'CartPole-v1', particles: 4, iterations: 2, steps: 60 })) {
    told.push([...step.metrics.returns])
    const agents = step.agents()
    const last = told[0].map(
      (_, i) =>
        told
          .map((all) => all[i])
          .filter((value) => value !== null)
          .at(-1) ?? -1,
    )
    expect(agents.best).toBe(last.indexOf(Math.max(...last)))
    const drawn = { greedy: false, seed: 3 }
    const observations = Float32Array.from({ length: 400 }, (_, k) => ((k * 53) % 17) / 17 - 0.5)
    expect(agents.actRows(observations, drawn)).toEqual(
      agents.actRows(observations, { ...drawn, particle: agents.best as number }),
    )
  }
  const early = (await lastOf({ ...small, env: 'Pendulum-v1', particles: 2 } as AnyTrainOptions)).agents()
  expect(early.best).toBeNull()
  expect(early.act([1, 0, 0])).toEqual(early.act([1, 0, 0], { particle: 0 }))
})

describe('evaluate', () => {
  let agents: Agents
  beforeAll(async () => {
    agents = (await lastOf(runs['svpg with classes'])).agents()
  })

  test('takes { env, agents }, agents alone, and agents spread, with the same result', async () => {
    const { task } = agents as { task: EnvironmentSpec }
    const expected = await evaluate({ env: 'CartPole-v1', agents, episodes: 3, seed: 2 })
    expect(expected.greedy).toHaveLength(3)
    const { policy, theta, particles } = agents as Extract<Agents, { policy: unknown }>
    for (const form of [
      { agents },
      { env: task, agents },
      { spec: task, ...agents },
      { spec: task, policy, theta, particles },
    ])
      expect(await evaluate({ ...form, episodes: 3, seed: 2 })).toEqual(expected)
  })

  test.each<[object, string]>([
    [
      { env: 'Pendulum-v1' },
      'The agents have 4 observations and 2 discrete actions, but Pendulum-v1 has 3 observations and 1 continuous action.',
    ],
    [
      { env: 'MountainCar-v0' },
      'The agents have 4 observations and 2 discrete actions, but MountainCar-v0 has 2 observations and 3 discrete actions.',
    ],
    [{ agents: undefined }, 'agents must be what step.agents(), loadAgents() or loadPolicy() gives, got none.'],
    [{ agents: [1] }, 'got [1].'],
    [{ episodes: 0 }, 'episodes must be a whole number from 1 to 1000000, got 0.'],
    [
      { env: { id: 'Endless', observationSpace: box([0], [1]), actionSpace: discrete(2) } },
      'Endless: maxEpisodeSteps, the time limit, must be a whole number from 1 to 1000000, got undefined.',
    ],
  ])('refuses %j', async (wrong, message) => {
    await expect(evaluate({ agents, episodes: 1, ...wrong } as Parameters<typeof evaluate>[0])).rejects.toThrow(
      expect.objectContaining({ name: 'UsageError', message: expect.stringContaining(message) }),
    )
  })

  const broken = (step: object, reset: object = {}): EnvironmentSpec => ({
    ...{
      id: 'Broken',
      observationSpace: box([-1, -1, -1], [1, 1, 1]),
      actionSpace: box([-2], [2]),
      maxEpisodeSteps: 5,
    },
    create: () => {
      let steps = 0
      const plain = { obs: [0, 0, 0], info: {}, reward: 1, terminated: false, truncated: false }
      return {
        reset: () => ({ ...plain, ...reset }),
        step: () => (++steps === 3 ? { ...plain, ...step } : plain),
      }
    },
  })
  test.each<[AlgorithmName, EnvironmentSpec, string]>(
    (['svpg', 'sac', 'sql', 's2ac'] as const).flatMap((algorithm) => [
      [
        algorithm,
        broken({ reward: Number.NaN }),
        'Broken, particle 0, episode 0: step 3 gave the reward NaN; a reward must be finite.',
      ],
      [
        algorithm,
        broken({ obs: [0, Number.NaN, 0] }),
        'Broken, particle 0, episode 0: step 3 gave the observation [0, NaN, 0]; an observation is 3 finite numbers.',
      ],
      [algorithm, broken({ obs: [0] }), 'step 3 gave the observation [0]; an observation is 3 finite numbers.'],
      [
        algorithm,
        broken({}, { obs: [0, 0, 0, 0] }),
        'Broken, particle 0, episode 0: reset gave the observation [0, 0, 0, 0]',
      ],
      [algorithm, { ...broken({}), maxEpisodeSteps: Infinity }, 'Broken: maxEpisodeSteps, the time limit, must be'],
    ]),
  )('with %s checks what a task gives, case %#', async (algorithm, env, message) => {
    const options = runs[algorithm]
    const { agents } = await once(algorithm, () =>
      lastOf(options as AnyTrainOptions).then((step) => ({ agents: step.agents() })),
    )
    await expect(evaluate({ env, agents, episodes: 2 })).rejects.toThrow(message)
  })
})

const known = new Map<string, Promise<{ agents: Agents }>>()
function once(name: string, make: () => Promise<{ agents: Agents }>): Promise<{ agents: Agents }> {
  if (!known.has(name)) known.set(name, make())
  return known.get(name) as Promise<{ agents: Agents }>
}
