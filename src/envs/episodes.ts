import type { Environment, EnvironmentSpec, Reset, Step } from './contract.ts'
import { checkResult, refuseEndless } from './errors.ts'
import type { Action } from './spaces.ts'

/** What is counted of the running episode of each row, wherever that is kept. */
export interface EpisodeCounters {
  /** [rows] steps since the last reset. */
  readonly elapsed: Int32Array
  /** [rows] rewards since the last reset. */
  readonly episodeReturn: Float64Array
}

export const episodeCounters = (rows: number): EpisodeCounters => ({
  elapsed: new Int32Array(rows),
  episodeReturn: new Float64Array(rows),
})

/** Instances of a task whose episodes are checked, counted and cut at the time limit. */
export interface Episodes {
  /** Starts the episode of a seed. */
  start(row: number, seed: number): Reset
  /** One step; `truncated` where the time limit is reached. */
  step(row: number, action: Action): Step
  /** Closes the instances, each once. */
  close(): void
}

/**
 * The rules of episodes, which every loop over instances of a task has: what an instance gives is checked, steps and rewards are
 * counted, and the time limit cuts.
 *
 * @param nameOf what a row is called in errors
 * @throws UsageError for a task without a time limit, RunError when an instance gives what its contract does not allow
 */
export function runEpisodes(
  spec: EnvironmentSpec,
  instances: readonly Environment[],
  { elapsed, episodeReturn }: EpisodeCounters,
  nameOf: (row: number) => string,
): Episodes {
  refuseEndless(spec)
  const { observationSpace, maxEpisodeSteps } = spec
  let open = true
  return {
    start(row, seed) {
      const result = instances[row].reset({ seed })
      checkResult(nameOf(row), observationSpace, result, 0)
      elapsed[row] = 0
      episodeReturn[row] = 0
      return result
    },
    step(row, action) {
      const result = instances[row].step(action)
      checkResult(nameOf(row), observationSpace, result, elapsed[row] + 1)
      elapsed[row]++
      episodeReturn[row] += result.reward
      const { obs, reward, terminated, truncated, info } = result
      return { obs, reward, terminated, truncated: truncated || elapsed[row] >= maxEpisodeSteps, info }
    },
    close() {
      if (open) for (const instance of instances) instance.close?.()
      open = false
    },
  }
}

/** Action `row` of [rows, A] as an instance takes it. */
export function actionOf({ actionSpace }: EnvironmentSpec, actions: Float32Array, row: number): Action {
  if (actionSpace.kind === 'discrete') return actions[row]
  const A = actionSpace.low.length
  return actions.slice(row * A, (row + 1) * A)
}
