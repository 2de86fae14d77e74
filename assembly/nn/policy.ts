import { philox4, uniform32 } from '../random'
import { categoricalLogProb, categoricalMode, categoricalSample } from './categorical'
import { gaussianLogProb, gaussianSample, squash, unsquashRow } from './gaussian'
import { mlpForward, padded } from './mlp'

// Kinds of heads, as in src/nn/policy.ts.
export const CATEGORICAL: i32 = 0
const GAUSSIAN: i32 = 1
export const SQUASHED: i32 = 2

/** The logarithm of the standard deviation that a network gives is kept in this range (Haarnoja et al. 2018). */
const LOWEST_LOG_STD: f32 = -20
const HIGHEST_LOG_STD: f32 = 2

/** A population of policies as an op reads it. Addresses and sizes; src/nn/policy.ts writes the same fields. */
@unmanaged
export class Policy {
  /** f32 [n, stride]: the network's parameters, then those of the head, log σ [A] of a Gaussian */
  theta: usize
  stride: i32
  /** of the network alone */
  size: i32
  head: i32
  /** classes, or A dimensions of an action */
  actions: i32
  /** i32 [layers + 1] */
  widths: usize
  /** i32 [layers] */
  kinds: usize
  layers: i32
  widest: i32
  /** f32 [2, rows, widest] */
  scratch: usize
  /** f32 [A] */
  latent: usize
}

/**
 * Outputs of the network of one particle, log σ kept in its range: f32 [rows, padded(outputs)], at the address
 * returned.
 */
export function policyForward(policy: Policy, particle: i32, observation: usize, rows: i32): usize {
  const theta = thetaOf(policy, particle)
  const outputs = mlpForward(
    observation, rows, theta, policy.widths, policy.kinds, policy.layers, policy.widest, policy.scratch,
  )
  if (policy.head == SQUASHED) clampLogStds(policy, outputs, rows)
  return outputs
}

// @ts-ignore: decorator
@inline
function thetaOf(policy: Policy, particle: i32): usize {
  return policy.theta + ((particle * policy.stride) << 2)
}

// @ts-ignore: decorator
@inline
function outputStride(policy: Policy): i32 {
  return padded(load<i32>(policy.widths + (policy.layers << 2))) << 2
}

function clampLogStds(policy: Policy, outputs: usize, rows: i32): void {
  const stride = outputStride(policy)
  const A = policy.actions
  for (let r = 0; r < rows; r++, outputs += stride) {
    for (let k = A; k < 2 * A; k++) {
      const p = outputs + (k << 2)
      store<f32>(p, min<f32>(max<f32>(load<f32>(p), LOWEST_LOG_STD), HIGHEST_LOG_STD))
    }
  }
}

/** Where log σ of a row stands: behind its mean, or one for all rows behind the network's parameters. */
// @ts-ignore: decorator
@inline
function logStdOf(policy: Policy, particle: i32, output: usize): usize {
  if (policy.head == SQUASHED) return output + (policy.actions << 2)
  return thetaOf(policy, particle) + (policy.size << 2)
}

/**
 * Chooses an action for every row: the mode if `greedy`, else a draw that is a function of
 * (seed, purpose, stream, environment of the row, step). A class is one number.
 *
 *     observation: f32 [rows, w₀]    action: f32 [rows, A]    environments: i32 [rows], or 0 for 0 … rows − 1
 */
export function act(
  policy: Policy, particle: i32, observation: usize, rows: i32, action: usize, environments: usize,
  greedy: bool, purpose: u32, stream: u32, step: u32, seedLo: u32, seedHi: u32,
): void {
  const stride = outputStride(policy)
  const c3 = purpose | (stream << 8)
  const width = policy.head == CATEGORICAL ? 4 : policy.actions << 2
  let output = policyForward(policy, particle, observation, rows)
  for (let r = 0; r < rows; r++, output += stride, action += width) {
    if (greedy) {
      chooseMode(policy, output, action)
    } else {
      const environment = environments ? load<i32>(environments + (r << 2)) : r
      draw(policy, particle, output, action, step, environment, c3, seedLo, seedHi)
    }
  }
}

// @ts-ignore: decorator
@inline
function chooseMode(policy: Policy, output: usize, action: usize): void {
  const A = policy.actions
  if (policy.head == CATEGORICAL) {
    store<f32>(action, <f32>categoricalMode(output, A))
  } else {
    memory.copy(action, output, A << 2)
    if (policy.head == SQUASHED) squash(action, A)
  }
}

// @ts-ignore: decorator
@inline
function draw(
  policy: Policy, particle: i32, output: usize, action: usize, step: u32, environment: u32, c3: u32, seedLo: u32,
  seedHi: u32,
): void {
  const A = policy.actions
  if (policy.head == CATEGORICAL) {
    const words = philox4(0, step, environment, c3, seedLo, seedHi)
    store<f32>(action, <f32>categoricalSample(output, A, uniform32(i32x4.extract_lane(words, 0))))
  } else {
    gaussianSample(action, output, logStdOf(policy, particle, output), A, step, environment, c3, seedLo, seedHi)
    if (policy.head == SQUASHED) squash(action, A)
  }
}

/**
 * log π(a|s) of every row, in nats.
 *
 *     observation: f32 [rows, w₀]    action: f32 [rows, A]    out: f32 [rows]
 */
export function policyLogProb(
  policy: Policy, particle: i32, observation: usize, rows: i32, action: usize, out: usize,
): void {
  const A = policy.actions
  const stride = outputStride(policy)
  let output = policyForward(policy, particle, observation, rows)
  for (let r = 0; r < rows; r++, output += stride, out += 4) {
    if (policy.head == CATEGORICAL) {
      store<f32>(out, categoricalLogProb(output, A, <i32>load<f32>(action + (r << 2))))
      continue
    }
    const row = action + ((r * A) << 2)
    const logStd = logStdOf(policy, particle, output)
    if (policy.head == GAUSSIAN) {
      store<f32>(out, gaussianLogProb(output, logStd, row, A))
    } else {
      const slope = unsquashRow(policy.latent, row, A)
      store<f32>(out, gaussianLogProb(output, logStd, policy.latent, A) - slope)
    }
  }
}
