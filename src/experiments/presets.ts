import { show, UsageError } from '../core/errors.ts'
import { nearest } from '../core/nearest.ts'
import { requireText, requireThat } from '../core/require.ts'
import { goalsAt } from '../envs/multigoal.ts'
import { adrPresets } from './adr-presets.ts'
import { diversityPresets } from './diversity-presets.ts'
import type { ExperimentSettings, Preset } from './preset.ts'
import {
  doublePendulumPresets,
  fromGlorot,
  independent,
  interactions,
  stein,
  swingUp,
  swingUpPresets,
} from './svpg-presets.ts'

/** PPO on few policies, each for itself, with small networks. */
const smallPpo: ExperimentSettings = {
  ...{ interaction: 'independent', particles: 2, temperature: 1, estimator: 'ppo', environments: 8, steps: 500 },
  ...{ hidden: [32, 32], criticHidden: [32, 32], learningRate: 3e-3, criticLearningRate: 3e-3 },
}

/** The discriminator of few iterations: the authors' takes one step of 1e-4 in each of thousands. */
const quickDiscriminator: ExperimentSettings = {
  ...{ discriminatorHidden: [32, 32], discriminatorSteps: 10, discriminatorLearningRate: 3e-3 },
}

const behaviour: ExperimentSettings = { interaction: 'stein', kernel: 'js', exploration: 0.3 }

/** The multi-goal settings of the soft Q-learning code, with smaller networks and several environments. */
const multiGoal: ExperimentSettings = {
  ...{ algorithm: 'sql', hidden: [64, 64], rewardScale: 0.1, temperature: 1, learningRate: 3e-4 },
  ...{ steps: 500, warmup: 500, batchSize: 64, particles: 32, valueParticles: 16 },
}

/**
 * The same where shares have to be exact: an error of 0.1 in Q is one of 10 % in a share. In 12 copies a value does not
 * get from the goals to the start; 16 uniform actions say 0.4 too little of it; and a sampler that does not begin
 * spread over the actions may miss ways.
 */
const exactShares: ExperimentSettings = {
  ...multiGoal,
  ...{ learningRate: 1e-3, polyak: 0.005, targetEvery: 1, valueParticles: 32, residual: true },
}

/**
 * The experiments in the order of their list. A new one is an entry here: an algorithm of train() is named in
 * `settings`.
 */
