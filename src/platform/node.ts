import { access, appendFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import type { Platform } from './platform.ts'

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
}
