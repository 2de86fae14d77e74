import type { Evaluator } from '../../rl/evaluator.ts'
import { type RandomisedSetup, randomisedEvaluator } from '../adr/evaluator.ts'
import { policyGradientEvaluator } from '../policy-gradient/policy-gradient.ts'

/** The evaluators that a worker can be, by name; a randomised one's setup has all that another's has. */
export const evaluators: Readonly<Record<string, (setup: RandomisedSetup) => Promise<Evaluator>>> = {
  'policy-gradient': policyGradientEvaluator,
  randomised: randomisedEvaluator,
}
