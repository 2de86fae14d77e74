import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import type { EnvironmentSpec } from '../../src/envs/contract.ts'
import type { SweepOptions } from '../../src/sweeps/plan.ts'
import { readSweep, runSweep } from '../../src/sweeps/sweep.ts'

let top: string
beforeEach(async () => {
  top = await mkdtemp(join(tmpdir(), 'steinrl-test-'))
})
afterEach(() => rm(top, { recursive: true, force: true }))

const settings = { environments: 2, steps: 20, warmup: 10, hidden: [8], batchSize: 8 }
const space = { learningRate: { from: 1e-4, to: 1e-2, scale: 'log' } } as const
const tiny = {
  algorithm: 'sac',
  env: 'Pendulum-v1',
  settings,
  space,
  iterations: 2,
  objective: { episodes: 2 },
} as const

async function swept(options: Partial<SweepOptions>) {
  const out = options.out ?? join(top, 'out')
  for await (const _ of runSweep({ ...tiny, trials: 3, out, ...options } as SweepOptions));
  const { trials } = await readSweep(out)
  return trials.map(({ seconds: _, ...trial }) => trial)
}

test.each(['sac', 'sql'] as const)('trials of %s in threads are those of this thread', async (algorithm) => {
  const alone = await swept({ algorithm, jobs: 1 })
  expect(alone.map(({ state }) => state)).toEqual(Array(3).fill('finished'))
  expect(new Set(alone.map(({ value }) => value)).size).toBe(3)
  expect(await swept({ algorithm, jobs: 2, out: join(top, 'threads') })).toEqual(alone)
})

test('they go on to the same results, wherever they were left', async () => {
  const options = { sampler: 'halving', trials: 3, iterations: 3 } as const
  const whole = await swept({ ...options, jobs: 1 })
  expect(whole.map(({ state }) => state).sort()).toEqual(['finished', 'pruned', 'pruned'])
  const out = join(top, 'left')
  for (const moves of [1, 4, 7]) {
    let seen = 0
    for await (const _ of runSweep({ ...tiny, ...options, jobs: 2, out })) if (++seen === moves) break
  }
  expect(await swept({ ...options, jobs: 2, out })).toEqual(whole)
})

/** A task that tells in a file which threads have it. */
const TASK = (log: string, inStep: string) => `
  import { appendFileSync } from 'node:fs'
  import { threadId } from 'node:worker_threads'
  export default {
    id: 'Told-v0',
    module: import.meta.url,
    observationSpace: { kind: 'box', low: [-1], high: [1] },
    actionSpace: { kind: 'box', low: [-1], high: [1] },
    maxEpisodeSteps: 5,
    create() {
      appendFileSync(${JSON.stringify(log)}, threadId + ' ')
      let steps = 0
      return {
        reset: () => { steps = 0; return { obs: [0], info: {} } },
        step([a]) {
          ${inStep}
          return { obs: [a], reward: -a * a, terminated: ++steps === 5, truncated: false, info: {} }
        },
      }
    },
  }`

async function told(inStep = ''): Promise<EnvironmentSpec> {
  const file = join(top, 'told.mjs')
  await writeFile(file, TASK(join(top, 'threads.txt'), inStep))
  return (await import(pathToFileURL(file).href)).default
}

test('two jobs are two threads, none of them this one, and they go from trial to trial', async () => {
  const env = await told()
  const trials = await swept({ env, trials: 5, jobs: 2 })
  expect(trials.map(({ state }) => state)).toEqual(Array(5).fill('finished'))
  const ids = new Set((await readFile(join(top, 'threads.txt'), 'utf8')).trim().split(' '))
  expect(ids.size).toBe(2)
  expect(ids).not.toContain('0')
})

test('a thread that ends fails its trial, with the reason', async () => {
  const env = await told('if (threadId > 0) process.exit(7)')
  const trials = await swept({ env, trials: 2, jobs: 2 })
  expect(trials.map(({ state, reason }) => [state, reason])).toEqual(
    Array(2).fill(['failed', 'Its thread ended: exit code 7.']),
  )
})
