import { platform } from '#platform'
import { joined } from '../core/rows.ts'
import { decodeTensors, encodeTensors, type Tensor } from '../core/safetensors.ts'
import type { StatePart } from '../core/state.ts'
import { quantile } from '../core/statistics.ts'
import type { Evaluation } from '../report/metrics.ts'
import type { Visited } from '../rl/evaluator.ts'
import { fileOf, reading, writing } from '../train/run-files.ts'

const { files } = platform

/** Rollouts whose rows are kept: one alone shows too few. */
const ROLLOUTS = 16

/** Where each particle has been in its last rollouts. */
export interface Visits {
  /** Call after every iteration with the rows of each particle. */
  add(visited: readonly (Visited | null)[]): void
  /** [n, rows, O] the observations; null when there are none. */
  tensor(observationSize: number): Tensor | null
  /** What a run that goes on needs of it. */
  readonly part: StatePart
}

export function collectVisits(): Visits {
  const kept: (readonly (Pick<Visited, 'observation'> | null)[])[] = []
  return {
    add(visited) {
      kept.push(visited)
      if (kept.length > ROLLOUTS) kept.shift()
    },
    tensor(O) {
      const particles = kept[0]?.length ?? 0
      const rows = Array.from({ length: particles }, (_, i) => kept.flatMap((all) => [...(all[i]?.observation ?? [])]))
      const size = rows[0]?.length ?? 0
      if (size === 0 || rows.some(({ length }) => length !== size)) return null
      return { shape: [particles, size / O, O], data: Float32Array.from(rows.flat()) }
    },
    part: visitsPart(kept),
  }
}

/** Rollouts one after the other, each with the observations of its particles. */
function visitsPart(kept: (readonly (Pick<Visited, 'observation'> | null)[])[]): StatePart {
  return {
    save(to) {
      const all = kept.flat().map((visited) => visited?.observation ?? new Float32Array(0))
      to.array(
        'particles',
        Int32Array.from(kept, ({ length }) => length),
      )
      to.array(
        'lengths',
        Int32Array.from(all, ({ length }) => length),
      )
      to.array('observations', joined(all))
    },
    load(from) {
      const sum = (values: Int32Array) => values.reduce((total, value) => total + value, 0)
      const particles = from.array('particles', new Int32Array(0), 'any')
      const lengths = from.array('lengths', new Int32Array(0), sum(particles))
      const observations = from.array('observations', new Float32Array(0), sum(lengths))
      let at = 0
      let next = 0
      const take = () => {
        const length = lengths[next++]
        at += length
        return { observation: observations.slice(at - length, at) }
      }
      const rollouts = Array.from(particles, (count) => Array.from({ length: count }, take))
      return () => void kept.splice(0, kept.length, ...rollouts)
    },
  }
}

export async function saveVisits(path: string, observations: Tensor): Promise<void> {
  const file = encodeTensors({ tensors: { observations }, metadata: {} })
  await writing(path, () => files.write(fileOf(path, 'visited'), file))
}

/** [n][rows][O]; null when the run has kept none. */
export async function readVisits(path: string): Promise<number[][][] | null> {
  const file = fileOf(path, 'visited')
  if (!(await files.exists(file))) return null
  const { observations } = await reading(file, (bytes) => decodeTensors(bytes).tensors)
  const [n, rows, O] = observations.shape
  const row = (k: number) => [...observations.data.subarray(k * O, (k + 1) * O)]
  return Array.from({ length: n }, (_, i) => Array.from({ length: rows }, (_, r) => row(i * rows + r)))
}

/** Policies whose maps are shown. */
const POLICIES = 4
/** More points than this are a blot. */
const POINTS = 500

/** Where the best policies of one run have been. */
export interface RunVisits {
  readonly variant: string
  readonly seed: number
  readonly policies: readonly { readonly particle: number; readonly greedy: number; readonly rows: number[][] }[]
}

/**
 * The best policies by their greedy evaluation, among equals those that sample best, with rows evenly spread over
 * theirs.
 */
export function bestVisits(
  variant: string,
  seed: number,
  visits: readonly number[][][],
  { greedy, sampled }: Evaluation,
): RunVisits {
  const ranked = greedy.map((_, i) => i).sort((a, b) => greedy[b] - greedy[a] || sampled[b] - sampled[a] || a - b)
  const policies = ranked.slice(0, POLICIES).map((particle) => {
    const all = visits[particle]
    const count = Math.min(POINTS, all.length)
    const rows = Array.from({ length: count }, (_, k) => all[Math.floor(((k + 0.5) * all.length) / count)])
    return { particle, greedy: greedy[particle], rows }
  })
  return { variant, seed, policies }
}

type Point = readonly [number, number]

/** The plane that the visits are shown in. */
export interface Plane {
  /** Share of the variance along its two axes. */
  readonly explained: readonly number[]
  readonly project: (rows: number[][]) => Point[]
  /** Ends of the axes, in which all but one point in a hundred are. */
  readonly x: readonly [number, number]
  readonly y: readonly [number, number]
}

/** The first two principal components of the standardised observations of all runs; null where nothing varies. */
export async function planeOf(runs: readonly RunVisits[]): Promise<Plane | null> {
  const rows = runs.flatMap(({ policies }) => policies.flatMap((policy) => policy.rows))
  const varies = (column: number) => rows.some((row) => row[column] !== rows[0][column])
  const columns = [...(rows[0]?.keys() ?? [])].filter(varies)
  if (columns.length === 0 || rows.length < 3) return null
  const taken = (all: number[][]) => all.map((row) => columns.map((column) => row[column]))
  const { PCA } = await import('ml-pca')
  const pca = new PCA(taken(rows), { method: 'covarianceMatrix', center: true, scale: true })
  const project = (all: number[][]): Point[] =>
    pca
      .predict(taken(all), { nComponents: Math.min(2, columns.length) })
      .to2DArray()
      .map(([a, b = 0]) => [a, b])
  const points = project(rows)
  const extent = (axis: 0 | 1): [number, number] => {
    const values = points.map((point) => point[axis])
    const [low, high] = [0.005, 0.995].map((q) => quantile(values, q) as number)
    const margin = 0.06 * (high - low) || 1
    return [low - margin, high + margin]
  }
  return { explained: pca.getExplainedVariance().slice(0, 2), project, x: extent(0), y: extent(1) }
}
