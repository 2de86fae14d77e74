import { platform } from '#platform'
import { isExpected, RunError } from '../core/errors.ts'
import { version } from '../core/version.ts'
import { freeze } from '../envs/description.ts'
import { sizeOf } from '../envs/spaces.ts'
import type { IterationMetrics } from '../report/metrics.ts'
import { evaluateGrid } from '../rl/randomisation.ts'
import type { Checkpoint } from '../train/checkpoint.ts'
import { continueRun, lostMetrics } from '../train/continue-run.ts'
import { createRun, finishRun, record } from '../train/record.ts'
import { restoreFrom } from '../train/resume.ts'
import { type Run, takeLock } from '../train/run.ts'
import { fileOf } from '../train/run-files.ts'
import { leaveIfStopped, STOPPED } from '../train/stopped.ts'
import { type AnyTrainStep, evaluate, train } from '../train/train.ts'
import { isOf } from './directory.ts'
import { playGoals } from './multigoal/play.ts'
import type { Description, ExperimentJob } from './plan.ts'
import { collectVisits, saveVisits, type Visits } from './visits.ts'

const { files } = platform

/** One run moved on, wherever it is done. */
export interface RunProgress {
  readonly variant: string
  readonly seed: number
  /** 'kept': it was finished before this experiment went on. */
  readonly status: 'kept' | 'training' | 'evaluating' | 'finished' | 'failed'
  /** Of the iteration that was done; null in other states than 'training'. */
  readonly metrics: IterationMetrics | null
  /** Why it failed, or what became of workers, a sentence each. */
  readonly notes: readonly string[]
}

/** What is the same for all jobs. */
interface Session {
  readonly workers: number
  readonly stop: { readonly requested: boolean }
  /** Whether runs that were stopped go on. */
  readonly takesUp: boolean
  /** Seconds between two checkpoints. */
  readonly checkpointEvery?: number
  /** Called when a checkpoint is on disk, with the directory; the next one waits for it. */
  readonly onCheckpoint?: (path: string) => Promise<void>
  /** Called again and again while policies are evaluated. */
  readonly onEvaluating?: () => void
}

/** Does one run of an experiment, here. */
export async function* runJob(
  { variant, seed, path, options, config }: ExperimentJob,
  { evaluationEpisodes: episodes, grid }: Pick<Description, 'evaluationEpisodes' | 'grid'>,
  { workers, stop, takesUp, checkpointEvery, onCheckpoint, onEvaluating }: Session,
): AsyncGenerator<RunProgress> {
  const progress = (status: RunProgress['status'], rest: Partial<RunProgress> = {}): RunProgress => ({
    ...{ variant, seed, status, metrics: null, notes: [] },
    ...rest,
  })
  const visits = collectVisits()
  const found = takesUp ? await taken(path, config, visits) : NOTHING
  const run = found.run ?? (await createRun(path, config, { overwrite: true }))
  // While it is evaluated too, when its training has given the lock back.
  const release = await takeLock(path)
  const notes = found.why === null ? [] : [`${found.why} It is done again.`]
  let last: AnyTrainStep | undefined
  try {
    const steps: AsyncIterable<AnyTrainStep> = run.checkpoint
      ? train({ resume: run.checkpoint, env: options.env, workers })
      : train({ ...options, workers })
    for await (const step of record(run, steps, { beside: visits.part, checkpointEvery, onCheckpoint })) {
      last = step
      visits.add(step.visited())
      yield progress('training', { metrics: step.metrics, notes: [...notes.splice(0), ...step.losses] })
    }
    yield progress('evaluating')
    const { iterations, agents, spec } = last as AnyTrainStep
    freeze(spec)
    const onProgress = () => {
      leaveIfStopped(stop)
      onEvaluating?.()
    }
    const evaluation = await evaluate({ spec, ...agents(), episodes, seed, onProgress })
    const goals = await playGoals(spec, agents(), seed)
    if (goals) evaluation.extras = { goals }
    if (grid) {
      const { ranges, points, episodes } = grid
      evaluation.grid = await evaluateGrid({ spec, ...agents(), ranges, points, episodes, seed, onProgress })
    }
    const observations = visits.tensor(sizeOf(spec.observationSpace))
    if (observations) await saveVisits(path, observations)
    await finishRun(run, `Finished all ${iterations} iterations.`, evaluation)
    // Nobody goes on with it, and a replay may be large.
    await files.removeDirectory(fileOf(path, 'checkpoint'))
    yield progress('finished')
  } catch (error) {
    if (error === STOPPED) return
    if (!(error instanceof RunError)) throw error
    await finishRun(run, `Failed. ${error.message}`, null)
    yield progress('failed', { notes: [error.message] })
  } finally {
    await release()
  }
}

/** A run that goes on, or why what is there is done anew in spite of it. */
interface Taken {
  readonly run: Run | null
  readonly why: string | null
}

const NOTHING: Taken = { run: null, why: null }

/** A run of these settings that was stopped, at its last checkpoint. */
async function taken(path: string, config: ExperimentJob['config'], visits: Visits): Promise<Taken> {
  if (!(await files.exists(fileOf(path, 'config')))) return NOTHING
  let run: Run | null = null
  try {
    run = await continueRun(path, { before: Number(config.iterations) })
    const why = run.checkpoint && whyAnew(run, run.checkpoint, config)
    if (!run.checkpoint || why) {
      await run.release()
      return { run: null, why }
    }
    restoreFrom(run.checkpoint, 'beside', visits.part)
    return { run, why: null }
  } catch (error) {
    if (!isExpected(error)) throw error
    await run?.release()
    return { run: null, why: error.message }
  }
}

function whyAnew(run: Run, { about }: Checkpoint, config: ExperimentJob['config']): string | null {
  if (!isOf(run, config)) return 'The run that was there has other settings.'
  if (lostMetrics(run) > 0) return 'The run that was there has lost lines of its metrics.jsonl.'
  return about.version === version ? null : `The run that was there is of steinrl ${about.version}, not ${version}.`
}
