import { platform } from '#platform'
import { isExpected, show, UsageError } from '../core/errors.ts'
import { refuseUnknown } from '../core/options.ts'
import { version } from '../core/version.ts'
import { findTask } from '../envs/description.ts'
import type { Evaluation, IterationMetrics, RunSummary } from '../report/metrics.ts'
import { encodeParticles } from './particles-file.ts'
import { renderReport } from './report.ts'
import { type AlgorithmName, type AnyTrainStep, type TrainStep, taskOfConfig } from './train.ts'

/**
 * A directory that holds one run:
 *
 *     config.json             the settings
 *     metrics.jsonl           one line of numbers an iteration
 *     particles.safetensors   theta [n, parameters] or what else acts, and kernel [n, n] where there is one
 *     evaluation.json         mean return of every particle
 *     visited.safetensors     where each particle has been [n, rows, observation], of the runs of an experiment
 *     report.html             all of it to look at
 */
const FILES = {
  config: 'config.json',
  metrics: 'metrics.jsonl',
  particles: 'particles.safetensors',
  evaluation: 'evaluation.json',
  visited: 'visited.safetensors',
  report: 'report.html',
} as const

/** Particles are saved at most this often while a run is under way. */
const SAVE_EVERY_MS = 2000

const { files } = platform

/** A run directory that is being written. */
export interface Run {
  readonly path: string
  readonly config: RunSummary['config']
  readonly metrics: IterationMetrics[]
  kernel: number[][] | null
}

export const fileOf = (path: string, name: keyof typeof FILES) => `${path}/${FILES[name]}`

/**
 * Makes the directory of a run and writes config.json.
 *
 * @throws UsageError for a task that could not be made again, when the directory exists and `overwrite` is not set, when its config.json is not that of a run, or when it cannot be written
 */
export async function createRun(
  path: string,
  config: RunSummary['config'],
  options: { overwrite?: boolean } = {},
): Promise<Run> {
  refuseUnknown('createRun', options, ['overwrite'])
  const { overwrite = false } = options
  const written = await writtenConfig(config)
  await refuseToReplace(path, overwrite)
  await writing(path, async () => {
    // Those of an earlier run, and nothing else.
    if (await files.exists(path)) for (const name of Object.values(FILES)) await files.remove(`${path}/${name}`)
    await files.makeDirectory(path)
    await files.write(fileOf(path, 'config'), `${JSON.stringify(written, null, 2)}\n`)
  })
  return { path, config: written, metrics: [], kernel: null }
}

/** The configuration with the version that the run is of, and where a task of one's own is found again. */
async function writtenConfig(config: RunSummary['config']): Promise<RunSummary['config']> {
  const spec = taskOfConfig(config)
  return { ...config, ...(spec && { task: await findTask(spec) }), version }
}

/** Throws the UsageErrors of createRun that can be known without writing. */
export async function refuseToReplace(path: string, overwrite: boolean): Promise<void> {
  if (!(await files.exists(path))) return
  if (!overwrite) throw new UsageError(`${show(path)} exists; choose another --out, or --overwrite it.`)
  const file = fileOf(path, 'config')
  if (!(await files.exists(file))) return
  const config = await reading(file, parseJson).catch(() => null)
  if (config === null || typeof config !== 'object' || !('env' in config)) {
    throw new UsageError(`${show(file)} is not that of a run and would be overwritten; choose another --out.`)
  }
}

/**
 * Passes the steps of train() through and keeps them in the run's directory. However the run ends, metrics.jsonl holds
 * every iteration done and particles.safetensors the last finite particles.
 */
export async function* record<A extends AlgorithmName>(
  run: Run,
  steps: AsyncIterable<TrainStep<A>>,
): AsyncGenerator<TrainStep<A>> {
  let latest: TrainStep<A> | null = null
  let savedAt = Number.NEGATIVE_INFINITY
  try {
    for await (const step of steps) {
      latest = step
      run.metrics.push(step.metrics)
      await writing(run.path, () => files.append(fileOf(run.path, 'metrics'), `${JSON.stringify(step.metrics)}\n`))
      if (platform.now() - savedAt > SAVE_EVERY_MS) {
        await saveParticles(run, step)
        savedAt = platform.now()
      }
      yield step
    }
  } finally {
    if (latest) await saveParticles(run, latest)
  }
}

