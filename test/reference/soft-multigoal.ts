import { type MultiGoalTwin, stepMultiGoalReference } from './multigoal.ts'

// The maximum-entropy solution of the multi-goal tasks, by soft value iteration on a grid. A step goes to s' = clip(s +
// a) and pays one part for a and one for s', so with uniform measure on the box of actions, as in s2ac and sql,
//
//     V(s) = α log ∫ exp(−c |a|²/α) exp(G(s')/α) da      G(s') = r(s') + γ (1 − d(s')) V(s')
//     π(a|s) ∝ the integrand
//
// where c, r and α are in units of the scaled reward. The integral is a convolution along x and one along y.

// Jest looks globals up slowly.
const { abs, exp, floor, log, max, min, round } = Math

type Point = readonly [number, number]

export interface SoftMultiGoalTask {
  readonly constants: MultiGoalTwin
  readonly goals: readonly Point[]
  /** α, of the scaled reward. */
  readonly temperature: number
  readonly rewardScale: number
  readonly discount: number
}

/**
 * Nodes −P, −P + 1/n, … P along both axes; actions are whole numbers of spacings, so that a step leads from node to
 * node.
 */
export interface SoftMultiGoal {
  readonly task: SoftMultiGoalTask
  /** n, nodes in a unit of length. */
  readonly resolution: number
  /** N, nodes along an axis. */
  readonly side: number
  /** [2 M + 1] exp(−c a²/α) da of one component of an action; the trapezoid rule. */
  readonly kernel: Float64Array
  /** [N, N] V, rows along y. */
  readonly value: Float64Array
  /** [N, N] exp((V − shift)/α) */
  readonly partition: Float64Array
  /** [N, N] exp((G − shift)/α) of landing in a node's cell and going on, */
  readonly alive: Float64Array
  /** [goals][N, N] and of landing there and ending at a goal. */
  readonly ended: readonly Float64Array[]
  readonly iterations: number
}

/** Value iteration until no value changes by more than `tolerance`. */
export function solveSoftMultiGoal(task: SoftMultiGoalTask, resolution: number, tolerance = 1e-9): SoftMultiGoal {
  const side = 2 * round(task.constants.positionLimit * resolution) + 1
  const kernel = effortKernel(task, resolution)
  const landing = landingOf(task, side, resolution)
  let value = new Float64Array(side * side)
  for (let iterations = 1; ; iterations++) {
    const { alive, ended, shift } = weighed(task, landing, value)
    const all = alive.map((w, s) => ended.reduce((sum, of) => sum + of[s], w))
    const partition = convolved(all, kernel, kernel, side)
    const next = partition.map((w) => shift + task.temperature * log(w))
    const change = next.reduce((most, v, s) => max(most, abs(v - value[s])), 0)
    // With −∞ twice in a row: NaN, and no iteration would be the last.
    if (Number.isNaN(change))
      throw new Error(`temperature is too low for exponentials in float64, got ${task.temperature}.`)
    value = next
    if (change < tolerance) return { task, resolution, side, kernel, value, partition, alive, ended, iterations }
  }
}

function effortKernel({ constants, temperature, rewardScale }: SoftMultiGoalTask, resolution: number): Float64Array {
  const M = round(constants.velocityLimit * resolution)
  const cost = (rewardScale * constants.actionCost) / temperature
  return Float64Array.from({ length: 2 * M + 1 }, (_, k) => {
    const a = (k - M) / resolution
    return (exp(-cost * a * a) / resolution) * (abs(k - M) === M ? 0.5 : 1)
  })
}

/**
 * Mean exp(r/α) over the part of each node's cell where the walk goes on, and over the part that is within each goal.
 */
interface Landing {
  readonly alive: Float64Array
  readonly ended: readonly Float64Array[]
}

/**
 * Parts of a cell along an axis, where a goal's border cuts it. Whole cells would make the goal's area wrong by its
 * border times 1/n.
 */
const PARTS = 16

