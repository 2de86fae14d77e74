import { platform } from '#platform'
import { readJournal } from './journal.ts'

// The sweep that another one is to replace, which is kept in the directory until that has come to something.

/**
 * A directory that holds a sweep:
 *
 *     journal.log    every trial, in Optuna's journal format
 *     trials/        what the trials of successive halving go on from, while they wait
 *     report.html    all of it to look at
 */
export const FILES = {
  ...{ journal: 'journal.log', trials: 'trials', report: 'report.html' },
  lock: 'sweep.lock',
} as const

const { files } = platform

/** What is replaced, the journal last. */
const OWN = [FILES.trials, FILES.report, FILES.journal] as const

const asideOf = (path: string) => `${path}/.steinrl-old`

/** Whether a sweep is set aside there. */
export const isReplacing = (path: string): Promise<boolean> => files.exists(asideOf(path))

/** Moves the sweep that a directory holds aside. */
export async function setAside(path: string): Promise<void> {
  const aside = asideOf(path)
  await files.makeDirectory(aside)
  // The journal first: what is there without one is not a new sweep yet.
  for (const name of [...OWN].reverse())
    if (await files.exists(`${path}/${name}`)) await files.rename(`${path}/${name}`, `${aside}/${name}`)
}

/**
 * Removes the sweep that was set aside where a trial of the new one has come to something, and puts it back where none
 * has: the process may have ended at any moment since.
 */
export async function settleReplaced(path: string): Promise<void> {
  const aside = asideOf(path)
  if (!(await isReplacing(path))) return
  if (!(await hasTrial(path))) {
    for (const name of OWN) {
      if (!(await files.exists(`${aside}/${name}`))) continue
      await files.removeDirectory(`${path}/${name}`)
      await files.rename(`${aside}/${name}`, `${path}/${name}`)
    }
  }
  await files.removeDirectory(aside)
}

/** Whether a trial was done, or as much of it as its first rung asks for. */
async function hasTrial(path: string): Promise<boolean> {
  const journal = `${path}/${FILES.journal}`
  if (!(await files.exists(journal))) return false
  const study = await readJournal(journal).catch(() => null)
  return (
    study?.trials.some(
      ({ state, attributes }) =>
        DONE.includes(state) || Object.keys(attributes).some((name) => name.startsWith('rung')),
    ) ?? false
  )
}

const DONE: readonly string[] = ['finished', 'pruned']
