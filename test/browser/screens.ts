// The playground on a phone's screen and under fingers, for people who see, hear or move otherwise, where its scripts
// fail, and what goes in and out of it: files with policies, and programs.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser, BrowserContextOptions } from 'playwright-core'
import { encodeParticles, train } from '../../dist/index.js'
import { onPage, type Page, TRAINING_MS, test } from './harness.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 } as const
const SMALL = 'particles=4&environments=4&steps=32&hidden=16'

/** Waits for a text that is a condition on the data of the root element. */
const until = (page: Page, condition: string) =>
  page.waitForFunction(`(() => { const data = document.documentElement.dataset; return ${condition} })()`, null, {
    timeout: TRAINING_MS,
  })

/**
 * Opens a page's dialog of code, copies the program and runs it in Node: what it prints.
 */
async function copiedProgram(page: Page, part: string, folder: string): Promise<string> {
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  await page.click(`#${part}-code`)
  await page.click('#code-copy')
  await page.waitForFunction("document.querySelector('#code-copied').textContent === 'Copied'")
  const code = await page.evaluate('navigator.clipboard.readText()')
  assert.equal(code, await page.inputValue('#code-text'))
  await page.keyboard.press('Escape')
  assert.equal(await page.isVisible('#code'), false)
  const place = join(folder, `program-${part}`)
  await mkdir(join(place, 'node_modules'), { recursive: true })
  await symlink(ROOT, join(place, 'node_modules/steinrl'))
  await writeFile(join(place, 'run.mjs'), String(code))
  const { status, stdout, stderr } = spawnSync(process.execPath, ['run.mjs'], { cwd: place, encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  return stdout
}

async function policiesAsCode(page: Page, folder: string): Promise<string> {
  await until(page, "data.ready === 'policies'")
  const before = page.url()
  await page.click('#policies-toggle')
  await until(page, "data.policies === 'finished'")
  const printed = await copiedProgram(page, 'policies', folder)
  const { median } = await page.evaluate(() => ({ ...document.documentElement.dataset }))
  assert.ok(printed.includes(`10 of 10: best return`), printed)
  assert.equal(printed.match(/10 of 10: best return \S+, median (\S+)/)?.[1], median)
  assert.equal(page.url().split('#')[0], before.split('#')[0])
  return `median ${median} in the page and in Node`
}

async function particlesAsCode(page: Page, folder: string): Promise<string> {
  await until(page, "data.ready === 'particles'")
  for (let k = 0; k < 5; k++) await page.keyboard.press('s')
  await until(page, "data.steps === '5'")
  const lines = (await copiedProgram(page, 'particles', folder)).trim().split('\n')
  assert.equal(lines.length, 7)
  assert.match(await page.inputValue('#code-text'), /iterations: 5,/)
  return `${lines.length} particles`
}

/** Policies of a file act, are evaluated, and say what is wrong with a file that holds none. */
async function filesAreOpened(page: Page, folder: string): Promise<string> {
  await until(page, "data.ready === 'policies'")
  const options = { env: 'Pendulum-v1', particles: 3, environments: 2, steps: 32, iterations: 1, hidden: [16] }
  let bytes: Uint8Array | null = null
  for await (const step of train(options)) bytes = encodeParticles(step)
  const file = join(folder, 'opened.safetensors')
  await writeFile(file, bytes as Uint8Array)
  await page.setInputFiles('#policies-file', file)
  await until(page, "data.policies === 'opened'")
  assert.equal(await page.inputValue('#choice-form-env'), 'Pendulum-v1')
  assert.match((await page.textContent('#policies-note')) ?? '', /^3 policies of a file on Pendulum-v1: returns of 20/)
  assert.ok(Number(await page.textContent('#run-best')) < -100)
  assert.equal(await page.locator('.card').count(), 3)
  await acts(page)
  // A model of stable-baselines3 acts in the task that is chosen.
  await page.selectOption('#choice-form-env', 'CartPole-v1')
  await page.setInputFiles('#policies-file', join(ROOT, 'test/golden/stable-baselines3/ppo.zip'))
  await until(page, "data.policies === 'opened'")
  assert.match((await page.textContent('#policies-note')) ?? '', /^A policy of a file on CartPole-v1/)
  await acts(page)
  const best = await page.textContent('#run-best')
  await page.setInputFiles('#policies-file', {
    name: 'x.safetensors',
    mimeType: '',
    buffer: await readFile(join(ROOT, 'package.json')),
  })
  await until(page, "data.policies === 'failed'")
  const message = (await page.textContent('#policies-message')) ?? ''
  assert.match(message, /^The particles cannot be read: its header should have \d+ bytes/)
  // And training goes on from there.
  await page.click('#policies-toggle')
  await until(page, 'Number(data.iteration) >= 1')
  return `returned ${best}; refused: ${message}`
}

const acts = (page: Page) =>
  page.waitForFunction("[...document.querySelectorAll('.card .result')].every((e) => e.textContent !== '–')", null, {
    timeout: TRAINING_MS,
  })

/** A finger drags a particle and the page stays; beside it a finger moves the page. */
async function dragsByTouch(page: Page): Promise<string> {
  await until(page, "data.ready === 'particles'")
  const box = await page.locator('#plane').boundingBox()
  assert.ok(box)
  const scale = box.height / 8
  const at = (x: number, y: number) => ({ x: box.x + box.width / 2 + x * scale, y: box.y + box.height / 2 - y * scale })
  const client = await page.context().newCDPSession(page)
  const swipe = async (from: { x: number; y: number }, to: { x: number; y: number }) => {
    const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', points: { x: number; y: number }[]) =>
      client.send('Input.dispatchTouchEvent', { type, touchPoints: points })
    await touch('touchStart', [from])
    for (let k = 1; k <= 10; k++)
      await touch('touchMove', [{ x: from.x + ((to.x - from.x) * k) / 10, y: from.y + ((to.y - from.y) * k) / 10 }])
    await touch('touchEnd', [])
    await page.waitForTimeout(200)
  }
  /** Whether a particle is drawn at a place: its middle is as dark as ink. */
  const isAt = ({ x, y }: { x: number; y: number }) =>
    page.evaluate(
      ([left, top]) => {
        const canvas = document.querySelector('#plane') as HTMLCanvasElement
        const ratio = canvas.width / canvas.clientWidth
        const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext(
          '2d',
        ) as OffscreenCanvasRenderingContext2D
        copy.drawImage(canvas, 0, 0)
        const { data } = copy.getImageData(Math.round(left * ratio), Math.round(top * ratio), 1, 1)
        return data[0] < 60 && data[3] > 250
      },
      [x - box.x, y - box.y],
    )
  const [from, to] = [at(0, 1), at(1, -2.5)]
  assert.ok(await isAt(from), 'there is no particle to drag')
  await swipe(from, to)
  assert.equal(await page.evaluate('scrollY'), 0, 'the page scrolled')
  assert.ok(await isAt(to), 'the particle did not follow the finger')
  assert.equal(await isAt(from), false)
  await swipe(at(-1.5, -3), at(-1.5, 3))
  assert.ok(Number(await page.evaluate('scrollY')) > 50, 'a finger beside a particle does not move the page')
  return 'from (0, 1) to (1, −2.5)'
}

/** Whatever group of settings is chosen, all of its controls and the whole plane are on the screen together. */
async function fitsOneScreen(page: Page): Promise<string> {
  await until(page, "data.ready === 'particles'")
  const plane = await page.locator('#plane').boundingBox()
  assert.ok(plane && plane.width > 350 && plane.height > 300, 'the plane is small')
  const titles = await page.locator('#particles-settings-groups button').allTextContents()
  assert.deepEqual(titles, ['Density', 'Particles', 'Kernel', 'Step', 'Show'])
  for (const title of titles) {
    await page.click(`#particles-settings-groups button:text-is("${title}")`)
    const outside = await page.evaluate(() =>
      [...document.querySelectorAll('#plane, #part-particles .toolbar button, aside :is(input, select, button)')]
        .filter((element) => element.checkVisibility())
        .map((element) => ({ id: element.id, ...element.getBoundingClientRect().toJSON() }))
        .filter(({ top, bottom }) => top < 0 || bottom > innerHeight)
        .map(({ id }) => id),
    )
    assert.deepEqual(outside, [], `with ${title} they are not on the screen`)
    assert.ok((await page.locator('fieldset:visible').count()) === 1)
  }
  assert.equal(await page.evaluate('scrollY'), 0)
  return titles.join(', ')
}

/** Nothing that a finger is for is smaller than 44 pixels of the page, either way; what a label adds to it counts. */
async function smallTargets(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll<HTMLInputElement>('a[href], button, input, select, textarea')]
      .filter((element) => element.checkVisibility())
      .flatMap((element) => {
        const row = element.type === 'checkbox' ? (element.closest('.toggle') as HTMLElement) : element
        const { width, height } = row.getBoundingClientRect()
        const name = element.id || element.textContent
        return width < 43.9 || height < 43.9 ? [`${name}: ${width.toFixed(0)} × ${height.toFixed(0)}`] : []
      }),
  )
}

