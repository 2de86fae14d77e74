import { existsSync, readFileSync, statSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { box2d, box2dIds } from '../../src/envs/box2d.ts'
import { isMujocoId, mujoco, mujocoIds } from '../../src/envs/mujoco.ts'
import { environments } from '../../src/envs/registry.ts'
import { spaceText, withTasks } from '../../tools/tasks.js'

const docs = new URL('../../docs/', import.meta.url)

/** Padding of the formatter is none of the table's. */
const bare = (text: string) => text.replace(/ +/g, ' ').replace(/-+/g, '-')

test('docs/tasks.md has every task that runs by its id, as npm run docs:tasks writes it, with its picture', async () => {
  const specs = [
    ...Object.values(environments),
    ...(await Promise.all(box2dIds.map((id) => box2d(id)))),
    ...(await Promise.all(mujocoIds.map((id) => mujoco(id)))),
  ]
  const text = readFileSync(new URL('tasks.md', docs), 'utf8')
  expect(bare(withTasks(text, specs, isMujocoId))).toBe(bare(text))
  const pictures = specs.filter(({ render }) => render)
  expect(pictures.length).toBeGreaterThan(15)
  for (const { id } of pictures) {
    const file = new URL(`images/tasks/${id}.svg`, docs)
    expect([id, existsSync(file)]).toEqual([id, true])
    expect(statSync(file).size).toBeLessThan(60_000)
  }
})

test('spaces in a few words', () => {
  const [low, high] = [Array(3).fill(-1), Array(3).fill(1)]
  expect(spaceText({ kind: 'box', low, high })).toBe('3 in [−1, 1]')
  expect(spaceText({ kind: 'box', low: [-1, -Infinity], high: [1, 1] })).toBe('2')
  expect(spaceText({ kind: 'discrete', n: 4 })).toBe('one of 4')
  expect(spaceText({ kind: 'multi-discrete', n: [3, 2] })).toBe('of 3, 2')
})
