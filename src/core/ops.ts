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
  expMinus1Into(out: Pointer, x: Pointer, count: number): void
  log1PlusInto(out: Pointer, x: Pointer, count: number): void
  sigmoidInto(out: Pointer, x: Pointer, count: number): void
  softplusInto(out: Pointer, x: Pointer, count: number): void
  exp64(x: number): number
  log64(x: number): number
  tanh64(x: number): number
  sin64(x: number): number
  cos64(x: number): number
  sin64Into(out: Pointer, x: Pointer, count: number): void
  cos64Into(out: Pointer, x: Pointer, count: number): void
  sinSmall64Into(out: Pointer, x: Pointer, count: number): void
  cosSmall64Into(out: Pointer, x: Pointer, count: number): void

  // assembly/random
  // biome-ignore format: one op, one line
  philox(out: Pointer, c0: number, c1: number, c2: number, c3: number, k0: number, k1: number): void
  // biome-ignore format: one op, one line
  fillUniform(out: Pointer, count: number, seedLo: number, seedHi: number, purpose: number, particle: number, environment: number, step: number, firstBlock?: number): void
  // biome-ignore format: one op, one line
  fillNormal(out: Pointer, count: number, seedLo: number, seedHi: number, purpose: number, particle: number, environment: number, step: number, firstBlock?: number): void
  // biome-ignore format: one op, one line
  deriveSeed(out: Pointer, seedLo: number, seedHi: number, purpose: number, particle: number, environment: number, step: number): void

  // assembly/svgd
  centreOf(out: Pointer, x: Pointer, n: number, D: number): void
  // biome-ignore format: one op, one line
  gram(matrix: Pointer, x: Pointer, centre: Pointer, n: number, d: number, block: number, panels: Pointer, tile: Pointer, first: number, end: number): void
  diagonalInto(out: Pointer, matrix: Pointer, n: number): void
  // biome-ignore format: one op, one line
  finishDistances(matrix: Pointer, x: Pointer, squares: Pointer, n: number, d: number, first: number, end: number): void
  // biome-ignore format: one op, one line
  rankedPairs(out: Pointer, matrix: Pointer, n: number, rank: number, scratch: Pointer, capacity: number): void
  meanPair(matrix: Pointer, n: number): number
  columnDistances(matrix: Pointer, x: Pointer, n: number, D: number, column: number): void
  rowSquares(out: Pointer, x: Pointer, n: number, D: number): void
  // biome-ignore format: one op, one line
  kernelRows(kernel: Pointer, slopes: Pointer, squares: Pointer, x: Pointer, D: number, distances: Pointer, reach: Pointer, terms: Pointer, count: number, n: number, first: number, end: number): void
  meanDistance(distances: Pointer, n: number): number
  // biome-ignore format: one op, one line
  trustInto(trust: Pointer, reach: Pointer, squares: Pointer, x: Pointer, centre: Pointer, n: number, D: number, limit: number): void
  // biome-ignore format: one op, one line
  steinDirection(task: Pointer, panels: Pointer, rows: Pointer, tile: Pointer, first: number, end: number): void
  meanNorms(out: Pointer, norms: Pointer, strips: number, n: number): void
  scaleColumns(out: Pointer, x: Pointer, scale: Pointer, n: number, D: number): void
  multiplyRows(out: Pointer, x: Pointer, matrix: Pointer, n: number, D: number): void
  // biome-ignore format: one op, one line
  copyColumns(out: Pointer, outStride: number, x: Pointer, stride: number, n: number, columns: number): void
  combineInto(out: Pointer, a: number, x: Pointer, b: number, y: Pointer, count: number): void
  firstNonFinite(x: Pointer, count: number): number
  firstNonFinite64(x: Pointer, count: number): number
  // biome-ignore format: one op, one line
  adam(x: Pointer, m: Pointer, v: Pointer, g: Pointer, count: number, rate: number, beta1: number, beta2: number, epsilon: number, c1: number, c2: number): void
  // biome-ignore format: one op, one line
  adagrad(x: Pointer, v: Pointer, g: Pointer, count: number, rate: number, momentum: number, epsilon: number): void
  ascend(x: Pointer, g: Pointer, count: number, rate: number): void
  steinDiagonal(x: Pointer, score: Pointer, n: number, d: number, kind: number, a: number, b: number): number
  steinPairs(x: Pointer, score: Pointer, n: number, d: number, kind: number, a: number, b: number): number
  // biome-ignore format: one op, one line
  steinPairsInto(out: Pointer, x: Pointer, score: Pointer, n: number, d: number, kind: number, a: number, b: number): void
  weightPairs4(out: Pointer, pairs: Pointer, weights: Pointer, n: number): void
  perStateDirection(task: Pointer): void

  // assembly/nn
  // biome-ignore format: one op, one line
  act(policy: Pointer, particle: number, observation: Pointer, rows: number, action: Pointer, environments: Pointer, greedy: number, purpose: number, stream: number, step: number, seedLo: number, seedHi: number): void
  // biome-ignore format: one op, one line
  actTogether(policy: Pointer, particles: number, observation: Pointer, rows: number, action: Pointer, environments: Pointer, low: Pointer, high: Pointer, sums: Pointer, greedy: number, purpose: number, step: number, seedLo: number, seedHi: number): void
  // biome-ignore format: one op, one line
  boundRows(out: Pointer, action: Pointer, rows: number, actions: number, low: Pointer, high: Pointer, head: number): Pointer
  // biome-ignore format: one op, one line
  policyLogProb(policy: Pointer, particle: number, observation: Pointer, rows: number, action: Pointer, out: Pointer): void
  trainingForward(net: Pointer): void
  trainingBackward(net: Pointer): void
  trainingInputs(net: Pointer): void
  inputsBackward(net: Pointer): void
  forwardPart(net: Pointer, part: number, parts: number, scratch: number): void
  backwardStart(net: Pointer): void
  weightsPart(net: Pointer, layer: number, part: number, parts: number, scratch: number): void
  backwardPart(net: Pointer, layer: number, part: number, parts: number, scratch: number): void
  inputsPart(net: Pointer, part: number, parts: number, scratch: number): void
  logProbRows(out: Pointer, logits: Pointer, action: Pointer, rows: number, classes: number): void
  // biome-ignore format: one op, one line
  logProbGradient(out: Pointer, d: Pointer, logits: Pointer, action: Pointer, rows: number, classes: number): void
  entropyRows(out: Pointer, logits: Pointer, rows: number, classes: number): void
  entropyGradient(out: Pointer, d: Pointer, logits: Pointer, rows: number, classes: number): void

  // assembly/plan
  runPlan(plan: Pointer, count: number): number

  // assembly/envs
  resetEnvironment(kind: number, state: Pointer, constants: Pointer, seedLo: number, seedHi: number): void
  // biome-ignore format: one op, one line
  stepEnvironment(kind: number, state: Pointer, constants: Pointer, action: Pointer, reward: Pointer, terminated: Pointer, rows: number): void
  // biome-ignore format: one op, one line
  observeEnvironment(kind: number, observation: Pointer, state: Pointer, constants: Pointer, rows: number): void
  stateSize(kind: number): number
  resetVector(vector: Pointer, mask: Pointer): void
  stepVector(vector: Pointer): void
  // biome-ignore format: one op, one line
  solveRounds(now: Pointer, before: Pointer, reads: Pointer, links: Pointer, bodies: number, joints: number, contacts: number, count: number): void

  // assembly/rl
  resetEnvironments(environments: Pointer, particle: number, seedLo: number, seedHi: number): void
  boundActions(environments: Pointer, action: Pointer, rows: number): Pointer
  // biome-ignore format: one op, one line
  rollout(batch: Pointer, environments: Pointer, policy: Pointer, particle: number, step: number, seedLo: number, seedHi: number): void
  // biome-ignore format: one op, one line
  evaluate(task: Pointer, policy: Pointer, particle: number, greedy: number, first: number, seedLo: number, seedHi: number): void
  // biome-ignore format: one op, one line
  returnsToGo(out: Pointer, valid: Pointer, reward: Pointer, terminated: Pointer, truncated: Pointer, nextValue: Pointer, steps: number, environments: number, discount: number): void
  // biome-ignore format: one op, one line
  lambdaReturns(out: Pointer, reward: Pointer, value: Pointer, nextValue: Pointer, terminated: Pointer, truncated: Pointer, steps: number, environments: number, discount: number, lambda: number): void
  // biome-ignore format: one op, one line
  stepReturns(out: Pointer, reward: Pointer, nextValue: Pointer, terminated: Pointer, truncated: Pointer, steps: number, environments: number, discount: number, n: number): void
  // biome-ignore format: one op, one line
  advantageWeights(out: Pointer, target: Pointer, value: Pointer, valid: Pointer, rows: number, centre: number, standardise: number): number
  linearValues(out: Pointer, model: Pointer, observation: Pointer, rows: number, size: number, scratch: Pointer): void
  linearFit(model: Pointer, observation: Pointer, target: Pointer, rows: number, size: number, scratch: Pointer): void
  // biome-ignore format: one op, one line
  rllabValues(out: Pointer, weights: Pointer, observation: Pointer, time: Pointer, later: number, rows: number, size: number, scratch: Pointer): void
  // biome-ignore format: one op, one line
  rllabFit(weights: Pointer, observation: Pointer, time: Pointer, target: Pointer, valid: Pointer, rows: number, size: number, ridge: number, scratch: Pointer): void
}
