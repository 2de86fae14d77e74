import { choice, slider, toggle, type Values } from '../shared/fields.ts'
import { type TargetName, targets } from './targets.ts'

const titles = Object.fromEntries(Object.entries(targets).map(([name, { title }]) => [name, title]))

/** The settings of the particles on the plane. */
export const fields = {
  target: choice('Density p', 'mixture', titles as Record<TargetName, string>, targets.mixture.about),
  temperature: slider('Temperature', 1, {
    min: 0.1,
    max: 10,
    scale: 'log',
    hint: 'The particles follow p to the power 1/T: hot is flat, cold is peaked.',
  }),
  start: choice('Start', 'cloud', {
    cloud: 'A cloud in the middle',
    corner: 'A heap in a corner',
    line: 'A line',
    grid: 'A grid',
    nowhere: 'An empty plane',
  }),
  count: slider('Particles', 60, { min: 1, max: 300, hint: 'A particle is one guess at where probability is.' }),
  kernel: choice(
    'Kernel',
    'rbf',
    { rbf: 'RBF', imq: 'Inverse multiquadric', matern32: 'Matérn 3/2', linear: 'Linear' },
    'How much two particles feel each other, by their distance.',
  ),
  bandwidth: choice(
    'Bandwidth rule',
    'svpg-paper',
    {
      'svpg-paper': 'median² / log(n+1)',
      'svgd-paper': 'median² / log n',
      'svpg-code': 'median² / 2 log(n+1)',
      'sql-paper': 'median / 2 log(n+1)',
      'per-dimension': 'one for each axis',
      fixed: 'fixed',
    },
    'The reach h of the kernel: k = exp(−d²/h) for RBF.',
  ),
  h: slider('Bandwidth h', 1, { min: 0.01, max: 30, scale: 'log' }),
  repulsion: slider('Repulsion', 1, {
    min: 0,
    max: 3,
    step: 0.05,
    hint: 'At 0 the particles climb to the tops and stay there.',
  }),
  optimizer: choice('Step rule', 'adam', { adam: 'Adam', adagrad: 'Adagrad', sgd: 'Plain' }),
  stepSize: slider('Step size', 0.03, { min: 0.001, max: 3, scale: 'log' }),
  speed: slider('Steps a second', 60, { min: 1, max: 600, scale: 'log' }),
  arrows: toggle('Drive and repulsion', true),
  trails: toggle('Trails', true),
  reach: toggle('Reach of the kernel', false),
  seed: slider('Seed', 0, { min: 0, max: 99 }),
} as const

export type Settings = Values<typeof fields>

/** How the form shows them. */
export const groups = {
  Density: ['target', 'temperature'],
  Particles: ['start', 'count', 'seed'],
  Kernel: ['kernel', 'bandwidth', 'h', 'repulsion'],
  Step: ['optimizer', 'stepSize', 'speed'],
  Show: ['arrows', 'trails', 'reach'],
} as const

/** Whether the slider of h decides: a number for the bandwidth, or c² of the inverse multiquadric kernel. */
export const usesH = ({ kernel, bandwidth }: Settings): boolean =>
  kernel === 'imq' || (bandwidth === 'fixed' && kernel !== 'linear')

export const usesBandwidth = ({ kernel }: Settings): boolean => kernel === 'rbf' || kernel === 'matern32'
