import type { Platform } from './platform.ts'

const noFiles = async (): Promise<never> => {
  throw new Error('A page has no directories to write to: keep the particles in memory or download them.')
}

/** A macrotask that is not clamped to 4 ms as setTimeout is. */
function breathe(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      resolve()
    }
    port2.postMessage(null)
  })
}

export const platform: Platform = {
  name: 'browser',
  now: () => performance.now(),
  warn: (message) => console.warn(message),
  breathe,
  // tfjs adds none to a page.
  keepingErrorListeners: (start) => start(),
  variable: () => undefined,
  loadChildren: async () => null,
  files: {
    async fetch(address) {
      const response = await fetch(address)
      if (!response.ok) throw new Error(`Cannot load ${address}: ${response.status} ${response.statusText}.`)
      return new Uint8Array(await response.arrayBuffer())
    },
    exists: noFiles,
    isMissing: noFiles,
    makeDirectory: noFiles,
    remove: noFiles,
    read: noFiles,
    prepare: noFiles,
    write: noFiles,
    append: noFiles,
    sync: noFiles,
    rename: noFiles,
    removeDirectory: noFiles,
    list: noFiles,
    place: noFiles,
    isMount: noFiles,
    lock: noFiles,
  },
  threads: {
    available: () => globalThis.crossOriginIsolated === true && typeof Worker === 'function',
    count: () => navigator.hardwareConcurrency,
    onStart(prepare) {
      addEventListener('message', async ({ data }) => {
        const work = await prepare(data)
        postMessage('ready')
        work()
      })
    },
  },
  inbox: {
    onMessage: (handle) => addEventListener('message', ({ data }) => handle(data)),
    post: (message) => postMessage(message),
  },
}
