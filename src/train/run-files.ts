import { platform } from '#platform'
import { isExpected, StorageError, show, UsageError } from '../core/errors.ts'
import { fromJson } from '../core/json.ts'
import { decodeText } from '../core/text.ts'

/**
 * A directory that holds one run:
 *
 *     config.json             the settings
 *     metrics.jsonl           one line of numbers an iteration
 *     particles.safetensors   theta [n, parameters] or what else acts, and kernel [n, n] where there is one
 *     checkpoint/             what training goes on from; see checkpoint-files.ts
 *     resumed.jsonl           where it went on, one line each time
 *     evaluations.jsonl       those of evaluateEvery(), one line each
 *     best/                   the population at its best evaluation, a run directory of its own
 *     metrics.csv             what --log csv writes
 *     tensorboard/            what --log tensorboard writes
 *     evaluation.json         mean return of every particle
 *     visited.safetensors     where each particle has been [n, rows, observation], of the runs of an experiment
 *     report.html             all of it to look at
 */
export const FILES = {
  config: 'config.json',
  metrics: 'metrics.jsonl',
  particles: 'particles.safetensors',
  checkpoint: 'checkpoint',
  resumed: 'resumed.jsonl',
  evaluations: 'evaluations.jsonl',
  best: 'best',
  csv: 'metrics.csv',
  tensorboard: 'tensorboard',
  evaluation: 'evaluation.json',
  visited: 'visited.safetensors',
  report: 'report.html',
} as const

const { files } = platform

export const fileOf = (path: string, name: keyof typeof FILES) => `${path}/${FILES[name]}`

/** What a file of lines of JSON holds, to be checked by whoever reads it. */
// biome-ignore lint/suspicious/noExplicitAny: plain data of any form
export function parseLines(bytes: Uint8Array): any[] {
  const lines = decodeText(bytes).split('\n')
  return lines.filter((line) => line !== '').map(fromJson)
}

// biome-ignore lint/suspicious/noExplicitAny: as above
export const parseJson = (bytes: Uint8Array): any => fromJson(decodeText(bytes))

/** Runs `write`; what the file system refuses becomes a StorageError that names what was to be written. */
export async function writing(path: string, write: () => Promise<void>, what = 'run'): Promise<void> {
  try {
    await write()
  } catch (error) {
    throw new StorageError(`Cannot write the ${what} to ${show(path)}: ${reason(error)}.`)
  }
}

/**
 * Writes files into a directory: all of them or none. What it has of the same names stays until all are on the disk.
 *
 * @throws StorageError which names the directory
 */
export async function writeTogether(
  path: string,
  contents: Readonly<Record<string, string | Uint8Array>>,
  what: string,
): Promise<void> {
  await writing(
    path,
    async () => {
      const isThere = await files.exists(path)
      // Where it is it may be another disk, to which nothing can be renamed from beside it.
      const aside = isThere ? `${path}/.steinrl-new` : `${path.replace(/\/+$/, '')}.steinrl-new`
      try {
        await files.removeDirectory(aside)
        await files.makeDirectory(aside)
        for (const [name, content] of Object.entries(contents)) await files.write(`${aside}/${name}`, content)
        if (!isThere) await files.rename(aside, path)
        else for (const name of Object.keys(contents)) await files.rename(`${aside}/${name}`, `${path}/${name}`)
      } finally {
        await files.removeDirectory(aside).catch(() => {})
      }
    },
    what,
  )
}

/** Reads and decodes a file. Throws a UsageError that says whether it could not be read or is damaged, and how. */
export async function reading<T>(path: string, decode: (bytes: Uint8Array) => T | Promise<T>): Promise<T> {
  let bytes: Uint8Array
  try {
    bytes = await files.read(path)
  } catch (error) {
    throw new UsageError(`Cannot read ${show(path)}: ${reason(error)}.`)
  }
  return inFile(path, () => decode(bytes))
}

/** Runs `use` on what a file holds; what it refuses is damage of the file. */
export const inFile = <T>(path: string, use: () => T | Promise<T>): Promise<T> =>
  saying(`${show(path)} is damaged`, use)

/** Runs `use`; what it throws is told in one sentence after what could not be done. */
export async function saying<T>(what: string, use: () => T | Promise<T>): Promise<T> {
  try {
    return await use()
  } catch (error) {
    throw new UsageError(`${what}: ${isExpected(error) ? error.message : `${reason(error)}.`}`)
  }
}

/** Runs `use` on bytes of no file; what it refuses says what they should be. */
export async function inBytes<T>(what: string, use: () => T | Promise<T>): Promise<T> {
  try {
    return await use()
  } catch (error) {
    if (isExpected(error)) throw new UsageError(`The ${what} cannot be read: ${error.message}`)
    throw error
  }
}

/** In one line: JSON.parse() quotes the text about a fault with its line breaks. */
const reason = (error: unknown) =>
  String((error as Error)?.message ?? error)
    .replace(/\s+/g, ' ')
    .replace(/\.$/, '')
