import type { Metrics } from '../algorithms/algorithm.ts'
import { finite, type Value } from '../core/statistics.ts'
import type { Scene } from '../envs/render.ts'
import type { EvaluationGrid } from '../rl/randomisation.ts'

/** What one iteration of a population leaves in metrics.jsonl: plain numbers only, so that any tool can read it. */
export interface IterationMetrics extends Metrics {
  /** Counted from 1. */
  iteration: number
  /** Wall-clock seconds of training so far. */
  seconds: number
  /**
   * The highest and the median of the last mean returns of the particles; null before any episode has ended, left out
   * by runs of versions that had it not.
   */
  best?: number | null
  median?: number | null
  /** Cells of the task's grid that the population has visited so far; left out for a task without a grid. */
  coverage?: number
  /** Those that it visited in this iteration. */
  coverageNow?: number
  /** Σ over these of the best last mean return of a particle that was there, where no return is below 0. */
  qualityDiversity?: number
  /**
   * Of several policies: the mean of the bits that an action tells of which of two took it, at states that either
   * visited, from 0, the same, to 1: a divergence of Jensen and Shannon.
   */
  actionDivergence?: number
  /**
   * Of several policies: log det of the likeness of their greedy actions, at most 0; the nearer, the more they differ.
   */
  behaviourVolume?: number
}

/** Mean return of every particle over a number of episodes, acting greedily and by sampling. */
export interface Evaluation {
  episodes: number
  /** [n] mean return of the greedy policy (the most probable action). */
  greedy: number[]
  /** [n] mean return of the sampled policy. */
  sampled: number[]
  /** What an experiment measures beside, by name: plain data. */
  extras?: Readonly<Record<string, unknown>>
  /** Mean returns over a grid of the environment's parameters, where an experiment asks for them. */
  grid?: EvaluationGrid
}

/** An evaluation while training goes on: a line of evaluations.jsonl. */
export interface IterationEvaluation extends Evaluation {
  readonly iteration: number
  /** Environment steps taken by all particles until then. */
  readonly transitions: number
}

/** Who plays an episode in a report, what for, and its pictures. */
export interface ShownEpisode {
  readonly particle: number
  readonly return: number
  readonly scenes: readonly Scene[]
}

/** Everything that a report shows. */
export interface RunSummary {
  /** The run's configuration as written to config.json. */
  config: Readonly<Record<string, unknown>>
  metrics: readonly IterationMetrics[]
  /** [n][n] the kernel matrix of the last iteration; null where there is no kernel. */
  kernel: number[][] | null
  /** Null when the run was not evaluated. */
  evaluation: Evaluation | null
  /** Those of evaluateEvery(), in their order; default none. */
  evaluations?: readonly IterationEvaluation[]
  /** An episode of a particle, to be shown; default none. */
  acting?: ShownEpisode | null
  /** How the run ended, in one sentence. */
  outcome: string
}

/** [n][iterations]: a particle of which no episode ended keeps its previous return; null before its first. */
export function carriedReturns(metrics: readonly IterationMetrics[]): Value[][] {
  const n = metrics.at(-1)?.returns.length ?? 0
  return Array.from({ length: n }, (_, i) => {
    let last: Value = null
    return metrics.map((m) => {
      last = finite(m.returns[i]) ?? last
      return last
    })
  })
}