async function targetsAreLarge(page: Page): Promise<string> {
  await page.waitForFunction('document.documentElement.dataset.ready')
  const groups = page.locator('main:not([hidden]) .groups button')
  for (let k = 0; k < (await groups.count()); k++) {
    await groups.nth(k).click()
    assert.deepEqual(await smallTargets(page), [])
  }
  await page.click('main:not([hidden]) .toolbar button[aria-haspopup]')
  assert.deepEqual(await smallTargets(page), [])
  await page.click('#code-close')
  // The row of a checkbox is one target.
  await groups.last().click()
  const toggle = page.locator('main:not([hidden]) fieldset.open .toggle').first()
  const input = toggle.locator('input')
  const before = await input.isChecked()
  const box = await toggle.boundingBox()
  assert.ok(box)
  await page.touchscreen.tap(box.x + 4, box.y + 2)
  assert.equal(await input.isChecked(), !before)
  return `${await groups.count()} groups of settings`
}

/** What axe-core has against what is shown: WCAG 2.2 A and AA, and its best practices. */
export async function violations(page: Page): Promise<string[]> {
  const source = fileURLToPath(import.meta.resolve('axe-core/axe.min.js'))
  if (!(await page.evaluate("'axe' in window"))) await page.addScriptTag({ content: await readFile(source, 'utf8') })
  return page.evaluate(`(async () => {
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
    const { violations } = await axe.run(document, { runOnly: tags })
    return violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ target, failureSummary }) => target + ' ' + failureSummary).join('; '))
  })()`) as Promise<string[]>
}

