import * as v from 'valibot'
import { UsageError } from '../core/errors.ts'
import type { Ops } from '../core/ops.ts'
import { MOST_ITERATIONS, oneOf, positiveFloat32, wholeNumber } from '../core/schemas.ts'
import { derived, setting } from '../core/settings.ts'
import { cyclical, linearRamp, logLinearRamp, tanhRamp } from '../optim/schedules.ts'

const temperatureSchedules = ['constant', 'linear', 'log-linear', 'tanh', 'cyclical'] as const

/** How the temperature α goes through a run. */
export const temperatureEntries = {
  temperature: setting(
    positiveFloat32('temperature'),
    10,
    'α, which divides the policy gradient (or Q) and not the repulsion; where a schedule ends.',
  ),
  temperatureSchedule: setting(
    oneOf('temperatureSchedule', temperatureSchedules),
    'constant',
    'linear and log-linear take α from temperatureFrom to temperature; tanh and cyclical take 1/α from 0 to ' +
      '1/temperature, once or four times, so that particles spread before they settle.',
  ),
  temperatureFrom: derived(
    positiveFloat32('temperatureFrom'),
    'ten times temperature',
    'α where a linear or log-linear schedule begins.',
  ),
  temperatureIterations: derived(
    wholeNumber('temperatureIterations', 1, MOST_ITERATIONS),
    'those of the run',
    'Iterations of a schedule.',
  ),
}

/** How the learning rate goes through a run. */
export const learningRateEntries = {
  learningRateSchedule: setting(
    oneOf('learningRateSchedule', ['constant', 'linear']),
    'constant',
    'linear: iteration t of T (from 0) learns at learningRate (1 − t/T).',
  ),
  learningRateIterations: derived(
    wholeNumber('learningRateIterations', 1, MOST_ITERATIONS),
    'those of the run',
    'T, iterations of a linear learning rate.',
  ),
}

const temperatureSchema = v.object(temperatureEntries)
const learningRateSchema = v.object(learningRateEntries)

type TemperatureSettings = v.InferOutput<typeof temperatureSchema>
type LearningRateSettings = v.InferOutput<typeof learningRateSchema>

type Scheduled = 'temperature' | 'learningRate'
type Schedules = Readonly<Partial<Record<`${Scheduled}Schedule`, string> & Record<`${Scheduled}Iterations`, number>>>

/** The names of settings whose schedule is as long as the run. */
export const schedulesOverRun = (settings: Schedules): string[] =>
  (['temperature', 'learningRate'] as const)
    .filter((of) => (settings[`${of}Schedule`] ?? 'constant') !== 'constant')
    .filter((of) => settings[`${of}Iterations`] === undefined)
    .map((of) => `${of}Schedule`)

/**
 * Iterations of a schedule.
 *
 * @throws UsageError where it has no length, or is shorter than the run
 */
function lengthOf(of: Scheduled, settings: Schedules, iterations?: number): number {
  const { [`${of}Schedule` as const]: name, [`${of}Iterations` as const]: own } = settings
  const called = { temperature: 'temperature', learningRate: 'learning rate' }[of]
  const length = own ?? iterations
  if (length === undefined)
    throw new UsageError(`The ${called} schedule ${name} needs a length: set ${of}Iterations or iterations.`)
  if (iterations !== undefined && length < iterations)
    throw new UsageError(
      `The ${called} schedule has ${length} iterations and is shorter than the run of ${iterations}.`,
    )
  return length
}

/**
 * What a learning rate is multiplied by in iteration t (from 0).
 *
 * @param iterations of the run, where they are known
 * @throws UsageError for a schedule that has no length, or is shorter than the run
 */
export function learningRateShare(settings: LearningRateSettings, iterations?: number): (t: number) => number {
  if (settings.learningRateSchedule === 'constant') return () => 1
  const length = lengthOf('learningRate', settings, iterations)
  return (t) => {
    if (t < length) return 1 - t / length
    throw new UsageError(`The learning rate is 0 after ${length} iterations, the length of its schedule.`)
  }
}

/** What follows a learning rate through its schedule. */
export interface Learning {
  readonly config: { readonly learningRate: number }
  readonly learningRateShare: (t: number) => number
  /** Iterations done. */
  readonly iteration: number
}

/** The learning rate of this iteration. */
export const learningRateNow = ({ config, learningRateShare: share, iteration }: Learning): number =>
  config.learningRate * share(iteration)

/** 1/α in iteration t (from 0). */
type InverseTemperature = (t: number, ops: Ops) => number

/**
 * @param iterations of the run, where they are known
 * @throws UsageError for a schedule that has no length, or is shorter than the run
 */
export function inverseTemperature(settings: TemperatureSettings, iterations?: number): InverseTemperature {
  const { temperature, temperatureSchedule: schedule } = settings
  if (schedule === 'constant') return () => 1 / temperature
  const length = lengthOf('temperature', settings, iterations)
  const from = settings.temperatureFrom ?? 10 * temperature
  // The last iteration of the schedule is at its end, and so is the only one.
  if (length === 1) return () => 1 / temperature
  const steps = length - 1
  if (schedule === 'linear' || schedule === 'log-linear') {
    const ramp = (schedule === 'linear' ? linearRamp : logLinearRamp)({ from, to: temperature, iterations: steps })
    return (t, ops) => 1 / ramp.at(t, ops)
  }
  const rise = schedule === 'tanh' ? tanhRamp({ iterations: steps }) : cyclical({ iterations: steps })
  return (t, ops) => rise.at(t, ops) / temperature
}
