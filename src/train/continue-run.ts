import { platform } from '#platform'
import { isExpected, show, UsageError } from '../core/errors.ts'
import { fromJson } from '../core/json.ts'
import { asState, refuseUnknown } from '../core/options.ts'
import { encodePlain } from '../core/plain.ts'
import { requireText } from '../core/require.ts'
import { check, wholeNumber } from '../core/schemas.ts'
import { decodeText } from '../core/text.ts'
import { version } from '../core/version.ts'
import type { IterationEvaluation, IterationMetrics, RunSummary } from '../report/metrics.ts'
import { type FoundCheckpoint, readCheckpoint, removeLaterCheckpoints } from './checkpoint-files.ts'
import { checkedIterationEvaluation, checkedMetrics } from './kept-numbers.ts'
import { begun, clear, type Run, recover, takeLock } from './run.ts'
import { FILES, fileOf, parseJson, reading, writing } from './run-files.ts'
import type { AlgorithmName, TrainStep } from './train.ts'

const { files } = platform

/**
 * Takes a run up where its last checkpoint is, for record(run, train({ resume: run.checkpoint, … })); one that ended
 * before its first checkpoint, whose `checkpoint` is null, begins anew. Nothing is written before the first step.
 *
 * @param options `before`: takes the last checkpoint of an iteration below this one
 * @throws UsageError when there is no run, none of its checkpoints can be read, or they are of another one, and while
 *   another process trains it
 */
export async function continueRun(directory: string, options: { readonly before?: number } = {}): Promise<Run> {
  requireText('continueRun', 'the directory of a run', directory)
  refuseUnknown('continueRun', options, ['before'])
  if (options.before !== undefined) check(wholeNumber('before', 1), options.before)
  const path = await files.place(directory)
  const release = await takeLock(path)
  try {
    await recover(path)
    const config = await readConfig(path)
    const checkpoint = await readCheckpoint(path, options.before)
    const isOlder = !checkpoint && !(await files.exists(fileOf(path, 'checkpoint')))
    if (isOlder && (await files.exists(fileOf(path, 'particles'))))
      throw new UsageError(`${show(path)} has particles and no checkpoint to go on from.`)
    const fields = { path, directory: path, release, config, ...begun(checkpoint), isToBeCut: true }
    const run = asState('a run', fields)
    if (checkpoint) {
      refuseOtherRun(checkpoint, config)
      run.metrics.push(...(await metricsUpTo(path, checkpoint.about.iteration)))
      run.evaluations.push(...(await evaluationsUpTo(path, checkpoint.about.iteration)))
    }
    return run
  } catch (error) {
    await release()
    throw error
  }
}

/** What a run is, and its last checkpoint, to be read alone: another process may be training it. */
export async function readRunAt(path: string): Promise<Pick<Run, 'config' | 'checkpoint'>> {
  const config = await readConfig(path)
  for (let tries = 1; ; tries++) {
    try {
      const checkpoint = await readCheckpoint(path)
      if (checkpoint) refuseOtherRun(checkpoint, config)
      return { config, checkpoint }
    } catch (error) {
      // The files of older checkpoints go while they are read.
      if (!isExpected(error) || tries === READS) throw error
    }
  }
}

const READS = 3

/** What config.json holds. Throws a UsageError where there is no run. */
export async function readConfig(path: string): Promise<RunSummary['config'] & { readonly algorithm: string }> {
  const file = fileOf(path, 'config')
  if (await files.isMissing(file)) throw new UsageError(`${show(path)} is not a run: it has no config.json.`)
  return reading(file, (bytes) => {
    const config = parseJson(bytes)
    if (typeof config === 'object' && config !== null && 'algorithm' in config && 'env' in config) return config
    throw new UsageError('it is not that of a run.')
  })
}

/** What config.json may have otherwise than a checkpoint of its run. */
const OWN_TO_CONFIG = ['iterations', 'version']

function refuseOtherRun({ file, about }: FoundCheckpoint, config: RunSummary['config']): void {
  const names = Object.keys({ ...about.config, ...config }).filter((name) => !OWN_TO_CONFIG.includes(name))
  const other = names.find((name) => encodePlain(about.config[name]) !== encodePlain(config[name]))
  if (other)
    throw new UsageError(
      `${show(file)} is of another run: its ${other} is not that of ${fileOf('', 'config').slice(1)}.`,
    )
}

