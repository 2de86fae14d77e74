import { Command } from 'commander'
import { show, UsageError } from '../core/errors.ts'
import { version } from '../core/version.ts'
import { parseTask, taskFrom } from '../envs/description.ts'
import { environments } from '../envs/registry.ts'
import { refuseLong } from '../rl/evaluate.ts'
import { isBestLost } from '../train/best-population.ts'
import type { FoundCheckpoint } from '../train/checkpoint-files.ts'
import { continueRun, readConfig, readRunAt, sentenceOfLost } from '../train/continue-run.ts'
import { readFinished } from '../train/finished-run.ts'
import { presetFor } from '../train/presets.ts'
import { createRun, refuseToReplace } from '../train/record.ts'
import { type ResumeOptions, refuseOtherAlgorithm } from '../train/resume.ts'
import type { Run } from '../train/run.ts'
import { singlePolicyNames } from '../train/single-policies.ts'
import {
  type AlgorithmName,
  type AnyTrainOptions,
  algorithmNamed,
  algorithms,
  runConfig,
  train,
} from '../train/train.ts'
import { checkKeeping, KEEP_OPTIONS, type KeepOptions, keepTraining } from './keep-training.ts'
import { addSettings, type CommandName } from './settings.ts'
import { type TaskOptions, taskOf, taskOptions } from './task.ts'
import { EXAMPLE } from './unknown-option.ts'
import { directory, number, words } from './values.ts'

/** Options of the command that are not settings of the algorithm. */
interface CommandOptions extends KeepOptions {
  workers?: unknown
  workerLimit?: unknown
  iterations: number
  out?: string
  overwrite: boolean
  resume?: string
  fork: boolean
  constants?: TaskOptions['constants']
  maxEpisodeSteps?: number
  wrap: TaskOptions['wrap']
  preset: boolean
}

/** One command an algorithm, each with the settings it has. */
export function trainCommand(): Command {
  const train = new Command('train')
    .description('Train a population and write a run directory with its particles, metrics and a report.')
    .usage('<algorithm> <environment> [options] | --resume <run> [options]')
    .argument('[algorithm]', 'one of the commands below, which tell their options with --help')
    // Whatever stands behind an algorithm that does not exist.
    .argument('[environment...]', 'for example CartPole-v1')
    .allowUnknownOption()
    .enablePositionalOptions()
    .option('--resume <run>', 'go on with a run that was stopped or killed, as if it had not been')
    .action(async (name: string | undefined, _: unknown, { resume }: Pick<CommandOptions, 'resume'>) => {
      if (resume === undefined) {
        if (name !== undefined && (name.startsWith('-') || isTask(name)))
          throw new UsageError(`train takes algorithm and environment first, as in ${EXAMPLE}, got ${show(name)}.`)
        if (name !== undefined) return void algorithmNamed(name)
        throw new UsageError(`missing required argument 'algorithm', as in ${EXAMPLE}`)
      }
      const { algorithm } = await readConfig(resume)
      algorithmNamed(algorithm)
      const command = train.commands.find((each) => each.name() === algorithm) as Command
      await command.parseAsync([...train.args, '--resume', resume], { from: 'user' })
    })
  for (const name of [...(Object.keys(algorithms) as AlgorithmName[]), ...singlePolicyNames])
    train.addCommand(algorithmCommand(name))
  return train
}

