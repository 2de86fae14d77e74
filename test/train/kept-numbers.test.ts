import { expect, test } from '@jest/globals'
import { checkedEvaluation, checkedIterationEvaluation, checkedMetrics } from '../../src/train/kept-numbers.ts'

const line = { iteration: 1, transitions: 64, seconds: 0.5, returns: [1, null], entropy: [0.6, 0.7], bandwidth: null }
const next = { ...line, iteration: 2 }
const evaluation = { episodes: 2, greedy: [1, 2], sampled: [0, 1] }
const grid = { ranges: { gravity: [1, 2], force: [0, 1] }, points: 2, episodes: 1, returns: [1, 2, 3, 4] }

test('what training and evaluation write is taken as it is, with what is not known', () => {
  const lines = [line, { ...line, iteration: 2, best: 3, loss: 'any', coverage: 4, entropy: [] }]
  expect(checkedMetrics(lines)).toEqual(lines)
  const whole = { ...evaluation, grid, extras: { goals: 3 }, isLater: true }
  expect(checkedEvaluation(whole)).toBe(whole)
  expect(checkedIterationEvaluation({ ...evaluation, iteration: 3, transitions: 9 })).toMatchObject(evaluation)
})

test.each<[unknown, string]>([
  [null, 'it has null where an object belongs.'],
  [{ ...next, returns: 3 }, 'its returns must be a list of numbers and nulls, got 3.'],
  [{ ...next, returns: [] }, 'its returns must be a list of numbers and nulls, got [].'],
  [{ ...next, returns: undefined }, 'its returns must be a list of numbers and nulls, got undefined.'],
  [{ ...next, returns: ['1', 2] }, 'its returns must be a list of numbers and nulls, got ["1",2].'],
  [{ ...next, returns: [1] }, 'line 2 has 1 particles, not 2.'],
  [{ ...next, iteration: 2 ** 53 }, 'its iteration must be a whole number from 0, got 9007199254740992.'],
  [{ ...next, iteration: 1 }, 'line 2 is of iteration 1, after 1.'],
  [{ ...next, seconds: null }, 'its seconds must be a number, got null.'],
  [
    { ...next, entropy: { length: 1e9 } },
    'its entropy must be a list of numbers and nulls, or empty, got {"length":1000000000}.',
  ],
  [{ ...next, coverage: '9' }, 'its coverage must be a number, got "9".'],
])('a line of metrics %j', (wrong, says) => {
  expect(() => checkedMetrics([line, wrong])).toThrow(says)
})

test.each<[unknown, string]>([
  ['text', 'it has "text" where an object belongs.'],
  [{ ...evaluation, greedy: 1 }, 'its greedy must be a list of numbers, got 1.'],
  [{ ...evaluation, greedy: [1, null] }, 'its greedy must be a list of numbers, got [1,null].'],
  [{ episodes: 1, greedy: [1] }, 'its sampled must be a list of numbers, got undefined.'],
  [{ ...evaluation, sampled: [1] }, 'it has mean returns of 2 particles greedily and of 1 sampled.'],
  [{ ...evaluation, episodes: -1 }, 'its episodes must be a whole number from 0, got -1.'],
  [{ ...evaluation, extras: [] }, 'its extras must be an object, got [].'],
  [{ ...evaluation, grid: { ...grid, returns: [1] } }, 'its grid has 1 returns, not 4.'],
  [{ ...evaluation, grid: { ...grid, ranges: { a: 1, b: [0, 1] } } }, 'the range of "a" must be two numbers, got 1.'],
  [{ __proto__: evaluation }, 'its episodes must be a whole number from 0, got undefined.'],
])('an evaluation %j', (wrong, says) => {
  expect(() => checkedEvaluation(wrong)).toThrow(says)
})
