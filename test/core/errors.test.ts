import { expect, test } from '@jest/globals'
import { reasonOf, show } from '../../src/core/errors.ts'

const ring: { self?: unknown } = {}
ring.self = ring
function revoked(value: object) {
  const { proxy, revoke } = Proxy.revocable(value, {})
  revoke()
  return proxy
}
let deep: unknown = []
for (let k = 0; k < 100_000; k++) deep = [deep]

test.each([
  ['a text', 'adam', '"adam"'],
  ['a number', -0.5, '-0.5'],
  ['nothing', undefined, 'undefined'],
  ['a function', function adam() {}, 'function adam'],
  ['a big integer', 12n, '12n'],
  ['a symbol', Symbol('a'), 'Symbol(a)'],
  ['numbers', [1, Number.NaN], '[1, NaN]'],
  ['an array of numbers', Float32Array.of(0.5, 2), '[0.5, 2]'],
  ['a record', { a: [1] }, '{"a":[1]}'],
  ['what holds itself', ring, 'an object'],
  ['what is nested too deep to be written', deep, 'a list'],
  ['what has big integers', [1n], 'a list'],
  [
    'what refuses',
    {
      toJSON: () => {
        throw new Error('no')
      },
    },
    'an object',
  ],
  ['an array of big integers', BigInt64Array.of(1n, 2n), '[1, 2]'],
  ['a record of an array of numbers', { a: Float32Array.of(0.5) }, '{"a":[0.5]}'],
  ['a proxy that is revoked', revoked({}), 'an object'],
  ['a function behind one', revoked(() => {}), 'an object'],
  ['a class with another name', Object.defineProperty(class {}, 'name', { value: 5 }), 'a function'],
  ['what is nothing in JSON', { toJSON: () => undefined }, 'an object'],
])('%s is shown as a person would type it', (_, value, shown) => {
  expect(show(value)).toBe(shown)
})

test('a long value is cut short', () => {
  const billions: unknown[] = []
  billions.length = 2 ** 32 - 1
  for (const value of [billions, { billions }, [[billions]], 10n ** 1000n]) expect(show(value)).toMatch(/^.{290,}…$/)
  expect(show(new Float32Array(1e6)).length).toBeLessThan(310)
  expect(show({ list: Array.from({ length: 1000 }, () => 'x') })).toMatch(/^\{"list":\["x",.*…$/)
})

test('what would move the cursor of a terminal, or turn the reading, is written out, and long texts are cut', () => {
  expect(show('\u001b[2J\u009b1A\u202ex\n')).toBe('"\\u001b[2J\\u009b1A\\u202ex\\u000a"')
  expect(show({ name: '\u009b\u202e' })).toBe('{"name":"\\u009b\\u202e"}')
  expect(reasonOf(new Error('no \u001b[31mfile\nthere'))).toBe('no \\u001b[31mfile there')
  expect(show('ä–∇ 漢 "')).toBe('"ä–∇ 漢 ""')
  expect(show('x'.repeat(5000))).toBe(`"${'x'.repeat(1000)}…"`)
})
