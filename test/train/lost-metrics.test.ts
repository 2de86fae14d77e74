import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { run } from '../cli/steinrl.ts'

// The checkpoint holds what a run goes on from; metrics.jsonl only what is shown of it.

const settings = ['CartPole-v1', '--particles', '2', '--environments', '2', '--steps', '16', '--hidden', '4']
let top: string
beforeAll(async () => {
  top = await mkdtemp(join(tmpdir(), 'steinrl-test-'))
  const args = ['train', 'svpg', ...settings, '--iterations', '5', '--eval-episodes', '0', '--out', 'run']
  expect((await run(top, ...args)).code).toBe(0)
}, 60_000)
afterAll(() => rm(top, { recursive: true, force: true }))

const goOn = (path: string, iterations: number) =>
  run(top, 'train', '--resume', path, '--iterations', String(iterations), '--eval-episodes', '0')

test.each([
  ['gone', null, []],
  ['cut short', (lines: string[]) => [...lines.slice(0, 3), ''], [1, 2, 3]],
  ['damaged', (lines: string[]) => lines.map((line, k) => (k === 2 ? line.slice(9) : line)), [1, 2]],
  ['of lines twice', (lines: string[]) => [lines[0], ...lines], [1]],
])('metrics.jsonl that is %s costs a run that goes on its lines and nothing else', async (name, change, left) => {
  const [whole, path] = [`whole ${name}`, `run ${name}`]
  for (const to of [whole, path]) await cp(join(top, 'run'), join(top, to), { recursive: true })
  const file = join(top, path, 'metrics.jsonl')
  const lines = (await readFile(file, 'utf8')).split('\n')
  if (change) await writeFile(file, change(lines).join('\n'))
  else await rm(file)
  const ended = await goOn(path, 6)
  const what = change ? `is damaged, and kept as "${path}/metrics.damaged.jsonl"` : 'is gone'
  const lacks = `its report lacks ${5 - left.length} of 5 iterations.`
  expect(ended.stderr).toContain(`"${path}/metrics.jsonl" ${what}: the run goes on from its checkpoint, and ${lacks}`)
  expect(ended.code).toBe(0)
  // Once more: nothing new is lost.
  const again = await goOn(path, 7)
  expect([again.code, again.stderr.includes('lacks')]).toEqual([0, false])
  expect((await goOn(whole, 7)).code).toBe(0)
  const bytes = (of: string) => readFile(join(top, of, 'particles.safetensors'))
  expect((await bytes(path)).equals(await bytes(whole))).toBe(true)
  const iterations = (await readFile(file, 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).iteration)
  expect(iterations).toEqual([...left, 6, 7])
  if (change) expect(await readFile(join(top, path, 'metrics.damaged.jsonl'), 'utf8')).toBe(change(lines).join('\n'))
})
