import { philox4, uniform32 } from '../random'
import { categoricalLogProb, categoricalMode, categoricalSample } from './categorical'
import { compactRows, strideOf } from './dense'
import { gaussianLogProb, gaussianSample, squash, unsquashRow } from './gaussian'
import { mlpForward, mlpForwardKept, padded } from './mlp'

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
  /** classes, of all factors together, or A dimensions of an action */
  actions: i32
  /** i32 [K] classes of each factor of a categorical head, a product of K categoricals, logits side by side */
  factors: usize
  factorCount: i32
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

/** The same from passes that are kept for a gradient, see mlpForwardKept; what stands there stays as it is. */
function policyForwardKept(
  policy: Policy, particle: i32, observation: usize, rows: i32, kept: usize, capacity: i32, first: i32,
): usize {
  const theta = thetaOf(policy, particle)
  const last = load<i32>(policy.widths + (policy.layers << 2))
  const from = mlpForwardKept(
    observation, rows, theta, policy.widths, policy.kinds, policy.layers, kept, capacity, first,
  )
  const outputs = policy.scratch
  compactRows(outputs, from, strideOf(last), rows, padded(last))
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

/** Numbers of an action: a class is one. */
// @ts-ignore: decorator
@inline
export function actionWidth(policy: Policy): i32 {
  return policy.head == CATEGORICAL ? policy.factorCount : policy.actions
}

// @ts-ignore: decorator
@inline
export function factorOf(policy: Policy, k: i32): i32 {
  return load<i32>(policy.factors + (k << 2))
}

/**
 * Chooses an action for every row: the mode if `greedy`, else a draw that is a function of
 * (seed, purpose, stream, environment of the row, step). A class is one number, a product of K categoricals K of them.
 *
 *     observation: f32 [rows, w₀]    action: f32 [rows, A]    environments: i32 [rows], or 0 for 0 … rows − 1
 */
export function act(
  policy: Policy, particle: i32, observation: usize, rows: i32, action: usize, environments: usize,
  greedy: bool, purpose: u32, stream: u32, step: u32, seedLo: u32, seedHi: u32,
): void {
  const output = policyForward(policy, particle, observation, rows)
  choose(policy, particle, output, rows, action, environments, greedy, purpose, stream, step, seedLo, seedHi)
}

/** The same draws for environments 0 … rows − 1, with the outputs of all layers kept as policyForwardKept does. */
export function actKeeping(
  policy: Policy, particle: i32, observation: usize, rows: i32, action: usize, kept: usize, capacity: i32, first: i32,
  purpose: u32, stream: u32, step: u32, seedLo: u32, seedHi: u32,
): void {
  const output = policyForwardKept(policy, particle, observation, rows, kept, capacity, first)
  choose(policy, particle, output, rows, action, 0, false, purpose, stream, step, seedLo, seedHi)
}

/** The actions of the rows whose outputs stand at `output`, which may be overwritten. */
function choose(
  policy: Policy, particle: i32, output: usize, rows: i32, action: usize, environments: usize, greedy: bool,
  purpose: u32, stream: u32, step: u32, seedLo: u32, seedHi: u32,
): void {
  const stride = outputStride(policy)
  const c3 = purpose | (stream << 8)
  const width = actionWidth(policy) << 2
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
    for (let k = 0; k < policy.factorCount; k++) {
      const classes = factorOf(policy, k)
      store<f32>(action + (k << 2), <f32>categoricalMode(output, classes))
      output += classes << 2
    }
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
    for (let k = 0; k < policy.factorCount; k++) {
      const u = factorUniform(k, step, environment, c3, seedLo, seedHi)
      const classes = factorOf(policy, k)
      store<f32>(action + (k << 2), <f32>categoricalSample(output, classes, u))
      output += classes << 2
    }
  } else {
    gaussianSample(action, output, logStdOf(policy, particle, output), A, step, environment, c3, seedLo, seedHi)
    if (policy.head == SQUASHED) squash(action, A)
  }
}

/** The number in [0, 1) that factor k of a product is drawn with: word k of the stream, four to a block. */
export function factorUniform(k: i32, step: u32, environment: u32, c3: u32, seedLo: u32, seedHi: u32): f32 {
  const words = philox4(k >> 2, step, environment, c3, seedLo, seedHi)
  const lane = k & 3
  if (lane == 0) return uniform32(i32x4.extract_lane(words, 0))
  if (lane == 1) return uniform32(i32x4.extract_lane(words, 1))
  return uniform32(lane == 2 ? i32x4.extract_lane(words, 2) : i32x4.extract_lane(words, 3))
}

/** Σ_k log softmax(logits_k)_{a_k} of the K factors.    action: f32 [K] */
function productLogProb(policy: Policy, logits: usize, action: usize): f32 {
  let sum: f32 = 0
  for (let k = 0; k < policy.factorCount; k++) {
    const classes = factorOf(policy, k)
    sum += categoricalLogProb(logits, classes, <i32>load<f32>(action + (k << 2)))
    logits += classes << 2
  }
  return sum
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
      store<f32>(out, productLogProb(policy, output, action + ((r * policy.factorCount) << 2)))
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
