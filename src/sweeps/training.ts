import type { EnvironmentSpec } from '../envs/contract.ts'
import { freeze, type TaskDescription } from '../envs/description.ts'
import type { IterationMetrics } from '../report/metrics.ts'
import { type AnyTrainOptions, type AnyTrainStep, evaluate, train } from '../train/train.ts'

/** What it takes to train a trial as far as it is to go; plain data, so that a thread can have it. */
export interface TrialOrder {
  readonly task: TaskDescription
  /** All settings but the task, and `iterations` of the whole trial. */
  readonly config: Readonly<Record<string, unknown>>
  /** The checkpoint that it goes on from; null at its start. */
  readonly before: Uint8Array | null
  /** The iteration that it goes to. */
  readonly last: number
  /** Of the evaluation; 0 where the training judges. */
  readonly episodes: number
  /** Whether a checkpoint of its end is wanted. */
  readonly goesOn: boolean
}

/** What happens to a trial, in this order: iterations, the evaluation if there is one, and the end. */
export type TrialEvent =
  | { readonly metrics: IterationMetrics }
  | { readonly evaluating: true }
  /** [particles] mean returns of the greedy policies, empty without an evaluation; a checkpoint where one is wanted. */
  | { readonly greedy: readonly number[]; readonly checkpoint: Uint8Array | null }

/** Who shares the work, as train() takes it: it does not change the bits. */
type Hands = Pick<AnyTrainOptions, 'tfjs'> & { readonly workers?: number }

/**
 * Trains a trial and evaluates it, in this thread.
 *
 * @param env the task of the order
 * @param onProgress called again and again while policies are evaluated; what it throws ends the trial
 */
export async function* trainTrial(
  { config, before, last, episodes, goesOn }: TrialOrder,
  env: EnvironmentSpec,
  hands: Hands,
  onProgress: () => void,
): AsyncGenerator<TrialEvent> {
  const steps: AsyncIterable<AnyTrainStep> = before
    ? train({ resume: before, env, ...hands })
    : train({ ...config, env, ...hands } as AnyTrainOptions)
  for await (const step of steps) {
    yield { metrics: step.metrics }
    if (step.iteration < last) continue
    if (episodes > 0) yield { evaluating: true }
    const greedy = episodes > 0 ? await evaluated(step, episodes, Number(config.seed), onProgress) : []
    yield { greedy, checkpoint: goesOn ? await step.checkpoint() : null }
    return
  }
}

async function evaluated({ spec, agents }: AnyTrainStep, episodes: number, seed: number, onProgress: () => void) {
  freeze(spec)
  const { greedy } = await evaluate({ spec, ...agents(), episodes, seed, onProgress })
  return greedy
}
