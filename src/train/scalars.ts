import { finite, meanOf } from '../core/statistics.ts'
import type { Evaluation } from '../report/metrics.ts'
import type { LoopStep } from './loop.ts'

/** What of a step is told in numbers. */
export interface ScalarStep extends Pick<LoopStep, 'metrics'> {
  readonly evaluation?: Evaluation | null
}

/** The numbers of a step by name, of particles their mean; the best of an evaluation where there is one. */
export function scalarsOf({ metrics, evaluation }: ScalarStep): Record<string, number | null> {
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
