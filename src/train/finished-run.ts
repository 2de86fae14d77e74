import { platform } from '#platform'
import type { Evaluation, IterationMetrics, RunSummary } from '../report/metrics.ts'
import { readConfig } from './continue-run.ts'
import { checkedEvaluation, checkedMetrics } from './kept-numbers.ts'
import { lockOf } from './run.ts'
import { fileOf, parseJson, parseLines, reading } from './run-files.ts'

// What a run has come to: its evaluation, and all that it left when it came to its end.

const { files } = platform

/**
 * Keeps a later evaluation of a run, which tells the best particle: unless there is one over as many episodes. A run
 * whose own evaluation was stopped is still to come to its end. One that cannot be written to stays as it is, as does
 * one that goes on meanwhile, or went on: it has other particles.
 *
 * @param of particles.safetensors as it was evaluated
 */
export async function keepEvaluation(path: string, evaluation: Evaluation, of: Uint8Array): Promise<void> {
  const release = await files.lock(await lockOf(path)).catch(() => null)
  if (!release) return
  try {
    const file = fileOf(path, 'evaluation')
    const earlier = (await files.exists(file)) ? await reading(file, keptEvaluation).catch(() => null) : null
    if ((earlier?.episodes ?? 0) >= evaluation.episodes && earlier?.greedy.length === evaluation.greedy.length) return
    if (!isEqual(await readParticlesFile(path), of)) return
    const kept: KeptEvaluation = { ...earlier, ...evaluation, ...(!earlier && { isLater: true }) }
    await files.write(file, `${JSON.stringify(kept)}\n`).catch(() => {})
  } finally {
    await release()
  }
}

/** The bytes of particles.safetensors. */
export const readParticlesFile = (path: string) => reading(fileOf(path, 'particles'), (bytes) => bytes)

const isEqual = (a: Uint8Array, b: Uint8Array) => a.length === b.length && a.every((byte, k) => byte === b[k])

/** What evaluation.json holds. */
interface KeptEvaluation extends Evaluation {
  /** Whether `steinrl eval` made it of a run that had none of its own. */
  readonly isLater?: true
}

/** Reads evaluation.json. */
export const keptEvaluation = (bytes: Uint8Array) => checkedEvaluation<KeptEvaluation>(parseJson(bytes))

/** What a run that came to its end has left. */
export interface FinishedRun {
  readonly config: RunSummary['config']
  readonly metrics: readonly IterationMetrics[]
  readonly evaluation: Evaluation
}

/**
 * Reads the numbers of a run back; null when there is no run or it did not come to its end, which is its evaluation.
 *
 * @throws UsageError when a file is damaged
 */
export async function readFinished(path: string): Promise<FinishedRun | null> {
  for (const name of ['config', 'evaluation', 'report'] as const)
    if (!(await files.exists(fileOf(path, name)))) return null
  const evaluation = await reading(fileOf(path, 'evaluation'), keptEvaluation)
  if (evaluation.isLater) return null
  return {
    config: await readConfig(path),
    metrics: await reading(fileOf(path, 'metrics'), (bytes) => checkedMetrics(parseLines(bytes))),
    evaluation,
  }
}
