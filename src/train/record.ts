import { platform } from '#platform'
import { StorageError, show, UsageError } from '../core/errors.ts'
import { asState, isMade, refuseUnknown } from '../core/options.ts'
import { isRecord, requireFunction, requireText, requireThat } from '../core/require.ts'
import { reusedMemory } from '../core/reused-memory.ts'
import { check, nonNegativeNumber, trueOrFalse } from '../core/schemas.ts'
import type { StatePart } from '../core/state.ts'
import { version } from '../core/version.ts'
import type { EnvironmentSpec } from '../envs/contract.ts'
import { findTask } from '../envs/description.ts'
import { canBeMoved } from '../envs/instance-states.ts'
import type { Evaluation, RunSummary, ShownEpisode } from '../report/metrics.ts'
import { checkpointWriter } from './checkpoint-files.ts'
import { cut } from './continue-run.ts'
import { type Evaluated, requireSteps } from './loop.ts'
import { encodeContent, type Particles, particlesOf } from './particles-file.ts'
import { renderReport } from './report.ts'
import { begun, clear, exchange, newOf, type Run, recover, takeLock, takeOver } from './run.ts'
import { FILES, fileOf, parseJson, reading, writing } from './run-files.ts'
import { type AlgorithmName, type TrainStep, taskOfConfig } from './train.ts'

/** Particles are saved at most this often while a run is under way. */
const SAVE_EVERY_MS = 2000

const { files } = platform

/**
 * Makes the directory of a run and writes config.json.
 *
 * @throws UsageError for a task that could not be made again, when the directory exists and `overwrite` is not set,
 *   when its config.json is not that of a run, or when it cannot be written
 */
export async function createRun(
  directory: string,
  config: RunSummary['config'],
  options: { overwrite?: boolean } = {},
): Promise<Run> {
  requireText('createRun', 'the directory to write to', directory)
  refuseUnknown('createRun', options, ['overwrite'])
  const { overwrite = false } = options
  check(trueOrFalse('overwrite'), overwrite)
  requireThat(isRecord(config), 'createRun', 'the configuration that runConfig() gives', config)
  // The options of train() may have a task there, of which a file would keep what is no function.
  const names = config.env === undefined || typeof config.env === 'string'
  requireThat(names, 'createRun', 'the configuration that runConfig() gives, with the id of a task as env', config.env)
  const written = await writtenConfig(config)
  const path = await files.place(directory)
  const release = await takeLock(path)
  try {
    await recover(path)
    await refuseToReplace(path, overwrite)
    const place = (await holdsRun(path)) ? newOf(path) : path
    await writing(path, async () => {
      if (place !== path) await files.removeDirectory(place)
      // What is left of an earlier run, and nothing else.
      else await clear(path, Object.values(FILES))
      await files.makeDirectory(place)
      await files.write(fileOf(place, 'config'), `${JSON.stringify(written, null, 2)}\n`)
    })
    return asState('a run', { path: place, directory: path, release, config: written, ...begun(null) })
  } catch (error) {
    await release()
    throw error
  }
}

const holdsRun = async (path: string) =>
  (await files.exists(fileOf(path, 'config'))) || (await files.exists(fileOf(path, 'particles')))

/** Takes the place of the run that was there, which is kept until then; what the user had beside its files stays. */
async function install(run: Run): Promise<void> {
  const { path, directory } = run
  if (path === directory) return
  await writing(directory, async () => {
    const old = await exchange(path, directory)
    run.path = directory
    if (old) await takeOver(old, directory)
  })
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
  if ((await holdsRun(path)) && (await files.isMount(path)))
    throw new UsageError(
      `${show(path)} is where a disk begins, which cannot be replaced as a whole; name a directory in it.`,
    )
  const file = fileOf(path, 'config')
  if (!(await files.exists(file))) return
  const config = await reading(file, parseJson).catch(() => null)
  // A file that was cut short is still that of a run where its other files are there.
  if (config === null && (await files.exists(fileOf(path, 'metrics')))) return
  if (config === null || typeof config !== 'object' || !('env' in config)) {
    throw new UsageError(`${show(file)} is not that of a run and would be overwritten; choose another --out.`)
  }
}

/**
 * Passes the steps of train() through and keeps them in the run's directory. However the run ends, metrics.jsonl holds
 * every iteration done and particles.safetensors the last finite particles.
 */
export async function* record<S extends TrainStep<AlgorithmName> & Partial<Evaluated>>(
  run: Run,
  steps: AsyncIterable<S>,
  options: RecordOptions = {},
): AsyncGenerator<S> {
  requireRun('record', run)
  requireSteps('record', steps)
  refuseUnknown('record', options, ['checkpointEvery', 'beside', 'onCheckpoint'])
  if (options.onCheckpoint !== undefined) requireFunction('onCheckpoint', options.onCheckpoint, '(path) => …')
  const checkpoints = keepCheckpoints(run, options)
  let latest: Particles | null = null
  let savedAt = Number.NEGATIVE_INFINITY
  const written: (keyof typeof FILES)[] = ['config']
  const append = async (name: 'metrics' | 'evaluations', line: object) => {
    await refuseRemoved(run, written)
    await writing(run.path, () => files.append(fileOf(run.path, name), `${JSON.stringify(line)}\n`))
    if (!written.includes(name)) written.push(name)
  }
  try {
    for await (const step of steps) {
      latest = particlesOf(step)
      if (run.isToBeCut) await cut(run, step, options.checkpointEvery ?? CHECKPOINT_EVERY)
      run.metrics.push(step.metrics)
      await append('metrics', step.metrics)
      if (step.evaluation) await append('evaluations', evaluatedIn(run, step, step.evaluation))
      await checkpoints.keep(step)
      if (platform.now() - savedAt > SAVE_EVERY_MS) {
        await saveParticles(run, latest)
        savedAt = platform.now()
      }
      let goesOn = false
      try {
        yield step
        goesOn = true
      } finally {
        // Before the loop that is left closes the run: what is in memory is the state of this iteration.
        if (!goesOn) await checkpoints.keep(step, true)
      }
    }
  } finally {
    // Those of the iteration that was done last, whatever the next one has come to.
    try {
      if (latest) await saveParticles(run, latest)
      await checkpoints.end()
    } finally {
      await run.release()
    }
  }
}

