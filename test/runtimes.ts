// The runtimes that the library is compared in, as far as they are here: conformance and benchmarks start them alike.
import { execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build as bundle } from 'esbuild'
import { chromiumPath, firefoxPath } from './browsers.ts'
import { binaryOf, importNested } from './nested.ts'
import { unpackInto } from './packed.ts'
import { serveFolder } from './serve.ts'

const repository = fileURLToPath(new URL('..', import.meta.url))
/**
 * Other versions of Node, which must not be dependencies: their `node` would take the place of the one that runs npm's
 * scripts.
 */
const cache = join(repository, '.runtimes')
const run = promisify(execFile)

/** A program in the forms that the runtimes take: how each is built. */
export interface Program {
  /**
   * A file that prints one line of JSON last, for runtimes that run files. Beside it node_modules has what steinrl
   * needs.
   */
  process(file: string): Promise<unknown>
  /** A folder with index.html, whose page posts `{ results }` or `{ error }` to /results. */
  site(outDir: string, packageFolder: string): Promise<unknown>
  /**
   * A module whose default export answers a request with JSON; it gets './steinrl.wasm' beside it. None: not for
   * workerd.
   */
  worker?(file: string, packageFolder: string): Promise<unknown>
  /** What follows the page's address. */
  readonly query?: string
}

/** The package as npm would publish it, unpacked, and a program for it. */
export interface Built {
  readonly folder: string
  readonly packageFolder: string
  readonly program: Program
  /** Built when the first browser asks for it. */
  site(): Promise<string>
}

export interface Runtime {
  readonly name: string
  /** Its version, or null where it is not here and cannot be got. */
  find(): Promise<string | null>
  /** What the program printed, posted or answered. */
  run(built: Built): Promise<unknown>
}

