import { setTimeout } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from '@jest/globals'
import { f32 } from '../../src/core/layout.ts'
import { refuseTeams, startTeam, type Team } from '../../src/core/team.ts'

test('one team for all that ask for as many threads', async () => {
  const [one, other] = await Promise.all([startTeam(2), startTeam(2)])
  expect(one).toBe(other)
  expect(one?.threadPool.size).toBe(2)
  expect(await startTeam(1)).toBeNull()
})

test('fields stand apart from those of others, and all threads write to them', async () => {
  const { arena, threadPool } = (await startTeam(2)) as Team
  const [a, b] = [arena({ x: f32(8) }), arena({ x: f32(8), y: f32(4) })]
  if (!a || !b) throw new Error('There was no room.')
  b.view.x.fill(1)
  threadPool.run('expInto', [
    [a.at.x, a.at.x, 4],
    [b.at.x, b.at.x, 4],
  ])
  expect([...a.view.x]).toEqual([1, 1, 1, 1, 0, 0, 0, 0])
  expect(b.view.x[3]).toBeCloseTo(Math.E, 6)
  expect([...b.view.x.subarray(4), ...b.view.y]).toEqual([1, 1, 1, 1, 0, 0, 0, 0])
})

test('memory is given back with the arena, and is zero when it is given again', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const { arena } = (await startTeam(2)) as Team
  const most = { x: f32(20_000_000) }
  const fill = () => {
    const large = arena(most)
    large?.view.x.fill(7)
    expect(large).not.toBeNull()
    expect(arena(most)).toBeNull()
  }
  fill()
  let again = arena(most)
  for (let k = 0; k < 100 && !again; k++) {
    collect()
    await setTimeout(10)
    again = arena(most)
  }
  expect(again?.view.x[12_345]).toBe(0)
})

test('a process whose cores others fill starts none', async () => {
  refuseTeams()
  expect(await startTeam(2)).toBeNull()
})
