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

const schema = v.object(temperatureEntries)

type TemperatureSettings = v.InferOutput<typeof schema>

/** The names of settings whose schedule is as long as the run. */
export const scheduleOverRun = (settings: TemperatureSettings): string[] =>
  settings.temperatureSchedule !== 'constant' && settings.temperatureIterations === undefined
    ? ['temperatureSchedule']
    : []

/** 1/α in iteration t (from 0). */
type InverseTemperature = (t: number, ops: Ops) => number

/**
 * @param iterations of the run, where they are known
 * @throws UsageError for a schedule that has no length, or is shorter than the run
 */
export function inverseTemperature(settings: TemperatureSettings, iterations?: number): InverseTemperature {
  const { temperature, temperatureSchedule: schedule } = settings
  if (schedule === 'constant') return () => 1 / temperature
  const length = settings.temperatureIterations ?? iterations
  if (length === undefined)
    throw new UsageError(
      `The temperature schedule ${schedule} needs a length: set temperatureIterations or iterations.`,
    )
  if (iterations !== undefined && length < iterations)
    throw new UsageError(
      `The temperature schedule has ${length} iterations and is shorter than the run of ${iterations}.`,
    )
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