/** Unpacks the package, hands it to the body, and removes everything. */
export async function withProgram<T>(program: Program, body: (built: Built) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'steinrl-runtimes-'))
  let site: Promise<string> | null = null
  const buildSite = async () => {
    const outDir = join(folder, 'site')
    await program.site(outDir, packageFolder)
    return outDir
  }
  const { packageFolder } = await unpackInto(folder)
  try {
    return await body({
      folder,
      packageFolder,
      program,
      site() {
        site ??= buildSite()
        return site
      },
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** A program that imports the package by its name: a file, a folder with a page, and a module for workerd. */
export function packageProgram({ process, page, worker }: Record<'process' | 'page' | 'worker', string>): Program {
  return {
    process: (file) => bundle({ ...BUNDLE, entryPoints: [process], packages: 'external', outfile: file }),
    async site(outDir, packageFolder) {
      const vite = await importNested<{ build(options: object): Promise<unknown> }>('vite')
      const find = (entry: string) => new RegExp(`^${entry}$`)
      const alias = Object.entries(await entriesOf(packageFolder)).map(([entry, file]) => ({
        find: find(entry),
        replacement: file,
      }))
      await vite.build({
        root: page,
        configFile: false,
        logLevel: 'error',
        worker: { format: 'es' },
        // By its name Vite would find this repository's own.
        resolve: { alias },
        build: { outDir, emptyOutDir: true, chunkSizeWarningLimit: 4000 },
      })
    },
    async worker(file, packageFolder) {
      await bundle({
        ...BUNDLE,
        entryPoints: [worker],
        conditions: ['workerd', 'worker', 'browser'],
        external: ['*.wasm'],
        alias: await entriesOf(packageFolder),
        outfile: file,
      })
    },
  }
}

// tsconfig.json maps #platform to Node's, which is wrong for the others.
const BUNDLE = { bundle: true, format: 'esm', logLevel: 'error', tsconfigRaw: '{}' } as const

/** Where the entries in JavaScript are, by the name under which they are imported. */
async function entriesOf(packageFolder: string): Promise<Record<string, string>> {
  const { exports } = JSON.parse(await readFile(join(packageFolder, 'package.json'), 'utf8'))
  const scripts = Object.entries(exports as Record<string, { default?: string }>).filter(([, target]) =>
    target.default?.endsWith('.js'),
  )
  // The longest name first: esbuild's aliases also stand for what is below them.
  return Object.fromEntries(
    scripts
      .map(([entry, target]) => [entry.replace('.', 'steinrl'), join(packageFolder, target.default as string)])
      .sort(([a], [b]) => b.length - a.length),
  )
}

/** Beyond this a runtime hangs. */
const LONGEST_MS = 240_000

/** A runtime that runs files. */
function processRuntime(name: string, binary: () => Promise<string | null>, args: readonly string[] = []): Runtime {
  return {
    name,
    async find() {
      const path = await binary()
      if (!path) return null
      const { stdout } = await run(path, ['--version'])
      return stdout.match(/\d+\.\d+\.\d+/)?.[0] ?? stdout.trim()
    },
    async run({ folder, program }) {
      // Of its own: others may run beside it.
      const file = join(folder, `process-${name}.mjs`)
      await program.process(file)
      const { stdout } = await run((await binary()) as string, [...args, file], {
        cwd: folder,
        timeout: LONGEST_MS,
        maxBuffer: 1 << 26,
      })
      return JSON.parse(stdout.trim().split('\n').at(-1) as string)
    },
  }
}

const present = (path: string) => (existsSync(path) ? path : null)
const installed = (name: string) => async () => present(binaryOf(name))

/** A version of Node from npm, installed into a folder of its own. */
const otherNode = (major: number) => async (): Promise<string | null> => {
  const prefix = join(cache, `node${major}`)
  const binary = join(prefix, 'node_modules/node/bin/node')
  if (existsSync(binary)) return binary
  await mkdir(prefix, { recursive: true })
  await writeFile(join(prefix, 'package.json'), '{ "private": true }\n')
  const quiet = ['--no-save', '--no-audit', '--no-fund', '--loglevel=error']
  try {
    await run('npm', ['install', '--prefix', prefix, ...quiet, `node@${major}`])
  } catch {
    return null
  }
  return present(binary)
}

/** A browser that is opened at an address, and closed. */
interface Opened {
  close(): Promise<void>
}

function browserRuntime(
  name: string,
  find: () => Promise<string | null>,
  open: (url: string) => Promise<Opened>,
): Runtime {
  return {
    name,
    find,
    async run(built) {
      const folder = await built.site()
      let receive: (body: unknown) => void = () => {}
      let giveUp: (reason: Error) => void = () => {}
      const posted = new Promise<unknown>((resolve, reject) => {
        receive = resolve
        giveUp = reject
      })
      const server = await serveFolder(folder, { isolated: true, onPost: receive })
      const late = setTimeout(() => giveUp(new Error(`${name} posted no results.`)), LONGEST_MS)
      const browser = await open(server.url + (built.program.query ?? ''))
      try {
        const answer = (await posted) as { results?: unknown; error?: string }
        if (answer.error) throw new Error(answer.error)
        return answer.results
      } finally {
        clearTimeout(late)
        await browser.close()
        await server.close()
      }
    },
  }
}

const webkitDriver = process.env.WEBKIT_DRIVER || '/usr/bin/WebKitWebDriver'

async function versionOf(path: string): Promise<string | null> {
  if (!existsSync(path)) return null
  const { stdout } = await run(path, ['--version'])
  return stdout.match(/\d+(?:\.\d+)+/)?.[0] ?? null
}

/** What is used of playwright-core and of puppeteer-core. */
interface Driver {
  launch(options: object): Promise<Opened & { newPage(): Promise<{ goto(url: string): Promise<unknown> }> }>
}

async function openChromium(url: string): Promise<Opened> {
  const { chromium } = await importNested<{ chromium: Driver }>('playwright-core')
  const browser = await chromium.launch({ executablePath: chromiumPath, args: ['--no-sandbox', '--disable-gpu'] })
  const page = await browser.newPage()
  await page.goto(url)
  return browser
}

async function openFirefox(url: string): Promise<Opened> {
  const puppeteer = await importNested<Driver>('puppeteer-core')
  const browser = await puppeteer.launch({ browser: 'firefox', executablePath: firefoxPath, headless: true })
  const page = await browser.newPage()
  await page.goto(url)
  return browser
}

/** WebKitGTK by the plain WebDriver protocol, on a virtual display. */
async function openWebKit(url: string): Promise<Opened> {
  const port = 20_000 + (process.pid % 10_000)
  const driver = spawn('xvfb-run', ['--auto-servernum', webkitDriver, `--port=${port}`], {
    stdio: 'ignore',
    detached: true,
  })
  const base = `http://127.0.0.1:${port}`
  const post = async (path: string, body: object) => {
    const response = await fetch(base + path, { method: 'POST', body: JSON.stringify(body) })
    const { value } = (await response.json()) as { value: { sessionId?: string; message?: string } }
    if (!response.ok) throw new Error(`WebKitWebDriver: ${value.message}`)
    return value
  }
  const stop = () => {
    // xvfb-run, the driver, the browser and the display are one process group, which this program started.
    if (driver.pid) process.kill(-driver.pid)
  }
  try {
    await waitFor(`${base}/status`)
    const args = ['--automation']
    const browserOptions = { 'webkitgtk:browserOptions': { binary: miniBrowser(), args } }
    const { sessionId } = await post('/session', { capabilities: { alwaysMatch: browserOptions } })
    await post(`/session/${sessionId}/url`, { url })
    return {
      async close() {
        await fetch(`${base}/session/${sessionId}`, { method: 'DELETE' }).catch(() => undefined)
        stop()
      },
    }
  } catch (error) {
    stop()
    throw error
  }
}

const miniBrowser = () =>
  [process.arch === 'arm64' ? 'aarch64' : 'x86_64']
    .flatMap((arch) => ['4.1', '4.0', '6.0'].map((v) => `/usr/lib/${arch}-linux-gnu/webkit2gtk-${v}/MiniBrowser`))
    .find(existsSync)

/** MiniBrowser tells its version only where there is a display. */
async function webkitVersion(): Promise<string | null> {
  const browser = miniBrowser()
  if (!browser || ![webkitDriver, '/usr/bin/xvfb-run'].every((path) => existsSync(path))) return null
  const { stdout } = await run('xvfb-run', ['--auto-servernum', browser, '--version'])
  return stdout.match(/\d+(?:\.\d+)+/)?.[0] ?? null
}

async function waitFor(url: string): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const answered = await fetch(url).then(
      () => true,
      () => false,
    )
    if (answered) return
    await new Promise((resume) => setTimeout(resume, 100))
  }
  throw new Error(`Nothing answers at ${url}.`)
}

/** What is used of miniflare. */
interface Server {
  dispatchFetch(url: string): Promise<Response>
  dispose(): Promise<void>
}

/** workerd by miniflare: the program in one module, the core as a ready WebAssembly.Module beside it. */
const workerd: Runtime = {
  name: 'workerd',
  async find() {
    const binary = await installed('workerd')()
    return binary && (await run(binary, ['--version'])).stdout.trim().replace('workerd ', '')
  },
  async run({ folder, packageFolder, program }) {
    if (!program.worker) throw new Error('This program has no form for workerd.')
    const file = join(folder, 'worker.mjs')
    await program.worker(file, packageFolder)
    const { Miniflare } = await importNested<{ Miniflare: new (options: object) => Server }>('miniflare')
    const flare = new Miniflare({
      compatibilityDate: '2026-01-01',
      modules: [
        { type: 'ESModule', path: 'worker.mjs', contents: await readFile(file, 'utf8') },
        {
          type: 'CompiledWasm',
          path: 'steinrl.wasm',
          contents: await readFile(join(packageFolder, 'dist/steinrl.wasm')),
        },
      ],
    })
    try {
      const response = await flare.dispatchFetch('http://localhost/')
      const text = await response.text()
      if (!response.ok) throw new Error(text)
      return JSON.parse(text)
    } finally {
      await flare.dispose()
    }
  },
}

/** In the order of the tables. */
export const runtimes: readonly Runtime[] = [
  processRuntime('node20', async () => (process.versions.node.startsWith('20.') ? process.execPath : otherNode(20)())),
  processRuntime('node22', otherNode(22)),
  processRuntime('node24', otherNode(24)),
  processRuntime('node26', otherNode(26)),
  processRuntime('bun', installed('bun')),
  processRuntime('deno', installed('deno'), ['run', '--allow-all']),
  workerd,
  browserRuntime('chromium', () => versionOf(chromiumPath), openChromium),
  browserRuntime('firefox', () => versionOf(firefoxPath), openFirefox),
  browserRuntime('webkit', webkitVersion, openWebKit),
]
