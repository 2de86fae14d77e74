// The pages of examples/browser and examples/playground, threads, exported policies and the package in bundles of pages
// and servers, in a real Chromium or in Node, against the same in this process. Run by `npm run test:browser`.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Browser, chromium, type Page } from 'playwright-core'
import { build, preview } from 'vite'
import { encodePolicy, type TrainOptions, train } from '../../dist/index.js'
import { loadPolicy } from '../../dist/policy/index.js'
import { chromiumPath } from '../browsers.ts'
import { trial as consumerTrial } from '../consumer/page.js'
import { ISOLATED, type Served } from '../serve.ts'
import { bundledSites } from './bundlers.ts'
import { args, onPage, results, serveBuilt, serveDev, TRAINING_MS, test, withServer } from './harness.ts'
import { testPlayground, testPlaygroundInFirefox } from './playground.ts'
import type { Acts, Request } from './policy/page.ts'
import { testReports } from './reports.ts'
import { testServers } from './servers.ts'
import { trial } from './threads/page.ts'

const SETTINGS = { env: 'CartPole-v1', particles: 16, temperature: 10, iterations: 10, seed: 0 } as const
/** Generous: a page that trains by itself would stand still for the whole of every iteration. */
const LONGEST_GAP_MS = 1000

/** SHA-256 of theta after training in this process. */
async function thetaInNode(options: TrainOptions): Promise<string> {
  let hash = ''
  for await (const { state } of train(options)) {
    hash = createHash('sha256').update(state.arena.view.theta).digest('hex')
  }
  return hash
}

/** WebAssembly may be compiled, no text may be evaluated and nothing may come from elsewhere. */
const STRICT = { 'Content-Security-Policy': "default-src 'self'; img-src data:; script-src 'self' 'wasm-unsafe-eval'" }

/**
 * A folder beside this file with a page in it, built, with headers that let it share memory between threads or forbid
 * it something.
 */
async function servePage(name: string, outDir: string, headers: Record<string, string>): Promise<Served> {
  const root = fileURLToPath(new URL(name, import.meta.url))
  const quiet = { root, configFile: false, logLevel: 'error', worker: { format: 'es' } } as const
  await build({ ...quiet, build: { outDir, emptyOutDir: true, chunkSizeWarningLimit: 2000 } })
  const server = await preview({ ...quiet, build: { outDir }, preview: { port: 0, host: '127.0.0.1', headers } })
  return { url: server.resolvedUrls?.local[0] ?? '', close: () => server.close() }
}

/** Waits for the end of the run and returns the page's SHA-256 of theta. */
async function finished(page: Page): Promise<string> {
  await page.waitForFunction(() => !/ready|training/.test(document.documentElement.dataset.phase ?? 'ready'), null, {
    timeout: TRAINING_MS,
  })
  const { phase, theta } = await page.evaluate(() => ({ ...document.documentElement.dataset }))
  assert.equal(phase, 'finished', (await page.textContent('#message')) ?? '')
  return theta ?? ''
}

const query = ({ env, ...settings }: Record<string, unknown>) =>
  `?${new URLSearchParams(Object.entries(settings).map(([name, value]) => [name, String(value)]))}&start`

/** The pixels of curves in each chart after an iteration, with training still going on. */
async function pointsWhileTraining(page: Page, iteration: number): Promise<number[]> {
  const drawn = await page.waitForFunction(
    (least) => {
      const { phase, iteration: done } = document.documentElement.dataset
      if (phase !== 'training' || !(Number(done) >= least)) return null
      return [...document.querySelectorAll('canvas')].map((canvas) => {
        const { width, height } = canvas
        const { data } = (canvas.getContext('2d') as CanvasRenderingContext2D).getImageData(0, 0, width, height)
        // Curves are coloured, axes and labels nearly grey.
        let count = 0
        for (let i = 0; i < data.length; i += 4) {
          const [red, , blue, alpha] = data.subarray(i, i + 4)
          if (alpha > 200 && Math.abs(red - blue) > 80) count++
        }
        return count
      })
    },
    iteration,
    { timeout: TRAINING_MS },
  )
  return (await drawn.jsonValue()) as number[]
}

/**
 * Measures in the page how long it goes without a timer and without a frame. As text: tsx would add its helpers to a
 * function.
 */
const MEASURE_GAPS = `{
  const gaps = (window.gaps = { timer: 0, frame: 0, frames: 0 })
  let timer = performance.now()
  let frame = timer
  setInterval(() => {
    gaps.timer = Math.max(gaps.timer, performance.now() - timer)
    timer = performance.now()
  }, 20)
  requestAnimationFrame(function next() {
    gaps.frame = Math.max(gaps.frame, performance.now() - frame)
    gaps.frames++
    frame = performance.now()
    requestAnimationFrame(next)
  })
}`

