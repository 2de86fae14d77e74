import { philox4, uniform32 } from '../random'
import { categoricalMode, categoricalSample } from './categorical'
import { mlpForward, padded } from './mlp'

/** A population of policies as an op reads it. Addresses and sizes; src/nn/policy.ts writes the same fields. */
@unmanaged
export class Policy {
  /** f32 [n, stride] */
  theta: usize
  stride: i32
  /** i32 [layers + 1] */
  widths: usize
  layers: i32
  widest: i32
  /** f32 [2, rows, widest] */
  scratch: usize
}

/** Outputs of the network of one particle: f32 [rows, padded(outputs)], at the address returned. */
export function policyForward(policy: Policy, particle: i32, observation: usize, rows: i32): usize {
  const theta = policy.theta + ((particle * policy.stride) << 2)
  return mlpForward(observation, rows, theta, policy.widths, policy.layers, policy.widest, policy.scratch)
}

/**
 * Chooses an action for every row: the mode if `greedy`, else a draw that is a function of
 * (seed, purpose, particle, environment of the row, step).
 *
 *     observation: f32 [rows, w₀]    action: f32 [rows]    environments: i32 [rows], or 0 for 0 … rows − 1
 */
export function act(
  policy: Policy, particle: i32, observation: usize, rows: i32, action: usize, environments: usize,
  greedy: bool, purpose: u32, step: u32, seedLo: u32, seedHi: u32,
): void {
  const classes = load<i32>(policy.widths + (policy.layers << 2))
  const stride = padded(classes) << 2
  let logits = policyForward(policy, particle, observation, rows)
  for (let r = 0; r < rows; r++, logits += stride) {
    let choice: i32
    if (greedy) {
      choice = categoricalMode(logits, classes)
    } else {
      const environment = environments ? load<i32>(environments + (r << 2)) : r
      const words = philox4(0, step, environment, purpose | (<u32>particle << 8), seedLo, seedHi)
      choice = categoricalSample(logits, classes, uniform32(i32x4.extract_lane(words, 0)))
    }
    store<f32>(action + (r << 2), <f32>choice)
  }
}
