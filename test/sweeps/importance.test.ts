import { expect, test } from '@jest/globals'
import { generator, uniform, uniformInteger } from '../../src/core/generator.ts'
import { importanceOf } from '../../src/sweeps/importance.ts'

const numbers = generator(3)
const places = Array.from({ length: 400 }, () => uniform(numbers))
const other = Array.from({ length: 400 }, () => uniform(numbers))

test('a setting that decides alone explains what quarters of its range can: 15/16 of the variance of ranks', () => {
  // Four groups of ranks in order: within them is 1/16 of the variance.
  expect(importanceOf(places, places, false)).toBeCloseTo(15 / 16, 2)
  expect(
    importanceOf(
      places,
      places.map((x) => 100 * x * x * x),
      false,
    ),
  ).toBeCloseTo(15 / 16, 2)
})

test('one that does not matter explains nothing, on average over many', () => {
  let sum = 0
  for (let k = 0; k < 200; k++) {
    const values = Array.from({ length: 40 }, () => uniform(numbers))
    sum += importanceOf(other.slice(0, 40), values, false) as number
  }
  // Without the correction it would be 3/39 = 0.077.
  expect(sum / 200).toBeLessThan(0.04)
})

test('values of a choice are groups, in whichever order they stand', () => {
  const choice = Array.from({ length: 90 }, () => uniformInteger(numbers, 3) / 2)
  const values = choice.map((x) => (x === 0.5 ? 10 : 0) + uniform(numbers))
  const found = importanceOf(choice, values, true) as number
  // Ranks of the middle value are above all others: between groups is 3 p (1 − p) of the variance, p its share.
  const p = choice.filter((x) => x === 0.5).length / 90
  expect(found).toBeGreaterThan(3 * p * (1 - p) - 0.05)
  expect(found).toBeLessThan(3 * p * (1 - p) + 0.05)
})

test('it is not told from seven trials, or where all are the same', () => {
  expect(importanceOf(places.slice(0, 7), other.slice(0, 7), false)).toBeNull()
  expect(importanceOf(places.slice(0, 20), Array(20).fill(1), false)).toBeNull()
  expect(importanceOf(Array(20).fill(0.5), other.slice(0, 20), true)).toBeNull()
})
