import type { AlgorithmName, EnvironmentSpec } from 'steinrl'
import { goalsAt } from 'steinrl/envs'
import { choice, type Fields, slider, type Value } from '../shared/fields.ts'

/** What the page has to know of an algorithm. */
export interface Entry {
  readonly title: string
  /** One line for a newcomer. */
  readonly about: string
  takes(spec: EnvironmentSpec): boolean
  /** Its settings by heading. A setting has the name that train() knows it by. */
  readonly groups: Readonly<Record<string, Fields>>
  /** Settings that may change while it runs. */
  readonly live: readonly string[]
  /** Settings that are not for the page to choose. */
  readonly fixed?: Readonly<Record<string, unknown>>
}

const iterations = (value: number) => slider('Iterations', value, { min: 10, max: 1000, step: 10 })
const seed = slider('Seed', 0, { min: 0, max: 99 })
const learningRate = (value: number) => slider('Learning rate', value, { min: 1e-4, max: 0.1, scale: 'log' })
const hidden = (value: '16' | '32,32' | '64,64') =>
  choice('Hidden layers', value, { '16': '16', '32,32': '32, 32', '64,64': '64, 64' })
const environments = (value: number) => slider('Environments a particle', value, { min: 1, max: 64 })
const steps = (value: number) => slider('Steps an iteration', value, { min: 32, max: 1024, step: 32 })
const temperature = (value: number, hint: string) =>
  slider('Temperature α', value, { min: 0.01, max: 1000, scale: 'log', hint })

const isContinuous = ({ actionSpace }: EnvironmentSpec) => actionSpace.kind === 'box'

const softQ: Fields = {
  temperature: temperature(1, 'How much worse an action may be and still be taken: hot explores.'),
  particles: slider('Actions a state', 32, {
    min: 4,
    max: 64,
    hint: 'Particles here are actions, pushed apart in every state.',
  }),
  rewardScale: slider('Reward scale', 0.1, { min: 0.01, max: 10, scale: 'log' }),
}
const offPolicy = { warmup: 500, batchSize: 64 }

/** The algorithms of train(). A new one is an entry here: the type asks for it. */
export const table: Readonly<Record<AlgorithmName, Entry>> = {
  svpg: {
    title: 'SVPG: a population of policies',
    about:
      'Each particle is a whole policy. Policies share what they learn and are pushed apart, so that they stay unlike.',
    takes: () => true,
    live: ['temperature'],
    groups: {
      Population: {
        particles: slider('Particles', 16, {
          min: 1,
          max: 64,
          hint: 'A particle is one policy: all weights of its network.',
        }),
        temperature: temperature(
          10,
          'Divides the pull of the reward. Cold: only return counts. Hot: being different counts.',
        ),
        interaction: choice('Interaction', 'stein', {
          stein: 'Stein: kernel and repulsion',
          independent: 'Independent: no kernel',
          joint: 'Joint: one policy, all data',
          'no-sharing': 'Repulsion, nothing shared',
        }),
      },
      Kernel: {
        kernel: choice('Kernel', 'rbf', { rbf: 'RBF', imq: 'Inverse multiquadric', matern32: 'Matérn 3/2' }),
        bandwidth: choice('Bandwidth rule', 'svpg-code', {
          'svpg-code': 'median² / 2 log(n+1)',
          'svpg-paper': 'median² / log(n+1)',
          'svgd-paper': 'median² / log n',
        }),
      },
      Learning: {
        estimator: choice('Gradient', 'reinforce', { reinforce: 'REINFORCE', a2c: 'A2C', ppo: 'PPO' }),
        learningRate: learningRate(5e-3),
        hidden: hidden('64,64'),
        environments: environments(16),
        steps: steps(128),
        iterations: iterations(100),
        seed,
      },
    },
  },
  sac: {
    title: 'SAC: soft actor-critic',
    about: 'One policy that is paid for reward and for entropy, learned from everything it has seen.',
    takes: isContinuous,
    live: [],
    fixed: { ...offPolicy, batchSize: 128 },
    groups: {
      Learning: {
        learningRate: learningRate(1e-3),
        hidden: hidden('64,64'),
        steps: steps(256),
        iterations: iterations(60),
        seed,
      },
    },
  },
  sql: {
    title: 'SQL: soft Q-learning',
    about: 'One network turns noise into actions of many good kinds; in every state its actions are particles.',
    takes: isContinuous,
    live: [],
    fixed: offPolicy,
    groups: {
      Actions: softQ,
      Learning: {
        learningRate: learningRate(1e-3),
        hidden: hidden('64,64'),
        steps: steps(256),
        iterations: iterations(60),
        seed,
      },
    },
  },
  'sql-compose': {
    title: 'SQL: two skills composed',
    about: 'Learns two tasks, right or up and right or down, for 20 iterations; then acts for both at once: right.',
    takes: ({ id }) => id === 'MultiGoal-v0',
    live: [],
    fixed: {
      ...offPolicy,
      components: [goalsAt([5, 0], [5, 0], [0, 5], [0, 5]), goalsAt([5, 0], [5, 0], [0, -5], [0, -5])],
    },
    groups: {
      Actions: softQ,
      Learning: {
        learningRate: learningRate(1e-3),
        hidden: hidden('64,64'),
        steps: steps(256),
        iterations: iterations(40),
        seed,
      },
    },
  },
  s2ac: {
    title: 'S2AC: Stein soft actor-critic',
    about:
      'In every state actions start from a learned cloud and are moved by a few steps of SVGD, so that their density is known.',
    takes: isContinuous,
    live: [],
    fixed: { warmup: 256, batchSize: 64, bandwidth: 's2ac-mean' },
    groups: {
      Actions: {
        temperature: temperature(1, 'How much worse an action may be and still be taken: hot explores.'),
        particles: slider('Actions a state', 10, {
          min: 1,
          max: 32,
          hint: 'Particles here are actions, pushed apart in every state.',
        }),
        svgdSteps: slider('Steps of SVGD', 3, { min: 0, max: 10 }),
        rewardScale: slider('Reward scale', 0.1, { min: 0.01, max: 10, scale: 'log' }),
      },
      Learning: {
        learningRate: learningRate(1e-3),
        hidden: hidden('64,64'),
        steps: steps(256),
        iterations: iterations(30),
        seed,
      },
    },
  },
  adr: {
    title: 'ADR: hard worlds for one policy',
    about:
      'Particles are worlds, here pendulums of many masses and lengths; they seek those in which the policy fails.',
    takes: ({ id }) => id === 'Pendulum-v1',
    live: [],
    fixed: { ranges: { mass: [0.5, 2], length: [0.5, 1.5] } },
    groups: {
      Worlds: {
        particles: slider('Particles', 10, { min: 2, max: 32, hint: 'A particle is a walk through the worlds.' }),
        temperature: temperature(10, 'Hot walks keep apart, cold ones meet where the policy fails.'),
      },
      Learning: { learningRate: learningRate(1e-3), hidden: hidden('64,64'), iterations: iterations(100), seed },
    },
  },
}

/** Settings of train() from those of the form. */
export function optionsOf({ groups, fixed }: Entry, values: Readonly<Record<string, Value>>): Record<string, unknown> {
  const names = Object.values(groups).flatMap((fields) => Object.keys(fields))
  const chosen = Object.fromEntries(names.map((name) => [name, values[name]]))
  return {
    ...fixed,
    ...chosen,
    ...(chosen.hidden !== undefined && { hidden: String(chosen.hidden).split(',').map(Number) }),
  }
}
