import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from '@jest/globals'
import { optionsIn, tableOf, warnOfBusyMachine } from '../../bench/harness.ts'

test('a table is no wider than it may be, and keeps every column', () => {
  const rows = [
    { name: 'forward', ms: 1.23456, what: 'x'.repeat(60), more: 'y'.repeat(40) },
    { name: 'step', ms: 20, params: { n: 3 } },
  ]
  const lines = tableOf(rows).split('\n')
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100)
  for (const word of ['name', 'ms', 'what', 'more', 'params', '1.235', '{"n":3}', 'y'.repeat(40)])
    expect(lines.some((line) => line.includes(word))).toBe(true)
})

test('a busy machine is told of', () => {
  expect(warnOfBusyMachine(0.2, 2)).toBeNull()
  expect(warnOfBusyMachine(3, 2)).toMatch(/busy: load 3.0 on 2 cores/)
})

test('options of a bench are its own: it takes them, and refuses others by name', () => {
  const options = { sizes: { type: 'string', default: '2x1' } } as const
  expect(optionsIn(['--sizes', '100x2'], options)).toEqual({ sizes: '100x2' })
  expect(optionsIn([], options)).toEqual({ sizes: '2x1' })
  expect(() => optionsIn(['--size', '100x2'], options)).toThrow(/Unknown option '--size'/)
  const root = fileURLToPath(new URL('../..', import.meta.url))
  const words = ['--import', 'tsx', 'bench/run.ts', 'posteriors', '--seeds', '1']
  const { status, stderr } = spawnSync(process.execPath, words, { cwd: root, encoding: 'utf8' })
  expect([status, stderr]).toEqual([1, expect.stringContaining('posteriors needs --data DIRECTORY')])
})

test.each([[['energy', '--help']], [['nothing']], [['energy', '--record', 'more']]])(
  '%j measures nothing and tells the usage',
  (args) => {
    const root = fileURLToPath(new URL('../..', import.meta.url))
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', 'bench/run.ts', ...args], {
      ...{ cwd: root, encoding: 'utf8' as const },
    })
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(stderr).toContain(`got ${args.at(-1)}.`)
  },
)
