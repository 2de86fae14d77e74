import { Worker } from 'node:worker_threads'
import type { StartThread } from './platform.ts'

export const startThread: StartThread = (start) =>
  new Promise((resolve, reject) => {
    // The path is the same from src/platform/ and from dist/platform/.
    const worker = new Worker(new URL('../../dist/core/thread.js', import.meta.url), {
      workerData: start,
      execArgv: [],
    })
    // It must not keep the process alive.
    worker.unref()
    worker.once('message', () => resolve({ stop: () => void worker.terminate() }))
    worker.once('error', reject)
    worker.once('exit', (code) => reject(new Error(`exit code ${code}`)))
  })
