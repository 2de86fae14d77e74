import * as v from 'valibot'
import { show, UsageError } from '../core/errors.ts'
import type { CoreSource } from '../core/module.ts'
import { requireOptions } from '../core/options.ts'
import { areFinite, isRecord, requireFunction, requireThat } from '../core/require.ts'
import { check, wholeNumber } from '../core/schemas.ts'
import type { EnvironmentSpec } from '../envs/contract.ts'
import { asTask } from '../envs/description-problems.ts'
import { environmentSpec } from '../envs/registry.ts'
import { haveSameSpaces } from '../envs/spaces.ts'
import type { Acting } from '../policy/request.ts'
import { AGENT_FIELDS, type Policies, requireAgents } from './agents.ts'
import { evaluatePopulation } from './evaluate.ts'

/** The constants of a task that are varied, each from its first number to its second. */
export type Ranges = Readonly<Record<string, readonly [low: number, high: number]>>

/** Their form; `refuseRanges` checks them against a task. */
export const rangesSchema = v.custom<Ranges>(
  (given) => isRecord(given) && Object.values(given).every(isPair),
  ({ input }) =>
    `ranges must be constants with a low and a high bound each, as { length: [0.5, 1.5] }, got ${show(input)}.`,
)

const isPair = (range: unknown) =>
  Array.isArray(range) && range.length === 2 && range.every((bound) => typeof bound === 'number')

/**
 * Refuses ranges in which a task cannot be varied.
 *
 * @throws UsageError for a task without constants, no range, a constant that does not exist, a bound that is not
 *   finite, a range that is empty, a value that the task does not take, or a constant that changes what one policy sees
 *   or does
 */
export function refuseRanges(spec: EnvironmentSpec, given: unknown): Ranges {
  const { id, core, configure } = spec
  if (!configure || (core && Object.keys(core.constants).length === 0))
    throw new UsageError(`${id} has no constants that could be randomised.`)
  const ranges = check(rangesSchema, given)
  if (Object.keys(ranges).length === 0)
    throw new UsageError(`Randomisation of ${id} needs a range of at least one constant, got none.`)
  for (const [name, [low, high]] of Object.entries(ranges)) {
    if (core && !Object.hasOwn(core.constants, name)) {
      const names = Object.keys(core.constants).join(', ')
      throw new UsageError(`${id} has no constant ${show(name)} to randomise; it has ${names}.`)
    }
    const bad = [low, high].find((x) => !Number.isFinite(x))
    if (bad !== undefined) throw new UsageError(`The range of ${name} must have finite bounds, got ${bad}.`)
    if (low >= high) throw new UsageError(`The range of ${name} is empty: ${low} is not below ${high}.`)
    for (const value of [low, high]) refuseOtherSpaces(spec, name, configure({ [name]: value }))
  }
  return ranges
}

function refuseOtherSpaces(spec: EnvironmentSpec, name: string, other: EnvironmentSpec): void {
  if (haveSameSpaces(spec, other)) return
  throw new UsageError(
    `${name} changes the spaces of ${spec.id}, which are the same for all that one policy is trained on; randomise another constant.`,
  )
}

/**
 * From the unit cube [d] to constants: low + u (high − low) in each dimension.
 *
 * @throws UsageError for what are no ranges, and for a point that has not a finite number for each
 */
export function constantsAt(ranges: Ranges, point: ArrayLike<number>): Record<string, number> {
  const all = Object.entries(check(rangesSchema, ranges))
  const isPoint = areFinite(point) && point.length === all.length
  requireThat(isPoint, 'constantsAt', `a point with a finite number for each of the ${all.length} ranges`, point)
  return Object.fromEntries(all.map(([name, [low, high]], k) => [name, low + point[k] * (high - low)]))
}

/** The same task with other constants and the time limit that it has now. */
export const specAt = (spec: EnvironmentSpec, constants: Readonly<Record<string, number>>): EnvironmentSpec => ({
  ...asTask((spec.configure as NonNullable<typeof spec.configure>)(constants)),
  maxEpisodeSteps: spec.maxEpisodeSteps,
})

