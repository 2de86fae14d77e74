import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { inTemporaryDirectory, run, SMALL } from '../cli/steinrl.ts'

/** A task of one's own with something wrong about it. */
const task = (wrong: string) => `
export default {
  id: 'Own-v0', maxEpisodeSteps: 5, module: import.meta.url,
  observationSpace: { kind: 'box', low: [-1], high: [1] }, actionSpace: { kind: 'discrete', n: 2 },
  create: () => ({
    state: [0],
    reset: () => ({ obs: [0], info: {} }),
    step: () => ({ obs: [0.5], reward: 1, terminated: false, truncated: false, info: {} }),
  }),
  ${wrong},
}`

test.each([
  ['throws', "render() { throw new Error('no canvas here') }", 'The render of Own-v0 failed: no canvas here.'],
  [
    'gives no scene',
    'render: () => ({ width: 1 })',
    'The picture of Own-v0 takes a scene { view, shapes }, got {"width":1}.',
  ],
])('a render that %s costs a run nothing but its picture', (_, wrong, sentence) =>
  inTemporaryDirectory(async (directory) => {
    await writeFile(join(directory, 'own.mjs'), task(wrong))
    const trained = await run(directory, 'train', 'svpg', './own.mjs', ...SMALL, '--out', 'run')
    expect(trained.code).toBe(0)
    expect(trained.stderr).toContain(`\nThe report shows no episode: ${sentence}\n`)
    expect(trained.stdout).toContain('Finished all 2 iterations.')
    expect(await readdir(join(directory, 'run'))).toEqual(expect.arrayContaining(['evaluation.json', 'report.html']))
    const played = await run(directory, 'play', 'run', '--out', 'out.svg')
    expect([played.code, played.stderr]).toEqual([expect.any(Number), `steinrl: ${sentence}\n`])
    expect(played.code).not.toBe(0)
  }),
)
