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

interface Taken {
  stepsPerSecond: number
  /** Processor time of a step in all processes, ms. */
  processorMs: number
}

/**
 * Steps of a task in Python through the bridge, in two processes, beside two processes that step it alone, in turn: the
 * share of their speed, and of the processor time what the task alone takes, which does not depend on who else uses the
 * machine. The task burns a given processor time a step.
 */
export default async function bench(): Promise<Report> {
  if (!hasPython('gymnasium')) return { rows: [], table: [] }
  process.env.PYTHONPATH = dirname(fileURLToPath(new URL('./peers/python.ts', import.meta.url)))
  const rows: object[] = []
  for (const ms of STEPS_OF) {
    const steps = Math.round((SECONDS * 1000) / ms)
    const bridges = await Promise.all(ROWS.map((num) => bridged(ms, num)))
    const times = Array.from({ length: TIMES }, () => ({
      alone: runPython<Taken>('busy_task.py', { ms, steps, processes: PROCESSES }),
      bridged: bridges.map(({ take }) => take(steps * PROCESSES)),
    }))
    ROWS.forEach((num, k) => {
      const of = (f: (alone: Taken, bridged: Taken) => number) =>
        median(times.map(({ alone, bridged }) => f(alone, bridged[k])))
      rows.push({
        ...{ stepMs: ms, processes: PROCESSES, rows: num },
        alone: Math.round(of((alone) => alone.stepsPerSecond)),
        bridged: Math.round(of((_, bridged) => bridged.stepsPerSecond)),
        share: of((alone, bridged) => bridged.stepsPerSecond / alone.stepsPerSecond),
        processorMs: of((_, bridged) => bridged.processorMs),
        processorShare: of((alone, bridged) => alone.processorMs / bridged.processorMs),
      })
    })
    for (const { close } of bridges) close()
  }
  return { rows, table: rows }
}

/** Rows of the task that step together, the first of them in a process each. */
async function bridged(ms: number, num: number) {
  const task = await python('python:busy_task/Busy-v0', { constants: { ms }, processes: PROCESSES })
  const env = await makeVector(task, { num })
  env.reset({ seed: 0 })
  const actions = new Float32Array(num)
  /** Processor seconds of both processes and of this one. */
  const used = () => {
    const { info } = env.reset()
    const inPython = info.rows.slice(0, PROCESSES).map(({ processorSeconds }) => Number(processorSeconds))
    const { user, system } = process.cpuUsage()
    return inPython.reduce((a, b) => a + b) + (user + system) / 1e6
  }
  const take = (steps: number): Taken => {
    const rounds = Math.ceil(steps / num)
    const [before, start] = [used(), performance.now()]
    for (let t = 0; t < rounds; t++) env.step(actions)
    const ms = performance.now() - start
    const taken = rounds * num
    return { stepsPerSecond: (taken * 1000) / ms, processorMs: (1000 * (used() - before)) / taken }
  }
  take(num)
  return { take, close: () => env.close() }
}
