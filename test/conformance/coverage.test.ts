import { readdirSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
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

/** Ops that the library calls only inside others, exported so that their bits can be compared. */
const ELEMENTARY = [
  ...['expInto', 'expMinus1Into', 'logInto', 'log1PlusInto', 'tanhInto', 'sigmoidInto', 'softplusInto'],
  ...['sinInto', 'cosInto', 'sin64Into', 'cos64Into', 'sinSmall64Into', 'cosSmall64Into'],
  'philox',
]

test('the library calls every op but elementary functions and philox', async () => {
  const source = fileURLToPath(new URL('../../src/', import.meta.url))
  const text = readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && file !== 'core/ops.ts')
    .map((file) => readFileSync(source + file, 'utf8'))
    .join('\n')
  // ops.name(…), name: ops.name, const { name } = ops, threadPool.run('name', …).
  const isCalled = (name: string) => new RegExp(`\\.${name}\\b|'${name}'|\\{[^{}]*\\b${name}\\b[^{}]*\\} = `).test(text)
  const names = WebAssembly.Module.exports(await compileCore())
    .filter(({ kind }) => kind === 'function')
    .map(({ name }) => name)
  expect(names.filter((name) => !isCalled(name)).sort()).toEqual([...ELEMENTARY].sort())
})

test('every built-in environment is run', () => {
  expect(namesOf('environments: vectors')).toEqual(expect.arrayContaining(Object.keys(environments)))
  expect(namesOf('environments: one at a time')).toEqual(Object.keys(environments))
})

test('what is recorded are SHA-256 sums', () => {
  for (const hash of Object.values(recorded).flatMap(Object.values)) expect(hash).toMatch(/^[0-9a-f]{64}$/)
})
