import { show, UsageError } from './errors.ts'
import type { NumberArray } from './runtime-types.ts'

// What a run is between two steps, as arrays and plain values by name: what a checkpoint is made of.

/** Rows that are only ever added, of which the last are held: a replay. */
export interface RowLog {
  /** Rows added so far, and the first of those that are held. */
  readonly end: number
  readonly first: number
  /** Rows `from` to `end` by column, copied. */
  rowsFrom(from: number): Readonly<Record<string, Float32Array>>
}

/** The rows of a log as they were read: [end − first, width] by column. */
export interface LoggedRows {
  readonly end: number
  readonly first: number
  readonly columns: Readonly<Record<string, Float32Array>>
}

/** A state as it is written. Arrays are those of the memory itself: encode it before anything goes on. */
export interface StateContent {
  readonly arrays: Record<string, NumberArray>
  readonly values: Record<string, unknown>
  readonly logs: Record<string, RowLog>
}

/** A state as it was read. */
export interface ReadContent {
  readonly arrays: Readonly<Record<string, NumberArray>>
  readonly values: Readonly<Record<string, unknown>>
  readonly logs: Readonly<Record<string, LoggedRows>>
}

/** What a value must be: a schema of the Standard Schema kind, as those of valibot and zod are. */
export interface ValueSchema<T> {
  readonly '~standard': {
    readonly validate: (value: unknown) => unknown
    readonly types?: { readonly output: T } | undefined
  }
}

/** Takes what a part of a state consists of. */
export interface StateWriter {
  array(name: string, values: NumberArray): void
  /** Plain data. */
  value(name: string, value: unknown): void
  log(name: string, log: RowLog): void
}

/** Gives it back, each by the name it was written with. Throws a UsageError for what is missing or does not fit. */
export interface StateReader {
  /** An array of the type of `like` and of its length, or of another one. */
  array<A extends NumberArray>(name: string, like: A, length?: number | 'any'): A
  value<T>(name: string, schema: ValueSchema<T>): T
  log(name: string, widths: Readonly<Record<string, number>>): LoggedRows
}

/** Something that has a state. */
export interface StatePart {
  save(to: StateWriter): void
  /**
   * Checks all that it is made of, and returns what puts it in place: nothing is written over before everything is
   * checked.
   */
  load(from: StateReader): () => void
}

/** Arrays that are written over in place. */
export const arraysPart = (views: Readonly<Record<string, NumberArray>>): StatePart => ({
  save(to) {
    for (const [name, view] of Object.entries(views)) to.array(name, view)
  },
  load(from) {
    const found = Object.entries(views).map(([name, view]) => [view, from.array(name, view)] as const)
    return () => {
      for (const [view, values] of found) view.set(values)
    }
  },
})

/** Some fields of a record that are plain data, each with the schema of what it may be. */
export function fieldsPart<T extends object>(record: T, schemas: { readonly [K in keyof T]?: ValueSchema<T[K]> }) {
  const names = Object.keys(schemas) as (keyof T & string)[]
  const part: StatePart = {
    save(to) {
      for (const name of names) to.value(name, record[name])
    },
    load(from) {
      const found = names.map((name) => [name, from.value(name, schemas[name] as ValueSchema<unknown>)])
      return () => {
        Object.assign(record, Object.fromEntries(found))
      }
    },
  }
  return part
}

/** Parts by name; those that are null have no state. */
export function partsOf(parts: Readonly<Record<string, StatePart | null>>): StatePart {
  const present = Object.entries(parts).filter((entry): entry is [string, StatePart] => entry[1] !== null)
  return {
    save(to) {
      for (const [name, part] of present) part.save(within(to, name))
    },
    load(from) {
      const commits = present.map(([name, part]) => part.load(within(from, name)))
      return () => {
        for (const commit of commits) commit()
      }
    },
  }
}

/** The same with names that begin with that of the part. */
function within<T extends StateWriter | StateReader>(whole: T, part: string): T {
  const methods = Object.entries(whole).map(([method, call]) => [
    method,
    (name: string, ...rest: unknown[]) => call(`${part}.${name}`, ...rest),
  ])
  return Object.fromEntries(methods) as T
}

/** What a part consists of now. */
export function contentOf(part: StatePart): StateContent {
  const content: StateContent = { arrays: {}, values: {}, logs: {} }
  part.save({
    array(name, values) {
      content.arrays[name] = values
    },
    value(name, value) {
      content.values[name] = value
    },
    log(name, log) {
      content.logs[name] = log
    },
  })
  return content
}

/**
 * Puts a part back to what it was.
 *
 * @throws UsageError, which names what is missing, too much or of another kind; nothing is changed then
 */
export function restore(part: StatePart, content: ReadContent): void {
  const taken = new Set<string>()
  const take = <T>(kind: keyof ReadContent, name: string): T => {
    if (!Object.hasOwn(content[kind], name)) throw new UsageError(`it has no ${name}.`)
    taken.add(`${kind} ${name}`)
    return content[kind][name] as T
  }
  const commit = part.load({
    array: (name, like, length = like.length) => fitting(name, take('arrays', name), like, length),
    value: (name, schema) => readValue(name, take('values', name), schema),
    log: (name, widths) => wholeLog(name, take('logs', name), widths),
  })
  for (const kind of ['arrays', 'values', 'logs'] as const)
    for (const name of Object.keys(content[kind]))
      if (!taken.has(`${kind} ${name}`)) throw new UsageError(`it has ${show(name)}, which belongs to something else.`)
  commit()
}

function fitting<A extends NumberArray>(name: string, values: NumberArray, like: A, length: number | 'any'): A {
  if (values.constructor !== like.constructor)
    throw new UsageError(`its ${name} is a ${values.constructor.name}, not a ${like.constructor.name}.`)
  if (length !== 'any' && values.length !== length)
    throw new UsageError(`its ${name} has ${values.length} numbers, not ${length}.`)
  refuseNumbers(name, values)
  return values as A
}

/** Numbers must be finite, and those of int32 count something. */
function refuseNumbers(name: string, values: NumberArray): void {
  const isWrong = values instanceof Int32Array ? (x: number) => x < 0 : (x: number) => !Number.isFinite(x)
  if (values instanceof Uint32Array || values instanceof Uint8Array) return
  for (let k = 0; k < values.length; k++)
    if (isWrong(values[k])) throw new UsageError(`number ${k} of its ${name} is ${values[k]}.`)
}

function readValue<T>(name: string, value: unknown, schema: ValueSchema<T>): T {
  const { value: checked, issues } = schema['~standard'].validate(value) as { value: T; issues?: readonly unknown[] }
  if (!issues) return checked
  throw new UsageError(`its ${name} cannot be ${show(value).slice(0, 60)}.`)
}

function wholeLog(name: string, log: LoggedRows, widths: Readonly<Record<string, number>>): LoggedRows {
  const rows = log.end - log.first
  const names = Object.keys(widths)
  if (Object.keys(log.columns).sort().join() !== [...names].sort().join())
    throw new UsageError(`its ${name} has the columns ${Object.keys(log.columns).join(', ')}, not ${names.join(', ')}.`)
  for (const column of names) {
    fitting(`${name}.${column}`, log.columns[column], new Float32Array(0), rows * widths[column])
  }
  return log
}
