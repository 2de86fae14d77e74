// Builds the page of bench/runtimes with what was recorded last, and serves it. Run by `npm run bench:page`.
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { ISOLATED } from '../../test/serve.ts'
import { recordedResults } from '../runtimes.ts'
import { buildPage } from './build.ts'

const folder = fileURLToPath(new URL('../../.bench', import.meta.url))
const file = await buildPage(folder, await recordedResults())
console.log(`Built ${file}: one file, to be opened from disk or put anywhere.`)
if (!process.argv.includes('--build')) {
  const bytes = await readFile(file)
  const server = createServer((_, response) => {
    response.setHeader('Content-Type', 'text/html')
    // An isolated page has a finer clock.
    for (const [name, value] of Object.entries(ISOLATED)) response.setHeader(name, value)
    response.end(bytes)
  })
  server.listen(Number(process.env.PORT ?? 8080), process.env.HOST ?? '127.0.0.1', () => {
    console.log(`Open http://localhost:${(server.address() as AddressInfo).port}/ (Ctrl-C ends).`)
  })
}
