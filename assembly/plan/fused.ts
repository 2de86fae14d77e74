// A chain of elementwise operators and reductions run over blocks that stay in the first cache, as numexpr does: one
// pass over the memory, however long the chain.

import { operate } from './operators'
import { reduceBlock } from './reductions'
import { gatherInto } from './strided'

/** Floats of a block. */
const BLOCK: i32 = 256

// Steps of a chain beside the operators, as in src/compile/operators.ts.
const LOAD: i32 = 70
const REDUCE: i32 = 80

/** Bytes of a step: | kind | to | a | b | c |. */
const STEP: i32 = 20

// An operand is the address of a register, or, with its lowest bit set, that of an array that is passed over.
// @ts-ignore: decorator
@inline
function operand(step: usize, index: i32, passed: i32): usize {
  const word = load<i32>(step + (index << 2))
  return (word & -2) + (passed & -(word & 1))
}

/**
 *     | elements | fills | steps | fills × (register, address of a number) | steps × (kind, to, a, b, c) |
 *
 * A load has a = the array and b = its shape (strided.ts); a reduction writes into b [outer, inner] what stands in a,
 * with to = the size of the reduced axis and c = inner.
 */
export function runFused(words: usize): void {
  const elements = load<i32>(words)
  const fills = load<i32>(words + 4)
  const steps = load<i32>(words + 8)
  let p = words + 12
  const filled = min(BLOCK, elements)
  for (let k = 0; k < fills; k++, p += 8) fill(load<i32>(p), load<i32>(p + 4), filled)
  const end = p + steps * STEP
  for (let first = 0; first < elements; first += BLOCK) {
    const count = min(BLOCK, elements - first)
    const bytes = ((count + 3) & ~3) << 2
    const passed = first << 2
    for (let step = p; step < end; step += STEP) {
      const kind = load<i32>(step)
      if (kind < LOAD) {
        const to = operand(step, 1, passed), a = operand(step, 2, passed)
        operate(kind, to, a, operand(step, 3, passed), operand(step, 4, passed), bytes)
      } else if (kind == LOAD) {
        gatherInto(operand(step, 1, passed), load<i32>(step + 8), load<i32>(step + 12), first, count)
      } else {
        const x = operand(step, 2, passed)
        reduceBlock(kind - REDUCE, load<i32>(step + 12), x, first, count, load<i32>(step + 4), load<i32>(step + 16))
      }
    }
  }
}

function fill(to: usize, from: usize, count: i32): void {
  const v = v128.load32_splat(from)
  for (let k = 0, bytes = count << 2; k < bytes; k += 16) v128.store(to + k, v)
}
