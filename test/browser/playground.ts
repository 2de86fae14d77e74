// The playground in Chromium and Firefox, built and served from a folder below the root.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import puppeteer from 'puppeteer-core'
import { readRun, train } from '../../dist/index.js'
import { firefoxPath } from '../browsers.ts'
import { onPage, serveBuilt, serveDev, TRAINING_MS, test, withServer } from './harness.ts'
import { testScreens } from './screens.ts'

const SMALL = 'particles=4&environments=4&steps=32&hidden=16'

const told = (page: Page) => page.evaluate(() => ({ ...document.documentElement.dataset }))
const numberIn = async (page: Page, id: string) => Number(await page.textContent(`#${id}`))

/** Waits until the page tells, as data of its root element, what the text of a condition on it says. */
const until = (page: Page, condition: string) =>
  page.waitForFunction(`(() => { const data = document.documentElement.dataset; return ${condition} })()`, null, {
    timeout: TRAINING_MS,
  })

/** A number that differs where a canvas shows something else; 0 where it shows nothing. */
const picture = (page: Page, selector: string) =>
  page.evaluate((which) => {
    const canvas = document.querySelector(which) as HTMLCanvasElement
    // A copy, since a canvas that is read is drawn in another way from then on.
    const { width, height } = canvas
    const copy = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true })
    copy?.drawImage(canvas, 0, 0)
    const data = copy?.getImageData(0, 0, width, height).data ?? []
    let hash = 0
    for (const value of data) hash = (Math.imul(hash, 31) + value) | 0
    return hash
  }, selector)

/** Space pauses, a key steps once. */
async function particlesFlow(page: Page): Promise<string> {
  await until(page, 'Number(data.steps) >= 1')
  await until(page, 'Number(data.steps) >= 150')
  await page.keyboard.press('Space')
  await until(page, "data.particles === 'paused'")
  await page.waitForTimeout(100)
  const { steps } = await told(page)
  const last = await numberIn(page, 'plane-discrepancy')
  // It begins above 0.3; how many steps had gone by when that could be read depends on the machine.
  assert.ok(last < 0.2, `the discrepancy is ${last} after ${steps} steps`)
  const still = await picture(page, '#plane')
  await page.waitForTimeout(300)
  assert.equal(await picture(page, '#plane'), still, 'it moved while it was paused')
  await page.keyboard.press('s')
  await until(page, `data.steps === '${Number(steps) + 1}'`)
  assert.notEqual(await picture(page, '#plane'), still)
  return `discrepancy ${last} after ${steps} steps`
}

async function particlesArePlaced(page: Page): Promise<undefined> {
  await until(page, "data.ready === 'particles'")
  await page.keyboard.press('Space')
  await page.click('#particles-clear')
  await page.waitForFunction("document.querySelector('#plane-count').textContent === '0'")
  const plane = page.locator('#plane')
  for (const x of [100, 150, 200]) await plane.click({ position: { x, y: 90 } })
  await page.focus('.plane')
  await page.keyboard.press('ArrowUp')
  await page.keyboard.press('Enter')
  await page.waitForFunction("document.querySelector('#plane-count').textContent === '4'")
  assert.match(page.url(), /start=nowhere.*&placed=[-\d.]+,[-\d.]+;.*;0,0.25$/)
  await page.selectOption('#particles-form-kernel', 'imq')
  await page.selectOption('#particles-form-target', 'ring')
  // The link leads to the same particles and settings.
  await page.reload()
  await page.waitForFunction("document.querySelector('#plane-count').textContent === '4'")
  assert.equal(await page.inputValue('#particles-form-kernel'), 'imq')
  assert.equal(await page.inputValue('#particles-form-target'), 'ring')
  await page.keyboard.press('Space')
  await page.keyboard.press('Space')
  return undefined
}

/** What is refused is said: plain steps of this size end in infinity. */
async function divergenceIsSaid(page: Page): Promise<string> {
  await page.waitForFunction("document.querySelector('#particles-message').textContent")
  assert.equal((await told(page)).particles, 'paused')
  return (await page.textContent('#particles-message')) ?? ''
}

