import { show, UsageError } from '../core/errors.ts'
import type { Ops, Pointer } from '../core/ops.ts'
import { refuseUnknown } from '../core/options.ts'
import type { Minibatch } from '../core/population.ts'
import { Purpose, type Seed } from '../core/random.ts'
import { check, wholeNumber } from '../core/schemas.ts'

/** How many rows the data have, and how many of them a step sees. */
export interface MinibatchOptions {
  /** Rows of the data, at most 2²⁴. */
  rows: number
  /** Rows of one step. */
  size: number
}

/** What the minibatches of a run need: the order of the current epoch, a function of (seed, epoch). */
export interface MinibatchState {
  readonly options: Readonly<MinibatchOptions> | null
  readonly batch: Minibatch
  /** [rows] a permutation of the rows. */
  readonly order: Int32Array
  /** The epoch whose permutation `order` is; −1 before the first. */
  epoch: number
}

/** A uniform number has 24 bits: with more rows a shuffle would favour some of them. */
const MOST_ROWS = 16_777_216

/** @throws UsageError unless 1 ≤ size ≤ rows ≤ 2²⁴ */
export function startMinibatches(options?: MinibatchOptions): MinibatchState {
  if (!options)
    return { options: null, batch: { rows: new Int32Array(0), scale: 1 }, order: new Int32Array(0), epoch: -1 }
  if (typeof options !== 'object') throw new UsageError(`minibatch must be { rows, size }, got ${show(options)}.`)
  refuseUnknown('minibatch', options, ['rows', 'size'])
  const rows = check(wholeNumber('minibatch.rows', 1, MOST_ROWS), options.rows)
  const size = check(wholeNumber('minibatch.size', 1), options.size)
  if (size > rows) throw new UsageError(`minibatch.size must be at most minibatch.rows = ${rows}, got ${size}.`)
  return {
    options: { rows, size },
    batch: { rows: new Int32Array(size), scale: rows / size },
    order: new Int32Array(rows),
    epoch: -1,
  }
}

/**
 * The rows of step t (from 0): the next `size` of an endless sequence of shuffled passes through the data. Every row is
 * as likely as any other, so scale × sum is unbiased.
 *
 * @param scratch f32 [4 ⌈rows / 4⌉] in the core's memory
 */
export function minibatchAt(state: MinibatchState, t: number, ops: Ops, seed: Seed, scratch: ShuffleRoom): Minibatch {
  const { options, batch, order } = state
  if (!options) return batch
  const { rows, size } = options
  let epoch = Math.floor((t * size) / rows)
  for (let k = 0, position = t * size - epoch * rows; k < size; k++, position++) {
    if (position === rows) {
      epoch++
      position = 0
    }
    if (epoch !== state.epoch) {
      shuffleInto(order, epoch, ops, seed, scratch)
      state.epoch = epoch
    }
    batch.rows[k] = order[position]
  }
  return batch
}

interface ShuffleRoom {
  readonly at: Pointer
  readonly view: Float32Array
}

/** Fisher and Yates. */
function shuffleInto(order: Int32Array, epoch: number, ops: Ops, seed: Seed, { at, view }: ShuffleRoom): void {
  ops.fillUniform(at, order.length, seed.lo, seed.hi, Purpose.minibatch, 0, 0, epoch)
  order.forEach((_, i) => {
    order[i] = i
  })
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(view[i] * (i + 1))
    const held = order[i]
    order[i] = order[j]
    order[j] = held
  }
}
