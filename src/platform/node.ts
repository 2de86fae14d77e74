import { access, appendFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { execArgv } from 'node:process'
import { setImmediate } from 'node:timers/promises'
import { parentPort, Worker, workerData } from 'node:worker_threads'
import type { Platform } from './platform.ts'

// The paths are the same from src/platform/ and from dist/platform/.
const threadFile = new URL('../../dist/core/thread.js', import.meta.url)
const workerFile = new URL('../../dist/algorithms/worker.js', import.meta.url)

// Loaders are inherited, so that a task may be written in what the program is written in; the kind of a script given as
// text is not, as Node refuses it for workers.
const inheritable = execArgv.some((flag) => flag.startsWith('--input-type')) ? { execArgv: [] } : {}

export const platform: Platform = {
  name: 'node',
  now: () => performance.now(),
  breathe: () => setImmediate(),
  files: {
    async fetch(url) {
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
    start: (recruit) =>
      new Promise((resolve, reject) => {
        const worker = new Worker(threadFile, { workerData: recruit, execArgv: [] })
        // It must not keep the process alive.
        worker.unref()
        worker.once('message', () => resolve({ stop: () => void worker.terminate() }))
        worker.once('error', reject)
      }),
    onStart(prepare) {
      void prepare(workerData).then((work) => {
        parentPort?.postMessage('ready')
        work()
      })
    },
  },
  workers: {
    start({ onMessage, onEnd }) {
      const worker = new Worker(workerFile, inheritable)
      let stopped = false
      const end = (reason: string) => {
        if (!stopped) onEnd(reason)
        stopped = true
      }
      // It keeps the process alive only while it owes an answer.
      worker.unref()
      worker.on('message', (message) => {
        worker.unref()
        onMessage(message)
      })
      worker.on('error', (error) => end(error.message))
      worker.on('exit', (code) => end(`exit code ${code}`))
      return {
        post(message) {
          worker.ref()
          worker.postMessage(message)
        },
        stop() {
          stopped = true
          void worker.terminate()
        },
      }
    },
    onMessage: (handle) => void parentPort?.on('message', handle),
    post: (message) => parentPort?.postMessage(message),
  },
}
