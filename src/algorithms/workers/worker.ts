// What a worker of a worker pool runs: it becomes an evaluator, then evaluates one particle after the other.
import { platform } from '#platform'
import type { Evaluator } from '../../rl/evaluator.ts'
import type { Answer, Order } from '../../rl/pool-worker.ts'
import type { RandomisedSetup } from '../adr/evaluator.ts'
import { evaluators } from './evaluators.ts'
import { withTask } from './task.ts'

let evaluator: Evaluator | null = null

platform.inbox.onMessage(async (message) => {
  const order = message as Order
  try {
    if ('job' in order) return answer({ outcome: (evaluator as Evaluator)(order.job) })
    evaluator = await evaluators[order.evaluator](
      await withTask<RandomisedSetup>(order.setup as Parameters<typeof withTask<RandomisedSetup>>[0]),
    )
    answer({ ready: true })
  } catch (error) {
    const { name, message, stack } = error instanceof Error ? error : new Error(String(error))
    answer({ failure: { name, message, stack } })
  }
})

function answer(given: Answer): void {
  platform.inbox.post(given)
}
