import ora from 'ora'
import { quantile } from '../core/statistics.ts'
import type { IterationMetrics } from '../report/metrics.ts'

/** One line on a terminal that is written over; on a pipe a line every few seconds. */
interface Progress {
  update(text: string): void
  stop(): void
}

const PIPE_LINE_EVERY_MS = 5000

export function progress(stream: NodeJS.WriteStream = process.stderr): Progress {
  if (stream.isTTY) {
    // Ctrl-C must reach our own handler.
    const spinner = ora({ stream, discardStdin: false }).start()
    return {
      update: (text) => {
        spinner.text = text
        // Training keeps the event loop busy, so the spinner's own timer hardly runs.
        spinner.render()
      },
      stop: () => void spinner.stop(),
    }
  }
  let written = Number.NEGATIVE_INFINITY
  return {
    update(text) {
      if (performance.now() - written < PIPE_LINE_EVERY_MS) return
      written = performance.now()
      stream.write(`${text}\n`)
    },
    stop: () => {},
  }
}

/** iteration 12/60 · best 231 · median 118 · 158 k steps/s · 9 s left */
export function iterationLine(metrics: IterationMetrics, iterations: number, lastReturns: readonly number[]): string {
  const { iteration, seconds, transitions } = metrics
  const left = (seconds / iteration) * (iterations - iteration)
  const one = metrics.returns.length === 1
  return [
    `iteration ${iteration}/${iterations}`,
    ...(one
      ? [`return ${format(median(lastReturns))}`]
      : [`best ${format(Math.max(...lastReturns))}`, `median ${format(median(lastReturns))}`]),
    rate(transitions / seconds),
    `${duration(left)} left`,
  ].join(' · ')
}

/** 158 k steps/s, and below ten thousand 850 steps/s. */
const rate = (perSecond: number) =>
  perSecond < 10_000 ? `${perSecond.toFixed(0)} steps/s` : `${(perSecond / 1000).toFixed(0)} k steps/s`

export const median = (values: readonly number[]): number => quantile(values, 0.5) ?? Number.NaN

export const format = (value: number) => (Number.isFinite(value) ? value.toFixed(1) : '–')

export function duration(seconds: number): string {
  const whole = Math.round(seconds)
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`
}