/** An evaluation of this iteration. */
function evaluatedIn(run: Run, { metrics }: Pick<TrainStep<AlgorithmName>, 'metrics'>, evaluation: Evaluation) {
  const line = { iteration: metrics.iteration, transitions: metrics.transitions, ...evaluation }
  run.evaluations.push(line)
  return line
}

/** What was written and has been removed since: whatever follows would not be a run. */
async function refuseRemoved({ path, directory }: Run, names: readonly (keyof typeof FILES)[]): Promise<void> {
  for (const name of names)
    if (await files.isMissing(fileOf(path, name)))
      throw new StorageError(`Cannot write the run to ${show(directory)}: its ${FILES[name]} was removed meanwhile.`)
}

/** What record() is told beside the run. */
export interface RecordOptions {
  /**
   * Seconds between two checkpoints, of which a run that is killed loses at most the last; 0: one an iteration. The
   * first and the last iteration have one. Default 30.
   */
  readonly checkpointEvery?: number
  /** A state of the caller's own that is to be kept with them. */
  readonly beside?: StatePart
  /** Called when a checkpoint is on disk, with the directory; the next one is not written before it has ended. */
  readonly onCheckpoint?: (path: string) => Promise<void>
}

const CHECKPOINT_EVERY = 30

/** Says at the start where a run could not go on to the same bits. */
function tellOfEpisodes(spec: EnvironmentSpec): void {
  if (canBeMoved(spec)) return
  platform.warn(
    `${spec.id} gives other episodes for the same seed and actions, and has no getState and setState: a run that is ` +
      'stopped cannot go on in the middle of them.',
  )
}

/** The files of lines that a checkpoint must not be ahead of. */
const logsOf = ({ evaluations }: Run) =>
  evaluations.length > 0 ? (['metrics', 'evaluations'] as const) : (['metrics'] as const)

/** Writes checkpoints while training goes on. */
function keepCheckpoints(run: Run, { checkpointEvery = CHECKPOINT_EVERY, beside, onCheckpoint }: RecordOptions) {
  const every = check(nonNegativeNumber('checkpointEvery'), checkpointEvery) * 1000
  const task = (run.config.task ?? null) as Readonly<Record<string, unknown>> | null
  let writtenAt = Number.NEGATIVE_INFINITY
  let last = 0
  let pending: Promise<unknown> = Promise.resolve()
  // The one before is on the disk when the next is encoded.
  const { clear, allocate } = reusedMemory()
  const ended = async () => {
    const failure = await pending
    if (failure) throw failure
  }
  return {
    async keep({ iteration, iterations, snapshot, spec }: TrainStep<AlgorithmName>, isLeft = false): Promise<void> {
      const isDue = isLeft || iteration === iterations || platform.now() - writtenAt >= every
      if (!isDue || iteration === last) return
      await ended()
      if (last === 0) tellOfEpisodes(spec)
      const isFirst = run.kept.iterations.length === 0
      clear()
      const { now, write } = checkpointWriter(run.path, run.kept, snapshot(task, beside), logsOf(run), allocate)
      run.kept = now
      writtenAt = platform.now()
      last = iteration
      // What it throws is thrown where the next one is to be written.
      pending = write()
        .then(() => onCheckpoint?.(run.path))
        .catch((error: unknown) => error)
      // The particles, which may take the place of an older run, come after it.
      if (isFirst) await ended()
    },
    end: ended,
  }
}

/** Writes the particles, if they are finite. */
async function saveParticles(run: Run, particles: Particles): Promise<void> {
  const file = encodeContent(particles)
  if (!file) return
  run.kernel = particles.matrix
  await writing(run.path, () => files.write(fileOf(run.path, 'particles'), file))
  await install(run)
}

/** @throws UsageError for what createRun() and continueRun() do not give */
function requireRun(taker: string, run: Run): void {
  requireThat(isMade('a run', run), taker, 'the run that createRun() or continueRun() gives, and no copy', run)
}

/**
 * Writes evaluation.json and report.html. Returns the path of the report.
 *
 * @throws UsageError where another process trains in the directory by now; StorageError where it cannot be written
 */
export async function finishRun(
  run: Run,
  outcome: string,
  evaluation: Evaluation | null,
  acting: ShownEpisode | null = null,
): Promise<string> {
  requireRun('finishRun', run)
  await refuseRemoved(run, run.kept.iterations.length > 0 ? ['config', 'metrics', 'particles'] : ['config'])
  const report = fileOf(run.path, 'report')
  const page = await renderReport({ ...run, outcome, evaluation, acting })
  const release = await takeLock(run.directory)
  try {
    await writing(run.path, async () => {
      if (evaluation) await files.write(fileOf(run.path, 'evaluation'), `${JSON.stringify(evaluation)}\n`)
      await files.write(report, page)
    })
  } finally {
    await release()
  }
  return report
}
