import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { inTemporaryDirectory, lines, run, SMALL } from '../cli/steinrl.ts'

/** A task of one's own whose step throws in line 7 after so many steps in all. */
const task = (steps: number) => `let steps = 0
export default {
  id: 'Own-v0', maxEpisodeSteps: 5, observationSpace: { kind: 'box', low: [-1], high: [1] },
  actionSpace: { kind: 'discrete', n: 2 },
  create: () => ({
    reset: () => ({ obs: [0], info: {} }),
    step: () => { if (++steps > ${steps}) throw new Error('the sensor is broken')
      return { obs: [0.5], reward: 1, terminated: false, truncated: false, info: {} } },
  }),
}`

test.each([
  ['in this thread', []],
  ['on workers', ['--workers', '2']],
])('a step that throws %s costs a run what is behind its last checkpoint', (_, workers) =>
  inTemporaryDirectory(async (directory) => {
    const file = join(directory, 'my own.mjs')
    const broken = /Own-v0: step [1-5] failed: the sensor is broken \(.*\/my own\.mjs:7\)\.$/
    await writeFile(file, task(150))
    const keep = ['--checkpoint-every', '0', ...workers]
    const train = ['train', 'svpg', './my own.mjs', ...SMALL, '--iterations', '6', ...keep, '--out', 'run']
    const failed = await run(directory, ...train)
    expect([failed.code, lines(failed.stderr).at(-1)]).toEqual([3, expect.stringMatching(broken)])
    expect(await readdir(join(directory, 'run', 'checkpoint'))).not.toEqual([])
    for (const command of [['eval'], ['distil', '--out', 'one'], ['play', '--out', 'out.json']]) {
      await writeFile(file, task(2))
      const [name, ...more] = command
      const { code, stderr } = await run(directory, name, 'run', ...more)
      expect([name, code, lines(stderr).at(-1)]).toEqual([name, 3, expect.stringMatching(broken)])
    }
    await writeFile(file, task(Number.MAX_SAFE_INTEGER))
    const mended = await run(directory, 'train', '--resume', 'run')
    expect([mended.code, mended.stdout]).toEqual([0, expect.stringContaining('Finished all 6 iterations.')])
  }),
)

test('of two exports that begin alike the one that was named is trained on', () =>
  inTemporaryDirectory(async (directory) => {
    const module = `const task = (reward) => ({
  id: 'Own-v0', maxEpisodeSteps: 300, observationSpace: { kind: 'box', low: [-1], high: [1] },
  actionSpace: { kind: 'discrete', n: 2 },
  create: () => { let t; return {
    reset: () => { t = 0; return { obs: [0], info: {} } },
    step: () => ({ obs: [0], reward: ++t > 250 ? reward : 0, terminated: false, truncated: false, info: {} }) } } })
export const easy = task(1)
export const hard = task(-1)`
    await writeFile(join(directory, 'own.mjs'), module)
    const trained = await run(directory, 'train', 'svpg', './own.mjs#hard', ...SMALL, '--out', 'run')
    expect(trained.code).toBe(0)
    const { code, stdout } = await run(directory, 'eval', 'run', '--episodes', '2', '--json')
    expect([code, JSON.parse(stdout)]).toEqual([0, expect.objectContaining({ greedy: [-50, -50] })])
  }))
