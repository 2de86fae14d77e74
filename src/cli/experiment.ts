import { Command } from 'commander'
import pc from 'picocolors'
import { isRedisAddress } from '../cluster/address.ts'
import type { Estimate } from '../core/statistics.ts'
import { readExperiment } from '../experiments/directory.ts'
import { type ExperimentProgress, runExperiment } from '../experiments/experiment.ts'
import { type ExperimentOptions, planOf } from '../experiments/plan.ts'
import { presetNamed, presets } from '../experiments/presets.ts'
import type { ExperimentSummary } from '../experiments/summary.ts'
import { type Interrupt, listenForInterrupt, oneByOne } from './interrupt.ts'
import { printLine } from './print.ts'
import { duration, format, progress } from './progress.ts'
import { directory, number, words } from './values.ts'

type CommandOptions = Omit<ExperimentOptions, 'preset' | 'shard'> & { json: boolean; shard?: string }

export function experimentCommand(): Command {
  return new Command('experiment')
    .description('Compare variants over several seeds, and report it; without a name, list the experiments.')
    .argument('[name]', 'for example svpg-cartpole')
    .option('--seeds <n>', 'runs of each variant (as the experiment says)', number)
    .option('--iterations <n>', 'of each run (as the experiment says)', number)
    .option('--variants <labels>', 'only these, as stein,joint (all)', words)
    .option(
      '--jobs <n|address>',
      'runs at a time, or redis://host whose workers do them; the same bytes (one a core)',
      hands,
    )
    .option('--checkpoint-every <s>', 'seconds between two checkpoints of a run, 0 for one an iteration (30)', number)
    .option('--shard <i/n>', 'do this share of the runs, as 2/8 (by itself in an array of Slurm or an indexed Job)')
    .option('--out <directory>', 'where to write, and to go on with what is there (runs/NAME)', directory)
    .option('--overwrite', 'start over where there is an experiment already', false)
    .option('--json', 'print one JSON line an iteration of a run instead of progress, and the summary', false)
    .action(runCommand)
}

async function runCommand(name: string | undefined, { json, shard: text, ...options }: CommandOptions): Promise<void> {
  if (name === undefined) return listPresets(json)
  const shard = text === undefined ? shardOf(process.env) : (text.split('/').map(number) as [number, number])
  if (shard) console.error(`Does the runs of shard ${shard.join('/')}.`)
  const given = { ...options, preset: presetNamed(name), ...(shard && { shard }) }
  const { path } = await planOf(given)
  const interrupt = listenForInterrupt()
  try {
    await consume(runExperiment(given), interrupt, json)
  } finally {
    interrupt.release()
    if (interrupt.requested) process.exitCode = interrupt.exitCode
  }
  const summary = await readExperiment(path)
  const failed = failedRuns(summary)
  for (const each of failed) console.error(each)
  if (failed.length > 0 && !interrupt.requested) process.exitCode = 1
  if (json) return printLine({ experiment: withoutCurves(summary) })
  printSummary(summary)
  const outcome = interrupt.requested ? 'Stopped by hand; the same command goes on. ' : ''
  console.log(`${outcome}Report: ${pc.cyan(`${path}/report.html`)}`)
}

/** Every run that failed, in a sentence. */
export const failedRuns = ({ variants }: Pick<ExperimentSummary, 'variants'>): string[] =>
  variants.flatMap(({ label, runs }) =>
    runs
      .filter(({ outcome }) => outcome === 'failed')
      .map(({ seed, reason = 'It gives no reason.' }) => `${label}, seed ${seed} failed: ${reason}`),
  )

const hands = (text: string) => (isRedisAddress(text) ? text : number(text))

/** As the scheduler has numbered this process: an array job of Slurm, or an indexed Job of Kubernetes. */
function shardOf(env: Readonly<Record<string, string | undefined>>): [number, number] | undefined {
  const { SLURM_ARRAY_TASK_ID: id, SLURM_ARRAY_TASK_COUNT: count } = env
  const { SLURM_ARRAY_TASK_MIN: first = '0', SLURM_ARRAY_TASK_STEP: step = '1' } = env
  if (id !== undefined && count !== undefined) return [(Number(id) - Number(first)) / Number(step) + 1, Number(count)]
  const { JOB_COMPLETION_INDEX: index, JOB_COMPLETIONS: completions } = env
  return index !== undefined && completions !== undefined ? [Number(index) + 1, Number(completions)] : undefined
}

