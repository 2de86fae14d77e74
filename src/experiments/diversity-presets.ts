import type { ExperimentSettings, ExperimentVariant, Preset } from './preset.ts'

/** Eight small policies that feel each other: with this bandwidth k is 1/n at the median distance. */
const interacting: ExperimentSettings = {
  ...{ particles: 8, environments: 16, hidden: [32, 32], criticHidden: [32, 32], estimator: 'a2c' },
  ...{ temperature: 0.02, bandwidth: 'svgd-paper', learningRate: 3e-3, criticLearningRate: 3e-3 },
}

interface Known {
  readonly independent: ExperimentVariant
  /** Settings of the kernel on visitations. */
  readonly behaviour: ExperimentSettings
}

/** Which way of keeping policies apart gives some that are good and different. */
export function diversityPresets({ independent, behaviour }: Known): Preset[] {
  const variants: readonly ExperimentVariant[] = [
    independent,
    { label: 'weights', note: 'SVPG with a Gaussian kernel on parameters.', settings: { interaction: 'stein' } },
    {
      label: 'sliced',
      note: 'The same along random directions of each step, colder, as so many directions push so much more.',
      settings: { kernel: 'sliced', temperature: 2e-4 },
    },
    { label: 'layers', note: 'The same with a kernel for each layer.', settings: { perLayer: true } },
    {
      label: 'js',
      note: 'A kernel on visitations (Jensen and Shannon), at its own temperature 1 and a constant share of exploration.',
      settings: { ...behaviour, temperature: 1 },
    },
    { label: 'function', note: 'SVPG in function space: a kernel on outputs.', settings: { kernel: 'function' } },
    {
      label: 'determinant',
      note: 'Each its own gradient and that of the volume of all outputs.',
      settings: { interaction: 'determinant', kernel: 'function' },
    },
  ]
  return [
    {
      name: 'diversity-multigoal',
      shows: 'Which kernel keeps policies good and different, in a plane with four goals of which none is better.',
      env: 'MultiGoal-v0',
      settings: { ...interacting, steps: 30, rewardScale: 0.1 },
      variants,
      ...{ seeds: 5, iterations: 120, figure: 'bars', published: [] },
    },
    {
      name: 'diversity-maze',
      shows: 'The same in a maze with three ways to a goal, which alone is paid for.',
      env: 'PointMaze-v0',
      settings: { ...interacting, steps: 100, entropyBonus: 0.01 },
      variants,
      ...{ seeds: 5, iterations: 60, figure: 'bars', published: [] },
    },
  ]
}
