import { spawnSync } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from '@jest/globals'
import type { SweepOptions } from '../../src/sweeps/plan.ts'
import { readSweep, runSweep } from '../../src/sweeps/sweep.ts'

const cli = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const killAt = new URL('../kills/kill-at.mjs', import.meta.url).href

const space = {
  env: 'CartPole-v1',
  iterations: 2,
  settings: { particles: 2, environments: 2, steps: 64, hidden: [4] },
  space: { learningRate: { from: 1e-3, to: 1e-1, scale: 'log' } },
  objective: { by: 'training' },
} as const satisfies SweepOptions

async function inDirectory(use: (top: string) => Promise<void>): Promise<void> {
  const top = await mkdtemp(join(tmpdir(), 'steinrl-test-'))
  await use(top).finally(() => rm(top, { recursive: true, force: true }))
}
const report = (path: string) => readFile(join(path, 'report.html'), 'utf8')

test.each(['random', 'halving'] as const)('a sweep is replaced when a trial of the new one is done: %s', (sampler) =>
  inDirectory(async (top) => {
    const out = join(top, 'out')
    const options: SweepOptions = { ...space, out, sampler, trials: 3, jobs: 1 }
    for await (const _ of runSweep(options));
    const [before, page] = [await readSweep(out), await report(out)]
    // Left while its first trial trains, and failed in all of them: the old one is as it was.
    for await (const { status } of runSweep({ ...options, seed: 1, overwrite: true })) if (status === 'training') break
    expect([await readSweep(out), await report(out)]).toEqual([before, page])
    const wrong = { ...options, space: { learningRate: { among: [1e38] } }, seed: 1, overwrite: true } as const
    const failed: string[] = []
    for await (const { status } of runSweep(wrong)) failed.push(status)
    expect(failed).toContain('failed')
    expect(failed).not.toContain('finished')
    expect([await readSweep(out), await report(out)]).toEqual([before, page])
    let isReplaced = false
    for await (const { trials } of runSweep({ ...options, seed: 1, overwrite: true })) {
      if (trials.finished > 0) isReplaced ||= !(await readdir(out)).includes('.steinrl-old')
    }
    expect(isReplaced).toBe(true)
    expect((await readSweep(out)).description.seed).toBe(1)
    expect((await readdir(out)).filter((name) => name !== 'trials').sort()).toEqual(['journal.log', 'report.html'])
  }),
)

test(
  'killed before each of its file operations it leaves the old sweep or the new one',
  () =>
    inDirectory(async (top) => {
      await writeFile(join(top, 'space.json'), JSON.stringify(space))
      const sweep = (change: number | null, ...more: string[]) => {
        const preload = change === null ? [] : ['--import', killAt]
        const args = ['sweep', 'space.json', '--trials', '2', '--jobs', '1', '--out', 'out', ...more]
        const env = { ...process.env, KILL_IN: 'out', KILL_AT: String(change ?? -1) }
        return spawnSync(process.execPath, [...preload, cli, ...args], { cwd: top, env, encoding: 'utf8' })
      }
      const seeds: number[] = []
      for (let change = 0, killed = true; killed; change += 4) {
        expect(sweep(null, '--overwrite').status).toBe(0)
        killed = sweep(change, '--overwrite', '--seed', '1').signal === 'SIGKILL'
        const { status, stderr } = sweep(null)
        if (status !== 0) expect(stderr).toContain('holds a sweep with seed 1, not 0; choose another --out')
        const { description, trials } = await readSweep(join(top, 'out'))
        expect(trials.filter(({ state }) => state === 'finished').length).toBeGreaterThanOrEqual(
          description.seed === 0 ? 2 : 1,
        )
        seeds.push(description.seed ?? -1)
      }
      // The old one as long as nothing is done, then the new one.
      expect(seeds).toEqual([...seeds].sort())
      expect([seeds[0], seeds.at(-1)]).toEqual([0, 1])
      expect(seeds.length).toBeGreaterThan(5)
    }),
  300_000,
)
