// What a thread of a cluster's worker runs that does whole runs of experiments, one after the other.
import { platform } from '#platform'
import type { ThreadAnswer, ThreadOrder } from '../../cluster/run-thread.ts'
import { refuseTeams } from '../../core/team.ts'
import { readContent, unpackContent } from '../../train/run-content.ts'
import { runJob } from '../run-job.ts'
import { checkedOrder } from './order.ts'

/** Milliseconds between two signs of life of an evaluation. */
const ALIVE_EVERY = 1000

// The threads of the worker fill the cores already.
refuseTeams()

platform.inbox.onMessage(async (message) => {
  const { order, directory } = message as ThreadOrder
  try {
    await perform(order, directory)
    answer({ outcome: await readContent(directory) })
  } catch (error) {
    const { name, message, stack } = error instanceof Error ? error : new Error(String(error))
    answer({ failure: { name, message, stack } })
  }
})

async function perform(given: unknown, path: string): Promise<void> {
  const { job, description, files, checkpointEvery } = await checkedOrder(given)
  await unpackContent(path, files)
  let keptAt = platform.now()
  let aliveAt = platform.now()
  const session = {
    ...{ workers: 0, stop: { requested: false }, takesUp: true, checkpointEvery },
    async onCheckpoint(directory: string) {
      if (platform.now() - keptAt < checkpointEvery * 1000) return
      keptAt = platform.now()
      answer({ kept: await readContent(directory) })
    },
    onEvaluating() {
      if (platform.now() - aliveAt < ALIVE_EVERY) return
      aliveAt = platform.now()
      answer({ alive: true })
    },
  }
  for await (const { status, metrics, notes } of runJob({ ...job, path }, description, session))
    if (status !== 'finished') answer({ news: { status, metrics, notes } })
}

const answer = (given: ThreadAnswer) => platform.inbox.post(given)
