import type { Arena } from '../core/arena.ts'
import { f32, f64, u8 } from '../core/layout.ts'
import type { Baseline, Estimator } from './estimator.ts'
import type { batchFields } from './rollout-layout.ts'

/** Ridge of a row; rllab's is as large, but one for all rows. */
const RLLAB_RIDGE = 1e-5

/** Numbers of a linear value function, which the particle carries with it, and room to fit it. */
function linearSizes(baseline: Baseline, O: number) {
  if (baseline === 'linear') {
    const F = 2 * O + 1
    return { model: 3 + 2 * O + F + 1, weights: 0, fit: 2 * O + 3 * F }
  }
  const F = baseline === 'linear-rllab' ? 2 * O + 4 : 0
  return { model: 0, weights: F, fit: F * (F + 2) }
}

/** Returns and advantages of one particle with B rows. */
export function advantageFields(B: number, O: number, baseline: Baseline) {
  const sizes = linearSizes(baseline, O)
  return {
    /** The particle's linear value function, laid out as in assembly/rl/linear-baseline.ts. */
    linearModel: f64(sizes.model),
    /** [2 O + 4] the weights of rllab's. */
    valueWeights: f64(sizes.weights),
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
    fit: f64(sizes.fit),
  }
}

type AdvantageArena = Arena<ReturnType<typeof advantageFields> & ReturnType<typeof batchFields>>

/**
 * From the rewards of a rollout to the weights of log π(a|s), with V of the estimator's baseline.
 *
 * An episode that the rollout cuts is not a failure: with a value function its return goes on with the value of the
 * next state, otherwise its rows are left out. A time limit ends the return likewise: with the value of the final
 * observation, or, without a value function, as the finite sum it is.
 *
 * @param predict writes V of observations [B, O] to out [B], for the baseline 'value'
 * @param limit the most steps of an episode, where each rollout begins new ones. Without a value function those count
 *   that begin no later than this before its end, so that how an episode goes does not decide whether it counts.
 *   Default null: whatever ends counts
 */
export function weighAdvantages(
  arena: AdvantageArena,
  T: number,
  E: number,
  estimator: Estimator,
  predict: (out: Float64Array, observations: Float32Array) => void,
  limit: number | null = null,
): void {
  const { ops, at, view } = arena
  const { baseline } = estimator
  const B = T * E
  if (baseline === 'none' || baseline === 'mean') {
    view.value.fill(0)
    ops.returnsToGo(at.target, at.valid, at.reward, at.terminated, at.truncated, 0, T, E, estimator.discount)
    if (limit !== null) for (let row = 0; row < B; row++) view.valid[row] = beginOf(view, row, E) + limit <= T ? 1 : 0
  } else {
    if (baseline === 'linear') linearValues(arena)
    else if (baseline === 'linear-rllab') rllabValues(arena)
    else {
      predict(view.value, view.observation)
      predict(view.nextValue, view.nextObservation)
    }
    view.valid.fill(1)
    targets(arena, T, E, estimator)
  }
  const centre = baseline === 'mean' ? 1 : 0
  ops.advantageWeights(at.weight, at.target, at.value, at.valid, B, centre, estimator.standardise ? 1 : 0)
  // After it was used: a baseline must not know the actions that it is applied to.
  if (baseline === 'linear') fitLinear(arena)
  if (baseline === 'linear-rllab') fitRllab(arena)
}

/** The step of the rollout at which the episode of a row began. */
const beginOf = ({ time }: AdvantageArena['view'], row: number, E: number) => Math.floor(row / E) - time[row]

function targets({ ops, at }: AdvantageArena, T: number, E: number, { nSteps, discount, lambda }: Estimator): void {
  // biome-ignore format: one op, one line
  if (nSteps !== null) ops.stepReturns(at.target, at.reward, at.nextValue, at.terminated, at.truncated, T, E, discount, nSteps)
  // biome-ignore format: one op, one line
  else ops.lambdaReturns(at.target, at.reward, at.value, at.nextValue, at.terminated, at.truncated, T, E, discount, lambda ?? 1)
}

function linearValues({ ops, at, view }: AdvantageArena): void {
  const [B, O] = sizesOf(view)
  ops.linearValues(at.value, at.linearModel, at.observation, B, O, at.fit)
  ops.linearValues(at.nextValue, at.linearModel, at.nextObservation, B, O, at.fit)
}

function fitLinear({ ops, at, view }: AdvantageArena): void {
  const [B, O] = sizesOf(view)
  ops.linearFit(at.linearModel, at.observation, at.target, B, O, at.fit)
}

function rllabValues({ ops, at, view }: AdvantageArena): void {
  const [B, O] = sizesOf(view)
  ops.rllabValues(at.value, at.valueWeights, at.observation, at.time, 0, B, O, at.fit)
  ops.rllabValues(at.nextValue, at.valueWeights, at.nextObservation, at.time, 1, B, O, at.fit)
}

function fitRllab({ ops, at, view }: AdvantageArena): void {
  const [B, O] = sizesOf(view)
  ops.rllabFit(at.valueWeights, at.observation, at.time, at.target, at.valid, B, O, RLLAB_RIDGE, at.fit)
}

/** B and O */
function sizesOf({ weight, observation }: AdvantageArena['view']): [number, number] {
  return [weight.length, observation.length / weight.length]
}
