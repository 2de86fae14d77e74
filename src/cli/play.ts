import { Command } from 'commander'
import pc from 'picocolors'
import { UsageError } from '../core/errors.ts'
import { type PlayRunOptions, playRun } from '../export/play-run.ts'
import { film } from './film.ts'
import { orStopped } from './interrupt.ts'
import { format } from './progress.ts'
import { directory, number } from './values.ts'
import { watchEpisode } from './watch.ts'

interface CommandOptions extends Omit<PlayRunOptions, 'run' | 'greedy' | 'framesPerSecond' | 'signal'> {
  sampled: boolean
  fps: number
  watch: boolean
}

export function playCommand(): Command {
  return new Command('play')
    .description('Play an episode of a run: watch it, or write it as an animated picture, a film, a page or data.')
    .argument('<run>', 'a run directory')
    .option('--out <file>', 'what to write: .gif, .svg, .html, .mp4 (by ffmpeg), or .json for data', directory)
    .option('--watch', 'show it in this terminal', false)
    .option('--particle <which>', 'best, median, a number, or all side by side', number, 'best')
    .option('--seed <n>', 'of the initial state and the sampled actions', number, 0)
    .option('--sampled', 'draw actions instead of taking the best that is known', false)
    .option('--fps <n>', 'scenes a second, from 1 to 50', number, 30)
    .option('--overwrite', 'write over a file that exists', false)
    .action(runPlay)
}

async function runPlay(run: string, { sampled, fps, watch, ...options }: CommandOptions): Promise<void> {
  const { out } = options
  if (out === undefined && !watch) throw new UsageError('Say what is to be written by --out, or --watch it here.')
  if (watch && !process.stdout.isTTY)
    throw new UsageError('--watch needs a terminal to draw in: write a file by --out.')
  await orStopped(false, async ({ signal }) => {
    const play = { ...options, run, greedy: !sampled, framesPerSecond: fps, signal }
    const played = out?.endsWith('.mp4') ? await film(play, out) : await playRun(play)
    if (watch) await watchEpisode(played, fps, signal)
    for (const { particle, rewards, return: total } of played.episodes)
      console.log(
        `${played.particles === 1 ? 'The policy' : `Particle ${particle}`}: return ${format(total)} in ${rewards.length} steps`,
      )
    if (out !== undefined) console.log(`Wrote ${pc.cyan(out)}.`)
  })
}
