import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { damagedCase, trainRuns } from './hostile.ts'

// 20,000 cases, each with bounds on its time and memory: npm run fuzz.
const CASES = 500
/** What that has found. */
const FOUND = [28143]

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'steinrl-hostile-'))
})
afterAll(() => rm(directory, { recursive: true, force: true }))

test(`${CASES} damaged run directories are read, or refused in a sentence`, async () => {
  const runs = await trainRuns(directory)
  let refused = 0
  for (const number of [...Array(CASES).keys(), ...FOUND]) {
    const { refusal } = await damagedCase(number, runs, join(directory, 'scratch'))
    if (refusal !== null) refused++
  }
  expect(refused).toBeGreaterThan(CASES / 4)
  expect(CASES - refused).toBeGreaterThan(CASES / 10)
  expect(({} as Record<string, unknown>).extra).toBeUndefined()
}, 600_000)
