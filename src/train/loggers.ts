import { platform } from '#platform'
import { requireThat } from '../core/require.ts'
import { finite, meanOf } from '../core/statistics.ts'
import { type Evaluated, type LoopStep, requireSteps, type StepHelper } from './loop.ts'
import type { Run } from './run.ts'
import { fileOf } from './run-files.ts'
import { encodeEvent } from './tensorboard.ts'

/** What is told of every step; what it returns is waited for. */
export type Logger = (step: LoopStep & Partial<Evaluated>) => unknown

/**
 * Tells loggers of every step. One that fails is warned of once and told no more: the run goes on.
 *
 *     for await (const step of logTo((step) => send(step.metrics))(train({ env: 'CartPole-v1' }))) …
 */
export function logTo(...loggers: readonly Logger[]): StepHelper {
  for (const logger of loggers)
    requireThat(typeof logger === 'function', 'logTo', 'loggers, which are functions', logger)
  return async function* (steps) {
    requireSteps('logTo', steps)
    let working = [...loggers]
    for await (const step of steps) {
      for (const logger of working) {
        try {
          await logger(step)
        } catch (error) {
          working = working.filter((other) => other !== logger)
          platform.warn(`A logger failed and is told no more: ${String((error as Error)?.message ?? error)}`)
        }
      }
      yield step
    }
  }
}

/** The numbers of a step by name, of particles their mean; the best of an evaluation where there is one. */
function scalarsOf({ metrics, evaluation }: LoopStep & Partial<Evaluated>): Record<string, number | null> {
  const scalars = Object.entries(metrics).flatMap(([name, value]): [string, number | null][] => {
    if (Array.isArray(value)) return [[name, meanOf(value.map((each) => finite(each)))]]
    return value === null || typeof value === 'number' ? [[name, finite(value)]] : []
  })
  return {
    ...Object.fromEntries(scalars),
    evaluationGreedy: evaluation ? Math.max(...evaluation.greedy) : null,
    evaluationSampled: evaluation ? Math.max(...evaluation.sampled) : null,
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

/** metrics.csv in the directory of a run, a line an iteration: a number that is missing leaves its cell empty. */
function csv(run: Run): Logger {
  let columns: string[] | null = null
  return async (step) => {
    const scalars = scalarsOf(step)
    const file = fileOf(run.path, 'csv')
    // A run that goes on keeps its columns.
    if (!columns && (await files.exists(file)))
      columns = new TextDecoder()
        .decode(await files.read(file))
        .split('\n', 1)[0]
        .split(',')
    if (!columns) {
      columns = Object.keys(scalars)
      await files.append(file, `${columns.join(',')}\n`)
    }
    await files.append(file, `${columns.map((name) => scalars[name] ?? '').join(',')}\n`)
  }
}

// biome-ignore lint/plugin: a date beside the numbers, which trains nothing
const now = () => Date.now() / 1000

/** An event file in the directory of a run, by environment steps. */
function tensorboard(run: Run): Logger {
  const name = `events.out.tfevents.${Math.floor(now())}.steinrl`
  let isBegun = false
  return async (step) => {
    const folder = fileOf(run.path, 'tensorboard')
    const place = { wallTime: now(), step: step.metrics.transitions }
    if (!isBegun) {
      await files.makeDirectory(folder)
      await files.append(`${folder}/${name}`, await encodeEvent({ ...place, fileVersion: 'brain.Event:2' }))
      isBegun = true
    }
    const known = Object.entries(scalarsOf(step)).filter((entry): entry is [string, number] => entry[1] !== null)
    const event = { ...place, scalars: Object.fromEntries(known), histograms: histogramsOf(step) }
    await files.append(`${folder}/${name}`, await encodeEvent(event))
  }
}

/** Loggers into the directory of a run, by the names that the command line has for them. */
export const runLoggers: Readonly<Record<string, (run: Run) => Logger>> = { tensorboard, csv }
