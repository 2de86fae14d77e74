import { boundRows } from './bounds'
import { addProbabilities, categoricalMode, invert } from './categorical'
import { padded } from './dense'
import { act, CATEGORICAL, factorOf, factorUniform, Policy, policyForward } from './policy'

/**
 * One action a row from all n particles together, added up in their order. Classes: the mode of, or a draw from, the
 * mean of their distributions, p_c = 1/n Σ_i softmax(logits_i)_c, by itself in each factor of a product. Numbers: the
 * mean of the actions that each of them takes by itself, as an environment takes them.
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
      for (let r = 0; r < rows; r++, logits += stride) addFactors(policy, sums + ((r * A) << 2), logits)
    }
    // A stream of its own, behind those of the particles.
    const c3 = purpose | (<u32>n << 8)
    for (let r = 0; r < rows; r++) {
      const row = sums + ((r * A) << 2)
      const to = action + ((r * policy.factorCount) << 2)
      chooseFactors(policy, to, row, greedy, step, load<u32>(environments + (r << 2)), c3, seedLo, seedHi)
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

function addFactors(policy: Policy, sums: usize, logits: usize): void {
  for (let k = 0, at = 0; k < policy.factorCount; k++) {
    const classes = factorOf(policy, k)
    addProbabilities(sums + at, logits + at, classes)
    at += classes << 2
  }
}

/** A class of every factor by the sums of probabilities of a row: the largest, or one that is drawn. */
function chooseFactors(
  policy: Policy, action: usize, row: usize, greedy: bool, step: u32, environment: u32, c3: u32, seedLo: u32,
  seedHi: u32,
): void {
  for (let k = 0; k < policy.factorCount; k++) {
    const classes = factorOf(policy, k)
    const u = factorUniform(k, step, environment, c3, seedLo, seedHi)
    const c = greedy ? categoricalMode(row, classes) : invert(row, classes, u * sum(row, classes))
    store<f32>(action + (k << 2), <f32>c)
    row += classes << 2
  }
}

function sum(x: usize, count: i32): f32 {
  let total: f32 = 0
  for (let k = 0; k < count; k++) total += load<f32>(x + (k << 2))
  return total
}