async function sameBits(browser: Browser, url: string, settings: TrainOptions): Promise<string> {
  const node = await thetaInNode(settings)
  return (await onPage(browser, url + query({ ...settings }), async (page) => {
    const theta = await finished(page)
    assert.match(theta, /^[0-9a-f]{64}$/)
    assert.equal(theta, node)
    assert.equal(await page.textContent('#theta'), node)
    return `theta ${node} in Node and in the page`
  })) as string
}

async function staysResponsive(page: Page): Promise<string> {
  await page.evaluate(MEASURE_GAPS)
  const counts = await pointsWhileTraining(page, 3)
  assert.equal(counts.length, 3)
  for (const count of counts) assert.ok(count > 20, `a chart has only ${count} coloured pixels: ${counts}`)
  await finished(page)
  const gaps = await page.evaluate(() => (window as unknown as { gaps: Record<string, number> }).gaps)
  assert.ok(gaps.frames > 10, `only ${gaps.frames} frames`)
  assert.ok(Math.max(gaps.timer, gaps.frame) < LONGEST_GAP_MS, JSON.stringify(gaps))
  return `coloured pixels ${counts.join(', ')}; longest gap ${gaps.timer.toFixed(0)} ms between timers, ${gaps.frame.toFixed(0)} ms between frames`
}

async function stopsAndStartsAgain(page: Page): Promise<undefined> {
  await page.waitForFunction(() => Number(document.documentElement.dataset.iteration) >= 1, null, {
    timeout: TRAINING_MS,
  })
  await page.click('#stop')
  const stopped = await page.evaluate(() => ({ ...document.documentElement.dataset }))
  assert.equal(stopped.phase, 'stopped')
  assert.match(stopped.theta ?? '', /^[0-9a-f]{64}$/)
  await page.waitForTimeout(1500)
  assert.equal(await page.getAttribute('html', 'data-iteration'), stopped.iteration, 'it trained on after Stop')
  await page.fill('[name=iterations]', '1')
  // By keyboard: Enter in a field starts.
  await page.press('[name=iterations]', 'Enter')
  await finished(page)
  assert.equal(await page.getAttribute('html', 'data-iteration'), '1')
  return undefined
}

async function showsTheError(page: Page): Promise<string> {
  await page.fill('[name=particles]', '0')
  await page.click('#start')
  await page.waitForFunction(() => document.querySelector('#message')?.textContent, null, { timeout: TRAINING_MS })
  const message = await page.textContent('#message')
  const expected = await thetaInNode({ ...SETTINGS, particles: 0 }).catch((error: Error) => error.message)
  assert.equal(message, expected)
  assert.ok(!message?.includes('\n'))
  assert.equal(await page.isEnabled('#start'), true)
  return message ?? ''
}

async function testBuilt(browser: Browser, url: string): Promise<void> {
  await test('the built page trains to the same bits as Node', () => sameBits(browser, url, SETTINGS))
  await test('the curves are live and the page stays responsive', () =>
    onPage(browser, url + query({ ...SETTINGS, iterations: 20 }), staysResponsive))
  await test('Stop ends the training; Enter starts it again', () =>
    onPage(browser, url + query({ ...SETTINGS, iterations: 1000 }), stopsAndStartsAgain))
  await test("a setting that is not allowed shows the library's sentence", () => onPage(browser, url, showsTheError))
  for (const workers of [0, 3]) {
    await test(`evaluated by ${workers} workers: same bits`, () =>
      sameBits(browser, url, { ...SETTINGS, iterations: 3, workers }))
  }
  for (const interaction of ['independent', 'joint'] as const) {
    await test(`interaction ${interaction}: same bits`, () =>
      sameBits(browser, url, { ...SETTINGS, particles: 4, iterations: 3, interaction }))
  }
}

type Trial = typeof import('./threads/page.ts').trial

async function trialOnPage(page: Page, threads: number | 'auto'): ReturnType<Trial> {
  await page.waitForFunction('window.trial')
  return page.evaluate((count) => (window as unknown as { trial: Trial }).trial(count), threads)
}

async function threadsOnPage(page: Page): Promise<string> {
  const node = await trial(1)
  assert.deepEqual(await trialOnPage(page, 1), node)
  assert.deepEqual(await trialOnPage(page, 3), { threads: 3, sha: node.sha })
  const { threads, sha } = await trialOnPage(page, 'auto')
  assert.equal(sha, node.sha)
  return `${threads} threads by themselves, ${sha}`
}

async function aloneOnPage(page: Page): Promise<undefined> {
  assert.deepEqual(await trialOnPage(page, 3), await trial(1))
  return undefined
}