async function staysStill(page: Page): Promise<undefined> {
  await until(page, "data.ready === 'particles'")
  await page.waitForTimeout(300)
  assert.equal((await told(page)).steps, '0')
  assert.equal(await page.textContent('#particles-toggle'), 'Play')
  return undefined
}

async function cartPoleImproves(page: Page): Promise<string> {
  await until(page, "data.ready === 'policies'")
  await page.keyboard.press('Space')
  await until(page, 'Number(data.iteration) >= 1')
  const { median: first } = await told(page)
  await page.waitForFunction("[...document.querySelectorAll('.card .result')].some((e) => Number(e.textContent) > 5)")
  const before = await picture(page, '.card canvas')
  await until(page, `Number(data.median) > 5 * ${first}`)
  assert.notEqual(await picture(page, '.card canvas'), before, 'no policy moved')
  for (const id of ['#kernel', '#weights', '#returns canvas', '#forces canvas'])
    assert.notEqual(await picture(page, id), 0, `${id} is empty`)
  // To the hottest place of the slider, by keyboard.
  await page.focus('#policies-form-temperature')
  await page.keyboard.press('End')
  await page.waitForFunction("document.querySelector('#run-temperature').textContent === '1000'", null, {
    timeout: TRAINING_MS,
  })
  await page.click('#policies-toggle')
  await until(page, "data.policies === 'paused'")
  await page.waitForTimeout(1000)
  const { iteration, median } = await told(page)
  await page.click('#policies-step')
  await until(page, `data.iteration === '${Number(iteration) + 1}'`)
  await page.waitForTimeout(500)
  assert.equal((await told(page)).iteration, String(Number(iteration) + 1), 'it took more than one step')
  await page.click('.card:nth-child(2)')
  assert.match((await page.textContent('#kernel-note')) ?? '', /^Policy 2: return/)
  return `median return from ${Number(first).toFixed(0)} to ${Number(median).toFixed(0)} in ${iteration} iterations`
}

const smallSettings = { env: 'CartPole-v1', particles: 4, environments: 4, steps: 32, hidden: [16] }

/** The run that the page gives to download. */
async function downloaded(page: Page, run: string) {
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('#policies-download')])
  await mkdir(run, { recursive: true })
  await writeFile(join(run, 'config.json'), '{"env": "CartPole-v1"}')
  await download.saveAs(join(run, 'particles.safetensors'))
  return readRun(run)
}

/** The first `length` numbers of each of n rows. */
const rowsOf = (theta: Float32Array, n: number, length: number) =>
  Array.from({ length: n }, (_, i) => [
    ...theta.subarray((i * theta.length) / n, (i * theta.length) / n + length),
  ]).flat()

/** The file is that of a run, and its particles have the bits of Node's. */
async function exportsPolicies(page: Page, folder: string): Promise<string> {
  await until(page, "data.ready === 'policies'")
  await page.click('#policies-step')
  await until(page, "data.iteration === '1'")
  const { theta, env, particles } = await downloaded(page, join(folder, 'downloaded'))
  assert.deepEqual({ env, particles }, { env: 'CartPole-v1', particles: 4 })
  for await (const { agents } of train({ ...smallSettings, iterations: 1 }))
    assert.deepEqual([...theta], rowsOf(agents().theta, 4, theta.length / 4))
  return `${theta.length} parameters, those of Node`
}

