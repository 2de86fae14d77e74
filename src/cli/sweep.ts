import { readFile } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Command } from 'commander'
import pc from 'picocolors'
import { printable, reasonOf, show, UsageError } from '../core/errors.ts'
import { fromJson } from '../core/json.ts'
import { refuseUnknown } from '../core/options.ts'
import { loadModule } from '../envs/description.ts'
import type { SweepOptions } from '../sweeps/plan.ts'
import { readSweep, runSweep, type SweepProgress } from '../sweeps/sweep.ts'
import { type Interrupt, listenForInterrupt, oneByOne } from './interrupt.ts'
import { optunaSampler } from './optuna.ts'
import { printLine } from './print.ts'
import { duration, format, progress } from './progress.ts'
import { type TaskOptions, taskOf, taskOptions } from './task.ts'
import { directory, number } from './values.ts'

interface CommandOptions extends TaskOptions {
  trials: number
  jobs?: number
  sampler: string
  seed: number
  out?: string
  overwrite: boolean
  json: boolean
}

/** What a file may say; the command says the rest. */
const IN_FILE = ['algorithm', 'env', 'settings', 'space', 'iterations', 'transitions', 'objective', 'direction']

export function sweepCommand(): Command {
  return taskOptions(new Command('sweep'))
    .description('Try settings of an algorithm, and report what they come to and which of them matter.')
    .argument('<space>', 'a JSON file, or a module whose default export is the same')
    .option('--trials <n>', 'how many settings to try', number, 20)
    .option('--jobs <n>', 'trials at a time; the same results (one a core)', number)
    .option('--sampler <word>', 'random, sobol, halving, or optuna where PYTHON names a Python that has it', 'sobol')
    .option('--seed <n>', 'of what is tried; that of the trainings is a setting', number, 0)
    .option('--out <directory>', 'where to write, and to go on with what is there (sweeps/SPACE)', directory)
    .option('--overwrite', 'start over where there is a sweep already', false)
    .option('--json', 'print one JSON line a trial instead of progress, and the result', false)
    .action(runCommand)
}

async function runCommand(file: string, { json, ...given }: CommandOptions): Promise<void> {
  const space = await readSpace(file)
  const { constants, maxEpisodeSteps, wrap, ...options } = given
  const name = basename(file).replace(/\.[^.]+$/, '')
  const out = options.out ?? `sweeps/${name}`
  const env = space.env && (await taskOf(space.env, { constants, maxEpisodeSteps, wrap }))
  const sampler = options.sampler === 'optuna' ? optunaSampler(Number(options.seed)) : options.sampler
  const sweep = { ...space, ...options, env, sampler, name, out } as SweepOptions
  const interrupt = listenForInterrupt()
  try {
    await consume(runSweep(sweep), interrupt, json)
  } finally {
    interrupt.release()
    if (interrupt.requested) process.exitCode = interrupt.exitCode
  }
  const { trials, best, command } = await readSweep(out)
  if (json) return printLine({ best, command, trials: trials.length })
  if (interrupt.requested) console.log('Stopped by hand; the same command goes on.')
  if (best) console.log(`Trial ${best.number} came to ${format(best.value as number)}:\n${pc.bold(command as string)}`)
  else console.log('No trial has come to its end.')
  console.log(`Report: ${pc.cyan(`${out}/report.html`)}`)
}

async function readSpace(file: string): Promise<Pick<SweepOptions, 'env'>> {
  const isModule = /\.[cm]?[jt]s$/.test(file)
  const space = isModule
    ? (await loadModule('the space', pathToFileURL(resolve(file)).href)).default
    : await parsed(file)
  refuseUnknown(show(file), space, IN_FILE)
  return space as Pick<SweepOptions, 'env'>
}

async function parsed(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new UsageError(`Cannot read ${show(file)}: ${error.message}.`)
  })
  try {
    return fromJson(text)
  } catch (error) {
    throw new UsageError(`${show(file)} is no JSON: ${reasonOf(error)}.`)
  }
}

async function consume(steps: AsyncIterable<SweepProgress>, interrupt: Interrupt, json: boolean): Promise<void> {
  const line = json ? null : progress()
  const started = performance.now()
  let kept = 0
  const current = new Map<number, string>()
  try {
    for await (const step of oneByOne(steps, interrupt)) {
      const { trial, status, metrics, value, settings, reason } = step
      if (reason && status === 'failed') console.error(`trial ${trial}: ${printable(reason)}`)
      if (json && status !== 'training' && status !== 'evaluating')
        printLine({ trial, status, value, settings, reason })
      if (status === 'kept') kept++
      if (metrics) current.set(trial, `trial ${trial}: iteration ${metrics.iteration}`)
      else if (status !== 'evaluating') current.delete(trial)
      line?.update(progressLine(step, [...current.values()], kept, (performance.now() - started) / 1000))
      if (interrupt.requested) break
    }
  } finally {
    line?.stop()
  }
}

/** 7 of 20 trials, 1 failed · best 483.2 · trial 8: iteration 12 · 2 min 3 s left */
function progressLine({ trials, best }: SweepProgress, current: readonly string[], kept: number, seconds: number) {
  const { finished, pruned, failed, total } = trials
  const done = finished + pruned + failed
  const now = done - kept
  const left = now > 0 ? [`${duration((seconds / now) * (total - done))} left`] : []
  const words = [`${done} of ${total} trials${failed > 0 ? `, ${failed} failed` : ''}`]
  return [...words, `best ${format(best ?? Number.NaN)}`, ...current, ...left].join(' · ')
}
