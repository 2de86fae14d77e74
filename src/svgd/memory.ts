import { type Arena, createArena } from '../core/arena.ts'
import { UsageError } from '../core/errors.ts'
import { f32, type Layout, padded } from '../core/layout.ts'
import { type CoreSource, compileCore, compileThreadedCore } from '../core/module.ts'
import type { Outputs } from '../core/population.ts'
import { check, wholeNumber } from '../core/schemas.ts'
import { createSharedArena } from '../core/shared-arena.ts'
import { canShare, threadCount } from '../core/thread-pool.ts'
import type { MinibatchState } from '../optim/minibatch.ts'
import { type Optimizer, optimizerFields } from '../optim/optimizers.ts'
import { steinFields } from './fields.ts'
import type { Kernel } from './kernels.ts'

// The memory of a run of SVGD, shared between threads where that pays.

/** What the memory depends on. */
interface MemorySettings {
  readonly kernel: Kernel
  readonly optimizer: Optimizer
  readonly norms?: boolean
  readonly noise: number
  readonly threads: number
}

/** The fields of an SVGD arena: those of the direction, of the optimizer, of noise and of minibatches. */
export type SvgdFields = ReturnType<typeof fieldsOf>

export function fieldsOf(
  n: number,
  d: number,
  { kernel, optimizer, norms, noise, threads }: MemorySettings,
  { order }: MinibatchState,
) {
  return {
    ...steinFields(n, d, { kernel, norms, threads }),
    ...optimizerFields(n, d, optimizer),
    /** [n, D] normal numbers of one step. */
    noise: f32(noise > 0 ? n : 0, padded(d)),
    /** [rows] uniform numbers for shuffling. */
    shuffle: f32(padded(order.length)),
  }
}

export const memoryOf = (fields: SvgdFields, { name }: Optimizer, outputs: Outputs | null) =>
  JSON.stringify([name, fields, outputs?.count])

/** From this many flops a direction takes so long that a second thread pays. */
const THREADED_FLOPS = 2e7
const MOST_THREADS = 8

export interface ThreadOptions {
  readonly threads?: number | 'auto'
  readonly core?: CoreSource
}

function threadsFor({ threads = 'auto', core }: ThreadOptions, n: number, d: number): number {
  if (threads !== 'auto') check(wholeNumber('threads', 1, 64), threads)
  if (core || !canShare()) return 1
  if (threads !== 'auto') return threads
  return 3 * n * n * d < THREADED_FLOPS ? 1 : Math.min(threadCount(), MOST_THREADS)
}

/** The memory of a run, shared between threads where that pays and works. */
export async function arenaFor<L extends Layout>(
  options: ThreadOptions,
  n: number,
  d: number,
  layout: (threads: number) => L,
): Promise<Arena<L>> {
  const threads = threadsFor(options, n, d)
  if (threads > 1) {
    try {
      return await createSharedArena(await compileThreadedCore(), layout(threads), threads)
    } catch (error) {
      // Where threads cannot be started after all (a page's security policy), one does the same.
      if (error instanceof UsageError) throw error
    }
  }
  return createArena(await compileCore(options.core), layout(1))
}
