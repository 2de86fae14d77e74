import { expect, test } from '@jest/globals'
import { measure, summarise } from '../../bench/runtimes/measure.ts'
import { duration, nameOf } from '../../bench/runtimes/results.ts'

test('a timing is the median, the quarters and the fastest of its samples', () => {
  expect(summarise([5, 1, 2, 4, 3])).toEqual({ median: 3, lower: 2, upper: 4, fastest: 1, samples: 5 })
  expect(summarise([4, 1, 2, 3])).toEqual({ median: 2.5, lower: 1.75, upper: 3.25, fastest: 1, samples: 4 })
})

test('what takes ten times as long is measured as such, and promises are waited for', async () => {
  const spin = (ms: number) => () => {
    const end = performance.now() + ms
    while (performance.now() < end);
  }
  const breathe = async () => {}
  const short = await measure(spin(0.2), breathe)
  const long = await measure(spin(2), breathe)
  expect(short.fastest).toBeGreaterThanOrEqual(0.2)
  expect(long.fastest).toBeGreaterThanOrEqual(2)
  expect(short.fastest).toBeLessThan(long.fastest)
  const waited = await measure(() => new Promise((resolve) => setTimeout(resolve, 5)), breathe)
  expect(waited.fastest).toBeGreaterThan(3)
  expect(waited.samples).toBe(short.samples)
})

test('durations have three digits and a unit', () => {
  expect([0.0123, 0.5, 1.234, 12.34, 999, 4321].map(duration)).toEqual([
    '12.3 µs',
    '500 µs',
    '1.23 ms',
    '12.3 ms',
    '999 ms',
    '4.32 s',
  ])
  expect([nameOf('node20'), nameOf('this browser')]).toEqual(['Node 20', 'this browser'])
})
