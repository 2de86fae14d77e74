import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { UsageError } from '../../src/core/errors.ts'
import { readExperiment } from '../../src/experiments/directory.ts'
import { runExperiment } from '../../src/experiments/experiment.ts'
import {
  cornerName,
  gridMeasures,
  gridValues,
  hardIndex,
  meanGrid,
  type PresetGrid,
} from '../../src/experiments/grid.ts'
import type { Preset } from '../../src/experiments/preset.ts'

const grid: PresetGrid = {
  ranges: { halfLength: [0.25, 1], poleMass: [0.05, 0.5] },
  ...{ points: 3, episodes: 4, hard: { halfLength: 0.25, poleMass: 0.5 } },
}
const tiny: Preset = {
  name: 'tiny-grid',
  shows: 'That grids work.',
  env: 'CartPole-v1',
  settings: {
    ...{ algorithm: 'adr', ranges: grid.ranges, particles: 2, moves: 1, environments: 1, steps: 40, hidden: [8] },
    ...{ particleHidden: [8], transitionHidden: [8], epochs: 1, minibatches: 1 },
  },
  variants: [
    { label: 'adr', note: 'With particles.', settings: { randomisation: 'adr' } },
    { label: 'uniform', note: 'Without.', settings: { randomisation: 'uniform' } },
  ],
  ...{ seeds: 2, iterations: 2, figure: 'bars', published: [], grid },
}

let out: string
beforeAll(async () => {
  out = join(await mkdtemp(join(tmpdir(), 'steinrl-test-')), 'out')
  for await (const _ of runExperiment({ preset: tiny, out, jobs: 1 }));
})
afterAll(() => rm(join(out, '..'), { recursive: true, force: true }))

const evaluationOf = async (variant: string, seed: number) =>
  JSON.parse(await readFile(join(out, variant, `seed-${seed}`, 'evaluation.json'), 'utf8'))

describe('the grid of an experiment', () => {
  test('is evaluated after every run, and summarised over seeds', async () => {
    const summary = await readExperiment(out)
    expect(summary.grid).toEqual(grid)
    for (const { label, grid: means, runs, estimates } of summary.variants) {
      const grids = [await evaluationOf(label, 0), await evaluationOf(label, 1)].map((evaluation) => evaluation.grid)
      grids.forEach((each) => void expect(each).toMatchObject({ points: 3, episodes: 4, returns: expect.any(Array) }))
      const expected = grids[0].returns.map((x: number, k: number) => (x + grids[1].returns[k]) / 2)
      expect(means).toHaveLength(9)
      means?.forEach((x, k) => void expect(x).toBeCloseTo(expected[k], 3))
      // Place 2 of 9: the low end of the first constant, the high end of the second.
      expect(runs.map(({ measures }) => measures?.gridHard)).toEqual(grids.map((each) => each.returns[2]))
      expect(runs[0].measures?.gridWorst).toBe(Math.min(...grids[0].returns))
      expect(estimates.gridMean.mean).toBeCloseTo(expected.reduce((sum: number, x: number) => sum + x, 0) / 9, 6)
    }
  })

  test('is drawn as one heat map a variant with the hard corner named and framed', async () => {
    const page = await readFile(join(out, 'report.html'), 'utf8')
    const headings = [...page.matchAll(/<h2>(.*?)<\/h2>/g)].map((match) => match[1])
    expect(headings[0]).toBe('Across the parameters')
    expect(page).toContain('Hard corner: halfLength 0.25, poleMass 0.5')
    const { variants } = await readExperiment(out)
    for (const { label, grid: means } of variants) {
      const [map] = page.match(new RegExp(`<svg [^>]*aria-label="Returns of ${label} over[\\s\\S]*?</svg>`)) ?? ['']
      const numbers = [...map.matchAll(/>(-?\d+)<\/text>/g)].map((match) => Number(match[1]))
      for (const x of means ?? []) expect(numbers).toContain(Number(x.toFixed(0)))
      expect(map.match(/stroke="#d55e00"/g)).toHaveLength(1)
    }
  })

  test('must be the same when the experiment goes on', async () => {
    const other = { ...tiny, grid: { ...grid, points: 2 } }
    const start = async () => {
      for await (const _ of runExperiment({ preset: other, out })) return
    }
    const error = await start().catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(UsageError)
    expect((error as UsageError).message).toContain('tiny-grid with another grid')
  })
})

test('the hard corner has its place, and a run without a grid has no measures of it', () => {
  expect(hardIndex(grid)).toBe(2)
  expect(hardIndex({ ...grid, hard: { halfLength: 1, poleMass: 0.05 } })).toBe(6)
  expect(cornerName(grid)).toBe('halfLength 0.25, poleMass 0.5')
  expect(gridValues([0.5, 2], 4)).toEqual([0.5, 1, 1.5, 2])
  expect(gridMeasures(grid, undefined)).toEqual({})
  expect(meanGrid([undefined])).toBeNull()
})
