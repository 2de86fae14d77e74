import type { EnvironmentSpec } from '../envs/contract.ts'
import type { Evaluator } from '../rl/evaluator.ts'
import { type PolicyGradientSetup, policyGradientEvaluator } from './policy-gradient.ts'

/** The evaluators that a worker can be, by name. */
export const evaluators: Readonly<Record<string, (setup: PolicyGradientSetup) => Promise<Evaluator>>> = {
  'policy-gradient': policyGradientEvaluator,
}

/** A setup as it is posted, without functions: a worker finds those of a task in TypeScript in its module. */
export function postable({ task, ...setup }: PolicyGradientSetup): PolicyGradientSetup {
  const data = Object.entries(task.spec).filter(([, value]) => typeof value !== 'function')
  const spec = { ...Object.fromEntries(data), module: task.spec.module?.toString() } as EnvironmentSpec
  return { ...setup, task: { ...task, spec } }
}