function landingOf(task: SoftMultiGoalTask, side: number, resolution: number): Landing {
  const { goals, constants } = task
  const landing = {
    alive: new Float64Array(side * side),
    ended: goals.map(() => new Float64Array(side * side)),
  }
  for (let s = 0; s < side * side; s++) {
    const [x, y] = placeOf(s, side, resolution)
    const [, distance] = nearestOf(goals, x, y)
    const parts = abs(distance - constants.goalThreshold) < 1 / resolution ? PARTS : 1
    for (let k = 0; k < parts * parts; k++) {
      const inside = (part: number) => ((part + 0.5) / parts - 0.5) / resolution
      const at = [x + inside(k % parts), y + inside(floor(k / parts))]
      const { reward, terminated } = stepMultiGoalReference(at, [0, 0], goals, constants)
      const [g] = nearestOf(goals, at[0], at[1])
      const to = terminated ? landing.ended[g] : landing.alive
      to[s] += exp((task.rewardScale * reward) / task.temperature) / parts ** 2
    }
  }
  return landing
}

function nearestOf(goals: readonly Point[], x: number, y: number): [goal: number, distance: number] {
  const distances = goals.map(([goalX, goalY]) => Math.hypot(x - goalX, y - goalY))
  const nearest = min(...distances)
  return [distances.indexOf(nearest), nearest]
}

export function placeOf(node: number, side: number, resolution: number): Point {
  const middle = (side - 1) / 2
  return [((node % side) - middle) / resolution, (floor(node / side) - middle) / resolution]
}

/**
 * exp((G − shift)/α). The values at goals are about 0: no exponential overflows with the shift, and near goals none
 * underflows.
 */
function weighed({ discount, temperature }: SoftMultiGoalTask, landing: Landing, value: Float64Array) {
  const shift = discount * value.reduce((most, v) => max(most, v), 0)
  return {
    shift,
    alive: landing.alive.map((w, s) => w * exp((discount * value[s] - shift) / temperature)),
    ended: landing.ended.map((of) => of.map((w) => w * exp(-shift / temperature))),
  }
}

/** Σ_a kernelX(aₓ) kernelY(a_y) values(clip(s + a)). */
function convolved(values: Float64Array, kernelX: Float64Array, kernelY: Float64Array, side: number): Float64Array {
  const alongX = new Float64Array(values.length)
  const out = new Float64Array(values.length)
  eachStep(side, kernelX, (from, to, weight) => {
    for (let line = 0; line < values.length; line += side) alongX[line + from] += weight * values[line + to]
  })
  eachStep(side, kernelY, (from, to, weight) => {
    for (let column = 0; column < side; column++) out[from * side + column] += weight * alongX[to * side + column]
  })
  return out
}

/** The adjoint, where mass goes: Σ_a kernel(a) mass(s) to clip(s + a). */
function spread(mass: Float64Array, kernel: Float64Array, side: number): Float64Array {
  const alongX = new Float64Array(mass.length)
  const out = new Float64Array(mass.length)
  eachStep(side, kernel, (from, to, weight) => {
    for (let line = 0; line < mass.length; line += side) alongX[line + to] += weight * mass[line + from]
  })
  eachStep(side, kernel, (from, to, weight) => {
    for (let column = 0; column < side; column++) out[to * side + column] += weight * alongX[from * side + column]
  })
  return out
}

/** Every step along an axis, with its weight; the border holds. */
function eachStep(side: number, kernel: Float64Array, visit: (from: number, to: number, weight: number) => void): void {
  const M = (kernel.length - 1) / 2
  for (let from = 0; from < side; from++) {
    for (let j = -M; j <= M; j++) visit(from, min(max(from + j, 0), side - 1), kernel[j + M])
  }
}

export interface Arrivals {
  /** [goals] share of the episodes that end at each within the limit. */
  readonly shares: readonly number[]
  /** and at none. */
  readonly none: number
  /** Mean entropy of the actions, in nats, over the steps of the episodes. */
  readonly entropy: number
  /** [steps] share that has not ended after each. */
  readonly left: readonly number[]
}

/**
 * Where the episodes of the soft-optimal policy end that begin at the nodes with the given mass [N, N], cut after some
 * steps.
 */
