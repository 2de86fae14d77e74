import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { quantile } from '../src/core/statistics.ts'
import { python } from '../src/envs/python.ts'
import { makeVector } from '../src/envs/vector.ts'
import type { Report } from './harness.ts'
import { hasPython, runPython } from './peers/python.ts'

const PROCESSES = 2
const ROWS = [2, 16]
/** Processor time of a step, ms. */
const STEPS_OF = [0.1, 0.2, 1]
/** Processor seconds of each measurement, in each process. */
const SECONDS = 0.5
const TIMES = 5

const median = (numbers: readonly number[]) => quantile(numbers, 0.5) as number

/**
 * Steps a second of a task in Python through the bridge, in two processes, as a share of what two processes do that
 * step it alone, in turn: the task burns a given processor time a step.
 */
export default async function bench(): Promise<Report> {
  if (!hasPython('gymnasium')) return { rows: [], table: [] }
  process.env.PYTHONPATH = dirname(fileURLToPath(new URL('./peers/python.ts', import.meta.url)))
  const rows: object[] = []
  for (const ms of STEPS_OF) {
    const steps = Math.round((SECONDS * 1000) / ms)
    const bridges = await Promise.all(ROWS.map((num) => bridged(ms, num)))
    const rates = Array.from({ length: TIMES }, () => ({
      alone: runPython<{ stepsPerSecond: number }>('busy_task.py', { ms, steps, processes: PROCESSES }).stepsPerSecond,
      bridged: bridges.map(({ rate }) => rate(steps * PROCESSES)),
    }))
    ROWS.forEach((num, k) => {
      rows.push({
        ...{ stepMs: ms, processes: PROCESSES, rows: num, alone: Math.round(median(rates.map(({ alone }) => alone))) },
        bridged: Math.round(median(rates.map(({ bridged }) => bridged[k]))),
        share: median(rates.map(({ alone, bridged }) => bridged[k] / alone)),
      })
    })
    for (const { close } of bridges) close()
  }
  return { rows, table: rows }
}

/** Rows of the task that step together. */
async function bridged(ms: number, num: number) {
  const task = await python('python:busy_task/Busy-v0', { constants: { ms }, processes: PROCESSES })
  const env = await makeVector(task, { num })
  env.reset({ seed: 0 })
  const actions = new Float32Array(num)
  const rate = (steps: number) => {
    const rounds = Math.ceil(steps / num)
    const start = performance.now()
    for (let t = 0; t < rounds; t++) env.step(actions)
    return (rounds * num * 1000) / (performance.now() - start)
  }
  rate(num)
  return { rate, close: () => env.close() }
}
