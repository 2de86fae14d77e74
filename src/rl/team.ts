import { startTeam, type Team } from '../core/team.ts'
import { SHARED_FLOPS, threadCount } from '../core/thread-pool.ts'
import type { TfjsOptions } from '../nn/tfjs.ts'

const MOST_THREADS = 8

interface Sizes {
  readonly hidden: readonly number[]
  readonly batchSize: number
}

/** The threads that share the networks of a run: none where these are small, or where there are no threads. */
export function teamFor({ threads = 'auto' }: TfjsOptions, { hidden, batchSize }: Sizes): Promise<Team | null> {
  if (threads !== 'auto') return startTeam(threads)
  const flops = hidden.slice(1).reduce((sum, width, k) => sum + 2 * batchSize * hidden[k] * width, 0)
  return startTeam(flops < SHARED_FLOPS ? 1 : Math.min(threadCount(), MOST_THREADS))
}
