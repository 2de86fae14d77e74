/** Ops that other sections run. A test compares both lists with the exports of the core. */
export const THROUGH_THE_LIBRARY = [
  'act',
  'actTogether',
  'boundActions',
  'boundRows',
  'evaluate',
  'perStateDirection',
  'policyLogProb',
  'resetEnvironments',
  'resetVector',
  'rollout',
  'runPlan',
  'steinDirection',
  'stepVector',
  'trainingBackward',
  'trainingForward',
  'trainingInputs',
] as const
