import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, resolve, sep } from 'node:path'

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
  '.css': 'text/css',
}

/** What lets a page share memory between threads, and gives it a finer clock. */
export const ISOLATED = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
}

export interface Served {
  readonly url: string
  close(): Promise<void>
}

/** A static server of a folder that knows nothing else. What a page posts goes to `onPost`, as JSON. */
export async function serveFolder(
  folder: string,
  { isolated = false, onPost }: { isolated?: boolean; onPost?: (body: unknown) => void } = {},
): Promise<Served> {
  const server = createServer(async (request, response) => {
    if (isolated) for (const [name, value] of Object.entries(ISOLATED)) response.setHeader(name, value)
    if (request.method === 'POST') {
      let text = ''
      for await (const part of request) text += part
      response.end()
      onPost?.(JSON.parse(text))
      return
    }
    const { pathname } = new URL(request.url ?? '/', 'http://localhost')
    const file = resolve(folder, `.${pathname.endsWith('/') ? `${pathname}index.html` : pathname}`)
    try {
      if (!file.startsWith(folder + sep)) throw new Error('outside')
      const bytes = await readFile(file)
      response.setHeader('Content-Type', TYPES[extname(file)] ?? 'application/octet-stream')
      response.end(bytes)
    } catch {
      response.writeHead(404).end()
    }
  })
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/`,
    close: () =>
      new Promise<void>((closed) => {
        server.close(() => closed())
        server.closeAllConnections()
      }),
  }
}
