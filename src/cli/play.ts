import { Command } from 'commander'
import pc from 'picocolors'
import { type PlayRunOptions, playRun } from '../play/play-run.ts'
import { format } from './progress.ts'
import { directory, number } from './values.ts'

interface CommandOptions extends Omit<PlayRunOptions, 'run' | 'greedy' | 'framesPerSecond'> {
  sampled: boolean
  fps: number
}

export function playCommand(): Command {
  return new Command('play')
    .description('Play an episode of a run, and write it as an animated picture or as data.')
    .argument('<run>', 'a run directory')
    .requiredOption('--out <file>', 'what to write: .gif or .svg for an animated picture, .json for data', directory)
    .option('--particle <which>', 'best, median, a number, or all side by side', number, 'best')
    .option('--seed <n>', 'of the initial state and the sampled actions', number, 0)
    .option('--sampled', 'draw actions instead of taking the best that is known', false)
    .option('--fps <n>', 'scenes a second, from 1 to 50', number, 30)
    .option('--overwrite', 'write over a file that exists', false)
    .action(runPlay)
}

async function runPlay(run: string, { sampled, fps, ...options }: CommandOptions): Promise<void> {
  const { episodes, particles } = await playRun({ ...options, run, greedy: !sampled, framesPerSecond: fps })
  for (const { particle, rewards, return: total } of episodes)
    console.log(
      `${particles === 1 ? 'The policy' : `Particle ${particle}`}: return ${format(total)} in ${rewards.length} steps`,
    )
  console.log(`Wrote ${pc.cyan(options.out)}.`)
}
