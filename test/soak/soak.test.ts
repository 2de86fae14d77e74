import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from '@jest/globals'
import { lines } from '../cli/steinrl.ts'

const program = fileURLToPath(new URL('run.ts', import.meta.url))
const root = fileURLToPath(new URL('../..', import.meta.url))

/** Counts are compared, and no time and no memory: a slow machine does the same rounds. */
test('three rounds of all that there is leave no thread, no handle and no tensor behind', () => {
  const { stdout, stderr } = spawnSync(process.execPath, ['--expose-gc', '--import', 'tsx', program, '--rounds', '3'], {
    cwd: root,
    encoding: 'utf8',
  })
  const held = lines(stdout)
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))
  expect([stderr, held.length]).toEqual([expect.any(String), 3])
  const [first, , last] = held.map(({ threads, handles, tensors }) => ({ threads, handles, tensors }))
  expect(last.threads).toBeLessThanOrEqual(first.threads)
  expect(last.handles).toBeLessThanOrEqual(first.handles)
  expect([first.tensors, last.tensors]).toEqual([0, 0])
}, 240_000)
