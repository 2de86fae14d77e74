import { expect, test } from '@jest/globals'
import { editDistance, nearest } from '../../src/core/nearest.ts'

test.each([
  ['svpg-cartpol', 'svpg-cartpole'],
  ['SVPG-cartpole', 'svpg-cartpole'],
  ['ablation', 'svpg-ablation'],
  ['sten', 'stein'],
  ['jiont', 'joint'],
  ['qqqq', undefined],
  ['', undefined],
])('%j is nearest to %j', (typed, word) => {
  expect(nearest(typed, ['svpg-ablation', 'svpg-cartpole', 'stein', 'joint'])).toBe(word)
})

test('of words that are equally near the first one is meant', () => {
  expect(nearest('ab', ['ac', 'ad'])).toBe('ac')
})

test('the distance is the number of letters to insert, delete or replace', () => {
  expect([editDistance('kitten', 'sitting'), editDistance('', 'abc'), editDistance('flaw', 'lawn')]).toEqual([3, 3, 2])
})
