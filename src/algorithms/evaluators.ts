import type { Evaluator } from '../rl/evaluator.ts'
import { type ReinforceSetup, reinforceEvaluator } from './reinforce.ts'

/** The evaluators that a worker can be, by name. */
export const evaluators: Readonly<Record<string, (setup: ReinforceSetup) => Promise<Evaluator>>> = {
  reinforce: reinforceEvaluator,
}

export type EvaluatorName = 'reinforce'

/** A setup as it is posted, without functions: a worker finds those of a task in TypeScript in its module. */
export function postable({ task, ...setup }: ReinforceSetup): ReinforceSetup {
  const { create, configure, ...spec } = task.spec
  return { ...setup, task: { ...task, spec } }
}
