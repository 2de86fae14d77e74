import * as v from 'valibot'
import { UsageError } from '../core/errors.ts'
import { encodePlain } from '../core/plain.ts'
import type { Allocate } from '../core/reused-memory.ts'
import { check, countSchema } from '../core/schemas.ts'
import type { LoggedRows, ReadContent, RowLog, StateContent } from '../core/state.ts'
import { decodeState, encodeState } from '../core/state-file.ts'
import type { EnvironmentSpec } from '../envs/contract.ts'

// A checkpoint: all that a training goes on from, as bytes. The rows of a replay are in it, or in files beside it.

const plain = v.record(v.string(), v.unknown())

const rowFileSchema = v.object({ name: v.string(), first: countSchema, end: countSchema })
/** A file with the rows `first` to `end` of a replay. */
export type RowFile = v.InferOutput<typeof rowFileSchema>

/** `first` to `end` in this file, or in others. */
const logSchema = v.object({
  first: countSchema,
  end: countSchema,
  columns: v.array(v.string()),
  files: v.optional(v.array(rowFileSchema)),
})
/** Where the rows of a replay are. */
export type LogPlace = v.InferOutput<typeof logSchema>

const aboutSchema = v.object({
  version: v.string(),
  /** Iterations done, and what they took. */
  iteration: countSchema,
  seconds: v.pipe(v.number(), v.minValue(0), v.finite()),
  /** As config.json has it; `task` is null where the task cannot be made again. */
  config: v.looseObject({
    algorithm: v.string(),
    env: v.string(),
    iterations: countSchema,
    task: v.nullable(plain),
  }),
  /** Spaces and time limit of the task, as encodePlain() writes them. */
  spaces: v.string(),
  logs: v.record(v.string(), logSchema),
})

/** What a checkpoint is of. */
export type CheckpointAbout = v.InferOutput<typeof aboutSchema>

/** What is known of it before its replay is written. */
export type SnapshotAbout = Omit<CheckpointAbout, 'logs'>

/** A checkpoint as it was read. */
export interface Checkpoint {
  readonly about: CheckpointAbout
  readonly content: ReadContent
}

/** What a checkpoint is made of: arrays of the run itself, to be encoded before it goes on. */
export interface Snapshot {
  readonly about: SnapshotAbout
  readonly content: StateContent
}

/** One file with all of it. */
export function encodeCheckpoint({ about, content }: Snapshot): Uint8Array {
  const { arrays, values, logs } = content
  const rows = Object.entries(logs).flatMap(([name, log]) =>
    Object.entries(log.rowsFrom(log.first)).map(([column, data]) => [columnOf(name, column), data]),
  )
  const places = Object.entries(logs).map(([name, log]) => [name, placeOf(log)])
  return encodeState(
    'training',
    { ...about, logs: Object.fromEntries(places) },
    { arrays: { ...arrays, ...Object.fromEntries(rows) }, values },
  )
}

const columnOf = (log: string, column: string) => `${log}/${column}`

export const placeOf = ({ first, end, rowsFrom }: RowLog): LogPlace => ({
  ...{ first, end },
  columns: Object.keys(rowsFrom(end)),
})

/** A checkpoint whose replay is in the files that `places` tells of. */
export const encodeBeside = (
  { about, content: { arrays, values } }: Snapshot,
  places: Readonly<Record<string, LogPlace>>,
  allocate: Allocate,
): Uint8Array => encodeState('training', { ...about, logs: places }, { arrays, values }, allocate)

/** Some rows of a replay as a file of their own. */
export const encodeRows = (first: number, end: number, arrays: Readonly<Record<string, Float32Array>>): Uint8Array =>
  encodeState('replay', { first, end }, { arrays: { ...arrays }, values: {} })

const rowsSchema = v.object({ first: countSchema, end: countSchema })

