import type { Arena } from '../core/arena.ts'
import { show, UsageError } from '../core/errors.ts'
import type { Minibatch, Outputs, Population } from '../core/population.ts'
import { isRecord } from '../core/require.ts'
import { rowAt, unpadded } from '../core/rows.ts'
import { check, wholeNumber } from '../core/schemas.ts'
import { type SteinArena, steinFields } from './fields.ts'
import type { Kernel } from './kernels.ts'
import { arenaFor, type ThreadOptions } from './memory.ts'
import { populationOf, rowsOf, type Scored } from './scores.ts'

// SVGD in function space: particles θ_i are seen as what they compute, f_i = f(θ_i) [F]. Scores and the kernel are of
// outputs, and each particle follows the direction of its outputs,
//
//     φ(θ_i) = (∂f_i/∂θ_i)ᵀ 1/n Σ_j [ k(f_j, f_i) ∇_{f_j} log p(f_j) + ∇_{f_j} k(f_j, f_i) ]
//
// so that two particles which compute the same push each other apart although their parameters differ, as those of
// networks with permuted units do.
//
// Source: Wang, Ren, Zhu & Zhang 2019 (arXiv 1902.09754), equation 4.

/** The outputs of particles: the rows that scores and the kernel are of. */
export interface FunctionSpace extends Scored {
  readonly outputs: Outputs
  readonly arena: SteinArena
  /** F */
  readonly dimension: number
}

/** @throws UsageError for outputs that are none */
export async function functionSpaceFor(
  options: ThreadOptions & { readonly outputs: Outputs; readonly kernel: Kernel; readonly norms?: boolean },
  n: number,
): Promise<FunctionSpace> {
  const { outputs, kernel, norms } = options
  const dimension = outputs.count
  const arena: Arena<ReturnType<typeof steinFields>> = await arenaFor(options, n, dimension, (threads) =>
    steinFields(n, dimension, { kernel, norms, threads }),
  )
  const population = populationOf(arena, n, dimension)
  return { outputs, arena, dimension, population, rows: rowsOf(population) }
}

/** @throws UsageError for what outputsOf() does not make */
export function requireOutputs(outputs: unknown): Outputs {
  const { count, values, pullBack } = (isRecord(outputs) ? outputs : {}) as Partial<Outputs>
  if (typeof values !== 'function' || typeof pullBack !== 'function')
    throw new UsageError(`outputs must be what outputsOf(…) gives, or a record like it, got ${show(outputs)}.`)
  check(wholeNumber('outputs.count', 1), count)
  return outputs as Outputs
}

/** f_i of all particles into the rows of the space. */
export function takeOutputs(space: FunctionSpace, particles: Population, batch: Minibatch): void {
  const { outputs, dimension: F, rows } = space
  const values = outputs.values(particles, batch)
  requireCount('values', values, rows.length, F)
  rows.forEach(({ x }, i) => {
    x.set(values.subarray(i * F, (i + 1) * F))
  })
}

/** (∂f_i/∂θ_i)ᵀ of the direction of the space, into the direction of the particles. */
export function pullBackInto(
  direction: Float32Array,
  space: FunctionSpace,
  particles: Population,
  batch: Minibatch,
): void {
  const { particles: n, dimension: d } = particles
  const along = unpadded(space.arena.view.direction, n, space.dimension)
  const pulled = space.outputs.pullBack(particles, along, batch)
  requireCount('pullBack', pulled, n, d)
  for (let i = 0; i < n; i++) rowAt(direction, n, d, i).set(pulled.subarray(i * d, (i + 1) * d))
}

function requireCount(name: keyof Outputs, values: unknown, n: number, width: number): void {
  if (values instanceof Float32Array && values.length === n * width) return
  const got = values instanceof Float32Array ? values.length : show(values)
  throw new UsageError(
    `outputs.${name} must give ${n} × ${width} = ${n * width} numbers as a Float32Array, got ${got}.`,
  )
}
