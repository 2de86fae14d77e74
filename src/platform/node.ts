import { appendFileSync } from 'node:fs'
import {
  access,
  appendFile,
  link,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  rmdir,
  stat,
  unlink,
  writeFile,
} from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import nodeProcess, { cwd } from 'node:process'
import { setImmediate } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { parentPort, workerData } from 'node:worker_threads'
import { loadChildren } from './children-node.ts'
import type { Platform } from './platform.ts'

const ERRORS = ['uncaughtException', 'unhandledRejection'] as const

/** A function that throws what it is given, at most on a condition, in any spelling of a minifier. */
const THROWS_AGAIN = /^(?:function\s*\w*\s*)?\(?(\w+)\)?\s*(?:=>\s*)?\{(?:\s*if\s*\([^{}]*\))?[\s{]*throw \1;?[\s}]*\}$/

async function keepingErrorListeners<T>(start: () => Promise<T>): Promise<T> {
  const before = ERRORS.map((event) => nodeProcess.rawListeners(event))
  try {
    return await start()
  } finally {
    ERRORS.forEach((event, k) => {
      // The program may have added some of its own while this one waited.
      const added = nodeProcess.rawListeners(event).filter((listener) => !before[k].includes(listener))
      for (const listener of added.filter((listener) => THROWS_AGAIN.test(String(listener)))) {
        nodeProcess.removeListener(event, listener as () => void)
      }
    })
  }
}

/** A new name is on the disk when its directory is. */
async function syncDirectory(path: string): Promise<void> {
  try {
    const directory = await open(path, 'r')
    await directory.sync().finally(() => directory.close())
  } catch {
    // Windows has no such thing, and needs none.
  }
}

async function prepare(path: string, data: string | Uint8Array) {
  const partial = `${path}.partial`
  // It would fill what is left of a disk that is full.
  const drop = () => rm(partial, { force: true }).catch(() => {})
  const orDrop = (error: unknown) => drop().then(() => Promise.reject(error))
  await writeOut(partial, data).catch(orDrop)
  const place = async () => {
    await rename(partial, path).catch(orDrop)
    await syncDirectory(dirname(path))
  }
  return { place, drop }
}

/** Writes a file, on the disk too. */
async function writeOut(path: string, data: string | Uint8Array): Promise<void> {
  const file = await open(path, 'w')
  try {
    await file.writeFile(data)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** The locks of this process, by how often they were taken, and the directory that one has made for itself. */
const held = new Map<string, { count: number; readonly made?: string }>()

async function lockFile(given: string): Promise<(() => Promise<void>) | null> {
  const path = resolve(given)
  if (!held.has(path)) {
    const taken = await makeLock(path)
    if (!taken) return null
    held.set(path, { count: 0, ...taken })
  }
  const lock = held.get(path) as { count: number; readonly made?: string }
  lock.count++
  let isGivenBack = false
  return async () => {
    if (isGivenBack) return
    isGivenBack = true
    if (--lock.count > 0) return
    held.delete(path)
    // Where it cannot be removed it ends with this process.
    await rm(path, { force: true }).catch(() => {})
    if (lock.made) await removeEmpty(dirname(path), lock.made)
  }
}

/** Null while another process has it. */
async function makeLock(path: string): Promise<{ readonly made?: string } | null> {
  let made: string | undefined
  // Written beside and linked, so that nobody finds it half made.
  const own = `${path}.${nodeProcess.pid}`
  const text = `${nodeProcess.pid} ${await startOf(nodeProcess.pid)}`
  try {
    await writeFile(own, text).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
      made = await makeDirectories(dirname(path))
      await writeFile(own, text)
    })
    const isMine = (await linked(own, path)) || ((await takeAway(path)) && (await linked(own, path)))
    return isMine ? { made } : null
  } finally {
    await rm(own, { force: true }).catch(() => {})
  }
}

/**
 * Makes a directory and those above it: the topmost one that was not there. Node's own tries for ever where a directory
 * takes none, as /proc does.
 */
async function makeDirectories(path: string): Promise<string | undefined> {
  const made = await madeDirectory(path)
  if (made !== 'no parent') return made ? path : undefined
  const top = dirname(path) === path ? undefined : await makeDirectories(dirname(path))
  if ((await madeDirectory(path)) !== 'no parent') return top ?? path
  throw Object.assign(new Error(`ENOENT: no such file or directory, mkdir '${path}'`), { code: 'ENOENT' })
}

