import type { Workers } from './platform.ts'

export const workers: Workers = {
  startTrials() {
    throw new Error('a page has no threads for trials')
  },
  start({ onMessage, onEnd }) {
    // The path is the same from src/platform/ and from dist/platform/, and bundlers recognise this form.
    const worker = new Worker(new URL('../../dist/algorithms/workers/worker.js', import.meta.url), { type: 'module' })
    worker.onmessage = ({ data }) => onMessage(data)
    worker.onerror = (event) => {
      event.preventDefault()
      worker.terminate()
      onEnd(event.message ?? 'its script could not be loaded')
    }
    return {
      post: (message) => worker.postMessage(message),
      stop: () => worker.terminate(),
    }
  },
}
