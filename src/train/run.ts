import { platform } from '#platform'
import { show, UsageError } from '../core/errors.ts'
import type { IterationEvaluation, IterationMetrics, RunSummary } from '../report/metrics.ts'
import { type FoundCheckpoint, type KeptCheckpoints, noCheckpoints } from './checkpoint-files.ts'
import { FILES, writing } from './run-files.ts'

const { files } = platform

/** A run directory that is being written. */
export interface Run {
  /** Where its files are: beside the directory of the run that it replaces, until it has saved its particles. */
  path: string
  /** The directory that it is to have. */
  readonly directory: string
  /** Gives back the lock on it. */
  readonly release: () => Promise<void>
  readonly config: RunSummary['config']
  readonly metrics: IterationMetrics[]
  readonly evaluations: IterationEvaluation[]
  kernel: number[][] | null
  /** Of a run that goes on: where from, for train({ resume: run.checkpoint }); null where it begins anew. */
  readonly checkpoint: FoundCheckpoint | null
  /** Whether what was behind the checkpoint is still to be cut off. */
  isToBeCut: boolean
  /** Its checkpoints on disk. */
  kept: KeptCheckpoints
}

/** What a run begins with. */
export const begun = (checkpoint: FoundCheckpoint | null) => ({
  ...{ metrics: [] as IterationMetrics[], evaluations: [] as IterationEvaluation[], kernel: null, checkpoint },
  ...{ isToBeCut: false, kept: checkpoint?.kept ?? noCheckpoints },
})

/** Removes some of the files of a directory, if it is there. */
export async function clear(path: string, names: readonly string[]): Promise<void> {
  if (await files.exists(path)) for (const name of names) await files.removeDirectory(`${path}/${name}`)
}

const oldOf = (path: string) => `${path}.steinrl-old`

/** The lock on a directory, by whichever name it is called. */
export const lockOf = async (path: string): Promise<string> => `${await files.place(path)}.lock`

/**
 * Locks the directory of a run, or of what else is made of it. Throws a UsageError while another process has it.
 *
 * @param what it holds, and what is done to that
 */
export async function takeLock(path: string, what = 'run', done = 'trained'): Promise<() => Promise<void>> {
  let release: (() => Promise<void>) | null = null
  const take = async () => {
    release = await files.lock(await lockOf(path))
  }
  await writing(path, take, what)
  if (release) return release
  throw new UsageError(`${show(path)} is being ${done} by another process; wait for its end, or choose another --out.`)
}

/** Puts back a run that was being replaced when the process ended, or what the user had beside its files. */
export async function recover(path: string): Promise<void> {
  const old = oldOf(path)
  if (!(await files.exists(old))) return
  await writing(path, async () => {
    if (await files.exists(path)) await takeOver(old, path)
    else await files.rename(old, path)
  })
}

/**
 * Gives a directory the place of another one, which is kept until its files are taken over.
 *
 * @returns where the other one is now; null where there was none
 */
export async function exchange(path: string, directory: string): Promise<string | null> {
  const old = oldOf(directory)
  const isThere = await files.exists(directory)
  if (isThere) await files.rename(directory, old)
  await files.rename(path, directory).catch(async (error: unknown) => {
    if (isThere) await files.rename(old, directory)
    throw error
  })
  return isThere ? old : null
}

/** Where a new run is until it takes the place of another one. */
export const newOf = (path: string) => `${path}.steinrl-new`

/** Moves what is no file of a run, and so the user's, from the directory of an older run, and removes that. */
export async function takeOver(old: string, path: string): Promise<void> {
  const own: readonly string[] = Object.values(FILES)
  for (const name of await files.list(old))
    if (!own.includes(name)) await files.rename(`${old}/${name}`, `${path}/${name}`)
  await files.removeDirectory(old)
}
