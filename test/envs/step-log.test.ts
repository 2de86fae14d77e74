import { expect, test } from '@jest/globals'
import { appendTo, emptyLog, lastSteps } from '../../src/envs/step-log.ts'

const row = (t: number) => Float32Array.of(t, -t)

test('holds the last steps, and what was taken from it stays as it was', () => {
  const log = emptyLog(2)
  const taken: Float32Array[] = []
  for (let t = 1; t <= 500; t++) {
    appendTo(log, row(t))
    // Episodes of all lengths: the longest that runs began t % 37 steps ago.
    taken.push(lastSteps(log, Math.min(t, t % 37)))
  }
  taken.forEach((steps, k) => {
    const t = k + 1
    const count = Math.min(t, t % 37)
    expect([...steps]).toEqual(Array.from({ length: count }, (_, j) => [...row(t - count + 1 + j)]).flat())
  })
})

test('an episode that never ends: steps are neither copied to be carried nor moved often', () => {
  const log = emptyLog(2)
  let moves = 0
  for (let t = 1; t <= 100_000; t++) {
    const before = log.values
    appendTo(log, row(t))
    if (log.values !== before) moves++
    if (t % 1000 === 0) expect(lastSteps(log, t).buffer).toBe(log.values.buffer)
  }
  expect(moves).toBeLessThan(20)
  expect([...lastSteps(log, 2)]).toEqual([99_999, -99_999, 100_000, -100_000])
})

test('takes no more room than what is needed takes, several times over', () => {
  const log = emptyLog(1)
  for (let t = 0; t < 50_000; t++) {
    appendTo(log, Float32Array.of(t))
    lastSteps(log, 10)
  }
  expect(log.values.length).toBeLessThan(200)
})
