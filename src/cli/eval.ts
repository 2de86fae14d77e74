import { Command } from 'commander'
import { keepEvaluation, readParticlesFile } from '../train/finished-run.ts'
import { loadAgents } from '../train/run-directory.ts'
import { evaluate } from '../train/train.ts'
import { orStopped } from './interrupt.ts'
import { printEvaluation, printLine } from './print.ts'
import { progress } from './progress.ts'
import { number } from './values.ts'

interface CommandOptions {
  episodes: number
  seed: number
  json: boolean
}

export function evalCommand(): Command {
  return new Command('eval')
    .description('Evaluate every particle of a run, greedily and sampled.')
    .argument('<run>', 'a run directory')
    .option('--episodes <n>', 'episodes of each particle', number, 100)
    .option('--seed <n>', 'of the initial states and the sampled actions', number, 0)
    .option('--json', 'print the result as JSON', false)
    .action(runEvaluation)
}

const runEvaluation = (path: string, { episodes, seed, json }: CommandOptions): Promise<void> =>
  orStopped(json, async ({ signal }) => {
    // Before the agents are: what is saved in between is not what was evaluated.
    const particles = await readParticlesFile(path).catch(() => null)
    const agents = await loadAgents(path)
    const line = json ? null : progress()
    try {
      const onProgress = (done: number, total: number) => line?.update(`evaluating ${done}/${total}`)
      const evaluation = await evaluate({ agents, episodes, seed, signal, onProgress })
      line?.stop()
      if (particles) await keepEvaluation(path, evaluation, particles)
      if (json) printLine(evaluation)
      else printEvaluation(evaluation)
    } finally {
      line?.stop()
    }
  })
