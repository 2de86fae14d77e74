// Reports in a page: on a phone and in the dark, and with names that somebody hostile chose.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Browser } from 'playwright-core'
import { compareVariants } from '../../dist/experiments/comparison.js'
import { renderExperiment } from '../../dist/experiments/report.js'
import { summarise } from '../../dist/experiments/summary.js'
import { renderReport } from '../../dist/index.js'
import { onPage, test } from './harness.ts'
import { violations } from './screens.ts'

/** Each sets window.hit where it is taken for markup, in text, in an attribute or in a script. */
const PAYLOADS = [
  `"'><img src=x onerror="window.hit=1">`,
  `</script><script>window.hit=1</script>`,
  `</style></title></textarea><svg onload="window.hit=1">`,
  `" onload="window.hit=1" onmouseover="window.hit=1" autofocus onfocus="window.hit=1" x="`,
  `'-(window.hit=1)-'`,
  `<!--><iframe srcdoc="<script>parent.hit=1</script>">`,
  `&lt;img src=x onerror=window.hit=1&gt;`,
]

function pagesOf(payload: string): Readonly<Record<string, () => Promise<string>>> {
  const evil = (where: string) => `${where}${payload}`
  const metrics = Array.from({ length: 4 }, (_, i) => ({
    ...{ iteration: i + 1, seconds: i, transitions: i, returns: [i, 2], episodes: [1, 1], entropy: [1, 1] },
    ...{ thetaNorm: [1, 1], drive: 1, repulsion: 1, sharing: 1, bandwidth: 1, kernelOffDiagonal: 0.5, temperature: 1 },
    [evil('metric')]: i,
  }))
  const run = {
    config: { algorithm: evil('algorithm'), env: evil('env'), [evil('key')]: evil('value') },
    ...{
      metrics,
      kernel: [
        [1, 0.5],
        [0.5, 1],
      ],
      evaluation: { episodes: 3, greedy: [1, 2], sampled: [1, 1] },
    },
    outcome: evil('outcome'),
  }
  const ranges = { [evil('range')]: [0.5, 2], length: [0.5, 2] }
  const variants = ['a', evil('label')].map((label) => {
    const variant = { label, note: evil('note'), settings: { [evil('setting')]: evil('value') } }
    const finished = [0, 1].map((seed) => ({ seed, finished: run }))
    return summarise(variant as never, finished as never)
  })
  const summary = {
    ...{ name: evil('name'), shows: evil('shows'), env: evil('env'), iterations: 4, evaluationEpisodes: 3 },
    seeds: [0, 1],
    ...{ published: [], variants, comparisons: compareVariants(variants) },
    grid: { ranges, points: 3, episodes: 2, hard: { [evil('range')]: 'high', length: 'high' } },
  }
  const extras = { seconds: 1, transitions: 1, figure: 'returns', visits: [], goals: [] }
  return {
    run: () => renderReport(run as never),
    experiment: () => renderExperiment(summary as never, extras as never),
  }
}

const SPACE = {
  ...{ algorithm: 'ppo', env: 'CartPole-v1', settings: { environments: 2, steps: 32 }, iterations: 3 },
  space: { learningRate: { from: 0.001, to: 0.1, scale: 'log' }, epochs: { from: 1, to: 4 }, gain: { among: [1, 2] } },
}

/** What writes a report by the command line. */
const COMMANDS: Readonly<Record<string, string>> = {
  run: 'train svpg CartPole-v1 --particles 4 --iterations 6 --eval-every 2 --eval-episodes 5',
  'single policy': 'train sac Pendulum-v1 --iterations 3 --steps 200 --warmup 100 --hidden 16 --eval-episodes 2',
  experiment: 'experiment svpg-cartpole --seeds 2 --iterations 3 --jobs 1',
  sweep: 'sweep space.json --trials 4 --jobs 1',
  posterior: 'fit ROOT/examples/posteriors/eight-schools.js --data ROOT/examples/posteriors/eight-schools.csv',
}

/** Nothing is wider than the screen, and axe-core finds nothing, on either screen, in light and in the dark. */
async function testReadable(browser: Browser, folder: string): Promise<void> {
  await writeFile(join(folder, 'space.json'), JSON.stringify(SPACE))
  const root = fileURLToPath(new URL('../..', import.meta.url))
  for (const [kind, command] of Object.entries(COMMANDS))
    await test(`a report of a ${kind} fits a phone, and axe finds nothing`, async () => {
      const out = join(folder, `report of a ${kind}`)
      const words = [...command.replaceAll('ROOT', root.replace(/\/$/, '')).split(' '), '--out', out]
      const { status, stderr } = spawnSync(process.execPath, [join(root, 'dist/cli/main.js'), ...words], {
        ...{ cwd: folder, encoding: 'utf8' },
      })
      assert.equal(status, 0, stderr)
      for (const colorScheme of ['light', 'dark'] as const)
        for (const width of [390, 1280])
          await onPage(
            browser,
            pathToFileURL(join(out, 'report.html')).href,
            async (page) => {
              assert.equal(await page.evaluate('document.documentElement.scrollWidth'), width)
              assert.deepEqual(await violations(page), [])
              return undefined
            },
            { colorScheme, viewport: { width, height: 844 } },
          )
      return undefined
    })
}

export async function testReports(browser: Browser, folder: string): Promise<void> {
  await testReadable(browser, folder)
  for (const [k, payload] of PAYLOADS.entries()) {
    for (const [kind, render] of Object.entries(pagesOf(payload))) {
      await test(`a report of a ${kind} shows hostile names as they are: ${payload}`, async () => {
        const file = join(folder, `${kind}-${k}.html`)
        await writeFile(file, await render())
        await onPage(browser, pathToFileURL(file).href, async (page) => {
          // What waits for a pointer or the keyboard gets one.
          await page.evaluate(() => {
            for (const element of document.querySelectorAll('*'))
              for (const type of ['mouseover', 'focus', 'load', 'click']) element.dispatchEvent(new Event(type))
          })
          assert.equal(await page.evaluate(() => (window as { hit?: number }).hit), undefined)
          assert.equal(await page.locator('img, iframe, [onload], [onerror], [onmouseover], [onfocus]').count(), 0)
          const text = await page.evaluate(() => document.documentElement.textContent ?? '')
          assert.ok(text.includes(payload), 'the name is not on the page')
          return undefined
        })
        return undefined
      })
    }
  }
}
