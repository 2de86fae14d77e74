import { accessSync, appendFileSync, existsSync, readdirSync } from 'node:fs'
import { lstat, open, readFile, realpath, rename, rm, stat, unlink } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { basename, dirname, resolve } from 'node:path'
import nodeProcess, { cwd } from 'node:process'
import { setImmediate } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { parentPort, workerData } from 'node:worker_threads'
import { encodeText } from '../core/text.ts'
import { loadChildren } from './children-node.ts'
import { makeDirectories } from './directories-node.ts'
import { lockFile } from './locks-node.ts'
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
  const bytes = typeof data === 'string' ? encodeText(data) : data
  const file = await open(path, 'w')
  try {
    // Not writeFile() of the file, which asks the disk once for each half of a megabyte.
    for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten
    await file.sync()
  } finally {
    await file.close()
  }
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
    exists: async (path) => existsSync(path),
    // At once, as by way of a thread it takes ten times as long.
    async isMissing(path) {
      try {
        accessSync(path)
        return false
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException
        return code === 'ENOENT' || code === 'ENOTDIR'
      }
    },
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
    // At once too: a training waits for a line an iteration.
    append: async (path, text) => appendFileSync(path, text),
    async sync(path) {
      const file = await open(path, 'r+')
      await file.sync().finally(() => file.close())
    },
    async rename(from, to) {
      await rename(from, to)
      await syncDirectory(dirname(to))
    },
    removeDirectory: (path) => rm(path, { recursive: true, force: true }),
    list: async (path) => readdirSync(path),
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
