import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { readExperiment } from '../../src/experiments/directory.ts'
import { runExperiment } from '../../src/experiments/experiment.ts'
import type { Preset } from '../../src/experiments/preset.ts'

const tiny: Preset = {
  ...{ name: 'tiny', shows: 'That experiments work.', env: 'CartPole-v1', published: [] },
  settings: { particles: 2, environments: 2, steps: 32, hidden: [8] },
  variants: [{ label: 'stein', note: 'With a kernel.', settings: { interaction: 'stein' } }],
  ...{ seeds: 2, iterations: 2, figure: 'curves' },
}

test('an experiment that replaces another one leaves it until a run has its first checkpoint', async () => {
  const out = await mkdtemp(join(tmpdir(), 'steinrl-test-'))
  try {
    const all = async (options: object) => {
      const seen: string[] = []
      for await (const { status } of runExperiment({ preset: tiny, out, overwrite: true, jobs: 1, ...options }))
        seen.push(status)
      return seen
    }
    await all({})
    const files = () => Promise.all(['experiment.json', 'report.html'].map((name) => readFile(join(out, name), 'utf8')))
    const before = await files()
    // Refused where its first run begins.
    const wrong: Preset = { ...tiny, settings: { ...tiny.settings, head: 'squashed-gaussian' } }
    await expect(all({ preset: wrong })).rejects.toThrow('squashed-gaussian')
    expect(await files()).toEqual(before)
    expect(await all({ overwrite: false })).toEqual(['kept', 'kept'])
    for await (const { status } of runExperiment({ preset: tiny, out, overwrite: true, jobs: 1, iterations: 3 }))
      if (status === 'training') break
    expect((await readExperiment(out)).iterations).toBe(3)
  } finally {
    await rm(out, { recursive: true, force: true })
  }
})
