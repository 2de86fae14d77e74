import { Command } from 'commander'
import { keepEvaluation } from '../train/record.ts'
import { loadAgents } from '../train/run-directory.ts'
import { evaluate } from '../train/train.ts'
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

async function runEvaluation(path: string, { episodes, seed, json }: CommandOptions): Promise<void> {
  const agents = await loadAgents(path)
  const line = json ? null : progress()
  try {
    const evaluation = await evaluate({
      agents,
      episodes,
      seed,
      onProgress: (done, total) => line?.update(`evaluating ${done}/${total}`),
    })
    line?.stop()
    await keepEvaluation(path, evaluation)
    if (json) printLine(evaluation)
    else printEvaluation(evaluation)
  } finally {
    line?.stop()
  }
}
