import type { EnvironmentSpec } from '../../envs/contract.ts'
import type { Evaluator } from '../../rl/evaluator.ts'
import { type RandomisedSetup, randomisedEvaluator } from '../adr/evaluator.ts'
import { type PolicyGradientSetup, policyGradientEvaluator } from '../policy-gradient/policy-gradient.ts'

/** The evaluators that a worker can be, by name; a randomised one's setup has all that another's has. */
export const evaluators: Readonly<Record<string, (setup: RandomisedSetup) => Promise<Evaluator>>> = {
  'policy-gradient': policyGradientEvaluator,
  randomised: randomisedEvaluator,
}

/** A setup as it is posted, without functions: a worker finds those of a task in TypeScript in its module. */
export function postable<S extends PolicyGradientSetup>({ task, ...setup }: S): Omit<S, 'task'> & Pick<S, 'task'> {
  const data = Object.entries(task.spec).filter(([, value]) => typeof value !== 'function')
  const spec = { ...Object.fromEntries(data), module: task.spec.module?.toString() } as EnvironmentSpec
  return { ...setup, task: { ...task, spec } }
}
