import { Command } from 'commander'
import pc from 'picocolors'
import { interactions } from '../algorithms/interaction.ts'
import type { SvpgOptions } from '../algorithms/svpg.ts'
import { check, isExpected, wholeNumber } from '../core/errors.ts'
import { activations, initialisations } from '../nn/network.ts'
import { headNames } from '../nn/policy.ts'
import { baselines, estimators, selfImitations } from '../rl/estimator.ts'
import { temperatureSchedules } from '../rl/temperature.ts'
import type { Evaluation } from '../train/metrics.ts'
import { createRun, finishRun, record, refuseToReplace } from '../train/run-directory.ts'
import { evaluate, runConfig, type TrainOptions, type TrainStep, train } from '../train/train.ts'
import { INTERRUPTED_EXIT_CODE, type Interrupt, listenForInterrupt } from './interrupt.ts'
import { printEvaluation, printLine } from './print.ts'
import { iterationLine, progress } from './progress.ts'
import { flag, list, number } from './values.ts'

/** Options of the command that are not settings of the algorithm. */
interface CommandOptions {
  iterations: number
  out?: string
  overwrite: boolean
  evalEpisodes: number
  json: boolean
}

export function trainCommand(): Command {
  return new Command('train')
    .description('Train a population and write a run directory with its particles, metrics and a report.')
    .argument('<algorithm>', 'svpg')
    .argument('<environment>', 'for example CartPole-v1')
    .option('--particles <n>', 'policies in the population (16)', number)
    .option('--temperature <alpha>', 'divides the policy gradient; the repulsion is not scaled (10)', number)
    .option('--temperature-schedule <kind>', `${temperatureSchedules.join(', ')} (constant)`)
    .option('--temperature-from <alpha>', 'where a schedule begins (ten times the temperature)', number)
    .option('--temperature-iterations <n>', 'of a schedule (those of the run)', number)
    .option('--interaction <how>', `${interactions.join(', ')} (stein)`)
    .option('--kernel <name>', 'rbf, matern32 or imq on parameters, js or symmetric-kl on behaviour (rbf)')
    .option('--kernel-temperature <T>', 'of a kernel on behaviour (0.5 for js, 1 for symmetric-kl)', number)
    .option('--exploration <share>', 'of a kernel on behaviour: fixed, or anneal from 1 to 0 (anneal)', number)
    .option('--per-layer <yes>', 'a kernel on each layer alone: true or false (false)', flag)
    .option('--repulsion <weight>', 'multiplies the repulsion (1)', number)
    .option('--evolution-every <n>', 'iterations between steps of evolution; 0 for none (0)', number)
    .option('--prior <sigma>', 'flat, or the standard deviation of a Gaussian prior (flat)', number)
    .option('--bandwidth <rule>', 'a named rule or a fixed h (svpg-code)', number)
    .option('--hidden <widths>', 'hidden layers, as 64,64', list)
    .option('--activation <kind>', `of the hidden layers: ${activations.join(', ')} (tanh)`)
    .option('--head <kind>', `distribution of actions: ${headNames.join(', ')}; by default what fits the task`)
    .option('--initialisation <scheme>', `of the weights: ${initialisations.join(', ')} (normal)`)
    .option('--gain <factor>', 'of the initial weights of hidden layers (1)', number)
    .option('--learning-rate <rate>', 'of Adam (0.005)', number)
    .option('--environments <n>', 'parallel environments of each particle (16)', number)
    .option('--steps <n>', 'steps of each environment in one iteration (128)', number)
    .option('--estimator <name>', `${estimators.join(', ')} (reinforce)`)
    .option('--baseline <kind>', `${baselines.join(', ')} (linear, or value for a2c and ppo)`)
    .option('--discount <gamma>', '(0.99)', number)
    .option('--lambda <lambda>', 'of generalised advantage estimation (1, or 0.95 for a2c and ppo)', number)
    .option('--n-steps <n>', 'returns of so many steps in place of lambda', number)
    .option('--critic-hidden <widths>', 'hidden layers of the critic, as 64,64', list)
    .option('--critic-learning-rate <rate>', 'of its Adam (0.001)', number)
    .option('--critic-epochs <n>', 'passes of the critic over a rollout (4)', number)
    .option('--critic-batch <rows>', 'of a step of the critic (256)', number)
    .option('--clip <epsilon>', 'of ppo (0.2)', number)
    .option('--epochs <n>', 'of ppo over a rollout (5)', number)
    .option('--minibatches <n>', 'of ppo in an epoch (4)', number)
    .option('--standardise <yes>', 'standardise advantages: true or false (true)', flag)
    .option('--entropy-bonus <beta>', 'for the entropy at visited states (0)', number)
    .option('--entropy-reward <tau>', 'in rewards less tau log pi, which looks ahead (0)', number)
    .option('--self-imitation <kind>', `${selfImitations.join(', ')} (none)`)
    .option('--imitation-steps <n>', 'transitions: steps of an iteration (4)', number)
    .option('--imitation-batch <rows>', 'transitions: of a step (512)', number)
    .option('--imitation-capacity <rows>', 'transitions: that are kept (10000)', number)
    .option('--priority-exponent <alpha>', 'transitions: of replay (0.6)', number)
    .option('--importance-exponent <beta>', 'transitions: of importance weights (0.1)', number)
    .option('--imitation-value-weight <weight>', 'transitions: of the loss of the critic (0.01)', number)
    .option('--imitation-share <mu>', 'trajectories: of the advantages of the discriminator (0.8)', number)
    .option('--trajectories <n>', 'trajectories: that are kept (10)', number)
    .option('--discriminator-hidden <widths>', 'trajectories: hidden layers, as 100,100', list)
    .option('--discriminator-learning-rate <rate>', 'trajectories: of its Adam (0.0001)', number)
    .option('--seed <n>', 'same seed, same bytes (0)', number)
    .option('--workers <n>', 'evaluate particles on so many workers, or auto; the same bytes (auto)', number, 'auto')
    .option('--iterations <n>', '', number, 60)
    .option('--out <directory>', 'where to write the run (runs/ALGORITHM-ENVIRONMENT-SEED)')
    .option('--overwrite', 'replace an earlier run in that directory', false)
    .option('--eval-episodes <n>', 'episodes to evaluate each particle on at the end; 0 for none', number, 100)
    .option('--json', 'print one JSON line an iteration instead of progress', false)
    .action(runTraining)
}

