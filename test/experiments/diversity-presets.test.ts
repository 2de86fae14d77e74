import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { readExperiment } from '../../src/experiments/directory.ts'
import { runExperiment } from '../../src/experiments/experiment.ts'
import { presetNamed } from '../../src/experiments/presets.ts'

/** The smallest populations that still differ. */
const few = { particles: 3, environments: 2, hidden: [4], criticHidden: [4] }

test.each([
  ['diversity-multigoal', ['goals', 'goalsMissed', 'goal3']],
  ['diversity-maze', ['coverage', 'qualityDiversity']],
])('%s measures how good and how different policies are', async (name, measures) => {
  const top = await mkdtemp(join(tmpdir(), 'steinrl-test-'))
  const out = join(top, 'out')
  try {
    const preset = presetNamed(name)
    const small = { ...preset, settings: { ...preset.settings, ...few } }
    for await (const { status, notes } of runExperiment({ preset: small, out, iterations: 2, seeds: 1, jobs: 1 }))
      expect([status, notes]).not.toContain('failed')
    const { variants } = (await readExperiment(out)) as NonNullable<Awaited<ReturnType<typeof readExperiment>>>
    expect(variants.map(({ label }) => label)).toEqual([
      ...['independent', 'weights', 'sliced', 'layers', 'js', 'function', 'determinant'],
    ])
    for (const { estimates } of variants) {
      expect(estimates.behaviourVolume.mean).toBeLessThan(0)
      for (const measure of measures) expect(estimates[measure].mean).toBeGreaterThanOrEqual(0)
    }
    const report = await readFile(join(out, 'report.html'), 'utf8')
    expect(report).toContain('Return and diversity')
    expect(report).toContain('Median return against the volume of behaviours, one point a run: independent, weights')
  } finally {
    await rm(top, { recursive: true })
  }
})