/** Writes the particles, if they are finite. */
async function saveParticles(run: Run, step: Omit<AnyTrainStep, 'state'>): Promise<void> {
  const file = encodeParticles(step)
  if (!file) return
  run.kernel = step.kernel()
  await writing(run.path, () => files.write(fileOf(run.path, 'particles'), file))
}

/** Writes evaluation.json and report.html. Returns the path of the report. */
export async function finishRun(run: Run, outcome: string, evaluation: Evaluation | null): Promise<string> {
  const report = fileOf(run.path, 'report')
  const page = await renderReport({ ...run, outcome, evaluation })
  await writing(run.path, async () => {
    if (evaluation) await files.write(fileOf(run.path, 'evaluation'), `${JSON.stringify(evaluation)}\n`)
    await files.write(report, page)
  })
  return report
}

/**
 * Keeps a later evaluation of a run, which tells the best particle: unless there is one over as many episodes. A run that cannot be written
 * to stays as it is.
 */
export async function keepEvaluation(path: string, evaluation: Evaluation): Promise<void> {
  const file = fileOf(path, 'evaluation')
  const earlier: Evaluation | null = (await files.exists(file))
    ? await reading(file, parseJson).catch(() => null)
    : null
  if ((earlier?.episodes ?? 0) >= evaluation.episodes && earlier?.greedy?.length === evaluation.greedy.length) return
  await files.write(file, `${JSON.stringify({ ...earlier, ...evaluation })}\n`).catch(() => {})
}

/** What a run that came to its end has left. */
export interface FinishedRun {
  readonly config: RunSummary['config']
  readonly metrics: readonly IterationMetrics[]
  readonly evaluation: Evaluation
}

/**
 * Reads the numbers of a run back; null when there is no run or it did not come to its end, which is its evaluation.
 *
 * @throws UsageError when a file is damaged
 */
export async function readFinished(path: string): Promise<FinishedRun | null> {
  for (const name of ['config', 'evaluation', 'report'] as const)
    if (!(await files.exists(fileOf(path, name)))) return null
  return {
    config: await reading(fileOf(path, 'config'), parseJson),
    metrics: await reading(fileOf(path, 'metrics'), parseLines),
    evaluation: await reading(fileOf(path, 'evaluation'), parseJson),
  }
}

export function parseLines(bytes: Uint8Array) {
  const lines = new TextDecoder().decode(bytes).split('\n')
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line))
}

export const parseJson = (bytes: Uint8Array) => JSON.parse(new TextDecoder().decode(bytes))

/** Runs `write`; what the file system refuses becomes a UsageError that names what was to be written. */
export async function writing(path: string, write: () => Promise<void>, what = 'run'): Promise<void> {
  try {
    await write()
  } catch (error) {
    throw new UsageError(`Cannot write the ${what} to ${show(path)}: ${reason(error)}.`)
  }
}

/** Reads and decodes a file. Throws a UsageError that says whether it could not be read or is damaged, and how. */
export async function reading<T>(path: string, decode: (bytes: Uint8Array) => T | Promise<T>): Promise<T> {
  let bytes: Uint8Array
  try {
    bytes = await files.read(path)
  } catch (error) {
    throw new UsageError(`Cannot read ${show(path)}: ${reason(error)}.`)
  }
  return inFile(path, () => decode(bytes))
}

/** Runs `use` on what a file holds; what it refuses is damage of the file. */
export async function inFile<T>(path: string, use: () => T | Promise<T>): Promise<T> {
  try {
    return await use()
  } catch (error) {
    throw new UsageError(`${show(path)} is damaged: ${isExpected(error) ? error.message : `${reason(error)}.`}`)
  }
}

const reason = (error: unknown) => String((error as Error)?.message ?? error).replace(/\.$/, '')
