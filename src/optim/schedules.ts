import { UsageError } from '../core/errors.ts'
import type { Ops } from '../core/ops.ts'
import { requireOptions } from '../core/options.ts'
import { wholePower } from '../core/power.ts'
import { check, nonNegativeFloat32, positiveNumber, wholeNumber } from '../core/schemas.ts'

/**
 * The factor γ of the drive in step t (from 0): φ = γ(t) drive + repulsion. Small γ lets the repulsion spread the
 * particles before they settle, so that they find modes that they did not start near.
 *
 * Source: D'Angelo & Fortuin 2021 (arXiv 2101.09815).
 */
export interface Schedule {
  readonly name: string
  at(t: number, ops: Ops): number
}

/** Options of every schedule that ends. */
export interface ScheduleLength {
  /** Steps T that the schedule is made for; afterwards it stays where it ended. */
  iterations: number
}

/** Options of a ramp. */
export interface RampOptions extends ScheduleLength {
  /** γ(0) */
  from: number
  /** γ(T); default 1. */
  to?: number
}

/** γ(t) = value. */
export function constant(value: number): Schedule {
  check(nonNegativeFloat32('The value of a schedule'), value)
  return { name: 'constant', at: () => value }
}

/** γ(t) = from + (to − from) t/T. */
export function linearRamp(options: RampOptions): Schedule {
  requireOptions('linearRamp', options, ['from', 'to', 'iterations'])
  const { from, to = 1, iterations } = options
  check(nonNegativeFloat32('from'), from)
  check(nonNegativeFloat32('to'), to)
  return { name: 'linear', at: endingExactly({ from, to, iterations }, (s) => from + (to - from) * s) }
}

/** log γ(t) = log from + (log to − log from) t/T. */
export function logLinearRamp(options: RampOptions): Schedule {
  requireOptions('logLinearRamp', options, ['from', 'to', 'iterations'])
  const { from, to = 1, iterations } = options
  check(positiveNumber('from'), from)
  check(positiveNumber('to'), to)
  const between = (s: number, ops: Ops) => ops.exp64(ops.log64(from) + (ops.log64(to) - ops.log64(from)) * s)
  return { name: 'log-linear', at: endingExactly({ from, to, iterations }, between) }
}

/**
 * γ(t) = tanh((a t/T)ᵖ) / tanh(aᵖ): near 0 for a while, then a switch to 1. The divisor, 0.9988 by default, is not in
 * the source: without it the particles would end beside the target.
 *
 * Source: D'Angelo & Fortuin 2021, section 3.
 *
 * @param options.power p, a whole number; default 5
 * @param options.scale a; default 1.3
 */
export function tanhRamp(options: ScheduleLength & { power?: number; scale?: number }): Schedule {
  requireOptions('tanhRamp', options, ['iterations', 'power', 'scale'])
  const { iterations, power = 5, scale = 1.3 } = options
  check(wholeNumber('power', 1), power)
  check(positiveNumber('scale'), scale)
  if (wholePower(scale, power) === 0)
    throw new UsageError(`scale to the power of ${power} must be above 0, got the scale ${scale}.`)
  const rise = (s: number, ops: Ops) => ops.tanh64(wholePower(scale * s, power))
  const at = (s: number, ops: Ops) => rise(s, ops) / rise(1, ops)
  return { name: 'tanh', at: endingExactly({ from: 0, to: 1, iterations }, at) }
}

/**
 * γ(t) = (t mod T/C over T/C)ᵖ: C times from 0 to 1. At T and later it stays 1, so that the particles end at the
 * target.
 *
 * Source: D'Angelo & Fortuin 2021, section 3.
 *
 * @param options.cycles C; default 4
 * @param options.power p, a whole number; default 5
 */
export function cyclical(options: ScheduleLength & { cycles?: number; power?: number }): Schedule {
  requireOptions('cyclical', options, ['iterations', 'cycles', 'power'])
  const { iterations, cycles = 4, power = 5 } = options
  check(wholeNumber('cycles', 1), cycles)
  check(wholeNumber('power', 1), power)
  check(wholeNumber('iterations', 1), iterations)
  return {
    name: 'cyclical',
    // In whole numbers: C t/T less its whole part would be a little off 0 or 1 where a cycle begins.
    at: (t) => (t >= iterations ? 1 : wholePower(((cycles * t) % iterations) / iterations, power)),
  }
}

/** A function of s = t/T, without its rounding at both ends. */
function endingExactly(
  { from, to = 1, iterations }: RampOptions,
  between: (s: number, ops: Ops) => number,
): Schedule['at'] {
  check(wholeNumber('iterations', 1), iterations)
  return (t, ops) => (t <= 0 ? from : t >= iterations ? to : between(t / iterations, ops))
}
