import { link, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname, resolve } from 'node:path'
import nodeProcess from 'node:process'
// Deno's own give numbers.
import { clearInterval, setInterval } from 'node:timers'
import { makeDirectories, removeEmpty } from './directories-node.ts'

// A lock is a file that says whose it is: | process | when that began | machine |. On this machine it counts while the
// process is alive; of another machine that shares the disk, while it gives signs of life, which are the file's time.

/** Milliseconds between two signs of life, and after which none counts as the end. */
const BEAT = { every: 5000, until: 60_000 }

/** Names this process among those that share the disk. */
const MINE = `${hostname()}.${nodeProcess.pid}`

/** A lock of this process. */
interface Lock {
  /** How often it was taken. */
  count: number
  /** The topmost directory that was made for it. */
  readonly made?: string
  readonly beats: ReturnType<typeof setInterval>
}

const held = new Map<string, Lock>()

/** Locks a file name for this process, as often as it likes; null while another one has it. */
export async function lockFile(given: string): Promise<(() => Promise<void>) | null> {
  const path = resolve(given)
  if (!held.has(path)) {
    const taken = await makeLock(path)
    if (!taken) return null
    held.set(path, { count: 0, beats: beating(path, taken.text), made: taken.made })
  }
  const lock = held.get(path) as Lock
  lock.count++
  let isGivenBack = false
  return async () => {
    if (isGivenBack) return
    isGivenBack = true
    if (--lock.count > 0) return
    clearInterval(lock.beats)
    held.delete(path)
    // Where it cannot be removed it ends with this process.
    await rm(path, { force: true }).catch(() => {})
    if (lock.made) await removeEmpty(dirname(path), lock.made)
  }
}

/** Signs of life, which keep no process from its end. */
const beating = (path: string, text: string): Lock['beats'] =>
  setInterval(() => void writeAgain(path, text).catch(() => {}), BEAT.every).unref()

/** So that the file has another time, by the clock of its disk, and is never empty. */
async function writeAgain(path: string, text: string): Promise<void> {
  const file = await open(path, 'r+')
  await file.write(text, 0).finally(() => file.close())
}

/** Null while another process has it. */
async function makeLock(path: string): Promise<{ readonly text: string; readonly made?: string } | null> {
  let made: string | undefined
  // Written beside and linked, so that nobody finds it half made.
  const own = `${path}.${MINE}`
  const text = `${nodeProcess.pid} ${await startOf(nodeProcess.pid)} ${hostname()}`
  try {
    await writeFile(own, text).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
      made = await makeDirectories(dirname(path))
      await writeFile(own, text)
    })
    const isMine = (await linked(own, path)) || ((await takeAway(path, own)) && (await linked(own, path)))
    return isMine ? { text, made } : null
  } finally {
    await rm(own, { force: true }).catch(() => {})
  }
}

const linked = (from: string, to: string): Promise<boolean> =>
  link(from, to).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
      return false
    },
  )

/**
 * Removes a lock whose process is no more; false where it is alive, or somebody else was faster.
 *
 * @param fresh a file that was written just now, whose time is by the same clock
 */
async function takeAway(path: string, fresh: string): Promise<boolean> {
  const owner = await readFile(path, 'utf8').catch(() => null)
  if (owner === null) return true
  if (await isAlive(owner, path, fresh)) return false
  const aside = `${path}.${MINE}.old`
  await rename(path, aside).catch(() => {})
  const taken = await readFile(aside, 'utf8').catch(() => owner)
  if (taken !== owner) await rename(aside, path).catch(() => {})
  await rm(aside, { force: true })
  return taken === owner
}

async function isAlive(owner: string, path: string, fresh: string): Promise<boolean> {
  // A loss of power may leave a lock that is empty.
  const [, pid, start, host = hostname()] = /^([1-9]\d*) (\d*)(?: (.+))?$/.exec(owner) ?? []
  if (pid === undefined) return false
  if (host !== hostname()) return (await timeOf(fresh)) - (await timeOf(path)) < BEAT.until
  try {
    nodeProcess.kill(Number(pid), 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  const now = await startOf(Number(pid))
  return now !== 'gone' && (!start || start === now)
}

/** Milliseconds; of a file that has gone, long ago. */
const timeOf = (path: string): Promise<number> =>
  stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => Number.NEGATIVE_INFINITY,
  )

/**
 * When a process began, as Linux counts: a number is given to another process some time. "gone" where it has ended and
 * nobody has asked how, as in a container whose first process does not.
 */
async function startOf(pid: number): Promise<string> {
  const line = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  const [state, ...numbers] = line.slice(line.lastIndexOf(')') + 2).split(' ')
  return /[ZX]/.test(state) ? 'gone' : (numbers[18] ?? '')
}
