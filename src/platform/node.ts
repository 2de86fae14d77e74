import { access, appendFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import nodeProcess, { cwd } from 'node:process'
import { setImmediate } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { parentPort, workerData } from 'node:worker_threads'
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

export const platform: Platform = {
  name: 'node',
  now: () => performance.now(),
  breathe: () => setImmediate(),
  keepingErrorListeners,
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
    async makeDirectory(path) {
      await mkdir(path, { recursive: true })
    },
    remove: (path) => rm(path, { force: true }),
    read: (path) => readFile(path),
    async write(path, data) {
      await writeFile(`${path}.partial`, data)
      await rename(`${path}.partial`, path)
    },
    append: (path, text) => appendFile(path, text),
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
