import { philox4, PURPOSE_RESET, uniform64 } from '../random'

/**
 * A point in a unit square with walls, rewarded only at a goal to which several routes of different length lead.
 *
 *     state, a row: f64 [x, y]    action: f32 [ẋ, ẏ] / speed, clipped to ± 1
 *     reward: goalReward within goalRadius of the goal, which ends the episode, else 0; less stepCost at every step
 *
 * Walls are rectangles that may be lines; the point keeps `radius` away from them and from the border. A step goes
 * along x and then along y, each way stopped by the first wall, so that a point slides along walls. Only comparisons
 * decide, so it never passes one. A step is taken in parts shorter than 2 radius: then a straight line from start to
 * end of a part does not touch a wall either, since each of its points is less than `radius` away from one of the two.
 */
export const POINT_MAZE_STATE = 2

/**
 * The constants as they lie in memory, then f64 [wallCount, 4]: left, bottom, right, top of each wall;
 * src/envs/point-maze.ts has their defaults and units.
 */
@unmanaged
export class PointMaze {
  speed: f64
  radius: f64
  startX: f64
  startY: f64
  resetRange: f64
  goalX: f64
  goalY: f64
  goalRadius: f64
  goalReward: f64
  stepCost: f64
  wallCount: f64
}

export function resetPointMaze(state: usize, c: PointMaze, seedLo: u32, seedHi: u32): void {
  const words = philox4(0, 0, 0, PURPOSE_RESET, seedLo, seedHi)
  const u = uniform64(i32x4.extract_lane(words, 0), i32x4.extract_lane(words, 1))
  const v = uniform64(i32x4.extract_lane(words, 2), i32x4.extract_lane(words, 3))
  store<f64>(state, c.startX + (2 * u - 1) * c.resetRange)
  store<f64>(state, c.startY + (2 * v - 1) * c.resetRange, 8)
}

// Offsets in a wall of its lower bound along an axis; the upper one lies 16 bytes further.
const X: usize = 0
const Y: usize = 8

/**
 * Where two points end that want to move from `from` to `to` along one axis, standing at `beside` on the other one.
 * A wall in which a point stands already does not hold it.
 */
// @ts-ignore: decorator
@inline
function slide2(
  from: v128, to: v128, beside: v128, along: usize, across: usize, radius: f64, walls: usize, end: usize,
): v128 {
  const r = f64x2.splat(radius)
  to = f64x2.pmin(f64x2.pmax(to, r), f64x2.splat(1 - radius))
  for (let wall = walls; wall < end; wall += 32) {
    const low = f64x2.sub(v128.load64_splat(wall + along), r)
    const high = f64x2.add(v128.load64_splat(wall + along, 16), r)
    const after = f64x2.gt(beside, f64x2.sub(v128.load64_splat(wall + across), r))
    const before = f64x2.lt(beside, f64x2.add(v128.load64_splat(wall + across, 16), r))
    const faces = v128.and(after, before)
    to = v128.bitselect(f64x2.pmin(to, low), to, v128.and(faces, f64x2.le(from, low)))
    to = v128.bitselect(f64x2.pmax(to, high), to, v128.and(faces, f64x2.ge(from, high)))
  }
  return to
}

/** One step of every row, two rows at a time; an odd last one is taken twice. */
export function stepPointMaze(
  state: usize, action: usize, reward: usize, terminated: usize, rows: i32, c: PointMaze,
): void {
  const walls = changetype<usize>(c) + offsetof<PointMaze>()
  const end = walls + (<usize>c.wallCount << 5)
  const parts = floor(c.speed / (2 * c.radius)) + 1
  const stride = f64x2.splat(c.speed / parts)
  for (let r = 0; r < rows; r += 2) {
    const s = min(r + 1, rows - 1)
    const here = load<v128>(state + (r << 4)), there = load<v128>(state + (s << 4))
    const dx = f64x2.mul(stride, unit2(action + (r << 3), action + (s << 3)))
    const dy = f64x2.mul(stride, unit2(action + (r << 3) + 4, action + (s << 3) + 4))
    let x = v128.shuffle<i64>(here, there, 0, 2), y = v128.shuffle<i64>(here, there, 1, 3)
    for (let part: f64 = 0; part < parts; part++) {
      x = slide2(x, f64x2.add(x, dx), y, X, Y, c.radius, walls, end)
      y = slide2(y, f64x2.add(y, dy), x, Y, X, c.radius, walls, end)
    }
    store<v128>(state + (r << 4), v128.shuffle<i64>(x, y, 0, 2))
    store<v128>(state + (s << 4), v128.shuffle<i64>(x, y, 1, 3))

    const toGoalX = f64x2.sub(x, f64x2.splat(c.goalX)), toGoalY = f64x2.sub(y, f64x2.splat(c.goalY))
    const distance = f64x2.sqrt(f64x2.add(f64x2.mul(toGoalX, toGoalX), f64x2.mul(toGoalY, toGoalY)))
    const reached = f64x2.lt(distance, f64x2.splat(c.goalRadius))
    const rewards = f64x2.sub(v128.and(reached, f64x2.splat(c.goalReward)), f64x2.splat(c.stepCost))
    v128.store64_lane(reward + (r << 3), rewards, 0)
    v128.store64_lane(reward + (s << 3), rewards, 1)
    store<u8>(terminated + r, <u8>(i64x2.extract_lane(reached, 0) & 1))
    store<u8>(terminated + s, <u8>(i64x2.extract_lane(reached, 1) & 1))
  }
}

/** Two floats as doubles, clipped to ± 1. */
// @ts-ignore: decorator
@inline
function unit2(first: usize, second: usize): v128 {
  const pair = f64x2.promote_low_f32x4(v128.load32_lane(second, v128.load32_zero(first), 1))
  return f64x2.pmin(f64x2.pmax(pair, f64x2.splat(-1)), f64x2.splat(1))
}

export function observePointMaze(observation: usize, state: usize, rows: i32): void {
  for (let i = 0, end = rows * POINT_MAZE_STATE; i < end; i++) {
    store<f32>(observation + (i << 2), <f32>load<f64>(state + (i << 3)))
  }
}
