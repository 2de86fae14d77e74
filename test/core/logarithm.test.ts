import { expect, test } from '@jest/globals'
import { wholeLog } from '../../src/core/logarithm.ts'

test('the logarithm of a whole number is that of Math to 1e-13 of itself', () => {
  expect(wholeLog(1)).toBe(0)
  for (const n of [2, 3, 10, 97, 1000]) {
    const exact = Math.log(n)
    expect(Math.abs(wholeLog(n) - exact)).toBeLessThan(1e-13 * exact)
  }
})
