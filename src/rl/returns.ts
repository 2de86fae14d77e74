import { type Arena, f32, f64, u8 } from '../core/arena.ts'
import type { batchFields } from './batch.ts'

/**
 * What is subtracted from the return to make an advantage:
 * 'none': nothing; 'mean': the mean return of the rows; 'linear': the linear-feature value function of Duan et al. 2016,
 * fitted to the particle's previous rollouts, so that it does not depend on the actions it is applied to.
 */
export type Baseline = 'none' | 'mean' | 'linear'
export const baselines = ['none', 'mean', 'linear'] as const

export interface ReturnsOptions {
  readonly baseline: Baseline
  /** γ */
  readonly discount: number
  /** Shift and scale the advantages of each particle's rollout to mean 0 and standard deviation 1. */
  readonly standardise: boolean
}

/** Ridge of the value function's regression, relative to the number of rows. */
const RIDGE = 1e-5

const featureCount = (O: number) => 2 * O + 4

/** Returns and advantages of one particle with B rows. */
export function returnsFields(B: number, O: number) {
  const F = featureCount(O)
  return {
    /** [F] weights of the particle's linear value function: what it carries with it. */
    valueWeights: f64(F),
    /** [B] values, next values and returns. */
    value: f64(B),
    nextValue: f64(B),
    target: f64(B),
    /** [B] 1 where the return is known. */
    valid: u8(B),
    /** [B] advantage over the number of valid rows: the weight of log π(a|s). */
    weight: f32(B),
    /** [F (F + 2)] */
    fit: f64(F * (F + 2)),
  }
}

type ReturnsArena = Arena<ReturnType<typeof returnsFields> & ReturnType<typeof batchFields>>

/**
 * From the rewards of a rollout to the weights of log π(a|s).
 *
 * An episode that the rollout cuts is not a failure: with the linear baseline its return goes on with the value of the
 * next state, otherwise its rows are left out. A time limit ends the return likewise: with the value of the final
 * observation, or, without a value function, as the finite sum it is.
 */
export function weighAdvantages({ ops, at, view }: ReturnsArena, T: number, E: number, options: ReturnsOptions): void {
  const B = T * E
  const O = view.observation.length / B
  const learned = options.baseline === 'linear'
  if (learned) {
    ops.baselineValues(at.value, at.valueWeights, at.observation, at.time, 0, B, O, at.fit)
    ops.baselineValues(at.nextValue, at.valueWeights, at.nextObservation, at.time, 1, B, O, at.fit)
  }
  const nextValue = learned ? at.nextValue : 0
  // biome-ignore format: one op, one line
  ops.returnsToGo(at.target, at.valid, at.reward, at.terminated, at.truncated, nextValue, T, E, options.discount)
  const centre = options.baseline === 'mean' ? 1 : 0
  const standardise = options.standardise ? 1 : 0
  ops.advantageWeights(at.weight, at.target, at.value, at.valid, B, centre, standardise)
  if (learned) ops.baselineFit(at.valueWeights, at.observation, at.time, at.target, at.valid, B, O, RIDGE, at.fit)
}
