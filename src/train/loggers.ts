import { platform } from '#platform'
import { reasonOf, UsageError } from '../core/errors.ts'
import { requireThat } from '../core/require.ts'
import { decodeText } from '../core/text.ts'
import { withoutLearning } from '../envs/description.ts'
import { playEpisode } from '../play/episode.ts'
import { drawGif } from '../play/gif.ts'
import type { Logger } from './logger.ts'
import { type LoopStep, requireSteps, type StepHelper } from './loop.ts'
import { mlflowLogger } from './mlflow.ts'
import type { Run } from './run.ts'
import { fileOf } from './run-files.ts'
import { type ScalarStep, scalarsOf } from './scalars.ts'
import { encodeEvent, type TensorboardEvent } from './tensorboard.ts'

/**
 * Tells loggers of every step, and of the end. One that fails is warned of once and told no more: the run goes on.
 *
 *     for await (const step of logTo((step) => send(step.metrics))(train({ env: 'CartPole-v1' }))) …
 */
export function logTo(...loggers: readonly Logger[]): StepHelper {
  for (const logger of loggers)
    requireThat(typeof logger === 'function', 'logTo', 'loggers, which are functions', logger)
  return async function* (steps) {
    requireSteps('logTo', steps)
    let working = [...loggers]
    async function tell(say: (logger: Logger) => unknown): Promise<void> {
      for (const logger of working) {
        try {
          await say(logger)
        } catch (error) {
          working = working.filter((other) => other !== logger)
          platform.warn(`A logger failed and is told no more: ${reasonOf(error)}.`)
        }
      }
    }
    let failed = true
    try {
      for await (const step of steps) {
        await tell((logger) => logger(step))
        // Who takes no more steps leaves here, and has not failed.
        failed = false
        yield step
        failed = true
      }
      failed = false
    } finally {
      await tell((logger) => logger.close?.(failed))
    }
  }
}

/** What each particle measures, of a population. */
const histogramsOf = ({ metrics }: LoopStep): Record<string, number[]> =>
  Object.fromEntries(
    Object.entries(metrics)
      .filter(([, values]) => Array.isArray(values) && values.length > 1 && values.every(Number.isFinite))
      .map(([name, values]) => [`particles/${name}`, values as number[]]),
  )

const { files } = platform

/**
 * metrics.csv in the directory of a run, a line an iteration: a number that is missing leaves its cell empty. One that
 * goes on keeps its columns, and has no line twice.
 */
function csv(run: Run): Logger {
  let columns: readonly string[] | null = null
  const lineOf = (of: readonly string[], step: ScalarStep) => {
    const scalars = scalarsOf(step)
    return `${of.map((name) => scalars[name] ?? '').join(',')}\n`
  }
  async function begin(step: ScalarStep): Promise<readonly string[]> {
    const file = fileOf(run.path, 'csv')
    const [head, ...lines] = (await files.exists(file)) ? decodeText(await files.read(file)).split('\n') : []
    const found = head ? head.split(',') : Object.keys(scalarsOf(step))
    const { iteration } = step.metrics
    const at = found.indexOf('iteration')
    const iterationOf = (line: string) => Number(line.split(',')[at])
    // Behind the last line break is what a process had begun that was killed.
    const kept = lines.slice(0, -1).filter((line) => at < 0 || iterationOf(line) < iteration)
    const last = kept.length > 0 ? iterationOf(kept[kept.length - 1]) : 0
    const missing = head ? run.metrics.filter((one) => one.iteration > last && one.iteration < iteration) : []
    const added = missing.map((metrics) =>
      lineOf(found, { metrics, evaluation: run.evaluations.find((one) => one.iteration === metrics.iteration) }),
    )
    await files.write(file, `${[found.join(','), ...kept].join('\n')}\n${added.join('')}`)
    return found
  }
  return async (step) => {
    columns ??= await begin(step)
    await files.append(fileOf(run.path, 'csv'), lineOf(columns, step))
  }
}

// biome-ignore lint/plugin: a date beside the numbers, which trains nothing
const now = () => Date.now() / 1000

/** Pixels; scenes of an episode that are shown, and how many a second. */
const PICTURE = { width: 240, framesPerSecond: 30 }
const MOST_SCENES = 250

/** The best particle acting, as an animated picture; null for a task without one, and of texts, which a GIF has not. */
async function pictureOf({ spec, agents }: LoopStep): Promise<Uint8Array | null> {
  if (!spec.render) return null
  const { scenes } = await withoutLearning(spec, () => playEpisode({ agents: agents() }))
  if (!scenes || scenes.some(({ shapes }) => shapes.some(({ kind }) => kind === 'text'))) return null
  return drawGif(scenes.slice(0, MOST_SCENES), PICTURE)
}

/**
 * An event file in the directory of a run, by environment steps: numbers, distributions over particles, the settings,
 * and after an evaluation and at the end the best particle acting.
 */
function tensorboard(run: Run): Logger {
  const name = `events.out.tfevents.${Math.floor(now())}.steinrl`
  let last: LoopStep | null = null
  const write = async (event: Omit<TensorboardEvent, 'wallTime' | 'step'>) => {
    const place = { wallTime: now(), step: last?.metrics.transitions ?? 0 }
    await files.append(`${fileOf(run.path, 'tensorboard')}/${name}`, await encodeEvent({ ...place, ...event }))
  }
  const log: Logger = async (step) => {
    if (!last) {
      await files.makeDirectory(fileOf(run.path, 'tensorboard'))
      await write({ fileVersion: 'brain.Event:2' })
      await write({ settings: run.config, shown: ['best', 'median', 'evaluationGreedy'] })
    }
    last = step
    const known = Object.entries(scalarsOf(step)).filter((entry): entry is [string, number] => entry[1] !== null)
    const isShown = Boolean(step.evaluation) || step.iteration === step.iterations
    const picture = isShown ? await pictureOf(step) : null
    await write({
      ...{ scalars: Object.fromEntries(known), histograms: histogramsOf(step) },
      ...(picture && { images: { acting: picture } }),
    })
  }
  log.close = async (failed) => {
    if (last) await write({ outcome: failed ? 'failure' : 'success' })
  }
  return log
}

/**
 * To the server of MLflow that the variables of its own clients name, with the settings of a run.
 *
 * @throws UsageError where they name none
 */
export function mlflow(config: Run['config']): Logger {
  const url = platform.variable('MLFLOW_TRACKING_URI')
  if (!url)
    throw new UsageError('The logger mlflow needs the address of a server: MLFLOW_TRACKING_URI=http://127.0.0.1:5000.')
  const token = platform.variable('MLFLOW_TRACKING_TOKEN')
  return mlflowLogger({
    ...{ url, settings: config, experiment: platform.variable('MLFLOW_EXPERIMENT_NAME') },
    ...(token && { headers: { authorization: `Bearer ${token}` } }),
  })
}

/** Loggers of a run directory, by the names that the command line has for them. */
export const runLoggers: Readonly<Record<string, (run: Run) => Logger>> = {
  ...{ tensorboard, csv },
  mlflow: (run) => mlflow(run.config),
}
