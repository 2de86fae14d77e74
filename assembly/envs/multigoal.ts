import { normal4, philox4, PURPOSE_RESET } from '../random'

/**
 * A point in the plane that may go to any of several goals (Haarnoja, Tang, Abbeel & Levine 2017, "Reinforcement
 * learning with deep energy-based policies"; with other goals Messaoud et al. 2024, "S2AC"). As in the code of both,
 * the costs are those of the clipped action and of the position after the step.
 *
 *     state, a row: f64 [x, y]    action: f32 [ẋ, ẏ], clipped to ± velocityLimit
 *     reward: - actionCost |a|² - distanceCost min_g |s - g|²    + goalReward where |s - g| < goalThreshold: the end
 */
export const MULTIGOAL_STATE = 2
export const MULTIGOAL_GOALS = 4
export const MULTIGOAL_MAX_ENTROPY_GOALS = 3

/** The constants as they lie in memory, then f64 [goals, 2]; src/envs/multigoal.ts has their defaults and units. */
@unmanaged
export class MultiGoal {
  positionLimit: f64
  velocityLimit: f64
  startX: f64
  startY: f64
  startDeviation: f64
  actionCost: f64
  distanceCost: f64
  goalThreshold: f64
  goalReward: f64
}

// @ts-ignore: decorator
@inline
function clip(x: f64, limit: f64): f64 {
  return min(max(x, -limit), limit)
}

export function resetMultiGoal(state: usize, c: MultiGoal, seedLo: u32, seedHi: u32): void {
  const normals = normal4(philox4(0, 0, 0, PURPOSE_RESET, seedLo, seedHi))
  const x = c.startX + c.startDeviation * <f64>f32x4.extract_lane(normals, 0)
  const y = c.startY + c.startDeviation * <f64>f32x4.extract_lane(normals, 1)
  store<f64>(state, clip(x, c.positionLimit))
  store<f64>(state, clip(y, c.positionLimit), 8)
}

/** One step of every row towards any of the goals; two rows at a time, an odd last one is taken twice. */
export function stepMultiGoal(
  state: usize, action: usize, reward: usize, terminated: usize, rows: i32, goals: i32, c: MultiGoal,
): void {
  const first = changetype<usize>(c) + offsetof<MultiGoal>()
  const end = first + (goals << 4)
  for (let r = 0; r < rows; r += 2) {
    const s = min(r + 1, rows - 1)
    const here = state + (r << 4), there = state + (s << 4)
    const velocity = clip2(velocityOf(action + (r << 3)), c.velocityLimit)
    const otherVelocity = clip2(velocityOf(action + (s << 3)), c.velocityLimit)
    const position = clip2(f64x2.add(load<v128>(here), velocity), c.positionLimit)
    const otherPosition = clip2(f64x2.add(load<v128>(there), otherVelocity), c.positionLimit)
    store<v128>(here, position)
    store<v128>(there, otherPosition)

    let nearest = f64x2.splat(Infinity)
    for (let goal = first; goal < end; goal += 16) {
      const at = load<v128>(goal)
      nearest = f64x2.pmin(nearest, squares2(f64x2.sub(position, at), f64x2.sub(otherPosition, at)))
    }
    const reached = f64x2.lt(f64x2.sqrt(nearest), f64x2.splat(c.goalThreshold))
    const effort = f64x2.mul(f64x2.splat(c.actionCost), squares2(velocity, otherVelocity))
    const cost = f64x2.add(effort, f64x2.mul(f64x2.splat(c.distanceCost), nearest))
    const rewards = f64x2.sub(v128.and(reached, f64x2.splat(c.goalReward)), cost)
    v128.store64_lane(reward + (r << 3), rewards, 0)
    v128.store64_lane(reward + (s << 3), rewards, 1)
    store<u8>(terminated + r, <u8>(i64x2.extract_lane(reached, 0) & 1))
    store<u8>(terminated + s, <u8>(i64x2.extract_lane(reached, 1) & 1))
  }
}

// @ts-ignore: decorator
@inline
function velocityOf(action: usize): v128 {
  return f64x2.promote_low_f32x4(v128.load64_zero(action))
}

// @ts-ignore: decorator
@inline
function clip2(x: v128, limit: f64): v128 {
  return f64x2.pmin(f64x2.pmax(x, f64x2.splat(-limit)), f64x2.splat(limit))
}

/** |a|² and |b|² of two vectors of the plane. */
// @ts-ignore: decorator
@inline
function squares2(a: v128, b: v128): v128 {
  const aa = f64x2.mul(a, a), bb = f64x2.mul(b, b)
  return f64x2.add(v128.shuffle<i64>(aa, bb, 0, 2), v128.shuffle<i64>(aa, bb, 1, 3))
}

export function observeMultiGoal(observation: usize, state: usize, rows: i32): void {
  for (let i = 0, end = rows * MULTIGOAL_STATE; i < end; i++) {
    store<f32>(observation + (i << 2), <f32>load<f64>(state + (i << 3)))
  }
}
