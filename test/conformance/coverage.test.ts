import { readFile } from 'node:fs/promises'
import { expect, test } from '@jest/globals'
import { compileCore } from '../../src/core/module.ts'
import { environments } from '../../src/envs/registry.ts'
import { THROUGH_THE_LIBRARY } from './indirect.ts'

const recorded = JSON.parse(await readFile(new URL('recorded.json', import.meta.url), 'utf8')) as Record<
  string,
  Record<string, string>
>

const namesOf = (sections: string) =>
  Object.entries(recorded)
    .filter(([section]) => section.startsWith(sections))
    .flatMap(([, hashes]) => Object.keys(hashes))

test('every op is run by the conformance program, directly or through the library, and not listed for both', async () => {
  const exported = WebAssembly.Module.exports(await compileCore())
    .filter(({ kind }) => kind === 'function')
    .map(({ name }) => name)
  const direct = new Set(namesOf('ops: ').map((name) => name.split(' ')[0]))
  expect([...direct, ...THROUGH_THE_LIBRARY].sort()).toEqual(exported.sort())
})

test('every built-in environment is run', () => {
  expect(namesOf('environments: vectors')).toEqual(expect.arrayContaining(Object.keys(environments)))
  expect(namesOf('environments: one at a time')).toEqual(Object.keys(environments))
})

test('what is recorded are SHA-256 sums', () => {
  for (const hash of Object.values(recorded).flatMap(Object.values)) expect(hash).toMatch(/^[0-9a-f]{64}$/)
})