/**
 * The first lines of metrics.jsonl; what is behind them does not count. Where the file is lost, cut short or damaged,
 * as many as there are: the state to go on from is the checkpoint's.
 */
async function metricsUpTo(path: string, iteration: number): Promise<IterationMetrics[]> {
  const file = fileOf(path, 'metrics')
  if (await files.isMissing(file)) return []
  const lines = await reading(file, (bytes) => decodeText(bytes).split('\n').slice(0, -1))
  const metrics: IterationMetrics[] = []
  try {
    for (const line of lines) {
      const all = checkedMetrics([...metrics.slice(-1), fromJson(line)])
      const last = all[all.length - 1]
      if (last.iteration > iteration) break
      metrics.push(last)
    }
  } catch (error) {
    if (!(error instanceof SyntaxError) && !isExpected(error)) throw error
  }
  return metrics
}

/** How many of the last iterations up to the checkpoint metrics.jsonl does not have. */
export const lostMetrics = ({ metrics, checkpoint }: Pick<Run, 'metrics' | 'checkpoint'>): number =>
  (checkpoint?.about.iteration ?? 0) - (metrics[metrics.length - 1]?.iteration ?? 0)

const damagedOf = (path: string) => `${path}/metrics.damaged.jsonl`

/** What metrics.jsonl lacks of a run that is to go on, in a sentence; null where that is nothing. */
export async function sentenceOfLost(run: Run): Promise<string | null> {
  const lost = lostMetrics(run)
  if (lost <= 0) return null
  const file = fileOf(run.path, 'metrics')
  const what = (await files.exists(file)) ? `is damaged, and kept as ${show(damagedOf(run.path))}` : 'is gone'
  const lacks = `its report lacks ${lost} of ${run.checkpoint?.about.iteration} iterations`
  return `${show(file)} ${what}: the run goes on from its checkpoint, and ${lacks}.`
}

/** Those of evaluateEvery() that are not behind the checkpoint; what is behind it does not count. */
async function evaluationsUpTo(path: string, iteration: number): Promise<IterationEvaluation[]> {
  const file = fileOf(path, 'evaluations')
  if (!(await files.exists(file))) return []
  return reading(file, (bytes) => {
    const lines = decodeText(bytes).split('\n').slice(0, -1)
    return lines.map((line) => checkedIterationEvaluation(fromJson(line))).filter((one) => one.iteration <= iteration)
  })
}

/** Cuts off what is behind the checkpoint, and notes that the run goes on from there, with what may be otherwise. */
export async function cut(
  run: Run,
  { iterations, workers }: Pick<TrainStep<AlgorithmName>, 'iterations' | 'workers'>,
  checkpointEvery: number,
): Promise<void> {
  const { path, metrics, evaluations, config, checkpoint } = run
  const after = checkpoint?.about.iteration ?? 0
  run.isToBeCut = false
  const note = { after, iterations, workers, checkpointEvery, version }
  await writing(path, async () => {
    await clear(path, [
      FILES.report,
      FILES.evaluation,
      FILES.visited,
      ...(checkpoint ? [] : [FILES.checkpoint, FILES.best]),
    ])
    // Before the metrics, of which a checkpoint must never be without its own.
    await removeLaterCheckpoints(path, after)
    if (lostMetrics(run) > 0 && (await files.exists(fileOf(path, 'metrics'))))
      await files.rename(fileOf(path, 'metrics'), damagedOf(path))
    await files.write(fileOf(path, 'metrics'), linesOf(metrics))
    if (await files.exists(fileOf(path, 'evaluations')))
      await files.write(fileOf(path, 'evaluations'), linesOf(evaluations))
    if (config.iterations !== iterations) {
      Object.assign(config, { iterations })
      await files.write(fileOf(path, 'config'), `${JSON.stringify(config, null, 2)}\n`)
    }
    await files.append(fileOf(path, 'resumed'), `${JSON.stringify(note)}\n`)
  })
}

const linesOf = (records: readonly object[]) => records.map((line) => `${JSON.stringify(line)}\n`).join('')
