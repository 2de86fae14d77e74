import { s2ac } from '../src/algorithms/s2ac/s2ac.ts'
import { sac } from '../src/algorithms/sac/sac.ts'
import { sql } from '../src/algorithms/sql/sql.ts'
import type { EnvironmentSpec } from '../src/envs/contract.ts'
import { box } from '../src/envs/spaces.ts'
import type { Row } from './harness.ts'

const SAMPLES = 40

/** A task of the size of HalfCheetah whose step costs nothing. */
export const idle: EnvironmentSpec = {
  id: 'Idle-v0',
  observationSpace: box(Array(17).fill(-10), Array(17).fill(10)),
  actionSpace: box(Array(6).fill(-1), Array(6).fill(1)),
  maxEpisodeSteps: 1_000_000,
  create() {
    const obs = Float32Array.from({ length: 17 }, (_, k) => k / 17)
    const step = { obs, reward: 1, terminated: false, truncated: false, info: {} }
    return { reset: () => ({ obs, info: {} }), step: () => step }
  },
}

/** One step of the environment and one gradient step of each algorithm, at the sizes of their papers. */
export async function gradientSteps(): Promise<Row[]> {
  const shared = { env: idle, environments: 1, steps: 1, replaySize: 1000 }
  const soft = await sac.init({ ...shared, hidden: [256, 256], batchSize: 256, warmup: 256 })
  const sampled = await sql.init({ ...shared, hidden: [128, 128], batchSize: 64, particles: 32, warmup: 64 })
  const stein = await s2ac.init({ ...shared, hidden: [256, 256], batchSize: 100, warmup: 100 })
  return [
    await timed('SAC, 2 × 256, batch 256', () => sac.step(soft), 300),
    await timed('SQL, 2 × 128, 64 states of 16 + 16 actions', () => sql.step(sampled), 100),
    await timed('S2AC, 2 × 256, 100 states of 10 + 10 actions, 5 steps', () => s2ac.step(stein), 110),
  ]
}

async function timed(name: string, step: () => Promise<unknown>, warmUp: number): Promise<Row> {
  for (let t = 0; t < warmUp; t++) await step()
  const times: number[] = []
  for (let t = 0; t < SAMPLES; t++) {
    const started = performance.now()
    await step()
    times.push(performance.now() - started)
  }
  times.sort((a, b) => a - b)
  return { name, params: {}, ms: times[SAMPLES / 2], min: times[0], max: times[SAMPLES - 1], samples: SAMPLES }
}
