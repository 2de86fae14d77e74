import { layerWidths, oneOf, positiveFloat32, positiveFloat32Or } from '../core/schemas.ts'
import { setting } from '../core/settings.ts'
import { activations, initialisations } from './network.ts'
import { headNames } from './policy.ts'

/** What a policy network is made of and how it begins. */
export const policyEntries = {
  hidden: setting(layerWidths('a hidden width'), [64, 64], 'Widths of the hidden layers of the policy.'),
  activation: setting(oneOf('activation', activations), 'tanh', 'Activation of the hidden layers.'),
  head: setting(
    oneOf('head', ['auto', ...headNames]),
    'auto',
    'Distribution of actions; auto takes the one that fits the action space.',
  ),
  initialisation: setting(oneOf('initialisation', initialisations), 'normal', 'How initial weights are drawn.'),
  initialDeviation: setting(
    positiveFloat32Or('initialDeviation', ['auto']),
    'auto',
    'σ of the actions of a gaussian head at the start; auto is half the width of their bounds, at most 1.',
  ),
  gain: setting(positiveFloat32('gain'), 1, 'Multiplies the initial weights of the hidden layers.'),
  lastGain: setting(
    positiveFloat32('lastGain'),
    0.1,
    'Multiplies the initial weights of the last layer; small values start a policy close to uniform.',
  ),
}
