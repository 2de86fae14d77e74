import { execArgv } from 'node:process'
import { Worker } from 'node:worker_threads'
import type { Workers } from './platform.ts'

// Loaders are inherited, so that a task may be written in what the program is written in; the kind of a script given as
// text is not, as Node refuses it for workers.
const inheritable = execArgv.some((flag) => flag.startsWith('--input-type')) ? { execArgv: [] } : {}

// The paths are the same from src/platform/ and from dist/platform/.
export const workers: Workers = {
  start: (listener) => start(new URL('../../dist/algorithms/workers/worker.js', import.meta.url), listener),
  startTrials: (listener) => start(new URL('../../dist/sweeps/trial-thread.js', import.meta.url), listener),
}

function start(script: URL, { onMessage, onEnd }: Parameters<Workers['start']>[0]): ReturnType<Workers['start']> {
  const worker = new Worker(script, inheritable)
  let stopped = false
  const end = (reason: string) => {
    if (!stopped) onEnd(reason)
    stopped = true
  }
  // It keeps the process alive only while it owes an answer.
  worker.unref()
  worker.on('message', (message) => {
    if (!message.more) worker.unref()
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
}
