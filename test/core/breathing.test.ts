import { stat } from 'node:fs'
import { expect, test } from '@jest/globals'
import { breathing } from '../../src/core/breathing.ts'

const busy = (ms: number) => {
  const end = performance.now() + ms
  while (performance.now() < end);
}

test('a breath is due after 50 ms, and others have their turn in it', async () => {
  const breath = breathing()
  expect(breath.isDue()).toBe(false)
  let turns = 0
  setImmediate(() => turns++)
  busy(60)
  expect(breath.isDue()).toBe(true)
  await breath.take()
  expect(turns).toBe(1)
  expect(breath.isDue()).toBe(false)
})

test('a signal that is aborted meanwhile, by an event that has arrived, ends the work with its reason', async () => {
  const stop = new AbortController()
  // Resumes where such events arrive: the next turn is the rest of that one.
  await new Promise((resolve) => stat('.', resolve))
  stat('.', () => stop.abort(new Error('enough')))
  busy(30)
  await expect(breathing(stop.signal).take()).rejects.toThrow('enough')
  await expect(breathing({ aborted: true }).take()).rejects.toThrow('It was stopped by its signal.')
})
