import * as v from 'valibot'
import { UsageError } from '../../core/errors.ts'
import { check, nonNegativeNumber, wholeNumber } from '../../core/schemas.ts'
import { parseTask, taskFrom } from '../../envs/description.ts'
import { checkedContent, type RunContent } from '../../train/run-content.ts'
import { type AnyTrainOptions, runConfig } from '../../train/train.ts'
import type { PresetGrid } from '../grid.ts'
import { type Description, type ExperimentJob, equal } from '../plan.ts'
import type { RunProgress } from '../run-job.ts'

// What goes to a worker that does a whole run, and what comes back. It comes over a network: all of it is checked.

/** A run of an experiment as it is sent. */
export interface RunOrder extends Pick<ExperimentJob, 'variant' | 'seed' | 'config'> {
  readonly evaluationEpisodes: number
  readonly grid: PresetGrid | null
  /** Seconds between two checkpoints that are sent back. */
  readonly checkpointEvery: number
  /** Where it goes on from; nothing where it begins. */
  readonly files: RunContent
}

const record = v.record(v.string(), v.unknown())

const orderSchema = v.object({
  variant: v.string(),
  seed: wholeNumber('seed', 0),
  config: record,
  evaluationEpisodes: wholeNumber('evaluationEpisodes', 1, 1_000_000),
  grid: v.nullable(v.object({ ranges: record, points: wholeNumber('points', 1, 1000), episodes: v.number() })),
  checkpointEvery: nonNegativeNumber('checkpointEvery'),
  files: v.unknown(),
})

/** Places of a grid that may be asked for. */
const MOST_POINTS = 1_000_000

/** What a worker is to do. */
interface CheckedOrder {
  readonly job: Omit<ExperimentJob, 'path'>
  readonly description: Pick<Description, 'evaluationEpisodes' | 'grid'>
  readonly files: RunContent
  readonly checkpointEvery: number
}

/**
 * What to do by an order.
 *
 * @throws UsageError for what is none, a task of one's own and settings that train() would not have written
 */
export async function checkedOrder(given: unknown): Promise<CheckedOrder> {
  const { variant, seed, config, evaluationEpisodes, grid, checkpointEvery, files } = check(orderSchema, given)
  let places = 1
  for (const _ of Object.keys(grid?.ranges ?? {})) places *= grid?.points ?? 1
  if (places > MOST_POINTS) throw new UsageError(`A grid of ${places} points is more than ${MOST_POINTS}.`)
  const { algorithm, env: _, iterations, task, ...settings } = config
  const described = parseTask(task)
  if (described.module !== undefined) throw new UsageError('Whole runs are of tasks of this library.')
  const env = await taskFrom(described)
  const options = { ...settings, algorithm, iterations, env } as AnyTrainOptions
  if (!equal(config, JSON.parse(JSON.stringify(runConfig(options)))))
    throw new UsageError('A run was sent whose settings are not those that train() writes.')
  return {
    job: { variant, seed, config, options },
    description: { evaluationEpisodes, ...(grid && { grid: grid as unknown as PresetGrid }) },
    files: checkedContent(files),
    checkpointEvery,
  }
}

/** What workers tell of a run. */
type RunNews = Pick<RunProgress, 'status' | 'metrics' | 'notes'>

const returns = v.array(v.nullable(v.number()))
const newsSchema = v.object({
  status: v.picklist(['training', 'evaluating', 'failed']),
  metrics: v.nullable(v.looseObject({ iteration: v.number(), returns })),
  notes: v.array(v.string()),
})

/** @throws UsageError for what is no news of a run */
export const checkedNews = (given: unknown): RunNews => check(newsSchema, given) as unknown as RunNews