/** Reads what encodeRows() wrote. Throws a UsageError where it has other rows than those. */
export function decodeRows(bytes: Uint8Array, first: number, end: number): Readonly<Record<string, Float32Array>> {
  const { about, arrays } = decodeState('replay', bytes)
  const found = check(rowsSchema, about)
  if (found.first !== first || found.end !== end)
    throw new UsageError(`it has the transitions ${found.first} to ${found.end}, not ${first} to ${end}.`)
  return arrays as Readonly<Record<string, Float32Array>>
}

/** Reads the rows of the files beside a checkpoint. */
type ReadRows = (name: string, first: number, end: number) => Promise<Readonly<Record<string, Float32Array>>>

/**
 * Reads what encodeCheckpoint() or encodeBeside() wrote.
 *
 * @throws UsageError for what is no checkpoint, damaged or of another format
 */
export async function decodeCheckpoint(bytes: Uint8Array, readRows?: ReadRows): Promise<Checkpoint> {
  const { about: written, arrays: all, values } = decodeState('training', bytes)
  const about = parseAbout(written)
  const logs: [string, LoggedRows][] = []
  const arrays = { ...all }
  for (const [name, place] of Object.entries(about.logs)) {
    const { first, end, columns, files } = place
    if (first > end) throw new UsageError(`its ${name} begins at ${first}, behind its end at ${end}.`)
    if (files) {
      logs.push([name, { first, end, columns: await joinedRows(name, place, readRows) }])
      continue
    }
    const own = columns.map((column) => [column, arrays[columnOf(name, column)] ?? new Float32Array(0)])
    for (const column of columns) delete arrays[columnOf(name, column)]
    logs.push([name, { first, end, columns: Object.fromEntries(own) }])
  }
  return { about, content: { arrays, values, logs: Object.fromEntries(logs) } }
}

function parseAbout(written: unknown): CheckpointAbout {
  const result = v.safeParse(aboutSchema, written)
  if (result.success) return result.output
  throw new UsageError(`its description has no valid ${v.getDotPath(result.issues[0]) ?? 'form'}.`)
}

/** The rows of a log from files that follow each other; rows before `first` are left out. */
async function joinedRows(name: string, { first, end, columns, files = [] }: LogPlace, readRows?: ReadRows) {
  if (!readRows) throw new UsageError(`its ${name} is in files beside it: give the directory of the run.`)
  let at = files[0]?.first ?? end
  if (at > first) throw new UsageError(`the first ${at - first} transitions of its ${name} are missing.`)
  const parts: Readonly<Record<string, Float32Array>>[] = []
  for (const file of files) {
    if (file.first !== at || file.end <= at || file.end > end)
      throw new UsageError(`its ${name} goes on at ${file.first}, not at ${at}.`)
    parts.push(await readRows(file.name, file.first, file.end))
    at = file.end
  }
  if (at !== end) throw new UsageError(`its ${name} ends at ${at}, not at ${end}.`)
  const skipped = first - (files[0]?.first ?? end)
  return Object.fromEntries(
    columns.map((column) => [
      column,
      joined(
        parts.map((part) => columnFrom(part, column)),
        skipped,
        end - first,
      ),
    ]),
  )
}

function columnFrom(part: Readonly<Record<string, Float32Array>>, column: string): Float32Array {
  const values = Object.hasOwn(part, column) ? part[column] : null
  if (values instanceof Float32Array) return values
  throw new UsageError(`a part of its replay has no ${column}.`)
}

/** @param skipped rows at the beginning that are left out @param rows that are kept */
function joined(parts: readonly Float32Array[], skipped: number, rows: number): Float32Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  const width = rows + skipped === 0 ? 0 : length / (rows + skipped)
  const out = new Float32Array(rows * Math.floor(width))
  let at = -skipped * width
  for (const part of parts) {
    const from = Math.max(-at, 0)
    if (from < part.length && Number.isInteger(width)) out.set(part.subarray(from), at + from)
    at += part.length
  }
  return out
}

/** What must be the same of a task for a run to go on in it. */
export const spacesOf = ({ observationSpace, actionSpace, maxEpisodeSteps }: EnvironmentSpec): string =>
  encodePlain({ observationSpace, actionSpace, maxEpisodeSteps }) ?? ''