function algorithmCommand(name: CommandName): Command {
  const about = 'an id, as CartPole-v1 or HalfCheetah-v5, or a module with a task of your own, as ./task.js'
  const settings = addSettings(new Command(name).argument('[environment]', about), name)
  // A run that goes on has them already, and a preset gives them.
  if (isTyped('resume') || isTyped('preset')) for (const option of settings.options) option.mandatory = false
  if (settings.options.some((option) => option.attributeName() === 'workers'))
    settings.option('--worker-limit <s>', 'seconds that a worker may take for one particle (600)', number)
  return taskOptions(settings)
    .option('--iterations <n>', '', number, 60)
    .option('--preset', 'take the settings that were tried on the task, where no others are given', false)
    .option('--out <directory>', 'where to write the run (runs/ALGORITHM-ENVIRONMENT-SEED)', directory)
    .option('--overwrite', 'replace an earlier run in that directory', false)
    .option('--eval-episodes <n>', 'episodes to evaluate each particle on at the end; 0 for none', number, 100)
    .option('--eval-every <n>', 'evaluate each particle on 20 episodes after every n-th iteration', number)
    .option('--keep-best', 'keep the population of the best such evaluation in RUN/best', false)
    .option(
      '--stop-at <return>',
      'end when the best particle has this mean return, in evaluation where there is one',
      number,
    )
    .option(
      '--stop-without-improvement <n>',
      'end after so many evaluations, or iterations, without a higher one',
      number,
    )
    .option('--log <list>', 'tensorboard and csv, written into the run; mlflow, sent to MLFLOW_TRACKING_URI', words, [])
    .option('--json', 'print one JSON line an iteration instead of progress', false)
    .option('--checkpoint-every <s>', 'seconds between two checkpoints; 0: one an iteration', number, 30)
    .option('--resume <run>', 'go on with a run that was stopped or killed, as if it had not been')
    .option('--fork', 'with --resume: begin a new run with its population, in which settings may be others', false)
    .action((env: string | undefined, options: CommandOptions, command: Command) => {
      if (options.resume !== undefined && options.preset)
        throw new UsageError('--preset is for a new run; one that goes on has its settings.')
      if (options.resume !== undefined) return resumeTraining(name, env, options, givenOf(command))
      if (options.fork) throw new UsageError('--fork begins with the population of a run: name it by --resume.')
      if (env === undefined) throw new UsageError(`missing required argument 'environment', as in ${EXAMPLE}`)
      return runTraining(name, env, options.preset ? { ...options, ...presetOf(name, env, command) } : options)
    })
}

/** Whether a word is what an environment is called: CartPole-v1, python:my_package/MyTask-v0, ./task.js. */
const isTask = (word: string) => Object.hasOwn(environments, word) || /-v\d+$|^python:|\.[cm]?[jt]s$/.test(word)

const isTyped = (option: string) =>
  process.argv.some((word) => word === `--${option}` || word.startsWith(`--${option}=`))

/** What was typed, without defaults. */
const givenOf = (command: Command): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(command.opts()).filter(([name]) => command.getOptionValueSource(name) === 'cli'))

/** What a preset says, and what was typed instead. */
const presetOf = (algorithm: CommandName, env: string, command: Command) => ({
  ...presetFor(algorithm, env),
  ...givenOf(command),
})

/** Options of the command that are no settings: any of them may be another one in a run that goes on. */
const OUTPUT = ['out', 'overwrite', ...KEEP_OPTIONS, 'resume', 'fork', 'preset']
const EVALUATING = ['workers', 'workerLimit']
const OF_TASK = ['constants', 'maxEpisodeSteps', 'wrap']

const without = (options: object, names: readonly string[]): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(options).filter(([name]) => !names.includes(name)))

async function runTraining(algorithm: string, env: string, all: CommandOptions): Promise<void> {
  const { out, overwrite, workers, workerLimit, constants, maxEpisodeSteps, wrap } = all
  const settings = without(all, [...OUTPUT, ...EVALUATING, ...OF_TASK])
  // Everything is checked before the first file is written.
  checkKeeping(all)
  const spec = await taskOf(env, { constants, maxEpisodeSteps, wrap })
  refuseLong(spec, all.evalEpisodes)
  const config = runConfig({ algorithm, env: spec, ...settings } as AnyTrainOptions)
  const path = out ?? `runs/${algorithm}-${spec.id.replaceAll(/[:/]/g, '-')}-${config.seed}`
  await refuseToReplace(path, overwrite)
  const { task: _, ...given } = config
  const steps = train({
    ...given,
    env: spec,
    workers,
    ...(workerLimit !== undefined && { workerLimit }),
  } as AnyTrainOptions)
  await keepTraining(steps, () => createRun(path, config, { overwrite }), all)
}

