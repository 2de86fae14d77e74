// What a page downloads for each entry of the package. The limits stand in .size-limit.json, a little above what
// is.
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { beforeAll, expect, test } from '@jest/globals'
import { bundleEntries } from '../tools/entries.js'

const root = fileURLToPath(new URL('..', import.meta.url))
let inputs: Readonly<Record<string, readonly string[]>>

beforeAll(async () => {
  inputs = await bundleEntries()
})

test('svgd and envs bring no tfjs, whichever entry they come from', () => {
  for (const entry of ['svgd', 'envs', 'svgd-of-index']) {
    expect(inputs[entry].filter((file) => /tensorflow|\/nn\/|echarts/.test(file))).toEqual([])
    expect(inputs[entry].length).toBeGreaterThan(10)
  }
  expect(inputs.index.some((file) => file.includes('@tensorflow/tfjs-core'))).toBe(true)
})

test('policy brings nothing but its own files and what it checks with', () => {
  expect(
    inputs.policy.filter((file) => /tensorflow|assemblyscript|\/(?:svgd|envs|algorithms|platform)\//.test(file)),
  ).toEqual([])
  expect(inputs.policy.length).toBeGreaterThan(5)
})

test('svgd brings no environments, and envs no SVGD', () => {
  for (const entry of ['svgd', 'svgd-of-index']) {
    expect(inputs[entry].filter((file) => file.includes('/envs/'))).toEqual([])
  }
  expect(inputs.envs.filter((file) => file.includes('/svgd/'))).toEqual([])
})

test('no entry is larger than its limit', () => {
  const cli = fileURLToPath(new URL('../node_modules/size-limit/bin.js', import.meta.url))
  const results = JSON.parse(execFileSync(process.execPath, [cli, '--json'], { cwd: root, encoding: 'utf8' })) as {
    name: string
    size: number
    sizeLimit: number
    passed: boolean
  }[]
  expect(results.length).toBeGreaterThanOrEqual(8)
  for (const { name, size, sizeLimit, passed } of results) {
    expect(size).toBeGreaterThan(1000)
    if (!passed) throw new Error(`${name} has ${size} bytes, more than ${sizeLimit}.`)
  }
})
