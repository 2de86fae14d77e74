import { type AlgorithmName, algorithms, type EnvironmentSpec } from 'steinrl'
import { goalsAt } from 'steinrl/envs'
import { choice, type Fields, type Slider, slider, type Value } from '../shared/fields.ts'

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

/** What the page starts with where the library's default takes longer than a reader waits. */
export const lighter: Readonly<Partial<Record<AlgorithmName, Readonly<Record<string, number | string>>>>> = {
  sac: { learningRate: 1e-3, hidden: '64,64', steps: 256 },
  sql: { learningRate: 1e-3, hidden: '64,64', steps: 256, rewardScale: 0.1 },
  'sql-compose': { learningRate: 1e-3, hidden: '64,64', steps: 256, rewardScale: 0.1 },
  s2ac: { temperature: 1, svgdSteps: 3, hidden: '64,64', steps: 256, rewardScale: 0.1 },
}

/** The library's default of a setting, widths as the form writes them. */
export function libraryDefault(algorithm: AlgorithmName, name: string): number | string {
  const settings: Readonly<Record<string, object>> = algorithms[algorithm].settings
  const { default: value } = settings[name] as { default: number | string | readonly number[] }
  return typeof value === 'object' ? value.join(',') : value
}

/** Fields of an algorithm, which start at the library's default or at what is lighter. */
function fieldsOf(algorithm: AlgorithmName) {
  const start = (name: string) => lighter[algorithm]?.[name] ?? libraryDefault(algorithm, name)
  const number = (name: string, label: string, range: Omit<Slider, 'kind' | 'label' | 'value'>) => ({
    [name]: slider(label, Number(start(name)), range),
  })
  const word = (name: string, label: string, options: Readonly<Record<string, string>>) => ({
    [name]: choice(label, String(start(name)), options),
  })
  const hot = 'How much worse an action may be and still be taken: hot explores.'
  return {
    number,
    word,
    temperature: (hint = hot) => number('temperature', 'Temperature α', { min: 0.01, max: 1000, scale: 'log', hint }),
    rewardScale: () => number('rewardScale', 'Reward scale', { min: 0.01, max: 10, scale: 'log' }),
    learningRate: () => number('learningRate', 'Learning rate', { min: 1e-4, max: 0.1, scale: 'log' }),
    hidden: () => word('hidden', 'Hidden layers', { '16': '16', '32,32': '32, 32', '64,64': '64, 64' }),
    steps: () => number('steps', 'Steps an iteration', { min: 32, max: 1024, step: 32 }),
    seed: () => number('seed', 'Seed', { min: 0, max: 99 }),
    /** Particles that are actions. */
    actions: (min: number, max: number) =>
      number('particles', 'Actions a state', {
        ...{ min, max },
        hint: 'Particles here are actions, pushed apart in every state.',
      }),
  }
}

/** How long to train is a matter of the page alone. */
const iterations = (value: number) => ({
  iterations: slider('Iterations', value, { min: 10, max: 1000, step: 10 }),
})

const svpg = fieldsOf('svpg')
const adr = fieldsOf('adr')
const s2ac = fieldsOf('s2ac')

const isContinuous = ({ actionSpace }: EnvironmentSpec) => actionSpace.kind === 'box'

/** Soft Q-learning, of one task or of two. */
function softQ(algorithm: 'sql' | 'sql-compose', length: number): Readonly<Record<string, Fields>> {
  const field = fieldsOf(algorithm)
  return {
    Actions: { ...field.temperature(), ...field.actions(4, 64), ...field.rewardScale() },
    Learning: learning(algorithm, length),
  }
}

function learning(algorithm: AlgorithmName, length: number): Fields {
  const { learningRate, hidden, steps, seed } = fieldsOf(algorithm)
  return { ...learningRate(), ...hidden(), ...steps(), ...iterations(length), ...seed() }
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
        ...svpg.number('particles', 'Particles', {
          ...{ min: 1, max: 64 },
          hint: 'A particle is one policy: all weights of its network.',
        }),
        ...svpg.temperature('Divides the pull of the reward. Cold: only return counts. Hot: being different counts.'),
        ...svpg.word('interaction', 'Interaction', {
          stein: 'Stein: kernel and repulsion',
          independent: 'Independent: no kernel',
          joint: 'Joint: one policy, all data',
          'no-sharing': 'Repulsion, nothing shared',
        }),
      },
      Kernel: {
        ...svpg.word('kernel', 'Kernel', { rbf: 'RBF', imq: 'Inverse multiquadric', matern32: 'Matérn 3/2' }),
        ...svpg.word('bandwidth', 'Bandwidth rule', {
          'svpg-code': 'median² / 2 log(n+1)',
          'svpg-paper': 'median² / log(n+1)',
          'svgd-paper': 'median² / log n',
        }),
      },
      Learning: {
        ...svpg.word('estimator', 'Gradient', { reinforce: 'REINFORCE', a2c: 'A2C', ppo: 'PPO' }),
        ...svpg.learningRate(),
        ...svpg.hidden(),
        ...svpg.number('environments', 'Environments a particle', { min: 1, max: 64 }),
        ...svpg.steps(),
        ...iterations(100),
        ...svpg.seed(),
      },
    },
  },
  sac: {
    title: 'SAC: soft actor-critic',
    about: 'One policy that is paid for reward and for entropy, learned from everything it has seen.',
    takes: isContinuous,
    live: [],
    fixed: { ...offPolicy, batchSize: 128 },
    groups: { Learning: learning('sac', 60) },
  },
  sql: {
    title: 'SQL: soft Q-learning',
    about: 'One network turns noise into actions of many good kinds; in every state its actions are particles.',
    takes: isContinuous,
    live: [],
    fixed: offPolicy,
    groups: softQ('sql', 60),
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
    groups: softQ('sql-compose', 40),
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
        ...s2ac.temperature(),
        ...s2ac.actions(1, 32),
        ...s2ac.number('svgdSteps', 'Steps of SVGD', { min: 0, max: 10 }),
        ...s2ac.rewardScale(),
      },
      Learning: learning('s2ac', 30),
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
        ...adr.number('particles', 'Particles', { min: 2, max: 32, hint: 'A particle is a walk through the worlds.' }),
        ...adr.temperature('Hot walks keep apart, cold ones meet where the policy fails.'),
      },
      Learning: { ...adr.learningRate(), ...adr.hidden(), ...iterations(100), ...adr.seed() },
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
