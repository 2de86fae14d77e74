/** What one iteration of a population leaves in metrics.jsonl: plain numbers only, so that any tool can read it. */
export interface IterationMetrics {
  /** Counted from 1. */
  iteration: number
  /** Wall-clock seconds of training so far. */
  seconds: number
  /** Environment steps taken by all particles so far. */
  transitions: number
  /** [n] mean return of the episodes of each particle that ended in this iteration; null where none did. */
  returns: (number | null)[]
  /** [n] how many episodes ended. */
  episodes: number[]
  /** [n] mean entropy of the policy over the visited states, in nats. */
  entropy: number[]
  /** [n] Euclidean norm of each particle. */
  thetaNorm: number[]
  /** Mean over particles of the norm of the drive, the first term of the Stein direction; null where there is no kernel. */
  drive: number | null
  /** Mean over particles of the norm of the repulsion, the second term; null where there is no kernel. */
  repulsion: number | null
  /** Of that of what the drive of a particle gets from the others; null where there is no kernel. */
  sharing: number | null
  /** h in k(x, y) = exp(−|x−y|²/h); null where there is no kernel. */
  bandwidth: number | null
  /** Mean of k(x_i, x_j) over i ≠ j; null where there is no kernel. */
  kernelOffDiagonal: number | null
  /** α, which divides the policy gradient. */
  temperature: number
  /** Cells of the task's grid that the population has visited so far; left out for a task without a grid. */
  coverage?: number
  /** Those that it visited in this iteration. */
  coverageNow?: number
}

/** Mean return of every particle over a number of episodes, acting greedily and by sampling. */
export interface Evaluation {
  episodes: number
  /** [n] mean return of the greedy policy (the most probable action). */
  greedy: number[]
  /** [n] mean return of the sampled policy. */
  sampled: number[]
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
  /** How the run ended, in one sentence. */
  outcome: string
}
