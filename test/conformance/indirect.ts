/** Ops that other sections run. A test compares both lists with the exports of the core. */
export const THROUGH_THE_LIBRARY = [
  'act',
  'boundActions',
  'evaluate',
  'policyDivergence',
  'policyEntropy',
  'policyForward',
  'policyLogProb',
  'resetEnvironments',
  'resetVector',
  'rollout',
  'steinDirection',
  'stepVector',
  'trainingBackward',
  'trainingForward',
  'trainingInputs',
] as const
