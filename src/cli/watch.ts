import { setTimeout } from 'node:timers/promises'
import { UsageError } from '../core/errors.ts'
import type { PlayedRun } from '../export/play-run.ts'
import { drawForTerminal } from '../play/terminal.ts'

/** Lines of the terminal below the picture. */
const BELOW = 3

/**
 * Shows an episode in this terminal, scene after scene, until its end or until a stop is asked for.
 *
 * @throws UsageError for a task without a picture
 */
export async function watchEpisode({ scenes }: PlayedRun, framesPerSecond: number, signal: AbortSignal): Promise<void> {
  if (!scenes) throw new UsageError('The task has no picture to watch, as its description has no render.')
  const { columns = 80, rows = 24 } = process.stdout
  const pictures = drawForTerminal(scenes, columns, rows - BELOW)
  const lines = pictures[0].split('\n').length
  const began = performance.now()
  for (const [k, picture] of pictures.entries()) {
    if (signal.aborted) return
    // The cursor goes back over the picture before.
    process.stdout.write(`${k === 0 ? '' : `\u001b[${lines}A\r`}${picture}\n`)
    await setTimeout(Math.max(0, (1000 * (k + 1)) / framesPerSecond - (performance.now() - began)))
  }
}
