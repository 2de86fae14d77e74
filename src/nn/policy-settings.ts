import * as v from 'valibot'
import { oneOf, positiveNumber, wholeNumber } from '../core/errors.ts'
import { activations, initialisations } from './network.ts'
import { headNames } from './policy.ts'

/** What a policy network is made of and how it begins. */
export const policyEntries = {
  hidden: v.optional(v.array(wholeNumber('a hidden width', 1, 4096)), [64, 64]),
  activation: v.optional(oneOf('activation', activations), 'tanh'),
  head: v.optional(oneOf('head', ['auto', ...headNames]), 'auto'),
  initialisation: v.optional(oneOf('initialisation', initialisations), 'normal'),
  /** What initial weights of the hidden layers are multiplied by. */
  gain: v.optional(positiveNumber('gain'), 1),
  /** The same for the last layer: small values start a policy close to uniform. */
  lastGain: v.optional(positiveNumber('lastGain'), 0.1),
}
