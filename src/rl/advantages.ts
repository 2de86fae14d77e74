import type { Arena } from '../core/arena.ts'
import { f32, f64, u8 } from '../core/layout.ts'
import type { Estimator } from './estimator.ts'
import type { batchFields } from './rollout-layout.ts'

/** Ridge of the linear value function's regression, relative to the number of rows. */
const RIDGE = 1e-5

const featureCount = (O: number) => 2 * O + 4

/** Returns and advantages of one particle with B rows. */
export function advantageFields(B: number, O: number) {
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
    /** [B] log π(a|s) when the rows were collected; only where the estimator needs it. */
    logProb: f32(B),
    /** [F (F + 2)] */
    fit: f64(F * (F + 2)),
  }
}

export type AdvantageArena = Arena<ReturnType<typeof advantageFields> & ReturnType<typeof batchFields>>

/**
 * From the rewards of a rollout to the weights of log π(a|s), with V of the estimator's baseline.
 *
 * An episode that the rollout cuts is not a failure: with a value function its return goes on with the value of the
 * next state, otherwise its rows are left out. A time limit ends the return likewise: with the value of the final
 * observation, or, without a value function, as the finite sum it is.
 *
 * @param predict writes V of observations [B, O] to out [B], for the baseline 'value'
 */
export function weighAdvantages(
  arena: AdvantageArena,
  T: number,
  E: number,
  estimator: Estimator,
  predict: (out: Float64Array, observations: Float32Array) => void,
): void {
  const { ops, at, view } = arena
  const { baseline } = estimator
  const B = T * E
  if (baseline === 'none' || baseline === 'mean') {
    view.value.fill(0)
    ops.returnsToGo(at.target, at.valid, at.reward, at.terminated, at.truncated, 0, T, E, estimator.discount)
  } else {
    if (baseline === 'linear') linearValues(arena)
    else {
      predict(view.value, view.observation)
      predict(view.nextValue, view.nextObservation)
    }
    view.valid.fill(1)
    targets(arena, T, E, estimator)
  }
  const centre = baseline === 'mean' ? 1 : 0
  ops.advantageWeights(at.weight, at.target, at.value, at.valid, B, centre, estimator.standardise ? 1 : 0)
  if (baseline === 'linear') fitLinearValues(arena)
}

function targets({ ops, at }: AdvantageArena, T: number, E: number, { nSteps, discount, lambda }: Estimator): void {
  // biome-ignore format: one op, one line
  if (nSteps !== null) ops.stepReturns(at.target, at.reward, at.nextValue, at.terminated, at.truncated, T, E, discount, nSteps)
  // biome-ignore format: one op, one line
  else ops.lambdaReturns(at.target, at.reward, at.value, at.nextValue, at.terminated, at.truncated, T, E, discount, lambda ?? 1)
}

function linearValues({ ops, at, view }: AdvantageArena): void {
  const B = view.weight.length
  const O = view.observation.length / B
  ops.baselineValues(at.value, at.valueWeights, at.observation, at.time, 0, B, O, at.fit)
  ops.baselineValues(at.nextValue, at.valueWeights, at.nextObservation, at.time, 1, B, O, at.fit)
}

/** Fitted to the targets after it was used: a baseline must not know the actions that it is applied to. */
function fitLinearValues({ ops, at, view }: AdvantageArena): void {
  const B = view.weight.length
  const O = view.observation.length / B
  ops.baselineFit(at.valueWeights, at.observation, at.time, at.target, at.valid, B, O, RIDGE, at.fit)
}