/** @param given what was typed */
async function resumeTraining(
  algorithm: string,
  env: string | undefined,
  all: CommandOptions,
  given: Readonly<Record<string, unknown>>,
): Promise<void> {
  const { resume = '', fork, out, overwrite, workers, workerLimit } = all
  checkKeeping(all)
  if (!fork && (out !== undefined || overwrite))
    throw new UsageError(`A run goes on in its own directory, ${resume}: --out and --overwrite are for --fork.`)
  if (OF_TASK.some((name) => name in given) && env === undefined)
    throw new UsageError('Name the environment that --constants, --max-episode-steps and --wrap are for.')
  const spec = env === undefined ? undefined : await taskOf(env, all)
  const settings = without(given, [...OUTPUT, ...EVALUATING, ...OF_TASK])
  const options = {
    ...settings,
    ...(spec && { env: spec }),
    workers,
    ...(workerLimit !== undefined && { workerLimit }),
  }
  if (fork) return forkTraining(algorithm, options, all)
  const run = await takeUp(resume, Number(given.iterations ?? 0), all.keepBest)
  try {
    refuseOtherAlgorithm(run.config, algorithm)
    const iterations = (settings.iterations ?? run.config.iterations) as number
    const steps = run.checkpoint
      ? train({ ...(options as object), iterations, resume: run.checkpoint })
      : train(await optionsOf(run.config, { ...options, iterations }))
    tellOfDamage(run.checkpoint)
    const lost = await sentenceOfLost(run)
    if (lost) console.error(lost)
    const made = run.checkpoint?.about.version ?? version
    if (made !== version)
      console.error(
        `${resume} is of steinrl ${made} and goes on by ${version}: what it comes to may differ in last bits.`,
      )
    await keepTraining(steps, async () => run, all)
  } finally {
    await run.release()
  }
}

const tellOfDamage = (found: FoundCheckpoint | null): void => {
  for (const note of found?.notes ?? []) console.error(`${note} The checkpoint before it is taken.`)
}

/**
 * A run at its last checkpoint. Of one that has done its iterations and was not evaluated, and of one whose best
 * population was not kept yet, the one before: what is left is done again.
 */
async function takeUp(path: string, wanted: number, isBestKept: boolean): Promise<Run> {
  const run = await continueRun(path)
  const iterations = Math.max(Number(run.config.iterations), wanted)
  const done = run.checkpoint?.about.iteration
  const isToBeEnded = done === iterations && !(await readFinished(path).catch(() => null))
  if (done === undefined || !(isToBeEnded || (isBestKept && (await isBestLost(run))))) return run
  await run.release()
  return continueRun(path, { before: done })
}

/** A new run that begins with the population of another one, which may be going on. */
async function forkTraining(algorithm: string, options: object, all: CommandOptions): Promise<void> {
  const { resume = '', out, overwrite } = all
  const { config, checkpoint } = await readRunAt(resume)
  refuseOtherAlgorithm(config, algorithm)
  if (!checkpoint) throw new UsageError(`${resume} has no checkpoint to begin with.`)
  if (out === undefined) throw new UsageError('A fork is a new run: say where by --out.')
  await refuseToReplace(out, overwrite)
  tellOfDamage(checkpoint)
  const whole = await optionsOf(config, options)
  const steps = train({ ...whole, resume: checkpoint, fork: true } as ResumeOptions)
  await keepTraining(steps, () => createRun(out, runConfig(whole), { overwrite }), all)
}

/** The settings of a run with others in their place, as train() takes them. */
async function optionsOf(config: Run['config'], options: object): Promise<AnyTrainOptions> {
  const { task, version: _, env: __, ...settings } = config
  const spec = 'env' in options ? options.env : await taskFrom(parseTask(task), { fromFile: true })
  return { ...settings, ...options, env: spec } as AnyTrainOptions
}
