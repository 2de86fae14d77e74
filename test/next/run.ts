// The package as npm would publish it in an app of Next.js, built by Turbopack and by webpack, without MuJoCo: the same
// bits in the page, on its workers and on the server as in this process. Run by `npm run test:next`; the app is
// installed into a temporary folder.
import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Page } from '../browser/harness.ts'
import { args, chromium, onPage, results, TRAINING_MS, test } from '../browser/harness.ts'
import { chromiumPath } from '../browsers.ts'
import { trial } from '../consumer/page.js'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const BUILD_MS = 15 * 60_000
const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1' }

const run = (cwd: string, command: string, ...given: string[]) =>
  promisify(execFile)(command, given, { cwd, env, timeout: BUILD_MS, maxBuffer: 1 << 26 })

/** The app with its dependencies and the package. */
async function install(folder: string): Promise<void> {
  await run(here('../..'), 'npm', 'pack', '--ignore-scripts', '--silent', '--pack-destination', folder)
  const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz')) as string
  const settings = JSON.parse(await readFile(here('package.json'), 'utf8'))
  settings.dependencies.steinrl = `file:${tarball}`
  await writeFile(join(folder, 'package.json'), JSON.stringify(settings))
  await cp(here('app'), join(folder, 'app'), { recursive: true })
  await cp(here('../consumer/page.js'), join(folder, 'app/trial.js'))
  await run(folder, 'npm', 'install', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error')
}

/** Serves what was built while the body runs. */
async function serving(folder: string, body: (url: string) => Promise<string>): Promise<string> {
  const next = join(folder, 'node_modules/next/dist/bin/next')
  const server: ChildProcess = spawn(process.execPath, [next, 'start', '--port', '0', '--hostname', '127.0.0.1'], {
    cwd: folder,
    env,
  })
  try {
    const url = await new Promise<string>((resolve, reject) => {
      let said = ''
      const listen = (text: Buffer) => {
        said += text
        const [found] = said.match(/http:\/\/127\.0\.0\.1:\d+/) ?? []
        if (found && said.includes('Ready')) resolve(found)
      }
      server.stdout?.on('data', listen)
      server.stderr?.on('data', listen)
      server.once('exit', (code) => reject(new Error(`next start ended with ${code}: ${said}`)))
    })
    return await body(url)
  } finally {
    server.kill()
  }
}

async function sameBits(page: Page, url: string): Promise<string> {
  await page.waitForFunction('globalThis.trial', null, { timeout: TRAINING_MS })
  const node = await trial(0)
  for (const workers of [0, 2]) {
    const found = await page.evaluate(
      (count) => (globalThis as unknown as { trial: typeof trial }).trial(count),
      workers,
    )
    assert.deepEqual(found, node)
  }
  assert.equal(await page.evaluate('globalThis.reward()'), 1)
  assert.deepEqual(await (await fetch(`${url}/server`)).json(), node)
  return `svgd ${node.svgd.slice(0, 8)}, svpg ${node.svpg.slice(0, 8)} in the page, on two workers and on the server`
}

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'steinrl-next-'))
  const browser = await chromium.launch({ executablePath: chromiumPath, args: args.split(' ') })
  try {
    await install(folder)
    for (const bundler of ['turbopack', 'webpack']) {
      await test(`Next.js by ${bundler}: same bits`, async () => {
        await rm(join(folder, '.next'), { recursive: true, force: true })
        await run(folder, join(folder, 'node_modules/.bin/next'), 'build', `--${bundler}`)
        return serving(folder, async (url) => (await onPage(browser, url, (page) => sameBits(page, url))) as string)
      })
    }
  } finally {
    await browser.close()
    await rm(folder, { recursive: true, force: true })
  }
  console.log(`${results.passed} passed, ${results.failed} failed`)
  if (results.failed > 0) process.exitCode = 1
}

await main()
