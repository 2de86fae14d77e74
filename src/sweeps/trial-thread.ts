// What a thread of a sweep runs: it trains one trial after the other.
import { platform } from '#platform'
import { taskFrom } from '../envs/description.ts'
import { type TrialOrder, trainTrial } from './training.ts'
import type { ThreadAnswer } from './trial-threads.ts'

platform.inbox.onMessage(async (message) => {
  const { order, threads } = message as { order: TrialOrder; threads: number }
  try {
    const env = await taskFrom(order.task)
    for await (const event of trainTrial(order, env, { tfjs: { threads } }, () => {})) answer({ more: true, event })
    answer({ end: true })
  } catch (error) {
    const { name, message, stack } = error instanceof Error ? error : new Error(String(error))
    answer({ failure: { name, message, stack } })
  }
})

const answer = (given: ThreadAnswer) => platform.inbox.post(given)
