import { Command } from 'commander'
import pc from 'picocolors'
import { distilRun } from '../export/distil-run.ts'
import { orStopped } from './interrupt.ts'
import { printEvaluation, printLine } from './print.ts'
import { progress } from './progress.ts'
import { directory, list, number } from './values.ts'

interface CommandOptions {
  out: string
  best?: number
  hidden?: number[]
  episodes?: number
  states?: number
  steps?: number
  evalEpisodes: number
  seed: number
  json: boolean
}

export function distilCommand(): Command {
  return new Command('distil')
    .description('Teach one policy what the policies of a run do together, and evaluate it.')
    .argument('<run>', 'a run directory')
    .requiredOption('--out <directory>', 'where to write the run of the one policy', directory)
    .option('--best <n>', 'mix only so many of the best of the evaluation', number)
    .option('--hidden <widths>', 'of its network (as in the run)', list)
    .option('--episodes <n>', 'that each particle plays, to visit states (5)', number)
    .option('--states <n>', 'drawn from those visited, at most (10000)', number)
    .option('--steps <n>', 'of the gradient (3000)', number)
    .option('--eval-episodes <n>', 'to evaluate it on', number, 100)
    .option('--seed <n>', 'of states, minibatches and first weights', number, 0)
    .option('--json', 'print the result as JSON', false)
    .action(runDistil)
}

const runDistil = (run: string, { evalEpisodes, json, ...options }: CommandOptions): Promise<void> =>
  orStopped(json, async ({ signal }) => {
    const line = json ? null : progress()
    const onProgress = (done: number, total: number) => line?.update(`distilling ${done}/${total}`)
    const distilling = distilRun({ run, ...options, evaluationEpisodes: evalEpisodes, onProgress, signal })
    const { divergence, states, evaluation } = await distilling.finally(() => line?.stop())
    if (json) return printLine({ divergence, states, evaluation })
    console.log(`KL(mixture ‖ policy) is ${divergence.toPrecision(2)} nats, the mean over ${states} states.`)
    printEvaluation(evaluation)
    console.log(`Wrote ${pc.cyan(options.out)}.`)
  })
