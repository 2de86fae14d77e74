import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { distil } from '../../src/rl/distil.ts'
import { loadAgents, readRun } from '../../src/train/run-directory.ts'
import { evaluate } from '../../src/train/train.ts'
import { inTemporaryDirectory, run, SMALL } from './steinrl.ts'

test('steinrl distil writes a run of one policy, which the other commands take', async () => {
  await inTemporaryDirectory(async (directory) => {
    const steinrl = (...args: string[]) => run(directory, ...args)
    const trained = ['CartPole-v1', ...SMALL, '--particles', '3', '--eval-episodes', '0', '--out', 'many']
    expect(await steinrl('train', 'svpg', ...trained)).toMatchObject({ code: 0 })
    expect(await steinrl('distil', 'many', '--out', 'one', '--best', '2')).toMatchObject({
      code: 1,
      stderr: 'steinrl: "many" was not evaluated, so that nothing tells its best particles.\n',
    })
    expect(await steinrl('eval', 'many', '--episodes', '3')).toMatchObject({ code: 0 })
    const words = ['--best', '2', '--hidden', '8', '--steps', '50', '--eval-episodes', '4', '--seed', '7']
    const { code, stdout } = await steinrl('distil', 'many', '--out', 'one', ...words, '--json')
    expect(code).toBe(0)
    const told = JSON.parse(stdout)
    // What the library gives with these particles, and what it comes to.
    const { greedy } = JSON.parse(await readFile(join(directory, 'many/evaluation.json'), 'utf8'))
    const worst = greedy.lastIndexOf(Math.min(...greedy))
    const particles = [0, 1, 2].filter((i) => i !== worst)
    const options = { particles, hidden: [8], steps: 50, seed: 7 }
    const expected = await distil({ agents: await loadAgents(join(directory, 'many')), ...options })
    const { theta, config } = await readRun(join(directory, 'one'))
    expect([...theta]).toEqual([...expected.agents.theta])
    expect(told.divergence).toBe(expected.divergence)
    expect(told.evaluation).toEqual(await evaluate({ agents: expected.agents, episodes: 4 }))
    expect(config).toMatchObject({ particles: 1, hidden: [8], distilled: { run: 'many', particles, seed: 7 } })
    expect(await steinrl('eval', 'one', '--episodes', '5')).toMatchObject({ code: 0 })
    expect(await steinrl('export', 'one', '--out', 'one/policy')).toMatchObject({ code: 0 })
    expect(await steinrl('play', 'one', '--out', 'episode.svg')).toMatchObject({ code: 0 })
    expect(await steinrl('distil', 'many', '--out', 'one')).toMatchObject({
      code: 1,
      stderr: 'steinrl: "one" exists; choose another --out.\n',
    })
  })
}, 120_000)
