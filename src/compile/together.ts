import type { Ops, Pointer } from '../core/ops.ts'
import type { Team } from '../core/team.ts'
import { SHARED_FLOPS } from '../core/thread-pool.ts'
import type { Node } from './graph.ts'

// Large networks are shared by the threads of a team: their rows on the way forth and back, the rows of their weights
// for the gradient. An element is computed by the same instructions in the same order whichever thread does it.

/** Whether a team shares the work of a node. */
export function isShared({ work, args }: Node): boolean {
  if (work.kind !== 'mlp' && work.kind !== 'mlpGradient') return false
  const isKnown = work.kind === 'mlp' && args.length > 2
  if (isKnown) return false
  return 2 * work.networks * work.rows * work.net.size >= SHARED_FLOPS
}

/** What the threads of a team do at the same time. */
interface Round {
  readonly op: keyof Ops
  /** Arguments, for each thread. */
  readonly jobs: readonly (readonly number[])[]
}

/**
 * The rounds of an instruction of a network.
 *
 * @param args its arguments, and `at` where they stand
 * @param scratch bytes of scratch memory that a thread has for its own
 */
export function roundsOf(
  { work }: Node,
  { args, at }: { args: Int32Array; at: Pointer },
  { threadPool: { size } }: Team,
  scratch: number,
): Round[] {
  const share = (op: keyof Ops, first: readonly number[], last: readonly number[]): Round => ({
    op,
    jobs: Array.from({ length: size }, (_, part) => [...first, part, size, ...last]),
  })
  if (work.kind === 'mlp') return [share('forwardPart', [at], [scratch])]
  if (work.kind !== 'mlpGradient') throw new Error(`The work of ${work.kind} is not shared.`)
  const [weights, inputs] = args
  const net = at + 8
  const rounds: Round[] = [{ op: 'backwardStart', jobs: [[net]] }]
  if (!weights) return [...rounds, share('inputsPart', [net], [scratch])]
  for (let layer = work.net.layers.length - 1; layer >= 0; layer--) {
    rounds.push(share('weightsPart', [net, layer], [scratch]))
    if (layer > 0 || inputs) rounds.push(share('backwardPart', [net, layer], [scratch]))
  }
  return rounds
}
