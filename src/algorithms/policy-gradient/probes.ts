import { Purpose } from '../../core/random.ts'
import { takeRows } from '../../core/rows.ts'
import type { Job, Probes } from '../../rl/evaluator.ts'
import type { Task } from '../../rl/rollout.ts'
import type { PolicyGradient } from './evaluation-state.ts'

/**
 * Rows of the rollout in the arena, drawn uniformly with replacement by the counter of its seed, particle and step.
 * Their weights are B/m times those of the rollout's B rows: sums over the m drawn rows are unbiased estimates of sums
 * over all.
 */
export function probeRows(
  { ops, at, view }: PolicyGradient['arena'],
  count: number,
  { task: { seed }, particle, step }: { readonly task: Task } & Pick<Job, 'particle' | 'step'>,
): Probes {
  const B = view.weight.length
  ops.fillUniform(at.probes, count, seed.lo, seed.hi, Purpose.probes, particle, 0, step)
  const rows = Int32Array.from(view.probes.subarray(0, count), (u) => Math.min(Math.floor(u * B), B - 1))
  return {
    observation: takeRows(view.observation, rows, view.observation.length / B),
    action: takeRows(view.action, rows, view.action.length / B),
    weight: takeRows(view.weight, rows, 1).map((weight) => (weight * B) / count),
    logProb: takeRows(view.logProb, rows, 1),
  }
}
