import { platform } from '#platform'
import { isExpected, show, UsageError } from '../core/errors.ts'
import type { Allocate } from '../core/reused-memory.ts'
import type { RowLog } from '../core/state.ts'
import {
  type Checkpoint,
  decodeCheckpoint,
  decodeRows,
  encodeBeside,
  encodeRows,
  type LogPlace,
  placeOf,
  type RowFile,
  type Snapshot,
} from './checkpoint.ts'
import { fileOf, reading, writing } from './run-files.ts'

// The checkpoints of a run, in its directory `checkpoint`:
//
//     12.safetensors                      the state after iteration 12; the last two are kept
//     rest.loop.replay…-0-1000.safetensors   the transitions 0 to 999 of a replay
//
// New transitions are a file of their own. Small files that have come together are written once more as one, so that a
// replay of a million is in some eighty files however often it is saved; until the checkpoint that names it is on disk,
// the one before it has its small ones.

const { files } = platform

/** Checkpoints that are kept. */
const KEPT = 2

const EXTENSION = '.safetensors'

const stateFile = (iteration: number) => `${iteration}${EXTENSION}`

/** What lies in the directory: iterations of checkpoints, and by each the files that it needs. */
export interface KeptCheckpoints {
  readonly iterations: readonly { readonly iteration: number; readonly needs: readonly string[] }[]
  /** Where the replays of the last one are. */
  readonly logs: Readonly<Record<string, LogPlace>>
  /** Whether nothing else lies there; what a run that was killed has left is removed once. */
  readonly isTidy: boolean
}

export const noCheckpoints: KeptCheckpoints = { iterations: [], logs: {}, isTidy: false }

/**
 * Encodes a checkpoint at once, and writes it when it is called: the new rows of replays first, then the state, then
 * what is no longer needed goes.
 *
 * @param lines files that are to be on the disk before it
 * @param allocate gives memory for the state, which is read until it is written
 */
export function checkpointWriter(
  run: string,
  kept: KeptCheckpoints,
  snapshot: Snapshot,
  lines: readonly ('metrics' | 'evaluations')[],
  allocate: Allocate,
) {
  const path = fileOf(run, 'checkpoint')
  const logs: Record<string, LogPlace> = {}
  const chunks: [name: string, bytes: Uint8Array][] = []
  for (const [name, log] of Object.entries(snapshot.content.logs)) {
    const { place, chunk } = withNewRows(name, log, kept.logs[name])
    logs[name] = place
    if (chunk) chunks.push(chunk)
  }
  const { iteration } = snapshot.about
  const state = encodeBeside(snapshot, logs, allocate)
  const needs = rowFilesOf(logs)
  const earlier = kept.iterations.filter((one) => one.iteration < iteration)
  const now: KeptCheckpoints = { iterations: [...earlier, { iteration, needs }].slice(-KEPT), logs, isTidy: true }
  const write = async (): Promise<void> => {
    if (!kept.isTidy) await files.makeDirectory(path)
    const prepared = files.prepare(`${path}/${stateFile(iteration)}`, state)
    // A checkpoint must not be of more iterations than the lines beside it, nor of rows that are nowhere.
    await allOf([
      prepared,
      ...lines.map((name) => files.sync(fileOf(run, name))),
      ...chunks.map(([name, bytes]) => files.write(`${path}/${name}`, bytes)),
    ]).catch(async (error: unknown) => {
      await prepared.then(({ drop }) => drop()).catch(() => {})
      throw error
    })
    await (await prepared).place()
    const there = await files.list(path)
    const lost = [stateFile(iteration), ...needs].find((name) => !there.includes(name))
    if (lost) throw new Error(`its checkpoint/${lost} was removed meanwhile`)
    const needed = new Set(filesOf(now))
    const old = kept.isTidy ? filesOf(kept).filter((name) => there.includes(name)) : there
    await allOf(old.filter((name) => !needed.has(name)).map((name) => files.remove(`${path}/${name}`)))
  }
  return { now, write: () => writing(run, write) }
}

/** Waits for all, and throws the first failure when none is under way any more. */
async function allOf(works: readonly Promise<unknown>[]): Promise<void> {
  const failed = (await Promise.allSettled(works)).find((work) => work.status === 'rejected')
  if (failed) throw failed.reason
}

