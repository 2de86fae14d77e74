import { expect, test } from '@jest/globals'
import { RunError, UsageError } from '../../src/core/errors.ts'
import { failureOf, ofUser } from '../../src/core/own-code.ts'

const thrown = (stack: string) => Object.assign(new Error('no air'), { stack })
const told = (error: unknown) => (failureOf('Ferry: step 3', error) as Error).message

test.each([
  ['V8', 'Error: no air\n    at sail (file:///home/me/my%20tasks/ferry.js:12:9)', '/home/me/my tasks/ferry.js:12'],
  ['V8, of a file without functions', 'Error\n    at /home/me/ferry.cjs:3:1', '/home/me/ferry.cjs:3'],
  ['V8 on Windows', 'Error\n    at new Ferry (file:///C:/me/ferry.js:4:1)', 'C:/me/ferry.js:4'],
  ['Firefox', 'sail@https://me.org/ferry.js:12:9\n@https://me.org/ferry.js:40:2\n', 'https://me.org/ferry.js:12'],
  ['JavaScriptCore', 'sail@[native code]\nstep@http://localhost:80/ferry.js:5:7', 'http://localhost:80/ferry.js:5'],
  [
    'what a package throws',
    'Error\n    at f (/a/node_modules/b/c.js:1:1)\n    at g (/a/ferry.js:2:1)',
    '/a/ferry.js:2',
  ],
  ['a package alone', 'Error\n    at f (/a/node_modules/b/c.js:1:1)', '/a/node_modules/b/c.js:1'],
])('the line is that of the stack: %s', (_, stack, place) => {
  expect(told(thrown(stack))).toBe(`Ferry: step 3 failed: no air (${place}).`)
})

test.each([
  ['none', ''],
  ['of Node alone', 'Error\n    at node:internal/modules/run_main:12:3\n    at Array.map (<anonymous>)'],
  ['of who waits alone', 'Error\n    at async main (file:///home/me/main.js:2:1)'],
])('a stack that is %s tells no line', (_, stack) => {
  expect(told(thrown(stack))).toBe('Ferry: step 3 failed: no air.')
})

test('what a function gives is given, and sentences of the library and its own bugs pass as they are', () => {
  expect(ofUser('Ferry', () => 3)).toBe(3)
  const ours = new URL('../../src/envs/make.ts', import.meta.url).pathname
  for (const error of [new UsageError('a'), new RunError('b'), thrown(`Error\n    at make (${ours}:3:1)`)])
    expect(failureOf('Ferry', error)).toBe(error)
})
