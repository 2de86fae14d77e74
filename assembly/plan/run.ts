// A plan is a list of instructions in memory, | kind | words to the next | arguments |, all i32.
// src/compile/instructions.ts writes it: the same kinds, the same arguments.

import { inputsBackward } from '../nn/inputs-backward'
import { entropyGradient, entropyRows, logProbGradient, logProbRows } from '../nn/softmax'
import { Mlp, trainingBackward, trainingForward, trainingInputs } from '../nn/training'
import { runFused } from './fused'
import { accumulate, addByIndex, pickRows, placeOf } from './indexing'
import { Product, runProduct } from './products'
import { copyStrided } from './strided'

const FUSED: i32 = 1
const PRODUCT: i32 = 2
const COPY: i32 = 3
const FILL: i32 = 4
const PICK: i32 = 5
const ADD_BY_INDEX: i32 = 6
const ACCUMULATE: i32 = 7
const PLACE: i32 = 8
const MLP_FORWARD: i32 = 9
const MLP_BACKWARD: i32 = 10
const LOG_PROB: i32 = 11
const LOG_PROB_GRADIENT: i32 = 12
const ENTROPY: i32 = 13
const ENTROPY_GRADIENT: i32 = 14

/** Runs `count` instructions. Returns how many ran: fewer than `count` where one met an index that is out of range. */
export function runPlan(plan: usize, count: i32): i32 {
  for (let k = 0; k < count; k++) {
    const words = plan + 8
    if (!runInstruction(load<i32>(plan), words)) return k
    plan += load<i32>(plan + 4) << 2
  }
  return count
}

// @ts-ignore: decorator
@inline
function word(words: usize, index: i32): i32 {
  return load<i32>(words + (index << 2))
}

function runInstruction(kind: i32, w: usize): bool {
  switch (kind) {
    case FUSED: runFused(w); break
    case PRODUCT: runProduct(changetype<Product>(w)); break
    case COPY: copyStrided(word(w, 0), word(w, 1), w + 8); break
    case FILL: fill(word(w, 0), load<f32>(w + 4), word(w, 2)); break
    case PICK:
      return pickRows(word(w, 0), word(w, 1), word(w, 2), word(w, 3), word(w, 4), word(w, 5), word(w, 6))
    case ADD_BY_INDEX: addByIndex(word(w, 0), word(w, 1), word(w, 2), word(w, 3), word(w, 4), word(w, 5)); break
    case ACCUMULATE: {
      const exclusive = word(w, 5) != 0, reverse = word(w, 6) != 0, product = word(w, 7) != 0
      accumulate(word(w, 0), word(w, 1), word(w, 2), word(w, 3), word(w, 4), exclusive, reverse, product)
      break
    }
    case PLACE: placeOf(word(w, 0), word(w, 1), word(w, 2), word(w, 3), word(w, 4), word(w, 5) != 0); break
    case MLP_FORWARD: trainingForward(changetype<Mlp>(w)); break
    case MLP_BACKWARD: {
      const net = changetype<Mlp>(w + 8)
      if (!word(w, 0)) inputsBackward(net)
      else {
        trainingBackward(net)
        if (word(w, 1)) trainingInputs(net)
      }
      break
    }
    case LOG_PROB: logProbRows(word(w, 0), word(w, 1), word(w, 2), word(w, 3), word(w, 4)); break
    case LOG_PROB_GRADIENT:
      logProbGradient(word(w, 0), word(w, 1), word(w, 2), word(w, 3), word(w, 4), word(w, 5))
      break
    case ENTROPY: entropyRows(word(w, 0), word(w, 1), word(w, 2), word(w, 3)); break
    case ENTROPY_GRADIENT: entropyGradient(word(w, 0), word(w, 1), word(w, 2), word(w, 3), word(w, 4)); break
  }
  return true
}

function fill(to: usize, value: f32, count: i32): void {
  for (const end = to + (count << 2); to < end; to += 4) store<f32>(to, value)
}
