import type { EnvironmentSpec } from '../envs/contract.ts'
import type { Evaluator } from '../rl/evaluator.ts'
import { type ReinforceSetup, reinforceEvaluator } from './reinforce.ts'

/** The evaluators that a worker can be, by name. */
export const evaluators: Readonly<Record<string, (setup: ReinforceSetup) => Promise<Evaluator>>> = {
  reinforce: reinforceEvaluator,
}

export type EvaluatorName = 'reinforce'

/** A setup as it is posted, without functions: a worker finds those of a task in TypeScript in its module. */
export function postable({ task, ...setup }: ReinforceSetup): ReinforceSetup {
  const data = Object.entries(task.spec).filter(([, value]) => typeof value !== 'function')
  const spec = { ...Object.fromEntries(data), module: task.spec.module?.toString() } as EnvironmentSpec
  return { ...setup, task: { ...task, spec } }
}