/** A tab that is loaded again goes on where it was, to the bits of a run that nobody loaded again. */
async function reloadGoesOn(page: Page, folder: string): Promise<string> {
  await until(page, "data.ready === 'policies'")
  await page.keyboard.press('Space')
  await until(page, 'Number(data.iteration) >= 20')
  await page.keyboard.press('Space')
  await until(page, "data.policies === 'paused'")
  await page.waitForTimeout(1500)
  // What is paused is kept after each step.
  const { iteration: at } = await told(page)
  await page.keyboard.press('s')
  await until(page, `data.iteration === '${Number(at) + 1}'`)
  await page.waitForTimeout(1000)
  const best = await page.textContent('#run-best')
  await page.reload()
  // The first step after the reload, and the history before it.
  await until(page, "data.policies === 'paused' && Number(data.iteration) > 0")
  const { iteration } = await told(page)
  assert.equal(iteration, String(Number(at) + 2), `it went on after iteration ${at}`)
  assert.match((await page.textContent('#run-best')) ?? '', /^[\d.]+$/, `best was ${best}`)
  const run = await downloaded(page, join(folder, 'reloaded'))
  let expected: Float32Array | null = null
  for await (const step of train({ ...smallSettings, iterations: Number(iteration) })) expected = step.agents().theta
  assert.deepEqual([...run.theta], rowsOf(expected as Float32Array, 4, run.theta.length / 4))
  // While it trains as well; and another address is another run.
  await page.click('#policies-toggle')
  await until(page, `Number(data.iteration) >= ${Number(iteration) + 5}`)
  await page.waitForTimeout(1500)
  await page.reload()
  await until(page, `data.policies === 'training' && Number(data.iteration) > ${iteration}`)
  await page.click('#policies-reset')
  await page.reload()
  await until(page, "data.ready === 'policies'")
  assert.equal((await told(page)).policies, 'ready')
  return `from iteration ${at} to ${iteration} over a reload, with the bits of Node`
}

async function everyAlgorithmRuns(page: Page): Promise<string> {
  await until(page, "data.ready === 'policies'")
  await page.keyboard.press('Space')
  await until(page, "Number(data.iteration) >= 1 || data.policies === 'failed'")
  assert.equal(await page.textContent('#policies-message'), '')
  await page.waitForFunction(
    "[...document.querySelectorAll('.card .result')].some((e) => e.textContent !== '–')",
    null,
    {
      timeout: TRAINING_MS,
    },
  )
  return `${await page.locator('.card').count()} to watch`
}

/** Nothing is wider than the page, and the focus goes through all controls in their order. */
async function fitsAPhone(page: Page): Promise<string> {
  await page.waitForFunction('document.documentElement.dataset.ready')
  const width = await page.evaluate(() => document.documentElement.scrollWidth)
  assert.equal(width, 360)
  const count = await page.locator('main:not([hidden]) :is(button, input, select):visible:enabled').count()
  const seen = new Set<string>()
  for (let k = 0; k < count + 6; k++) {
    await page.keyboard.press('Tab')
    seen.add(await page.evaluate(() => document.activeElement?.id ?? ''))
  }
  for (const id of await page
    .locator('main:not([hidden]) :is(button, input, select):visible:enabled')
    .evaluateAll((all) => all.map(({ id }) => id)))
    assert.ok(seen.has(id), `Tab does not reach ${id}`)
  const unnamed = await page.evaluate(() =>
    [...document.querySelectorAll<HTMLInputElement>('input, select')]
      .filter(({ labels }) => !labels?.length)
      .map(({ id }) => id),
  )
  assert.deepEqual(unnamed, [])
  return `${count} controls`
}

