import { platform } from '#platform'
import type { Evaluation } from '../report/metrics.ts'
import { keptEvaluation } from './finished-run.ts'
import { encodeContent, particlesOf } from './particles-file.ts'
import type { Run } from './run.ts'
import { bestParticle } from './run-directory.ts'
import { fileOf, reading, writing } from './run-files.ts'
import type { AlgorithmName, TrainStep } from './train.ts'

// The directory `best` of a run.

const { files } = platform

/**
 * Keeps the population of a step as the best so far, in a run directory of its own: `best` in that of the run.
 *
 * @param evaluation that it is the best by
 */
export async function saveBest(run: Run, step: TrainStep<AlgorithmName>, evaluation: Evaluation): Promise<void> {
  const file = encodeContent(particlesOf(step))
  const best = fileOf(run.path, 'best')
  if (!file) return
  await writing(best, async () => {
    await files.makeDirectory(best)
    // The evaluation is that of the particles beside it, whenever the process ends.
    await files.remove(fileOf(best, 'evaluation'))
    await files.write(fileOf(best, 'config'), `${JSON.stringify(run.config, null, 2)}\n`)
    await files.write(fileOf(best, 'particles'), file)
    await files.write(fileOf(best, 'evaluation'), `${JSON.stringify(evaluation)}\n`)
  })
}

/** The highest mean return that saveBest() has kept in this run; undefined where it has kept none. */
export async function bestReturn(run: Run): Promise<number | undefined> {
  const file = fileOf(fileOf(run.path, 'best'), 'evaluation')
  if (!run.checkpoint || !(await files.exists(file))) return undefined
  return reading(file, (bytes) => {
    const evaluation = keptEvaluation(bytes)
    return evaluation.greedy[bestParticle(evaluation, evaluation.greedy.length)]
  })
}

/**
 * Whether the evaluation of the last checkpoint's iteration is the best so far, and saveBest() was not done with it
 * when the process ended. Then the run goes on from the checkpoint before, to keep it.
 */
export async function isBestLost({ evaluations, checkpoint, path }: Run): Promise<boolean> {
  const last = evaluations.at(-1)
  if (!last || last.iteration !== checkpoint?.about.iteration) return false
  const highest = Math.max(...last.greedy)
  if (evaluations.slice(0, -1).some(({ greedy }) => Math.max(...greedy) >= highest)) return false
  const best = fileOf(path, 'best')
  if (!(await files.exists(fileOf(best, 'evaluation')))) return true
  const kept = await reading(fileOf(best, 'evaluation'), keptEvaluation)
  return Math.max(...kept.greedy) !== highest
}
