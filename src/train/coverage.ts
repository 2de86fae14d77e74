import type { Value } from '../core/statistics.ts'
import type { IterationMetrics } from '../report/metrics.ts'
import type { ParticleInfo } from '../rl/evaluator.ts'

/**
 * Counts the cells of a task's grid that a population visits: all so far, and those of an iteration. The function
 * returned takes the iterations one after the other; it gives none for a task without a grid.
 *
 * @param seen cells that were visited before; those that are go there
 */
export function countCoverage(seen = new Set<number>()) {
  return (particles: readonly Pick<ParticleInfo, 'cells'>[], returns: readonly Value[] = []): Covered => {
    if (particles.length === 0 || particles.some(({ cells }) => !cells)) return {}
    const now = new Set(particles.flatMap(({ cells }) => [...(cells as Int32Array)]))
    for (const cell of now) seen.add(cell)
    return { coverage: seen.size, coverageNow: now.size, ...qualityDiversity(particles, returns) }
  }
}

type Covered = Pick<IterationMetrics, 'coverage' | 'coverageNow' | 'qualityDiversity'>

/**
 * The QD score Σ_c max_{i was in c} R_i over the cells of an iteration, R_i the last mean return of particle i: of
 * tasks whose returns are at least 0, as others would be paid for staying away. Source: Pugh, Soros & Stanley 2016.
 */
function qualityDiversity(particles: readonly Pick<ParticleInfo, 'cells'>[], returns: readonly Value[]) {
  const worth = particles.map((_, i) => returns[i] ?? 0)
  if (returns.length === 0 || worth.some((value) => value < 0)) return {}
  const best = new Map<number, number>()
  particles.forEach(({ cells }, i) => {
    for (const cell of cells as Int32Array) best.set(cell, Math.max(best.get(cell) ?? 0, worth[i]))
  })
  return { qualityDiversity: [...best.values()].reduce((sum, value) => sum + value, 0) }
}
