import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { generator, uniformInteger } from '../../src/core/generator.ts'
import { ownMemory } from '../../src/core/reused-memory.ts'
import type { RowLog } from '../../src/core/state.ts'
import { checkpointWriter, noCheckpoints, readCheckpoint } from '../../src/train/checkpoint-files.ts'

let run: string
beforeEach(async () => {
  run = await mkdtemp(join(tmpdir(), 'steinrl-test-'))
  await writeFile(join(run, 'metrics.jsonl'), '')
})
afterEach(() => rm(run, { recursive: true, force: true }))

const config = { algorithm: 'sac', env: 'Pendulum-v1', iterations: 1e6, task: null }

/** Rows 0 to `end`, of which the last `capacity` are held; each is its number, twice. */
const logOf = (end: number, capacity: number): RowLog => ({
  first: Math.max(end - capacity, 0),
  end,
  rowsFrom(from) {
    if (from < end - capacity) throw new Error(`row ${from} is no longer held`)
    return { x: Float32Array.from({ length: 2 * (end - from) }, (_, k) => from + (k >> 1)) }
  },
})

/** Saves a replay that grows by the numbers given; yields how many files of it there are, and reads it back. */
async function* saved(growth: readonly number[], capacity: number) {
  let kept = noCheckpoints
  let end = 0
  let written = 0
  for (const [k, rows] of growth.entries()) {
    end += rows
    const log = logOf(end, capacity)
    const counted: RowLog = {
      ...log,
      rowsFrom(from) {
        const found = log.rowsFrom(from)
        written += end - from
        return found
      },
    }
    const about = { version: '', iteration: k + 1, seconds: 0, config, spaces: '' }
    const snapshot = { about, content: { arrays: {}, values: {}, logs: { replay: counted } } }
    const { now, write } = checkpointWriter(run, kept, snapshot, ['metrics'], ownMemory)
    kept = now
    await write()
    yield { end, written, log }
  }
}

const filesOfReplay = async () => (await readdir(join(run, 'checkpoint'))).filter((name) => name.startsWith('replay'))

async function expectWhole({ end, log: { first, rowsFrom } }: { end: number; log: RowLog }) {
  const found = (await readCheckpoint(run))?.content.logs.replay
  expect([found?.first, found?.end]).toEqual([first, end])
  expect(found?.columns.x).toEqual(rowsFrom(first).x)
}

test('a replay that is saved at every step is in few files, each row written a few times', async () => {
  let most = 0
  for await (const now of saved(Array(400).fill(1), 300)) {
    most = Math.max(most, (await filesOfReplay()).length)
    if (now.end % 40 < 2) await expectWhole(now)
    // Once by itself, and once for each size that it grows to: 8 and 64.
    expect(now.written).toBeLessThanOrEqual(3 * now.end)
  }
  // Seven of each size, and those that the checkpoint before needs.
  expect(most).toBeLessThanOrEqual(32)
  expect(most).toBeGreaterThan(8)
})

test.each([1, 2, 3])('a replay that grows by numbers of rows drawn by %i comes back whole every time', async (seed) => {
  const numbers = generator(seed)
  const growth = Array.from({ length: 25 }, () => uniformInteger(numbers, [2, 30, 300][uniformInteger(numbers, 3)]))
  for await (const now of saved(growth, 700)) await expectWhole(now)
  expect((await filesOfReplay()).length).toBeLessThan(40)
})

test('files of more than 32768 rows are left as they are', async () => {
  const names: string[] = []
  for await (const _ of saved(Array(12).fill(20_000), 1e6)) names.push(...(await filesOfReplay()))
  // Eight of 20,000 become one, which is written once.
  expect(new Set(names.filter((name) => name.startsWith('replay-0-')))).toEqual(
    new Set(['replay-0-20000.safetensors', 'replay-0-160000.safetensors']),
  )
})
