import { expect, test } from '@jest/globals'
import { blockSizes, mostTogether, particlesInWords } from '../../src/cluster/blocks.ts'

test('evaluations of 25 ms go four to a job and two at the end', () => {
  expect(blockSizes(16, 2, 25)).toEqual([4, 4, 2, 2, 2, 2])
})

test('long ones, and those whose time is not known, go alone', () => {
  for (const ms of [null, 60, 1e4]) expect(blockSizes(5, 2, ms)).toEqual([1, 1, 1, 1, 1])
})

test('short ones leave no thread without work', () => {
  expect(blockSizes(16, 2, 1)).toEqual([8, 8])
  expect(blockSizes(16, 5, 1)).toEqual([4, 3, 3, 3, 3])
  expect(blockSizes(3, 8, 1)).toEqual([1, 1, 1])
  expect(blockSizes(1000, 2, 0.01).slice(0, 3)).toEqual([64, 64, 64])
})

test('each evaluation is in one job, none has more than 100 ms where it has several, and sizes never rise', () => {
  for (const count of [1, 2, 7, 16, 100, 1000])
    for (const threads of [1, 2, 3, 64])
      for (const ms of [0, 0.3, 3, 20, 33, 41, 99, 101, Number.POSITIVE_INFINITY]) {
        const sizes = blockSizes(count, threads, ms)
        expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(count)
        expect(sizes.every((size) => size >= 1 && size <= mostTogether(ms) && (size === 1 || size * ms <= 100))).toBe(
          true,
        )
        expect(sizes).toEqual([...sizes].sort((a, b) => b - a))
        expect(sizes.length).toBeGreaterThanOrEqual(Math.min(count, threads))
      }
})

test('particles are named together', () => {
  expect([[3], [3, 4], [0, 1, 7]].map(particlesInWords)).toEqual([
    'particle 3',
    'particles 3 and 4',
    'particles 0, 1 and 7',
  ])
})