async function testBuilt(browser: Browser, url: string, folder: string): Promise<void> {
  const dark = { colorScheme: 'dark' } as const
  const phone = { viewport: { width: 360, height: 740 } }
  await test('playground: particles flow, pause and step', () => onPage(browser, url, particlesFlow, dark))
  await test('playground: particles are placed by hand and by keys, and a link keeps them', () =>
    onPage(browser, url, particlesArePlaced))
  await test('playground: what diverges is said', () =>
    onPage(browser, `${url}#particles&optimizer=sgd&stepSize=3&target=gaussian&count=1&speed=600`, divergenceIsSaid))
  await test('playground: nothing moves unasked where motion is unwanted', () =>
    onPage(browser, url, staysStill, { reducedMotion: 'reduce' }))
  await test('playground: CartPole improves, the temperature changes on the way, pause and step', () =>
    onPage(browser, `${url}#policies`, cartPoleImproves))
  await test('playground: the download is a run that Node reads', () =>
    onPage(browser, `${url}#policies&${SMALL}`, (page) => exportsPolicies(page, folder)))
  await test('playground: a tab that is loaded again goes on, to the same bits', () =>
    onPage(browser, `${url}#policies&${SMALL}&iterations=1000`, (page) => reloadGoesOn(page, folder)))
  for (const [env, algorithm] of [
    ['Pendulum-v1', 'sac'],
    ['MultiGoal-v0', 'sql'],
    ['MultiGoal-v0', 'sql-compose'],
    ['MultiGoalMaxEntropy-v0', 's2ac'],
    ['Pendulum-v1', 'adr'],
    ['PointMaze-v0', 'svpg'],
  ])
    await test(`playground: ${algorithm} on ${env}`, () =>
      onPage(
        browser,
        `${url}#policies&env=${env}&algorithm=${algorithm}&steps=64&particles=4`,
        everyAlgorithmRuns,
        dark,
      ))
  for (const mode of ['particles', 'policies'])
    await test(`playground: ${mode} on a phone, by keyboard`, () =>
      onPage(browser, `${url}#${mode}`, fitsAPhone, phone))
}

export async function testPlayground(browser: Browser, folder: string): Promise<void> {
  await withServer(
    () => serveBuilt('playground', join(folder, 'playground')),
    async (url) => {
      await testBuilt(browser, url, folder)
      await testScreens(browser, url, folder)
    },
  )
  await withServer(
    () => serveDev('playground', join(folder, 'playground-dev')),
    (url) =>
      test('playground: the development server', () => onPage(browser, `${url}#policies&${SMALL}`, everyAlgorithmRuns)),
  )
}

/** A smoke test: both parts run, and the console stays empty. */
export async function testPlaygroundInFirefox(folder: string): Promise<void> {
  if (!existsSync(firefoxPath)) {
    console.log(`skip  playground in Firefox: there is none at ${firefoxPath} (Debian: apt-get install -y firefox-esr)`)
    return
  }
  await withServer(
    () => serveBuilt('playground', join(folder, 'playground-firefox')),
    (url) => test('playground: both parts run in Firefox', () => inFirefox(url)),
  )
}

async function inFirefox(url: string): Promise<string> {
  const browser = await puppeteer.launch({ browser: 'firefox', executablePath: firefoxPath, headless: true })
  try {
    const page = await browser.newPage()
    const troubles: string[] = []
    page.on('console', (message) => {
      if (['error', 'warn'].includes(message.type())) troubles.push(`console ${message.type()}: ${message.text()}`)
    })
    page.on('pageerror', (error) => troubles.push(`page error: ${error instanceof Error ? error.message : error}`))
    const timeout = { timeout: TRAINING_MS }
    await page.goto(url)
    await page.waitForFunction('Number(document.documentElement.dataset.steps) > 30', timeout)
    await page.click('#to-policies')
    await page.waitForFunction("document.documentElement.dataset.ready === 'policies'", timeout)
    // By keyboard: a click at a place misses a button that moves as the page fills up.
    await page.focus('#policies-toggle')
    await page.keyboard.press('Enter')
    await page.waitForFunction('Number(document.documentElement.dataset.iteration) >= 3', timeout)
    await page.waitForFunction(
      "[...document.querySelectorAll('.card .result')].some((e) => Number(e.textContent) > 5)",
      timeout,
    )
    // Loaded again, it goes on.
    await page.waitForFunction('Number(document.documentElement.dataset.iteration) >= 10', timeout)
    await new Promise((resolve) => setTimeout(resolve, 1500))
    await page.reload()
    await page.waitForFunction('Number(document.documentElement.dataset.iteration) > 4', timeout)
    const first = await page.evaluate('document.documentElement.dataset.policies')
    assert.ok(first === 'training' || first === 'finished', `it is ${first}`)
    assert.deepEqual(troubles, [])
    return await browser.version()
  } finally {
    await browser.close()
  }
}
