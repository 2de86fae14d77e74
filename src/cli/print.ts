import pc from 'picocolors'
import type { Evaluation } from '../report/metrics.ts'
import { format, median } from './progress.ts'

/** One line of JSON for machines. */
export function printLine(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`)
}

/** Every particle's mean return, then best and median; of one policy its own. */
export function printEvaluation({ episodes, greedy, sampled }: Evaluation): void {
  const row = (name: string, a: string, b: string) => `  ${name.padEnd(10)}${a.padStart(10)}${b.padStart(10)}`
  console.log(`Mean return over ${episodes} episodes`)
  if (greedy.length === 1) {
    console.log(pc.dim(row('', 'greedy', 'sampled')))
    return void console.log(pc.bold(row('policy', format(greedy[0]), format(sampled[0]))))
  }
  console.log(pc.dim(row('particle', 'greedy', 'sampled')))
  greedy.forEach((value, i) => void console.log(row(String(i), format(value), format(sampled[i]))))
  console.log(pc.bold(row('best', format(Math.max(...greedy)), format(Math.max(...sampled)))))
  console.log(pc.bold(row('median', format(median(greedy)), format(median(sampled)))))
}
