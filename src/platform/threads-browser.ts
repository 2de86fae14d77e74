import type { StartThread } from './platform.ts'

export const startThread: StartThread = (start) =>
  new Promise((resolve, reject) => {
    // The path is the same from src/platform/ and from dist/platform/, and bundlers recognise this form.
    const worker = new Worker(new URL('../../dist/core/thread.js', import.meta.url), { type: 'module' })
    worker.onmessage = () => resolve({ stop: () => worker.terminate() })
    worker.onerror = (event) => {
      // It is answered by fewer threads.
      event.preventDefault()
      worker.terminate()
      reject(new Error(event.message))
    }
    worker.postMessage(start)
  })
