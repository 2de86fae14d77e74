// What is removed of a run while it goes on ends it with an error: what is left would be no run.
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { evaluateEvery } from '../../src/train/loop.ts'
import { createRun, finishRun, record } from '../../src/train/record.ts'
import { runConfig, train } from '../../src/train/train.ts'

let path: string
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'steinrl-removed-'))
})
afterEach(() => rm(path, { recursive: true, force: true }))

const sac = { env: 'Pendulum-v1', algorithm: 'sac', hidden: [4], batchSize: 8, warmup: 8, steps: 16 } as const
const options = { ...sac, iterations: 6, seed: 1 }
const remove = (name: string) => rm(join(path, 'run', name), { recursive: true })

/** Trains, with a checkpoint an iteration, and removes something after the third one. */
async function trainedWithout(remove: () => Promise<unknown>) {
  const run = await createRun(join(path, 'run'), runConfig(options))
  const steps = evaluateEvery(1, { episodes: 1 })(train(options))
  for await (const { iteration } of record(run, steps, { checkpointEvery: 0 })) if (iteration === 3) await remove()
  return run
}

test.each(['config.json', 'metrics.jsonl', 'evaluations.jsonl'])('%s', async (name) => {
  await expect(trainedWithout(() => remove(name))).rejects.toThrow(
    new RegExp(`^Cannot write the run to ".*run": its ${name} was removed meanwhile\\.$`),
  )
})

test('rows of a replay that later checkpoints need', async () => {
  const rows = async () => {
    const names = await readdir(join(path, 'run', 'checkpoint'))
    await remove(`checkpoint/${names.find((name) => name.includes('replay'))}`)
  }
  await expect(trainedWithout(rows)).rejects.toThrow(/its checkpoint\/.*replay.* was removed meanwhile\.$/)
})

test('what is written as a whole each time is written again', async () => {
  const run = await trainedWithout(() => remove('particles.safetensors'))
  await finishRun(run, 'Finished.', null)
})

test('after the last iteration, while the particles are evaluated', async () => {
  for (const name of ['config.json', 'metrics.jsonl', 'particles.safetensors']) {
    const run = await trainedWithout(async () => {})
    await remove(name)
    await expect(finishRun(run, 'Finished.', null)).rejects.toThrow(`its ${name} was removed meanwhile.`)
    await rm(join(path, 'run'), { recursive: true })
  }
})