async function testThreads(browser: Browser, folder: string): Promise<void> {
  await withServer(
    () => servePage('threads', join(folder, 'isolated'), ISOLATED),
    (url) => test('a cross-origin-isolated page: threads, same bits', () => onPage(browser, url, threadsOnPage)),
  )
  await withServer(
    () => servePage('threads', join(folder, 'plain'), {}),
    (url) => test('any other page: one thread, same bits', () => onPage(browser, url, aloneOnPage)),
  )
}

/**
 * A trained population in Gaussian and squashed Gaussian heads: the page acts with the bits of Node, by all ways to
 * choose who acts.
 */
async function policyOnPage(page: Page): Promise<string> {
  let count = 0
  for (const head of ['gaussian', 'squashed-gaussian'] as const) {
    const settings = { env: 'Pendulum-v1', head, particles: 3, iterations: 1, environments: 2, steps: 16 } as const
    const bounds = { low: [-2], high: [2] }
    for await (const { state } of train(settings)) {
      const { policy, arena, particles } = state
      const population = { env: settings.env, policy, theta: arena.view.theta, particles, best: 1, bounds }
      const { description, weights } = encodePolicy(population)
      const core = await readFile(new URL('../../dist/steinrl-policy.wasm', import.meta.url))
      const here = await loadPolicy({ description, weights, core })
      const requests: Request[] = (['best', 2, 'per-episode', 'per-call', 'mean'] as const).flatMap((particle) =>
        [true, false].map((greedy, k) => ({
          observation: [0.6, -0.8, k],
          particle,
          greedy,
          seed: 3,
          episode: 2,
          step: 5,
        })),
      )
      const expected = requests.map(({ observation, ...options }) => [
        ...(here.act(observation, options) as Float32Array),
      ])
      await page.waitForFunction('window.acts')
      const found = await page.evaluate(
        ([text, bytes, list]) => (window as unknown as { acts: Acts }).acts(text, bytes, list),
        [JSON.stringify(description), [...weights], requests] as const,
      )
      assert.deepEqual(found, expected)
      count += found.length
    }
  }
  return `${count} actions`
}

async function testPolicy(browser: Browser, folder: string): Promise<void> {
  await withServer(
    () => servePage('policy', join(folder, 'policy'), STRICT),
    (url) =>
      test('exported policies act with the same bits, in a page that may evaluate no text', () =>
        onPage(browser, url, policyOnPage)),
  )
}

/** What a stranger's page computes, against the same in Node. */
async function sameAsConsumer(page: Page, startsWorkers: boolean): Promise<string> {
  await page.waitForFunction('globalThis.trial', null, { timeout: TRAINING_MS })
  const on = (workers: number) =>
    page.evaluate((count) => (globalThis as unknown as { trial: typeof consumerTrial }).trial(count), workers)
  const node = await consumerTrial(0)
  assert.deepEqual(await on(0), node)
  if (startsWorkers) assert.deepEqual(await on(2), node)
  return `svgd ${node.svgd.slice(0, 8)}, svpg ${node.svpg.slice(0, 8)}`
}

async function testBundlers(browser: Browser, folder: string): Promise<void> {
  for (const { name, workers, serve } of await bundledSites(folder)) {
    await test(`the package in a page by ${name}: same bits`, async () => {
      const server = await serve()
      try {
        return (await onPage(browser, server.url, (page) => sameAsConsumer(page, workers))) as string
      } finally {
        await server.close()
      }
    })
  }
}

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'steinrl-browser-'))
  const browser = await chromium.launch({ executablePath: chromiumPath, args: args.split(' ') })
  try {
    const site = join(folder, 'site')
    await withServer(
      () => serveBuilt('browser', site),
      (url) => testBuilt(browser, url),
    )
    await withServer(
      () => serveDev('browser', folder),
      (url) => test('the development server: same bits', () => sameBits(browser, url, { ...SETTINGS, iterations: 1 })),
    )
    await testThreads(browser, folder)
    await testPolicy(browser, folder)
    await testReports(browser, folder)
    await testPlayground(browser, folder)
    await testPlaygroundInFirefox(folder)
    await testBundlers(browser, join(folder, 'consumer'))
    await testServers(join(folder, 'server'))
  } finally {
    await browser.close()
    await rm(folder, { recursive: true, force: true })
  }
}

if (existsSync(chromiumPath)) {
  await main()
  console.log(`${results.passed} passed, ${results.failed} failed`)
  if (results.failed > 0) process.exitCode = 1
} else {
  console.error(
    `There is no Chromium at ${chromiumPath}. Install it (Debian: apt-get install -y chromium) or set CHROMIUM to its path.`,
  )
  process.exitCode = 1
}