export function arrivals(solved: SoftMultiGoal, start: Float64Array, steps: number): Arrivals {
  const { partition, alive, ended, kernel, side } = solved
  const entropies = entropyOf(solved)
  const shares = ended.map(() => 0)
  const left: number[] = []
  let mass = start
  let entropy = 0
  let taken = 0
  for (let t = 0; t < steps; t++) {
    mass.forEach((p, s) => {
      entropy += p * entropies[s]
      taken += p
    })
    const drive = spread(
      mass.map((p, s) => (p === 0 ? 0 : p / partition[s])),
      kernel,
      side,
    )
    ended.forEach((of, g) => {
      shares[g] += of.reduce((sum, w, s) => sum + w * drive[s], 0)
    })
    mass = alive.map((w, s) => w * drive[s])
    left.push(mass.reduce((sum, p) => sum + p, 0))
  }
  return { shares, none: left[steps - 1] ?? 1, entropy: entropy / taken, left }
}

/** [N, N] H(π(·|s)) = log Z − E [−c |a|²/α + log exp(G/α)] of the density that is normalised by Z, in nats. */
export function entropyOf({ partition, alive, ended, kernel, side, task, resolution }: SoftMultiGoal): Float64Array {
  const M = (kernel.length - 1) / 2
  const cost = (task.rewardScale * task.constants.actionCost) / task.temperature
  const effort = kernel.map((w, k) => w * cost * ((k - M) / resolution) ** 2)
  const landing = alive.map((w, s) => ended.reduce((sum, of) => sum + of[s], w))
  const weighted = landing.map((w) => (w > 0 ? w * log(w) : 0))
  const gained = convolved(weighted, kernel, kernel, side)
  const alongX = convolved(landing, effort, kernel, side)
  const alongY = convolved(landing, kernel, effort, side)
  return partition.map((z, s) => log(z) - (gained[s] - alongX[s] - alongY[s]) / z)
}

/** [2 M + 1, 2 M + 1] probabilities of the actions of a node, rows along y. */
export function actionsOf({ partition, alive, ended, kernel, side }: SoftMultiGoal, node: number): Float64Array {
  const A = kernel.length
  const M = (A - 1) / 2
  const place = (coordinate: number, k: number) => min(max(coordinate + k - M, 0), side - 1)
  return Float64Array.from({ length: A * A }, (_, k) => {
    const to = place(floor(node / side), floor(k / A)) * side + place(node % side, k % A)
    const landing = ended.reduce((sum, of) => sum + of[to], alive[to])
    return (kernel[k % A] * kernel[floor(k / A)] * landing) / partition[node]
  })
}

/** V between the nodes, bilinear. */
export function valueAt({ value, side, resolution }: SoftMultiGoal, x: number, y: number): number {
  const place = (coordinate: number) => min(max(coordinate * resolution + (side - 1) / 2, 0), side - 1)
  const [i, j] = [x, y].map((coordinate) => min(floor(place(coordinate)), side - 2))
  const [u, v] = [place(x) - i, place(y) - j]
  const row = (line: number) => (1 - u) * value[line * side + i] + u * value[line * side + i + 1]
  return (1 - v) * row(j) + v * row(j + 1)
}

/** The node nearest to a place. */
export function nodeAt({ side, resolution }: SoftMultiGoal, x: number, y: number): number {
  const [i, j] = [x, y].map((coordinate) => round(coordinate * resolution) + (side - 1) / 2)
  return j * side + i
}

/** [N, N] a start from N(0, deviation²), or the origin. */
export function startOf({ side, resolution }: SoftMultiGoal, deviation: number): Float64Array {
  const mass = new Float64Array(side * side).map((_, s) => {
    const [x, y] = placeOf(s, side, resolution)
    const square = x * x + y * y
    return deviation === 0 ? Number(square === 0) : exp(-square / (2 * deviation * deviation))
  })
  const total = mass.reduce((sum, p) => sum + p, 0)
  return mass.map((p) => p / total)
}
