import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { sac } from '../../src/algorithms/sac/sac.ts'
import { tf } from '../../src/nn/tfjs.ts'

/** Steps over which memory is to stay as it is, and those before, in which the engine takes what it needs. */
const LONG = 10_000
const SETTLING = 5000
const PROCESSES = 7

export interface CostRow {
  readonly name: string
  readonly value: number
  readonly min: number
  readonly goal: number
}

const OPTIONS = {
  ...{ env: 'Pendulum-v1', environments: 1, steps: 1, hidden: [64, 64], batchSize: 128, warmup: 300 },
  tfjs: { threads: 1 },
}

/** What plans cost soft actor-critic with two layers of 64: compiling, tensors, memory. */
export async function costsOfPlans(): Promise<CostRow[]> {
  const firstStep = () => inFreshProcess<{ ms: number }>('first-step.js', OPTIONS).ms
  const times = Array.from({ length: PROCESSES }, firstStep).sort((a, b) => a - b)
  const lengths = { settling: SETTLING, steps: LONG }
  const { growth } = inFreshProcess<{ growth: number }>('long-run.js', OPTIONS, lengths)
  const state = await sac.init(OPTIONS)
  for (let t = 0; t <= OPTIONS.warmup; t++) await sac.step(state)
  const made = await tensorsOf(() => sac.step(state))
  return [
    { name: 'compiling SAC, fresh process, ms', value: times[PROCESSES >> 1], min: times[0], goal: 50 },
    { name: 'tensors made in a compiled step', value: made, min: made, goal: 0 },
    { name: `memory over ${LONG} steps, MB`, value: growth, min: growth, goal: 5 },
  ]
}

/** What a script beside this file prints, which is given JSON. */
function inFreshProcess<T>(name: string, ...given: object[]): T {
  const script = fileURLToPath(new URL(name, import.meta.url))
  const words = given.map((each) => JSON.stringify(each))
  return JSON.parse(execFileSync(process.execPath, ['--expose-gc', script, ...words], { encoding: 'utf8' }))
}

/** How many tensors tfjs makes meanwhile. */
async function tensorsOf(run: () => Promise<unknown>): Promise<number> {
  const engine = tf.engine() as unknown as { nextTensorId: () => number }
  const { nextTensorId } = engine
  let made = 0
  engine.nextTensorId = () => {
    made++
    return nextTensorId.call(engine)
  }
  await run()
  engine.nextTensorId = nextTensorId
  return made
}
