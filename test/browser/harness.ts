// What the tests of pages share: a server, a page that nothing may go wrong on, and a count.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { build, createServer, preview } from 'vite'
import type { Served } from '../serve.ts'

export { chromium, type Page }

// No graphics, no calls home: the test needs nothing but the page.
export const args =
  '--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync'
export const TRAINING_MS = 120_000

export const results = { passed: 0, failed: 0 }

export async function test(name: string, body: () => Promise<string | undefined>): Promise<void> {
  const started = performance.now()
  try {
    const note = await body()
    results.passed++
    console.log(`ok    ${name} (${Math.round(performance.now() - started)} ms)${note ? `\n        ${note}` : ''}`)
  } catch (error) {
    results.failed++
    console.log(`FAIL  ${name}\n        ${String(error instanceof Error ? error.stack : error)}`)
  }
}

const rootOf = (example: string) => fileURLToPath(new URL(`../../examples/${example}`, import.meta.url))

/** The built page, in a folder below the root as on a static site. */
export async function serveBuilt(example: string, folder: string): Promise<Served> {
  const quiet = { root: rootOf(example), logLevel: 'warn' } as const
  await build({ ...quiet, build: { outDir: join(folder, 'some/where'), emptyOutDir: true } })
  const server = await preview({ ...quiet, build: { outDir: folder }, preview: { port: 0, host: '127.0.0.1' } })
  return { url: `${server.resolvedUrls?.local[0]}some/where/`, close: () => server.close() }
}

/** The page as `npm run browser` or `npm run playground` serves it, with nothing cached. */
export async function serveDev(example: string, folder: string): Promise<Served> {
  const server = await createServer({
    root: rootOf(example),
    logLevel: 'warn',
    cacheDir: join(folder, 'cache'),
    server: { port: 0, host: '127.0.0.1' },
  })
  await server.listen()
  return { url: server.resolvedUrls?.local[0] ?? '', close: () => server.close() }
}

/** Opens the page, runs the body and asserts that nothing went wrong beside it. */
export async function onPage(
  browser: Browser,
  url: string,
  body: (page: Page) => Promise<string | undefined>,
  options: BrowserContextOptions = {},
) {
  const context = await browser.newContext(options)
  const page = await context.newPage()
  const troubles: string[] = []
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) troubles.push(`console ${message.type()}: ${message.text()}`)
  })
  page.on('pageerror', (error) => troubles.push(`page error: ${error.message}`))
  page.on('response', (response) => {
    if (response.status() >= 400) troubles.push(`${response.status()} ${response.url()}`)
  })
  page.on('requestfailed', (request) => troubles.push(`failed: ${request.url()} ${request.failure()?.errorText}`))
  try {
    await page.goto(url)
    const note = await body(page)
    assert.deepEqual(troubles, [])
    return note
  } catch (error) {
    if (troubles.length > 0 && error instanceof Error) error.message += `\n${troubles.join('\n')}`
    throw error
  } finally {
    await context.close()
  }
}

export async function withServer(serve: () => Promise<Served>, body: (url: string) => Promise<void>): Promise<void> {
  const server = await serve()
  try {
    await body(server.url)
  } finally {
    await server.close()
  }
}
