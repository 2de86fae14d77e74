import { expect, test } from '@jest/globals'
import { UsageError } from '../../src/core/errors.ts'
import { fromJson } from '../../src/core/json.ts'
import { decodePlain, encodePlain } from '../../src/core/plain.ts'

test('plain data come back as they were, with what JSON leaves out', () => {
  const data = {
    numbers: [1, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
    arrays: [Float32Array.of(1, Number.NaN, -0), Float64Array.of(0.1), Int32Array.of(-1), Uint32Array.of(1)],
    bytes: new Uint8Array(0),
    others: { text: 'a', yes: true, none: null, list: [[], {}] },
  }
  const again = decodePlain(encodePlain(data) ?? '') as typeof data
  expect(again).toEqual(data)
  expect(Object.is(again.numbers[1], -0)).toBe(true)
  expect(again.arrays.map((array) => array.constructor.name)).toEqual([
    'Float32Array',
    'Float64Array',
    'Int32Array',
    'Uint32Array',
  ])
})

test('what is no plain data has no text, whatever its class is called', () => {
  const named = { toString: class {} }
  for (const value of [
    () => 1,
    Symbol('a'),
    1n,
    new Map(),
    new Date(0),
    new named.toString(),
    { $array: 'Float32Array' },
  ])
    expect(encodePlain({ value })).toBeUndefined()
})

const lists = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)

test.each([
  ['an array of no type', '{"$array":"BigInt64Array","values":[1]}', 'it has an array of "BigInt64Array"; there are '],
  ['an array of an inherited name', '{"$array":"constructor","values":[1]}', 'it has an array of "constructor"; there'],
  ['an array called __proto__', '{"$array":"__proto__","values":[1]}', 'it has an array of "__proto__"; there are '],
  ['an array called toString, deep', '{"a":[{"$array":"toString"}]}', 'it has an array of "toString"; there are '],
  ['an array without numbers', '{"$array":"Float32Array"}', 'a Float32Array in it is no list of numbers.'],
  ['an array of a text', '{"$array":"Float32Array","values":"123"}', 'a Float32Array in it is no list of numbers.'],
  ['an array of lists', '{"$array":"Int32Array","values":[[1]]}', 'a Int32Array in it is no list of numbers.'],
  ['a number of no name', '{"$number":"one"}', 'it has the number "one"; there are NaN, Infinity, -Infinity, -0.'],
  ['a number that is an object', '{"$number":{}}', 'it has the number {}; there are NaN'],
  ['the place of an array that is not there', '{"$place":0}', 'it has the array 0 of 0.'],
  ['an array at an inherited place', '{"$place":"length"}', 'it has the array "length" of 0.'],
  ['lists nested deeply', lists(100_000), 'it is nested deeper than 100 levels.'],
  ['lists nested deeply inside', `{"a":{"$array":"Float32Array","values":${lists(5000)}}}`, 'it is nested deeper than'],
])('%s is refused in one sentence', (_, text, message) => {
  const read = () => decodePlain(text)
  expect(read).toThrow(UsageError)
  expect(read).toThrow(message)
})

test('a key called __proto__ is a key like any other', () => {
  const read = decodePlain('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}') as object
  expect(Object.keys(read)).toEqual(['__proto__', 'constructor'])
  expect(Object.getPrototypeOf(read)).toBe(Object.prototype)
  expect(({} as { polluted?: number }).polluted).toBeUndefined()
})

test('100 levels are read', () => {
  expect(fromJson(lists(101))).toBeInstanceOf(Array)
  // What is quoted of the text is no second line.
  expect(() => fromJson('{"a":\n"b\nc"}')).toThrow(/^[^\n]+$/)
  expect(() => fromJson(lists(102))).toThrow('nested deeper than 100 levels')
})