/** Whether it was made, and is not there already. */
const madeDirectory = (path: string): Promise<boolean | 'no parent'> =>
  mkdir(path).then(
    () => true,
    async (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return 'no parent'
      const isThere = await stat(path)
        .then((found) => found.isDirectory())
        .catch(() => false)
      if (isThere) return false
      throw error
    },
  )

/** Removes a directory, and those above it up to `top`, that nothing was put into. */
async function removeEmpty(path: string, top: string): Promise<void> {
  const parents = relative(top, path).split(sep).filter(Boolean)
  try {
    for (let depth = parents.length; depth >= 0; depth--) await rmdir(join(top, ...parents.slice(0, depth)))
  } catch {
    // Something is in it.
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

/** Removes a lock whose process is no more; false where it is alive, or somebody else was faster. */
async function takeAway(path: string): Promise<boolean> {
  const owner = await readFile(path, 'utf8').catch(() => null)
  if (owner === null) return true
  if (await isAlive(owner)) return false
  const aside = `${path}.${nodeProcess.pid}.old`
  await rename(path, aside).catch(() => {})
  const taken = await readFile(aside, 'utf8').catch(() => owner)
  if (taken !== owner) await rename(aside, path).catch(() => {})
  await rm(aside, { force: true })
  return taken === owner
}

/**
 * When a process began, as Linux counts: a number is given to another process some time. "gone" where it has ended and
 * nobody has asked how, as in a container whose first process does not.
 */
async function startOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  const [state, ...numbers] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return /[ZX]/.test(state) ? 'gone' : (numbers[18] ?? '')
}

async function isAlive(owner: string): Promise<boolean> {
  // A loss of power may leave a lock that is empty.
  const [, pid, start] = /^([1-9]\d*) (\d*)$/.exec(owner) ?? []
  if (pid === undefined) return false
  try {
    nodeProcess.kill(Number(pid), 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  const now = await startOf(Number(pid))
  return now !== 'gone' && (!start || start === now)
}

export const platform: Platform = {
  name: 'node',
  now: () => performance.now(),
  warn: (message) => nodeProcess.emitWarning(message, { type: 'steinrl' }),
  breathe: () => setImmediate(),
  keepingErrorListeners,
  variable: (name) => nodeProcess.env[name],
  loadChildren,
  files: {
    async fetch(address) {
      const url = new URL(address, pathToFileURL(`${cwd()}/`))
      if (url.protocol === 'file:') return new Uint8Array(await readFile(url))
      const response = await fetch(url)
      if (!response.ok) throw new Error(`Cannot load ${url.href}: ${response.status} ${response.statusText}.`)
      return new Uint8Array(await response.arrayBuffer())
    },
    exists: (path) =>
      access(path).then(
        () => true,
        () => false,
      ),
    isMissing: (path) =>
      access(path).then(
        () => false,
        ({ code }: NodeJS.ErrnoException) => code === 'ENOENT' || code === 'ENOTDIR',
      ),
    async makeDirectory(path) {
      await makeDirectories(path)
    },
    // By itself, and not by rm(), which asks the disk three times.
    remove: (path) =>
      unlink(path).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error
      }),
    read: (path) => readFile(path),
    prepare,
    write: async (path, data) => (await prepare(path, data)).place(),
    append: (path, text) => appendFile(path, text),
    appendAtOnce: async (path, text) => appendFileSync(path, text),
    async sync(path) {
      const file = await open(path, 'r+')
      await file.sync().finally(() => file.close())
    },
    async rename(from, to) {
      await rename(from, to)
      await syncDirectory(dirname(to))
    },
    removeDirectory: (path) => rm(path, { recursive: true, force: true }),
    list: (path) => readdir(path),
    async place(path) {
      const bare = path.replace(/(?<=.)\/+$/, '')
      const isLink = (await lstat(bare).catch(() => null))?.isSymbolicLink() ?? false
      return isLink || /^\.{1,2}$/.test(basename(bare)) ? realpath(bare).catch(() => bare) : bare
    },
    async isMount(path) {
      const [here, above] = await Promise.all([path, dirname(resolve(path))].map((each) => stat(each)))
      return here.dev !== above.dev
    },
    lock: lockFile,
  },
  threads: {
    available: () => true,
    count: () => availableParallelism(),
    onStart(prepare) {
      void prepare(workerData).then((work) => {
        parentPort?.postMessage('ready')
        work()
      })
    },
  },
  inbox: {
    onMessage: (handle) => void parentPort?.on('message', handle),
    post: (message) => parentPort?.postMessage(message),
  },
}
