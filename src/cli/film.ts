import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import { StorageError, show, UsageError } from '../core/errors.ts'
import { leaveIfAborted } from '../core/require.ts'
import { type PlayedRun, type PlayRunOptions, playRun } from '../export/play-run.ts'
import { refuseSpeed } from '../play/animation.ts'

/** What another program of the machine makes of the GIF that playRun() writes: H.264, which needs even sizes. */
const FORMAT = ['-vf', 'pad=ceil(iw/2)*2:ceil(ih/2)*2', '-pix_fmt', 'yuv420p', '-movflags', '+faststart']

/**
 * Plays as playRun() and writes an .mp4 by ffmpeg.
 *
 * @throws UsageError where there is no ffmpeg, before anything is played; StorageError with what ffmpeg says
 */
export async function film(options: PlayRunOptions, out: string): Promise<PlayedRun> {
  const { framesPerSecond = 30, overwrite = false } = options
  if (spawnSync('ffmpeg', ['-version']).error)
    throw new UsageError('An .mp4 is made by ffmpeg, which is not installed here: install it, or write .html or .gif.')
  refuseSpeed(framesPerSecond)
  if (!overwrite && existsSync(out))
    throw new UsageError(`${show(out)} exists; choose another --out, or --overwrite it.`)
  const [gif, half] = [`${out}.${process.pid}.gif`, `${out}.${process.pid}.mp4`]
  try {
    const played = await playRun({ ...options, out: gif })
    const words = ['-y', '-loglevel', 'error', '-i', gif, '-r', String(framesPerSecond), ...FORMAT, half]
    const { status, stderr } = spawnSync('ffmpeg', words, { encoding: 'utf8' })
    // Ctrl-C ends both, of which this thread hears in its next turn.
    await setImmediate()
    leaveIfAborted(options.signal)
    if (status !== 0)
      throw new StorageError(`ffmpeg cannot write ${show(out)}: ${stderr.trim().split('\n').at(-1) ?? status}.`)
    await rename(half, out)
    return played
  } finally {
    for (const file of [gif, half]) await rm(file, { force: true })
  }
}
