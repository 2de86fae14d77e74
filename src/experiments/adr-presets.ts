import type { Ranges } from '../rl/randomisation.ts'
import type { Preset } from './preset.ts'

/** Heavier and lighter, longer and shorter pendulums than Gymnasium's, which has 1 kg and 1 m. */
const pendulums: Ranges = { mass: [0.5, 2], length: [0.5, 1.5] }

/** Three ways to choose the pendulums that one policy is trained on. */
const onPendulums: Omit<Preset, 'name' | 'shows'> = {
  env: 'Pendulum-v1',
  settings: {
    ...{ algorithm: 'adr', ranges: pendulums, particles: 10, moves: 2, environments: 1, steps: 200 },
    ...{ rewardScale: 0.1, discount: 0.95, lambda: 0.95, epochs: 5, minibatches: 2 },
    ...{ learningRate: 2e-3, criticLearningRate: 3e-3 },
  },
  ...{ seeds: 3, iterations: 150, figure: 'bars', published: [] },
  grid: { ranges: pendulums, points: 7, episodes: 50, hard: { mass: 2, length: 1.5 } },
  variants: [
    {
      label: 'adr',
      note: 'Trained where particles find pendulums that move unlike the default one.',
      settings: { randomisation: 'adr' },
    },
    {
      label: 'uniform',
      note: 'Trained on pendulums drawn uniformly from the ranges.',
      settings: { randomisation: 'uniform' },
    },
    {
      label: 'default',
      note: 'Trained on the default pendulum alone.',
      settings: { randomisation: 'default' },
    },
  ],
}

/** Active domain randomisation against uniform randomisation and none. */
export const adrPresets: readonly Preset[] = [
  {
    ...onPendulums,
    name: 'adr-pendulum',
    shows:
      'Active domain randomisation on pendulums of many masses and lengths against uniform randomisation and the default pendulum: what one policy reaches where. Returns in training are of the pendulums that each is trained on.',
  },
  {
    ...onPendulums,
    name: 'adr-pendulum-strong',
    shows:
      'The same with a torque that reaches: three times the usual, so that the heaviest and longest pendulum is as hard as the usual one is usually, and the default one can be lifted without swinging.',
    ...{ constants: { torqueLimit: 6 }, seeds: 5 },
  },
]