async function axeFindsNothing(page: Page): Promise<string> {
  await page.waitForFunction('document.documentElement.dataset.ready')
  assert.deepEqual(await violations(page), [])
  if ((await page.evaluate('document.documentElement.dataset.mode')) === 'policies') {
    await page.click('#policies-toggle')
    await until(page, "data.policies === 'finished'")
    await acts(page)
    await page.click('.card')
    assert.deepEqual(await violations(page), [])
  }
  await page.click('main:not([hidden]) .toolbar button[aria-haspopup]')
  assert.deepEqual(await violations(page), [])
  return 'nothing, with the dialog too'
}

/** A script that throws when the page starts is told in a sentence. */
async function failureIsSaid(browser: Browser, url: string, fail: (page: Page) => Promise<void>): Promise<string> {
  const context = await browser.newContext()
  try {
    const page = await context.newPage()
    await fail(page)
    await page.goto(url)
    await page.waitForSelector('#broken:visible')
    const text = (await page.textContent('#broken')) ?? ''
    assert.match(text, /^The playground cannot start here: .+/)
    return text
  } finally {
    await context.close()
  }
}

export async function testScreens(browser: Browser, url: string, folder: string): Promise<void> {
  const still = { reducedMotion: 'reduce' } as const
  await test('playground: a program of policies is copied, and trains in Node as the page did', () =>
    onPage(browser, `${url}#policies&${SMALL}&iterations=10`, (page) => policiesAsCode(page, folder)))
  await test('playground: a program of particles is copied, and runs', () =>
    onPage(browser, `${url}#particles&count=7`, (page) => particlesAsCode(page, folder), still))
  await test('playground: policies of a file act, of stable-baselines3 too', () =>
    onPage(browser, `${url}#policies&${SMALL}`, (page) => filesAreOpened(page, folder)))
  await test('playground: a finger drags a particle, and the page stays', () =>
    onPage(browser, `${url}#particles&start=nowhere&placed=0,1&arrows=0`, dragsByTouch, { ...PHONE, ...still }))
  await test('playground: the plane and its knobs are on one screen of a phone', () =>
    onPage(browser, `${url}#particles&bandwidth=fixed`, fitsOneScreen, PHONE))
  for (const mode of ['particles', 'policies'])
    await test(`playground: ${mode}, all targets are at least 44 pixels on a phone`, () =>
      onPage(browser, `${url}#${mode}`, targetsAreLarge, { ...PHONE, ...still }))
  for (const colorScheme of ['light', 'dark'] as const)
    for (const [screen, options] of Object.entries<BrowserContextOptions>({ wide: {}, phone: PHONE }))
      for (const mode of ['particles', 'policies'])
        await test(`playground: axe finds nothing, ${mode}, ${colorScheme}, ${screen}`, () =>
          onPage(browser, `${url}#${mode}&${mode === 'policies' ? `${SMALL}&iterations=10` : ''}`, axeFindsNothing, {
            ...options,
            colorScheme,
          }))
  await test('playground: a part that throws at its start is told', () =>
    failureIsSaid(browser, url, async (page) => {
      await page.addInitScript('ResizeObserver = undefined')
    }))
  await test('playground: a script that is not there is told', () =>
    failureIsSaid(browser, url, async (page) => {
      await page.route('**/*.js', (route) => route.abort())
    }))
  await test('playground: a part that cannot be loaded later is told', () =>
    failureIsSaid(browser, url, async (page) => {
      await page.addInitScript(
        "addEventListener('load', () => setTimeout(() => document.querySelector('#to-policies').click(), 500))",
      )
      await page.route(/policies.*|view.*\.js/, (route) => route.abort())
    }))
}
