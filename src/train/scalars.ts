import { finite, meanOf } from '../core/statistics.ts'
import type { Evaluated, LoopStep } from './loop.ts'

/** The numbers of a step by name, of particles their mean; the best of an evaluation where there is one. */
export function scalarsOf({ metrics, evaluation }: LoopStep & Partial<Evaluated>): Record<string, number | null> {
  const scalars = Object.entries(metrics).flatMap(([name, value]): [string, number | null][] => {
    if (Array.isArray(value)) return [[name, meanOf(value.map((each) => finite(each)))]]
    return value === null || typeof value === 'number' ? [[name, finite(value)]] : []
  })
  return {
    ...Object.fromEntries(scalars),
    evaluationGreedy: evaluation ? Math.max(...evaluation.greedy) : null,
    evaluationSampled: evaluation ? Math.max(...evaluation.sampled) : null,
  }
}
