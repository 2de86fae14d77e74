// What a worker of a worker pool runs: it becomes an evaluator, then evaluates one particle after the other.
import { platform } from '#platform'
import type { EnvironmentSpec } from '../../envs/contract.ts'
import type { Evaluator } from '../../rl/evaluator.ts'
import type { Answer, Order } from '../../rl/worker-pool.ts'
import type { RandomisedSetup } from '../adr/evaluator.ts'
import { evaluators } from './evaluators.ts'

let evaluator: Evaluator | null = null

platform.inbox.onMessage(async (message) => {
  const order = message as Order
  try {
    if ('job' in order) return answer({ outcome: (evaluator as Evaluator)(order.job) })
    evaluator = await evaluators[order.evaluator](await withTask(order.setup as RandomisedSetup))
    answer({ ready: true })
  } catch (error) {
    const { name, message, stack } = error instanceof Error ? error : new Error(String(error))
    answer({ failure: { name, message, stack } })
  }
})

function answer(given: Answer): void {
  platform.inbox.post(given)
}

/** A task in TypeScript comes from its module. */
async function withTask({ task, ...setup }: RandomisedSetup): Promise<RandomisedSetup> {
  const { module } = task.spec
  if (task.spec.core || !module) return { ...setup, task }
  const { default: spec } = (await import(/* @vite-ignore */ module.toString())) as { default: EnvironmentSpec }
  return { ...setup, task: { ...task, spec: { ...task.spec, create: spec.create, configure: spec.configure } } }
}