/**
 * The constants of a task as they are sent to whoever evaluates: all of them in memory order where the physics is in
 * the core, those of `changed` otherwise. Nothing changed is the reference environment.
 */
export const packConstants = ({ core }: EnvironmentSpec, changed: Readonly<Record<string, number>>): Float64Array =>
  Float64Array.from(Object.values(core ? { ...core.constants, ...changed } : changed))

/** What evaluateGrid() takes beside the agents: the grid of constants and how often each point is played. */
export type GridOptions = (Acting | Policies) & {
  readonly spec: EnvironmentSpec
  readonly ranges: Ranges
  /** Points of each dimension, from its low to its high end. Default 7. */
  readonly points?: number
  /** Default 20. */
  readonly episodes?: number
  /** Default 0. */
  readonly seed?: number
  /** Called after each point. */
  readonly onProgress?: (done: number, total: number) => void
  readonly core?: CoreSource
}

const GRID_OPTIONS = ['spec', 'ranges', 'points', 'episodes', 'seed', 'onProgress', 'core']

/** What policies reach where in the ranges. */
export interface EvaluationGrid {
  readonly ranges: Ranges
  /** Of each dimension. */
  readonly points: number
  readonly episodes: number
  /** [pointsᵈ] mean return of the greedy policies, the last dimension running fastest. */
  readonly returns: readonly number[]
}

/** More than anybody plays episodes at. */
const MOST_POINTS = 1_000_000

/**
 * The points of a grid in the order of its returns, in the unit cube.
 *
 * @throws UsageError for numbers that are no whole ones from 1, and for a grid of more than a million points
 */
export function gridPoints(dimensions: number, points: number): number[][] {
  check(wholeNumber('dimensions', 1, 1000), dimensions)
  check(wholeNumber('points', 1, MOST_POINTS), points)
  let all = 1
  for (let d = 0; d < dimensions && all <= MOST_POINTS; d++) all *= points
  if (all > MOST_POINTS)
    throw new UsageError(`A grid has at most ${MOST_POINTS} points, got ${points} in each of ${dimensions} dimensions.`)
  const ends = Array.from({ length: points }, (_, k) => (points === 1 ? 0.5 : k / (points - 1)))
  return Array.from({ length: dimensions }).reduce<number[][]>(
    (all) => all.flatMap((point) => ends.map((x) => [...point, x])),
    [[]],
  )
}

/**
 * Mean return of greedy agents at every point of a grid over the ranges; all points have the same initial random
 * numbers.
 *
 * @throws UsageError for ranges that do not fit the task, or agents that do not
 */
export async function evaluateGrid(given: GridOptions): Promise<EvaluationGrid> {
  requireOptions('evaluateGrid', given, [...GRID_OPTIONS, ...AGENT_FIELDS])
  const { spec, ranges, onProgress, ...options } = given
  environmentSpec(spec)
  requireAgents('evaluateGrid', options)
  refuseRanges(spec, ranges)
  if (onProgress !== undefined) requireFunction('onProgress', onProgress, '(done, total) => …')
  const points = check(wholeNumber('points', 1, 1000), options.points ?? 7)
  const episodes = check(wholeNumber('episodes', 1, 1_000_000), options.episodes ?? 20)
  const seed = check(wholeNumber('seed', 0), options.seed ?? 0)
  const all = gridPoints(Object.keys(ranges).length, points)
  const returns: number[] = []
  for (const point of all) {
    const there = specAt(spec, constantsAt(ranges, point))
    returns.push(await greedyReturn({ ...options, spec: there, episodes, seed }))
    onProgress?.(returns.length, all.length)
  }
  return { ranges, points, episodes, returns }
}

async function greedyReturn(population: Parameters<typeof evaluatePopulation>[0]): Promise<number> {
  let total = 0
  for await (const { greedy, meanReturn } of evaluatePopulation(population)) {
    if (!greedy) break
    total += meanReturn
  }
  return total / population.particles
}