function listPresets(json: boolean): void {
  if (json) return void presets.forEach(({ name, shows, env }) => void printLine({ name, shows, env }))
  for (const { name, shows, env, variants, seeds, iterations } of presets) {
    const size = `${env}; ${variants.map(({ label }) => label).join(', ')}; seeds ${seeds}, iterations ${iterations}`
    console.log(`${pc.bold(name)}\n  ${shows}\n  ${pc.dim(size)}`)
  }
}

async function consume(steps: AsyncIterable<ExperimentProgress>, interrupt: Interrupt, json: boolean): Promise<void> {
  const line = json ? null : progress()
  const started = performance.now()
  const current = new Map<string, string>()
  try {
    for await (const step of oneByOne(steps, interrupt)) {
      const { variant, seed, status, metrics, notes } = step
      for (const note of notes) console.error(`${variant}, seed ${seed}: ${note}`)
      if (json) printLine({ variant, seed, status, ...metrics })
      if (metrics || status === 'evaluating') current.set(`${variant} ${seed}`, describe(step))
      if (status === 'finished' || status === 'failed' || status === 'kept') current.delete(`${variant} ${seed}`)
      line?.update(progressLine(step, [...current.values()], (performance.now() - started) / 1000))
      if (interrupt.requested) break
    }
  } finally {
    line?.stop()
  }
}

/** stein 0: 120, best 401.2 */
function describe({ variant, seed, metrics }: ExperimentProgress): string {
  if (!metrics) return `${variant} ${seed}: evaluating`
  const returns = metrics.returns.filter((value) => value !== null)
  return `${variant} ${seed}: ${metrics.iteration}, best ${format(Math.max(...returns))}`
}

/** 2 of 9 runs · stein 1: 120, best 401.2 · joint 0: 20, best 65.0 · 12 min 3 s left */
function progressLine({ runs, share }: ExperimentProgress, current: readonly string[], seconds: number): string {
  const failed = runs.failed > 0 ? `, ${runs.failed} failed` : ''
  const left = share > 0 ? [`${duration((seconds / share) * (1 - share))} left`] : []
  return [`${runs.finished} of ${runs.total} runs${failed}`, ...current, ...left].join(' · ')
}

function withoutCurves({ variants, ...summary }: ExperimentSummary) {
  const bare = variants.map(({ curves: _, runs, ...variant }) => ({
    ...variant,
    runs: runs.map(({ curves: _, ...run }) => run),
  }))
  return { ...summary, variants: bare }
}

/** Per variant: best, final median, final worst, each as mean ± half the 95 % confidence interval over seeds. */
function printSummary({ variants, published }: ExperimentSummary): void {
  const width = Math.max(10, ...variants.map(({ label }) => label.length + 2))
  const row = (name: string, ...cells: string[]) =>
    `  ${name.padEnd(width)}${cells.map((c) => c.padStart(20)).join('')}`
  console.log(pc.dim(row('variant', 'best', 'iterations to 95 %', 'final median', 'final worst', 'finished')))
  for (const { label, estimates, runs } of variants) {
    const { best, iterationsTo95, finalMedian, finalWorst } = estimates
    const cells = [best, iterationsTo95, finalMedian, finalWorst].map(withInterval)
    const finished = runs.filter(({ outcome }) => outcome === 'finished').length
    console.log(row(label, ...cells, `${finished} of ${runs.length}`))
  }
  for (const { short, best } of published) {
    const known = variants
      .filter(({ label }) => Object.hasOwn(best, label))
      .map(({ label }) => `${label} ${format(best[label])}`)
    if (known.length > 0) console.log(pc.dim(`  ${short}: ${known.join(', ')}`))
  }
}

const withInterval = ({ mean, halfWidth }: Estimate = { mean: null, halfWidth: null, seeds: 0 }): string =>
  `${format(mean ?? Number.NaN)}${halfWidth === null ? '' : ` ± ${format(halfWidth)}`}`
