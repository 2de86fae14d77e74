import { expect, test } from '@jest/globals'
import { merge } from '../../src/experiments/run-concurrently.ts'

const pause = () => new Promise((resolve) => setTimeout(resolve, 1))

/** Yields NAME0, NAME1, … and tells what became of it. */
function worker(log: string[], name: string, count: number, failAt = -1) {
  return async function* () {
    log.push(`start ${name}`)
    try {
      for (let i = 0; i < count; i++) {
        await pause()
        if (i === failAt) throw new Error(name)
        yield `${name}${i}`
      }
    } finally {
      await pause()
      log.push(`end ${name}`)
    }
  }
}

test('everything comes, each in its own order, and never more at a time than allowed', async () => {
  const log: string[] = []
  const seen: string[] = []
  for await (const value of merge([worker(log, 'a', 3), worker(log, 'b', 2), worker(log, 'c', 1)], 2)) seen.push(value)
  expect(seen.filter((value) => value.startsWith('a'))).toEqual(['a0', 'a1', 'a2'])
  expect([...seen].sort()).toEqual(['a0', 'a1', 'a2', 'b0', 'b1', 'c0'])
  expect(log.indexOf('start c')).toBeGreaterThan(Math.min(log.indexOf('end a'), log.indexOf('end b')))
})

test('fast ones do not starve the others', async () => {
  const seen: string[] = []
  const instant = async function* () {
    for (let i = 0; i < 50; i++) yield 'fast'
  }
  const other = async function* () {
    for (let i = 0; i < 3; i++) yield 'other'
  }
  for await (const value of merge<string>([instant, instant, other], 3)) {
    seen.push(value)
    // While the consumer is busy, all get ready.
    await pause()
  }
  expect(seen.lastIndexOf('other')).toBeLessThan(30)
})

test('a consumer that leaves ends them all before it goes on', async () => {
  const log: string[] = []
  let stopped = 0
  for await (const _ of merge([worker(log, 'a', 99), worker(log, 'b', 99), worker(log, 'c', 9)], 2, () => stopped++))
    break
  expect(log.sort()).toEqual(['end a', 'end b', 'start a', 'start b'])
  expect(stopped).toBe(1)
})

test('an error of one ends the others and is thrown', async () => {
  const log: string[] = []
  const consume = async () => {
    for await (const _ of merge([worker(log, 'a', 99), worker(log, 'b', 99, 1)], 2));
  }
  await expect(consume()).rejects.toThrow('b')
  expect(log).toContain('end a')
})
