import { philox4, uniform32 } from '../random'
import { boundRows } from './bounds'
import { addProbabilities, categoricalMode, invert } from './categorical'
import { padded } from './dense'
import { act, CATEGORICAL, Policy, policyForward } from './policy'

/**
 * One action a row from all n particles together, added up in their order. Classes: the mode of, or a draw from, the
 * mean of their distributions, p_c = 1/n Σ_i softmax(logits_i)_c. Numbers: the mean of the actions that each of them
 * takes by itself, as an environment takes them.
 *
 *     observation: f32 [rows, w₀]    action: f32 [rows, A]    environments: i32 [rows]    low, high: f32 [A]
 *     sums: f32 [rows, classes or A]
 */
export function actTogether(
  policy: Policy, n: i32, observation: usize, rows: i32, action: usize, environments: usize, low: usize, high: usize,
  sums: usize, greedy: bool, purpose: u32, step: u32, seedLo: u32, seedHi: u32,
): void {
  const A = policy.actions
  memory.fill(sums, 0, (rows * A) << 2)
  if (policy.head == CATEGORICAL) {
    for (let i = 0; i < n; i++) {
      const stride = padded(A) << 2
      let logits = policyForward(policy, i, observation, rows)
      for (let r = 0; r < rows; r++, logits += stride) addProbabilities(sums + ((r * A) << 2), logits, A)
    }
    // A stream of its own, behind those of the particles.
    const c3 = purpose | (<u32>n << 8)
    for (let r = 0; r < rows; r++) {
      const row = sums + ((r * A) << 2)
      const words = philox4(0, step, load<u32>(environments + (r << 2)), c3, seedLo, seedHi)
      const c = greedy ? categoricalMode(row, A) : invert(row, A, uniform32(i32x4.extract_lane(words, 0)) * sum(row, A))
      store<f32>(action + (r << 2), <f32>c)
    }
    return
  }
  for (let i = 0; i < n; i++) {
    act(policy, i, observation, rows, action, environments, greedy, purpose, i, step, seedLo, seedHi)
    boundRows(action, action, rows, A, low, high, policy.head)
    for (let k = 0; k < rows * A; k++) {
      store<f32>(sums + (k << 2), load<f32>(sums + (k << 2)) + load<f32>(action + (k << 2)))
    }
  }
  for (let k = 0; k < rows * A; k++) store<f32>(action + (k << 2), load<f32>(sums + (k << 2)) / <f32>n)
}

function sum(x: usize, count: i32): f32 {
  let total: f32 = 0
  for (let k = 0; k < count; k++) total += load<f32>(x + (k << 2))
  return total
}
