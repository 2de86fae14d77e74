// What a worker of a worker pool runs: it becomes an evaluator, evaluates one particle after the other, and may become
// another one.
import { platform } from '#platform'
import { show, UsageError } from '../../core/errors.ts'
import { startTfjs } from '../../nn/tfjs.ts'
import type { Evaluator, Job, Outcome } from '../../rl/evaluator.ts'
import type { Answer, Order } from '../../rl/pool-worker.ts'
import type { RandomisedSetup } from '../adr/evaluator.ts'
import { evaluators } from './evaluators.ts'
import { checkedSetup, refuseJob } from './setup.ts'
import { withTask } from './task.ts'

let current: { readonly setup: RandomisedSetup; readonly name: string; readonly evaluate: Evaluator } | null = null

platform.inbox.onMessage(async (message) => {
  const order = message as Order
  try {
    if ('job' in order) return answer({ outcome: evaluated(order.job) })
    const { evaluator: name, setup: posted } = order
    if (!Object.hasOwn(evaluators, name)) throw new UsageError(`There is no evaluator ${show(name)}.`)
    const setup = checkedSetup(
      await withTask<RandomisedSetup>(posted as Parameters<typeof withTask<RandomisedSetup>>[0]),
    )
    leave()
    // What this worker was before may have had others.
    const { tfjs, core } = setup
    await startTfjs({ ...tfjs, fused: tfjs?.fused ?? true, compiled: tfjs?.compiled ?? true, core })
    current = { setup, name, evaluate: await evaluators[name](setup) }
    answer({ ready: true })
  } catch (error) {
    const { name, message, stack } = error instanceof Error ? error : new Error(String(error))
    answer({ failure: { name, message, stack } })
  }
})

/** What it was before: nobody waits for what its environments say to their end. */
function leave(): void {
  try {
    current?.evaluate.close()
  } catch {
  } finally {
    current = null
  }
}

function evaluated(job: Job): Outcome {
  if (!current) throw new UsageError('A worker was given a job before it was told what to become.')
  refuseJob(current.setup, current.name, job)
  return current.evaluate(job)
}

function answer(given: Answer): void {
  platform.inbox.post(given)
}