async function runTraining(
  algorithm: string,
  env: string,
  { ...all }: CommandOptions & Omit<SvpgOptions, 'env'>,
): Promise<void> {
  const { iterations, out, overwrite, evalEpisodes, json, workers, ...settings } = all
  // Everything is checked before the first file is written.
  check(wholeNumber('eval-episodes', 0, 1_000_000), evalEpisodes)
  const config = runConfig({ algorithm, env, iterations, ...settings } as TrainOptions)
  const path = out ?? `runs/${algorithm}-${env}-${config.seed}`
  await refuseToReplace(path, overwrite)
  // A run whose first step fails, for want of memory perhaps, leaves no directory and replaces none.
  const steps = train({ ...config, workers } as TrainOptions)
  const first = await steps.next()
  const run = await createRun(path, config, { overwrite })
  const interrupt = listenForInterrupt()
  let outcome = 'Failed.'
  let evaluation: Evaluation | null = null
  try {
    const last = await consume(record(run, resume(first, steps)), interrupt, json)
    outcome =
      last.iteration === iterations
        ? `Finished all ${iterations} iterations.`
        : `Stopped by hand after iteration ${last.iteration} of ${iterations}.`
    if (evalEpisodes > 0 && !interrupt.requested) evaluation = await evaluateLast(last, evalEpisodes, interrupt, json)
  } catch (error) {
    if (isExpected(error)) outcome = `Failed. ${error.message}`
    throw error
  } finally {
    interrupt.release()
    const report = await finishRun(run, outcome, evaluation)
    if (!json) console.log(`${outcome} Report: ${pc.cyan(report)}`)
    if (interrupt.requested) process.exitCode = INTERRUPTED_EXIT_CODE
  }
}

async function* resume(first: IteratorResult<TrainStep>, steps: AsyncGenerator<TrainStep>): AsyncGenerator<TrainStep> {
  if (!first.done) yield first.value
  yield* steps
}

/** Shows every step; returns the last one, which is not the run's last when Ctrl-C came. */
async function consume(steps: AsyncIterable<TrainStep>, interrupt: Interrupt, json: boolean): Promise<TrainStep> {
  const line = json ? null : progress()
  let last: TrainStep | undefined
  let returns: (number | null)[] = []
  try {
    for await (const step of steps) {
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
  return last as TrainStep
}

const INTERRUPTED = Symbol('interrupted')

/** Null when Ctrl-C came before the last particle. */
async function evaluateLast(
  { state }: TrainStep,
  episodes: number,
  interrupt: Interrupt,
  json: boolean,
): Promise<Evaluation | null> {
  const { task, policy, particles, arena, config } = state
  const line = json ? null : progress()
  let evaluation: Evaluation
  try {
    evaluation = await evaluate({
      spec: task.spec,
      policy,
      theta: arena.view.theta,
      particles,
      episodes,
      seed: config.seed,
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
