import type { IterationMetrics } from '../report/metrics.ts'
import type { ParticleInfo } from '../rl/evaluator.ts'

/**
 * Counts the cells of a task's grid that a population visits: all so far, and those of an iteration. The function
 * returned takes the iterations one after the other; it gives none for a task without a grid.
 *
 * @param seen cells that were visited before; those that are go there
 */
export function countCoverage(seen = new Set<number>()) {
  return (particles: readonly Pick<ParticleInfo, 'cells'>[]): Pick<IterationMetrics, 'coverage' | 'coverageNow'> => {
    if (particles.length === 0 || particles.some(({ cells }) => !cells)) return {}
    const now = new Set(particles.flatMap(({ cells }) => [...(cells as Int32Array)]))
    for (const cell of now) seen.add(cell)
    return { coverage: seen.size, coverageNow: now.size }
  }
}