export const presets: readonly Preset[] = [
  {
    name: 'svpg-cartpole',
    shows: 'On an easy task SVPG, independent and joint training all succeed, within minutes.',
    env: 'CartPole-v1',
    settings: {},
    variants: interactions,
    ...{ seeds: 3, iterations: 60, figure: 'curves', published: [] },
  },
  ...swingUpPresets,
  ...doublePendulumPresets,
  {
    name: 'svpg-temperature',
    shows:
      'What the temperature α does to SVPG on the cart-pole swing-up: too cold shares nothing new, too hot follows no return.',
    ...{ env: swingUp.env, published: [], settings: fromGlorot, seeds: 3, iterations: 800, figure: 'bars' },
    variants: [1, 10, 100].map((temperature) => ({
      label: `alpha-${temperature}`,
      note: `SVPG with α = ${temperature}.`,
      settings: { interaction: 'stein', temperature },
    })),
  },
  {
    name: 'svpg-ablation',
    shows:
      'What SVPG works by on the cart-pole swing-up: its two terms, and what could stand in for them, one at a time.',
    ...{ env: swingUp.env, published: swingUp.reinforce, settings: fromGlorot },
    ...{ seeds: 3, iterations: 800, figure: 'bars' },
    variants: [
      stein,
      {
        label: 'no-repulsion',
        note: 'Gradients are shared through the kernel, and nothing pushes policies apart.',
        settings: { interaction: 'stein', repulsion: 0 },
      },
      {
        label: 'no-sharing',
        note: 'Policies are pushed apart, and each follows its own gradient alone.',
        settings: { interaction: 'no-sharing' },
      },
      {
        label: 'self-push',
        note: 'No interaction at all: each policy is pushed from the origin by the law of the repulsion.',
        settings: { interaction: 'self-push' },
      },
      independent,
      {
        label: 'independent-gain-3',
        note: 'Independent policies whose initial weights are three times as large.',
        settings: { interaction: 'independent', gain: 3, lastGain: 3 },
      },
      {
        label: 'per-layer',
        note: 'SVPG with a kernel for each layer, which has its own bandwidth.',
        settings: { interaction: 'stein', perLayer: true },
      },
      {
        label: 'behaviour',
        note: 'SVPG with a kernel on what policies do (Jensen and Shannon), which gives way to the return over the run.',
        settings: { interaction: 'stein', kernel: 'js', temperature: 1 },
      },
    ],
  },
  {
    name: 'sidp-sparse',
    shows:
      'On the double pendulum with all reward on the last step, policies that imitate their best trajectories get further than PPO.',
    env: 'DoublePendulum',
    settings: { ...smallPpo, episodicReward: true },
    ...{ seeds: 3, iterations: 40, figure: 'curves', published: [] },
    variants: [
      { label: 'ppo', note: 'Proximal policy optimisation alone.', settings: {} },
      {
        label: 'trajectories',
        note: 'Rewards of a discriminator that tells the ten best trajectories from the policy (Gangwani et al. 2018).',
        settings: { selfImitation: 'trajectories', ...quickDiscriminator },
      },
      {
        label: 'transitions',
        note: 'Steps towards past actions that went better than the critic expects (Oh et al. 2018).',
        settings: { selfImitation: 'transitions' },
      },
      {
        label: 'ppo-dense',
        note: 'PPO alone that is paid at every step, for comparison.',
        settings: { episodicReward: false },
      },
    ],
  },
  {
    name: 'sidp-maze',
    shows:
      'In a maze that pays at its goal only, a kernel on what policies do, with self-imitation, keeps a population visiting more of it.',
    env: 'PointMaze-v0',
    settings: { ...smallPpo, particles: 6, estimator: 'a2c', steps: 200 },
    ...{ seeds: 3, iterations: 40, figure: 'curves', published: [] },
    variants: [
      independent,
      { ...stein, label: 'rbf', note: 'SVPG with a Gaussian kernel on parameters.' },
      {
        label: 'imitating',
        note: 'Independent policies with steps towards past actions that went better than the critic expects.',
        settings: { selfImitation: 'transitions' },
      },
      {
        label: 'js',
        note: 'SVPG with a kernel on behaviour (Jensen and Shannon) and a constant share of exploration.',
        settings: behaviour,
      },
      {
        label: 'js-imitating',
        note: 'The kernel on behaviour and the steps towards past actions.',
        settings: { ...behaviour, selfImitation: 'transitions' },
      },
    ],
  },
  ...diversityPresets({ independent, behaviour }),
  {
    name: 'sac-pendulum',
    shows: 'Soft actor-critic on the pendulum, the baseline that others are to be measured by: 20,000 steps.',
    env: 'Pendulum-v1',
    settings: { algorithm: 'sac', hidden: [64, 64], learningRate: 1e-3, batchSize: 128, warmup: 1000, steps: 1000 },
    variants: [{ label: 'sac', note: 'A learned temperature, two Q networks.', settings: {} }],
    ...{ seeds: 5, iterations: 20, figure: 'curves', published: [] },
  },
  ...['HalfCheetah', 'Hopper', 'Walker2d'].map(
    (robot): Preset => ({
      name: `sac-${robot.toLowerCase()}`,
      shows: `Soft actor-critic on ${robot} with all its defaults: 100,000 steps.`,
      env: `${robot}-v5`,
      settings: { algorithm: 'sac', steps: 1000 },
      variants: [{ label: 'sac', note: 'Two layers of 256, batches of 256, a learned temperature.', settings: {} }],
      ...{ seeds: 3, iterations: 100, figure: 'curves', published: [] },
    }),
  ),
  {
    name: 'sql-multigoal',
    shows: 'Soft Q-learning keeps all four ways in a plane where each is as good as the others.',
    env: 'MultiGoal-v0',
    settings: exactShares,
    variants: [{ label: 'sql', note: 'One Q network, a residual sampler by amortised SVGD.', settings: {} }],
    ...{ seeds: 5, iterations: 24, figure: 'curves', published: [] },
  },
  {
    name: 's2ac-multigoal',
    shows:
      'Stein soft actor-critic where one goal lies on the right and two on the left, equally far: all three are found. The maximum-entropy solution gives the pair 74 % of its arrivals, more than two thirds because the square of actions has more room between the axes than along them.',
    env: 'MultiGoalMaxEntropy-v0',
    settings: {
      ...{ algorithm: 's2ac', hidden: [64, 64], rewardScale: 0.1, temperature: 1, learningRate: 1e-3, batchSize: 64 },
      // A learned start is one Gaussian, and a few steps later it has lost all goals but one.
      ...{ steps: 250, warmup: 250, particles: 16, svgdSteps: 5, stepSize: 1, start: 'fixed', selection: 'importance' },
      // At a constant rate the shares move to the end.
      learningRateSchedule: 'linear',
    },
    variants: [
      { label: 's2ac', note: '16 particles, five steps of SVGD from N(0, 1), taken by importance.', settings: {} },
    ],
    ...{ seeds: 3, iterations: 96, figure: 'curves', published: [] },
  },
  {
    name: 'sql-compose',
    shows:
      'Two tasks that share one of their goals: the sampler of the sum of their Qs goes to that goal, without another step of the environment. Agents 0 and 1 are the components, agent 2 is composed; all are evaluated on the task of the shared goal alone.',
    env: 'MultiGoal-v0',
    constants: goalsAt([5, 0], [5, 0], [5, 0], [5, 0]),
    settings: multiGoal,
    variants: [
      {
        label: 'composed',
        note: 'Right or up, and right or down; together right.',
        settings: {
          ...{ algorithm: 'sql-compose', componentIterations: 20 },
          components: [goalsAt([5, 0], [5, 0], [0, 5], [0, 5]), goalsAt([5, 0], [5, 0], [0, -5], [0, -5])],
        },
      },
    ],
    ...{ seeds: 3, iterations: 28, figure: 'bars', published: [] },
  },
  ...adrPresets,
]

/** The experiment with this name. Throws a UsageError that lists what exists and tells the nearest. */
export function presetNamed(name: string, known: readonly Preset[] = presets): Preset {
  requireText('presetNamed', 'the name of an experiment', name)
  const areKnown = Array.isArray(known) && known.every((preset) => typeof preset?.name === 'string')
  requireThat(areKnown, 'presetNamed', 'a list of experiments', known)
  const found = known.find((preset) => preset.name === name)
  if (found) return found
  const names = known.map((preset) => preset.name)
  const near = nearest(name, names)
  const guess = near ? ` (did you mean ${near}?)` : ''
  throw new UsageError(`Unknown experiment ${show(name)}${guess}; there are ${names.join(', ')}.`)
}
