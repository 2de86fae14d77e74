/** An address in the core's memory, in bytes. */
export type Pointer = number

/**
 * Every export of the core. Pointers and sizes in, nothing or one number out; nothing is allocated and nothing is
 * checked. The drawing of the memory stands above each op in assembly/.
 */
export interface Ops {
  // assembly/math
  expInto(out: Pointer, x: Pointer, count: number): void
  logInto(out: Pointer, x: Pointer, count: number): void
  tanhInto(out: Pointer, x: Pointer, count: number): void
  sinInto(out: Pointer, x: Pointer, count: number): void
  cosInto(out: Pointer, x: Pointer, count: number): void
  exp64(x: number): number
  log64(x: number): number
  tanh64(x: number): number
  sin64(x: number): number
  cos64(x: number): number

  // assembly/random
  // biome-ignore format: one op, one line
  philox(out: Pointer, c0: number, c1: number, c2: number, c3: number, k0: number, k1: number): void
  // biome-ignore format: one op, one line
  fillUniform(out: Pointer, count: number, seedLo: number, seedHi: number, purpose: number, particle: number, environment: number, step: number): void
  // biome-ignore format: one op, one line
  fillNormal(out: Pointer, count: number, seedLo: number, seedHi: number, purpose: number, particle: number, environment: number, step: number): void
  // biome-ignore format: one op, one line
  deriveSeed(out: Pointer, seedLo: number, seedHi: number, purpose: number, particle: number, environment: number, step: number): void

  // assembly/svgd
  centreInto(out: Pointer, x: Pointer, n: number, d: number): void
  squaredDistances(out: Pointer, x: Pointer, n: number, d: number): void
  rankedPair(distances: Pointer, scratch: Pointer, n: number, rank: number): number
  meanPair(distances: Pointer, n: number): number
  rbfKernel(out: Pointer, distances: Pointer, n: number, bandwidth: number): void
  mixRows(out: Pointer, weights: Pointer, a: Pointer, n: number, d: number, scale: number): void
  rbfRepulsion(out: Pointer, x: Pointer, kernel: Pointer, n: number, d: number, bandwidth: number): void
  combineInto(out: Pointer, a: number, x: Pointer, b: number, y: Pointer, count: number): void
  rowNorms(out: Pointer, x: Pointer, n: number, d: number): void
  firstNonFinite(x: Pointer, count: number): number
  firstNonFinite64(x: Pointer, count: number): number
  // biome-ignore format: one op, one line
  adam(x: Pointer, m: Pointer, v: Pointer, g: Pointer, count: number, rate: number, beta1: number, beta2: number, epsilon: number, c1: number, c2: number): void
  // biome-ignore format: one op, one line
  adagrad(x: Pointer, v: Pointer, g: Pointer, count: number, rate: number, momentum: number, epsilon: number): void
  ascend(x: Pointer, g: Pointer, count: number, rate: number): void

  // assembly/nn
  policyForward(policy: Pointer, particle: number, observation: Pointer, rows: number): Pointer
  // biome-ignore format: one op, one line
  act(policy: Pointer, particle: number, observation: Pointer, rows: number, action: Pointer, environments: Pointer, greedy: number, purpose: number, step: number, seedLo: number, seedHi: number): void

  // assembly/envs
  resetEnvironment(kind: number, state: Pointer, constants: Pointer, seedLo: number, seedHi: number): void
  // biome-ignore format: one op, one line
  stepEnvironment(kind: number, state: Pointer, constants: Pointer, action: Pointer, reward: Pointer, terminated: Pointer, rows: number): void
  observeEnvironment(kind: number, observation: Pointer, state: Pointer, rows: number): void

  // assembly/rl
  resetEnvironments(environments: Pointer, first: number, end: number, seedLo: number, seedHi: number): void
  // biome-ignore format: one op, one line
  rollout(batch: Pointer, environments: Pointer, policy: Pointer, first: number, end: number, step: number, seedLo: number, seedHi: number): void
  // biome-ignore format: one op, one line
  evaluate(task: Pointer, policy: Pointer, particle: number, greedy: number, seedLo: number, seedHi: number): void
  // biome-ignore format: one op, one line
  returnsToGo(out: Pointer, valid: Pointer, reward: Pointer, terminated: Pointer, truncated: Pointer, nextValue: Pointer, steps: number, environments: number, discount: number): void
  // biome-ignore format: one op, one line
  advantageWeights(out: Pointer, target: Pointer, value: Pointer, valid: Pointer, rows: number, centre: number, standardise: number): number
  // biome-ignore format: one op, one line
  baselineValues(out: Pointer, weights: Pointer, observation: Pointer, time: Pointer, later: number, rows: number, size: number, scratch: Pointer): void
  // biome-ignore format: one op, one line
  baselineFit(weights: Pointer, observation: Pointer, time: Pointer, target: Pointer, valid: Pointer, rows: number, size: number, ridge: number, scratch: Pointer): void
}
