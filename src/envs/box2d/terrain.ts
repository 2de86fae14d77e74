import type { Vector } from './engine.ts'
import type { Draws } from './task.ts'

/** m between two corners of the ground. */
export const STEP = 14 / 30
/** Corners of the ground. */
export const LENGTH = 200
/** Corners that are level at the start. */
export const STARTPAD = 20
/** Grass is as long as half of it to it, in steps. */
const GRASS_LENGTH = 10

/** The ground of a walker. */
export interface Terrain {
  /** [LENGTH] heights of its corners, m. */
  readonly heights: readonly number[]
  /** Corners of stumps, stairs and the walls of pits. */
  readonly blocks: readonly (readonly Vector[])[]
}

const [GRASS, STUMP, STAIRS, PIT, KINDS] = [0, 1, 2, 3, 4]

/** What the ground is made of at the moment, and how many corners of it are left. */
interface Builder {
  readonly draws: Draws
  readonly blocks: Vector[][]
  kind: number
  left: number
  /** Whether a kind of ground begins at this corner. */
  begins: boolean
  y: number
  /** The height where it began. */
  before: number
  velocity: number
  stairs: { steps: number; width: number; height: number }
}

/**
 * Hills whose slope is a damped random walk about `level`; on a hardcore way stumps, stairs and pits between them.
 *
 * Source: Gymnasium 1.4, BipedalWalker._generate_terrain.
 */
export function terrainOf(draws: Draws, hardcore: boolean, level: number): Terrain {
  const now: Builder = {
    ...{ draws, blocks: [], kind: GRASS, left: STARTPAD, begins: false, y: level, before: 0, velocity: 0 },
    stairs: { steps: 0, width: 0, height: 0 },
  }
  const heights = Array.from({ length: LENGTH }, (_, i) => {
    const { begins } = now
    if (now.kind === GRASS && !begins) roll(now, i, level)
    else if (begins) begin(now, i * STEP)
    else climb(now)
    now.begins = false
    now.left--
    if (now.left === 0) {
      now.left = draws.integer(GRASS_LENGTH / 2, GRASS_LENGTH)
      now.kind = now.kind === GRASS && hardcore ? draws.integer(1, KINDS) : GRASS
      now.begins = true
    }
    return now.y
  })
  return { heights, blocks: now.blocks }
}

/** One corner further over the hills. */
function roll(now: Builder, i: number, level: number): void {
  now.velocity = 0.8 * now.velocity + 0.01 * Math.sign(level - now.y)
  if (i > STARTPAD) now.velocity += now.draws.uniform(-1, 1) / 30
  now.y += now.velocity
}

/** The first corner of a kind of ground, at x. */
function begin(now: Builder, x: number): void {
  const { draws, y } = now
  const block = (left: number, low: number, width: number, height: number) =>
    now.blocks.push([
      { x: left, y: low },
      { x: left + width, y: low },
      { x: left + width, y: low + height },
      { x: left, y: low + height },
    ])
  if (now.kind === PIT) {
    const width = draws.integer(3, 5)
    for (const from of [x, x + STEP * width]) block(from, y - 4 * STEP, STEP, 4 * STEP)
    now.left = width + 2
    now.before = y
  } else if (now.kind === STUMP) {
    now.left = draws.integer(1, 3)
    block(x, y, now.left * STEP, now.left * STEP)
  } else if (now.kind === STAIRS) {
    const height = draws.uniform(0, 1) > 0.5 ? 1 : -1
    const [width, steps] = [draws.integer(4, 5), draws.integer(3, 5)]
    now.stairs = { steps, width, height }
    now.before = y
    for (let s = 0; s < steps; s++) block(x + s * width * STEP, y + (-1 + s * height) * STEP, width * STEP, STEP)
    now.left = steps * width
  }
}

/** One corner further in a pit or on stairs. */
function climb(now: Builder): void {
  if (now.kind === PIT) now.y = now.left > 1 ? now.before - 4 * STEP : now.before
  if (now.kind !== STAIRS) return
  const { steps, width, height } = now.stairs
  now.y = now.before + ((steps * width - now.left - height) / width) * height * STEP
}
