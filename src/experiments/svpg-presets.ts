// The tasks and tables of the SVPG paper.

import type { ExperimentSettings, ExperimentVariant, Preset } from './preset.ts'

export const stein: ExperimentVariant = {
  label: 'stein',
  note: 'SVPG: policies share gradients through the kernel and are pushed apart by it.',
  settings: { interaction: 'stein' },
}
export const independent: ExperimentVariant = {
  label: 'independent',
  note: 'As many policies with as much data each, and nothing between them.',
  settings: { interaction: 'independent' },
}
const joint: ExperimentVariant = {
  label: 'joint',
  note: 'A single policy with the data of all.',
  settings: { interaction: 'joint' },
}
export const interactions = [stein, independent, joint]

/**
 * Learns well at a fraction of the paper's cost: half the policies, half the data, rllab's baseline, a smaller step.
 */
const frugal: ExperimentSettings = {
  ...{ particles: 8, environments: 10, steps: 500, hidden: [100, 50, 25], temperature: 10, bandwidth: 'svpg-code' },
  ...{ estimator: 'reinforce', baseline: 'linear-rllab', standardise: true, discount: 0.99, learningRate: 2e-3 },
}

/** The same from the weights N(0, 1/inputs) in every layer, from which more of the policies get far. */
const recommended: ExperimentSettings = { ...frugal, initialisation: 'normal', lastGain: 1 }

/**
 * The same from Glorot's weights, as rllab's networks begin, to which the SVPG author's code leaves it; the paper had
 * them.
 */
export const fromGlorot: ExperimentSettings = { ...frugal, initialisation: 'xavier', lastGain: 1 }

/**
 * Liu et al. 2017, section 5.1, with what only the author's code tells: no baseline, Adam, standardised advantages, and
 * whole episodes.
 */
const paper: ExperimentSettings = {
  ...fromGlorot,
  ...{ particles: 16, environments: 20, baseline: 'none', wholeEpisodes: true, learningRate: 5e-3 },
}

/** The same as A2C, whose returns a linear value function of rllab's features continues where an episode is cut. */
const paperA2c: ExperimentSettings = {
  ...paper,
  ...{ estimator: 'a2c', baseline: 'linear-rllab', lambda: 1, wholeEpisodes: false },
}

/** A2C with a value network in its place. */
const paperA2cValue: ExperimentSettings = { ...paperA2c, baseline: 'value' }

const TABLE = 'Liu, Ramachandran, Liu & Peng 2017 (arXiv 1704.02399), table 1'
const NOTEBOOK = "The author's notebook (largelymfs/svpg_REINFORCE): mean over runs of the best agent, REINFORCE"

/** A task of the paper and what was published of it, for each way to estimate the gradient. */
interface PaperTask extends Pick<Preset, 'env'> {
  readonly reinforce: Preset['published']
  readonly a2c: Preset['published']
}

export const swingUp: PaperTask = {
  env: 'CartpoleSwingup',
  reinforce: [
    {
      ...{ source: `${TABLE}, REINFORCE`, short: 'paper' },
      best: { joint: 232.96, independent: 391.46, stein: 426.69 },
      iterationsTo95: { joint: 253, independent: 594, stein: 238 },
    },
    {
      ...{ source: NOTEBOOK, short: 'notebook' },
      best: { independent: 234.3, stein: 405.17 },
      iterationsTo95: { independent: 728, stein: 509 },
    },
  ],
  a2c: [{ source: `${TABLE}, A2C`, short: 'paper', best: { joint: 309, independent: 420, stein: 437 } }],
}

const doublePendulum: PaperTask = {
  env: 'DoublePendulum',
  reinforce: [
    {
      ...{ source: `${TABLE}, REINFORCE`, short: 'paper' },
      best: { joint: -892.31, independent: -797.45, stein: -319.66 },
      iterationsTo95: { joint: 446, independent: 443, stein: 327 },
    },
    {
      ...{ source: NOTEBOOK, short: 'notebook' },
      best: { independent: -910.6, stein: -341.07 },
      iterationsTo95: { independent: 33, stein: 649 },
    },
  ],
  a2c: [{ source: `${TABLE}, A2C`, short: 'paper', best: { joint: -939, independent: -257, stein: -245 } }],
}

/** Compares the interactions on a task with the settings that learn well and with the paper's. */
function onTask(name: string, { env, reinforce, a2c }: PaperTask, what: string): Preset[] {
  const common = { env, variants: interactions, seeds: 3, figure: 'curves' } as const
  const asThePaper = { ...common, iterations: 1000 }
  return [
    {
      name,
      shows: `SVPG against independent and joint training on ${what}, with settings that learn well at a fraction of the paper's cost.`,
      ...{ ...common, settings: recommended, published: reinforce, iterations: 800 },
    },
    {
      name: `${name}-paper`,
      shows: `The same on ${what} with the paper's own settings: 16 policies of 10,000 steps an iteration, no baseline, a larger step.`,
      ...{ ...asThePaper, settings: paper, published: reinforce },
    },
    {
      name: `${name}-paper-a2c`,
      shows: `The paper's A2C on ${what}: returns less a linear value function, which continues them where an episode is cut.`,
      ...{ ...asThePaper, settings: paperA2c, published: a2c },
    },
    {
      name: `${name}-paper-a2c-value`,
      shows: `The paper's A2C on ${what} with a value network for each policy.`,
      ...{ ...asThePaper, settings: paperA2cValue, published: a2c },
    },
  ]
}

export const swingUpPresets = onTask('svpg-swingup', swingUp, 'the cart-pole swing-up')
export const doublePendulumPresets = onTask('svpg-double-pendulum', doublePendulum, 'the double pendulum')
