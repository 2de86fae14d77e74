import { Command } from 'commander'
import pc from 'picocolors'
import { check, isExpected, wholeNumber } from '../core/errors.ts'
import { freeze } from '../envs/description.ts'
import type { Evaluation } from '../report/metrics.ts'
import { createRun, finishRun, record, refuseToReplace } from '../train/record.ts'
import {
  type AlgorithmName,
  type AnyTrainOptions,
  type AnyTrainStep,
  algorithmNamed,
  algorithms,
  evaluate,
  runConfig,
  train,
} from '../train/train.ts'
import { type Interrupt, listenForInterrupt, oneByOne } from './interrupt.ts'
import { printEvaluation, printLine } from './print.ts'
import { iterationLine, progress } from './progress.ts'
import { addSettings } from './settings.ts'
import { type TaskOptions, taskOf, taskOptions } from './task.ts'
import { number } from './values.ts'

/** Options of the command that are not settings of the algorithm. */
interface CommandOptions {
  workers?: unknown
  workerLimit?: unknown
  iterations: number
  out?: string
  overwrite: boolean
  evalEpisodes: number
  json: boolean
  constants?: TaskOptions['constants']
  maxEpisodeSteps?: number
  wrap: TaskOptions['wrap']
}

/** One command an algorithm, each with the settings it has. */
export function trainCommand(): Command {
  const train = new Command('train')
    .description('Train a population and write a run directory with its particles, metrics and a report.')
    .usage('<algorithm> <environment> [options]')
    .argument('<algorithm>', 'one of the commands below, which tell their options with --help')
    // Whatever stands behind an algorithm that does not exist.
    .argument('[environment...]', 'for example CartPole-v1')
    .allowUnknownOption()
    .action((name: string) => void algorithmNamed(name))
  for (const name of Object.keys(algorithms) as AlgorithmName[]) train.addCommand(algorithmCommand(name))
  return train
}

function algorithmCommand(name: AlgorithmName): Command {
  const about = 'an id, as CartPole-v1 or HalfCheetah-v5, or a module with a task of your own, as ./task.js'
  const settings = addSettings(new Command(name).argument('<environment>', about), name)
  if (settings.options.some((option) => option.attributeName() === 'workers'))
    settings.option('--worker-limit <s>', 'seconds that a worker may take for one particle (600)', number)
  return taskOptions(settings)
    .option('--iterations <n>', '', number, 60)
    .option('--out <directory>', 'where to write the run (runs/ALGORITHM-ENVIRONMENT-SEED)')
    .option('--overwrite', 'replace an earlier run in that directory', false)
    .option('--eval-episodes <n>', 'episodes to evaluate each particle on at the end; 0 for none', number, 100)
    .option('--json', 'print one JSON line an iteration instead of progress', false)
    .action((env: string, options: CommandOptions) => runTraining(name, env, options))
}

async function runTraining(algorithm: string, env: string, { ...all }: CommandOptions): Promise<void> {
  const { iterations, out, overwrite, evalEpisodes, json, workers, workerLimit, ...rest } = all
  const { constants, maxEpisodeSteps, wrap, ...settings } = rest
  // Everything is checked before the first file is written.
  check(wholeNumber('eval-episodes', 0, 1_000_000), evalEpisodes)
  const spec = await taskOf(env, { constants, maxEpisodeSteps, wrap })
  const config = runConfig({ algorithm, env: spec, iterations, ...settings } as AnyTrainOptions)
  const path = out ?? `runs/${algorithm}-${spec.id}-${config.seed}`
  await refuseToReplace(path, overwrite)
  // A run whose first step fails, for want of memory perhaps, leaves no directory and replaces none.
  const { task: _, ...given } = config
  const steps = train({
    ...given,
    env: spec,
    workers,
    ...(workerLimit !== undefined && { workerLimit }),
  } as AnyTrainOptions)
  const interrupt = listenForInterrupt()
  const first = await interrupt.during(() => steps.next())
  const run = await createRun(path, config, { overwrite })
  let outcome = 'Failed.'
  let evaluation: Evaluation | null = null
  try {
    const last = await consume(record(run, resume(first, steps)), interrupt, json)
    outcome =
      last.iteration === iterations
        ? `Finished all ${iterations} iterations.`
        : `Stopped by hand after iteration ${last.iteration} of ${iterations}.`
    if (evalEpisodes > 0 && !interrupt.requested)
      evaluation = await evaluateLast(last, config.seed, evalEpisodes, interrupt, json)
  } catch (error) {
    if (isExpected(error)) outcome = `Failed. ${error.message}`
    throw error
  } finally {
    interrupt.release()
    const report = await finishRun(run, outcome, evaluation)
    if (!json) console.log(`${outcome} Report: ${pc.cyan(report)}`)
    if (interrupt.requested) process.exitCode = interrupt.exitCode
  }
}

async function* resume(
  first: IteratorResult<AnyTrainStep>,
  steps: AsyncGenerator<AnyTrainStep>,
): AsyncGenerator<AnyTrainStep> {
  if (!first.done) yield first.value
  yield* steps
}

/** Shows every step; returns the last one, which is not the run's last when Ctrl-C came. */
async function consume(steps: AsyncIterable<AnyTrainStep>, interrupt: Interrupt, json: boolean): Promise<AnyTrainStep> {
  const line = json ? null : progress()
  let last: AnyTrainStep | undefined
  let returns: (number | null)[] = []
  try {
    for await (const step of oneByOne(steps, interrupt)) {
      last = step
      // A particle whose episodes are all still running keeps the return it had.
      returns = step.metrics.returns.map((value, i) => value ?? returns[i] ?? null)
      if (json) printLine(step.metrics)
      for (const loss of step.losses) console.error(loss)
      line?.update(
        iterationLine(
          step.metrics,
          step.iterations,
          returns.filter((value) => value !== null),
        ),
      )
      if (interrupt.requested) break
    }
  } finally {
    line?.stop()
  }
  return last as AnyTrainStep
}

const INTERRUPTED = Symbol('interrupted')

/** Null when Ctrl-C came before the last particle. */
async function evaluateLast(
  { spec, agents }: AnyTrainStep,
  seed: number,
  episodes: number,
  interrupt: Interrupt,
  json: boolean,
): Promise<Evaluation | null> {
  const line = json ? null : progress()
  let evaluation: Evaluation
  freeze(spec)
  try {
    evaluation = await evaluate({
      spec,
      ...agents(),
      episodes,
      seed,
      onProgress(done, total) {
        if (interrupt.requested) throw INTERRUPTED
        line?.update(`evaluating ${done}/${total}`)
      },
    })
  } catch (error) {
    if (error === INTERRUPTED) return null
    throw error
  } finally {
    line?.stop()
  }
  if (json) printLine({ evaluation })
  else printEvaluation(evaluation)
  return evaluation
}
