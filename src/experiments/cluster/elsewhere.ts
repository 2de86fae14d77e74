import type { WholeRuns } from '../../cluster/whole-runs.ts'
import { isExpected, StorageError } from '../../core/errors.ts'
import { recover, takeLock } from '../../train/run.ts'
import { checkedContent, readContent, storeContent } from '../../train/run-content.ts'
import { finishedJob } from '../directory.ts'
import type { Description, ExperimentJob } from '../plan.ts'
import type { RunProgress } from '../run-job.ts'
import { checkedNews, type RunOrder } from './order.ts'

/** What is the same for all runs that workers do. */
interface Session {
  readonly workers: WholeRuns
  readonly takesUp: boolean
  readonly checkpointEvery: number
}

/**
 * One run of an experiment that a worker of a cluster does, from the checkpoint that is here. What comes back takes the
 * place of what is here as a whole, a checkpoint now and then and at last all of it.
 */
export async function* runElsewhere(
  job: ExperimentJob,
  description: Description,
  { workers, takesUp, checkpointEvery }: Session,
): AsyncGenerator<RunProgress> {
  const { variant, seed, path, config } = job
  const { evaluationEpisodes, grid = null } = description
  const progress = (status: RunProgress['status'], rest: Partial<RunProgress> = {}): RunProgress => ({
    ...{ variant, seed, status, metrics: null, notes: [] },
    ...rest,
  })
  const release = await takeLock(path)
  try {
    await recover(path)
    const files = takesUp ? await readContent(path) : {}
    const order: RunOrder = { variant, seed, config, evaluationEpisodes, grid, checkpointEvery, files }
    let failure: string | null = null
    for await (const event of workers.perform(`the run ${variant} with seed ${seed}`, order)) {
      if ('note' in event) yield progress('training', { notes: [event.note] })
      else if ('givenUp' in event) yield progress('failed', { notes: [event.givenUp.message] })
      else if ('news' in event)
        for (const one of event.news) {
          const news = checkedNews(one)
          if (news.status === 'failed') failure = news.notes[0]
          else yield progress(news.status, news)
        }
      else {
        const content = 'kept' in event ? (event.kept as { files?: unknown } | null)?.files : event.outcome
        const problem = await stored(path, content)
        if (problem) yield progress('training', { notes: [problem] })
        if ('kept' in event) continue
        const isWhole = failure === null && (await finishedJob(job, description)) !== null
        const why = failure ?? problem ?? 'A worker sent a run that has not come to its end.'
        yield isWhole ? progress('finished') : progress('failed', { notes: [why] })
      }
    }
  } finally {
    await release()
  }
}

/** Why files were not stored, a sentence; null where they were. */
async function stored(path: string, content: unknown): Promise<string | null> {
  try {
    await storeContent(path, checkedContent(content))
    return null
  } catch (error) {
    if (!isExpected(error) || error instanceof StorageError) throw error
    return `What a worker sent was not kept: ${error.message}`
  }
}