/** The rows that are not on disk yet, as a file, with those of small files before it. */
function withNewRows(name: string, log: RowLog, before?: LogPlace) {
  const known = (before?.files ?? []).filter(({ end }) => end > log.first)
  const from = Math.max(known.at(-1)?.end ?? log.first, log.first)
  const place = placeOf(log)
  if (from >= log.end) return { place: { ...place, files: known }, chunk: null }
  const kept = known.slice(0, unmerged(known, from, log))
  const first = known[kept.length]?.first ?? from
  const file = { name: `${name}-${first}-${log.end}${EXTENSION}`, first, end: log.end }
  const chunk: [string, Uint8Array] = [file.name, encodeRows(first, log.end, log.rowsFrom(first))]
  return { place: { ...place, files: [...kept, file] }, chunk }
}

/** So many files of one size are written as one of the next size. */
const MERGED = 8

/** Files of as many rows, or more, stay as they are. */
const LARGE = 32_768

/** How many times MERGED is in a number of rows as a factor: the size of a file. */
function sizeOf(rows: number): number {
  let size = 0
  for (let k = MERGED; k <= rows; k *= MERGED) size++
  return size
}

/** How many of the files stay, when rows `from` to the end of the log are added to the others. */
function unmerged(known: readonly RowFile[], from: number, { first: held, end }: RowLog): number {
  const canMerge = (file: RowFile, size: number) =>
    file.first >= held && file.end - file.first < LARGE && sizeOf(file.end - file.first) <= size
  for (let count = known.length; ; ) {
    const size = sizeOf(end - (known[count]?.first ?? from))
    let lowest = count
    while (lowest > 0 && canMerge(known[lowest - 1], size)) lowest--
    if (count - lowest < MERGED - 1) return count
    count = lowest
  }
}

/** The files that the rows of a checkpoint's replays are in. */
const rowFilesOf = (logs: KeptCheckpoints['logs']): string[] =>
  Object.values(logs).flatMap(({ files: rows = [] }) => rows.map(({ name }) => name))

const filesOf = ({ iterations }: KeptCheckpoints): string[] => [
  ...new Set(iterations.flatMap(({ iteration, needs }) => [stateFile(iteration), ...needs])),
]

/** The iterations of the checkpoints that a run has, the last one first. */
async function iterationsOf(run: string): Promise<number[]> {
  const path = fileOf(run, 'checkpoint')
  if (!(await files.exists(path))) return []
  return (await files.list(path))
    .map((name) => /^(\d+)\.safetensors$/.exec(name))
    .filter((match) => match !== null)
    .map(([, digits]) => Number(digits))
    .sort((a, b) => b - a)
}

/** Removes the checkpoints of later iterations, which a run that goes on from an earlier one comes to again. */
export async function removeLaterCheckpoints(run: string, iteration: number): Promise<void> {
  const later = (await iterationsOf(run)).filter((each) => each > iteration)
  for (const each of later) await files.remove(`${fileOf(run, 'checkpoint')}/${stateFile(each)}`)
}

/** A checkpoint that was found in the directory of a run. */
export interface FoundCheckpoint extends Checkpoint {
  readonly file: string
  readonly kept: KeptCheckpoints
  /** Why a later one was not taken, a sentence each. */
  readonly notes: readonly string[]
}

/**
 * The last checkpoint of a run that can be read; null where it has none.
 *
 * @param before of an iteration below this one
 * @throws UsageError when none of those that are there can be read
 */
export async function readCheckpoint(run: string, before = Infinity): Promise<FoundCheckpoint | null> {
  const notes: string[] = []
  for (const iteration of (await iterationsOf(run)).filter((each) => each < before)) {
    const file = `${fileOf(run, 'checkpoint')}/${stateFile(iteration)}`
    try {
      const checkpoint = await reading(file, (bytes) => decodeCheckpoint(bytes, rowsBeside(run)))
      if (checkpoint.about.iteration !== iteration)
        throw new UsageError(`${show(file)} is damaged: it is of iteration ${checkpoint.about.iteration}.`)
      const { logs } = checkpoint.about
      const kept = { iterations: [{ iteration, needs: rowFilesOf(logs) }], logs, isTidy: false }
      return { ...checkpoint, file, kept, notes }
    } catch (error) {
      if (!isExpected(error)) throw error
      notes.push(error.message)
    }
  }
  if (notes.length > 0) throw new UsageError(notes.join(' '))
  return null
}

const rowsBeside = (run: string) => (name: string, first: number, end: number) => {
  // A file beside it, and none elsewhere.
  if (/[\\/]/.test(name)) throw new UsageError(`its replay cannot be in ${show(name)}.`)
  const path = `${fileOf(run, 'checkpoint')}/${name}`
  return reading(path, (bytes) => decodeRows(bytes, first, end))
}
