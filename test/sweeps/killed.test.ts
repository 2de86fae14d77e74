import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from '@jest/globals'
import { readSweep } from '../../src/sweeps/sweep.ts'

const cli = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const killAt = new URL('../kills/kill-at.mjs', import.meta.url).href

const space = {
  env: 'CartPole-v1',
  iterations: 3,
  settings: { particles: 2, environments: 1, steps: 8, hidden: [4] },
  space: { learningRate: { from: 1e-3, to: 1e-1, scale: 'log' } },
  objective: { by: 'training' },
}

test('a sweep whose process is killed again and again goes on to the same results', async () => {
  const top = await mkdtemp(join(tmpdir(), 'steinrl-test-'))
  /** Runs the command; killed before that change of its files, if one is given. */
  const sweep = (out: string, change: number | null) => {
    const preload = change === null ? [] : ['--import', killAt]
    const args = ['sweep', 'space.json', '--trials', '3', '--sampler', 'halving', '--jobs', '1', '--out', out]
    const env = { ...process.env, KILL_IN: out, KILL_AT: String(change ?? -1) }
    const { signal, status, stderr } = spawnSync(process.execPath, [...preload, cli, ...args], {
      ...{ cwd: top, env, encoding: 'utf8', timeout: 60_000 },
    })
    if (signal === null && status !== 0) throw new Error(stderr)
    return signal
  }
  const results = async (out: string) =>
    (await readSweep(join(top, out))).trials.map(({ seconds: _, ...trial }) => trial)
  try {
    await writeFile(join(top, 'space.json'), JSON.stringify(space))
    expect(sweep('whole', null)).toBeNull()
    for (const change of [9, 12]) expect(sweep('killed', change)).toBe('SIGKILL')
    expect(sweep('killed', null)).toBeNull()
    expect(await results('killed')).toEqual(await results('whole'))
    const report = await readFile(join(top, 'killed', 'report.html'), 'utf8')
    expect(report).toContain('the best')
  } finally {
    await rm(top, { recursive: true, force: true })
  }
})
