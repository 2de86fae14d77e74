import { afterEach, expect, jest, test } from '@jest/globals'
import { circle, type Scene } from '../../src/envs/render.ts'
import { quantityChart } from '../../src/report/charts.ts'
import type { IterationMetrics, RunSummary } from '../../src/report/metrics.ts'
import { renderReport } from '../../src/train/report.ts'

const rising = (i: number, t: number) => 20 + t * (3 + (i % 5)) + ((7 * i + 3 * t) % 11)

function iteration(t: number, n: number): IterationMetrics {
  const perParticle = <T>(value: (i: number) => T) => Array.from({ length: n }, (_, i) => value(i))
  return {
    iteration: t + 1,
    seconds: 0.5 * (t + 1),
    transitions: 1000 * n * (t + 1),
    returns: perParticle((i) => rising(i, t)),
    episodes: perParticle(() => 4),
    entropy: perParticle((i) => 0.69 / (1 + 0.01 * t * (1 + i / n))),
    thetaNorm: perParticle((i) => 5 + 0.01 * t + 0.1 * i),
    drive: 2 / (1 + t),
    repulsion: 0.1,
    sharing: 0.01,
    bandwidth: 30,
    kernelOffDiagonal: 0.2,
    temperature: 10,
  }
}

function summary(n: number, iterations: number, changes: Partial<RunSummary> = {}): RunSummary {
  const particles = Array.from({ length: n }, (_, i) => i)
  return {
    config: { algorithm: 'svpg', env: 'CartPole-v1', seed: 7, hidden: [64, 64], optimizer: { learningRate: 0.01 } },
    metrics: Array.from({ length: iterations }, (_, t) => iteration(t, n)),
    kernel: particles.map((i) => particles.map((j) => 1 / (1 + Math.abs(i - j)))),
    evaluation: { episodes: 20, greedy: particles.map((i) => 100 + i), sampled: particles.map((i) => 90 + i) },
    outcome: 'Finished all iterations.',
    ...changes,
  }
}

/** The charts in the order of the page; the swatches of the legends are not among them. */
const svgs = (page: string): string[] => page.match(/<svg [^>]*role="img"[\s\S]*?<\/svg>/g) ?? []
const headings = (page: string) => [...page.matchAll(/<h2>(.*?)<\/h2>/g)].map((match) => match[1])
const thinLines = (svg: string) => svg.match(/<path [^>]*stroke-width="0\.9"/g) ?? []
const verticals = (path: string) => [...path.matchAll(/[ML](\S+) (\S+?)(?=[ML"])/g)].map((match) => Number(match[2]))

afterEach(() => {
  jest.restoreAllMocks()
})

test('the same run gives the same bytes, whatever was drawn before and whatever Math.random says', async () => {
  const first = await renderReport(summary(5, 8))
  await renderReport(summary(3, 4))
  jest.spyOn(Math, 'random').mockReturnValue(0.123)
  expect(await renderReport(summary(5, 8))).toBe(first)
})

test('the page stands alone: no scripts, no references to anything outside it', async () => {
  const page = (await renderReport(summary(4, 6))).replaceAll('xmlns="http://www.w3.org/2000/svg"', '')
  expect(page).not.toMatch(/https?:/)
  expect(page).not.toMatch(/<script|<link|@import|\bsrc=|xlink/)
  expect(page.match(/url\([^)]*\)/g)?.every((reference) => reference.startsWith('url(#'))).toBe(true)
  expect(page).toMatch(/^<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">/)
})

test('sections come in order and every chart is described and scales', async () => {
  const page = await renderReport(summary(4, 6))
  expect(headings(page)).toEqual(['Return', 'Evaluation', 'Kernel', 'Policy', 'Configuration'])
  // Return and evaluation are drawn once for phones and once for wide screens.
  expect(svgs(page)).toHaveLength(9)
  for (const svg of svgs(page))
    expect(svg).toMatch(/^<svg [^>]*viewBox="0 0 \d+ \d+" role="img" aria-label="[^"]{10,}">/)
  expect(page).not.toMatch(/NaN|undefined|Infinity/)
})

test('ids are unique on the page and every reference finds its id', async () => {
  const page = await renderReport(summary(4, 6))
  const ids = [...page.matchAll(/ id="([^"]+)"/g)].map((match) => match[1])
  expect(new Set(ids).size).toBe(ids.length)
  for (const [, id] of page.matchAll(/url\(#([^)]+)\)/g)) expect(ids).toContain(id)
})

test('one thin line per particle, one bar per particle and kind, one cell per pair', async () => {
  const [narrow, wide, bars, , matrix, , , entropy, norm] = svgs(await renderReport(summary(6, 9)))
  for (const svg of [narrow, wide, entropy, norm]) expect(thinLines(svg)).toHaveLength(6)
  expect(bars.match(/fill="#0072b2"/g)).toHaveLength(6)
  expect(bars.match(/fill="#e69f00"/g)).toHaveLength(6)
  expect(matrix.match(/<path [^>]*stroke="#fff"/g)).toHaveLength(36)
})

test('key figures come from the greedy evaluation, and without one from the last return of each particle', async () => {
  const evaluated = await renderReport(summary(5, 1500))
  expect(evaluated).toContain(
    '<dt>Best particle</dt><dd><b>104</b><small>particle 4; greedy evaluation, 20 episodes each',
  )
  expect(evaluated).toContain('<dt>Median particle</dt><dd><b>102</b>')
  expect(evaluated).toContain('<dt>Iterations</dt><dd><b>1,500</b>')
  expect(evaluated).toContain('<b>7.5\u00a0M</b>')
  expect(evaluated).toContain('<b>13\u00a0min</b>')
  expect(evaluated).toContain('<dt>Seed</dt><dd><b>7</b>')

  const run = summary(3, 2, { evaluation: null })
  run.metrics[0].returns = [10, 20, 300]
  run.metrics[1].returns = [40, 30, null]
  const trained = await renderReport(run)
  expect(trained).toContain('<b>300</b><small>particle 2; last return in training')
  expect(trained).toContain('<dt>Median particle</dt><dd><b>40</b>')
  expect(headings(trained)).toEqual(['Return', 'Kernel', 'Policy', 'Configuration'])
})

test('among equal greedy returns the best particle is the one that samples best', async () => {
  const evaluation = { episodes: 1, greedy: [500, 500, 500, 80], sampled: [300, 480, 400, 490] }
  const page = await renderReport(summary(4, 3, { evaluation }))
  expect(page).toContain('<b>500</b><small>particle 1; greedy evaluation, 1 episode each')
})

test('a missing return is drawn as the previous one; before the first there is no line', async () => {
  const run = summary(2, 4)
  const returns = [
    [null, 10],
    [30, null],
    [null, null],
    [60, 10],
  ]
  run.metrics.forEach((m, t) => {
    m.returns = returns[t]
  })
  const [first, second] = thinLines(svgs(await renderReport(run))[0]).map(verticals)
  expect(first).toHaveLength(3)
  expect(first[1]).toBe(first[0])
  expect(first[2]).toBeLessThan(first[1])
  expect(new Set(second).size).toBe(1)
  expect(second).toHaveLength(4)
})

test('the shaded band follows the quartiles, for negative returns too', async () => {
  const run = summary(5, 2)
  for (const m of run.metrics) m.returns = [-400, -300, -200, -100, 0]
  const [svg] = svgs(await renderReport(run))
  const heights = thinLines(svg).map((path) => verticals(path)[0])
  const band = svg.match(/<path d="([^"]*)Z" fill="#c3dcec"/)?.[1] as string
  const edges = verticals(`${band}"`)
  expect(Math.max(...edges)).toBeCloseTo(heights[1], 0)
  expect(Math.min(...edges)).toBeCloseTo(heights[3], 0)
})

test('text from the run is escaped', async () => {
  const evil = '<script>alert("1")</script>'
  const config = { algorithm: evil, env: `&'${evil}`, seed: evil, [evil]: evil, nested: { deep: [evil] } }
  const page = await renderReport(summary(2, 2, { config, outcome: evil }))
  expect(page).not.toContain('<script')
  expect(page).toContain('&#60;script&#62;alert(&#34;1&#34;)&#60;/script&#62;')
  expect(page).toContain('&#38;&#39;&#60;script')
})

test('nested configuration is compact JSON', async () => {
  const page = await renderReport(summary(2, 2))
  expect(page).toContain('<th scope="row">hidden</th><td>[64,64]</td>')
  expect(page).toContain('<td>{&#34;learningRate&#34;:0.01}</td>')
})

test('a run interrupted before its first iteration says so', async () => {
  const page = await renderReport(summary(4, 0, { kernel: null, evaluation: null, outcome: 'Interrupted.' }))
  expect(page).toContain('No iteration was completed')
  expect(page).toContain('Interrupted.')
  expect(headings(page)).toEqual(['Return', 'Configuration'])
  expect(svgs(page)).toHaveLength(0)
})

test('a single particle has one bold line, no legend and no kernel', async () => {
  const run = summary(1, 5, { kernel: null, evaluation: null })
  for (const m of run.metrics) Object.assign(m, { bandwidth: null, kernelOffDiagonal: null })
  const page = await renderReport(run)
  expect(page).not.toContain('Kernel')
  expect(page).not.toMatch(/Median particle|<ul>/)
  expect(page).toContain('<dt>Return</dt>')
  for (const svg of svgs(page)) expect(svg.match(/stroke="#0072b2" stroke-width="2"/g)).toHaveLength(1)
})

test('a single iteration is drawn as points', async () => {
  const [svg] = svgs(await renderReport(summary(3, 1)))
  expect(svg.match(/<path d="M1 0A1 1/g)?.length).toBeGreaterThanOrEqual(3)
})

test('without a kernel the report says that the particles do not interact', async () => {
  const run = summary(3, 3, { kernel: null })
  for (const m of run.metrics) {
    m.bandwidth = null
    m.kernelOffDiagonal = null
    m.repulsion = 0
  }
  const page = await renderReport(run)
  expect(page).toContain('These particles do not interact')
  expect(page).not.toContain('Drive and repulsion')
})

test('vanishing and exploding norms keep their axes readable', async () => {
  const run = summary(3, 30)
  run.metrics.forEach((m, t) => {
    m.drive = 10 ** (t - 15)
    m.repulsion = 0
    m.thetaNorm = [1e9, 2e9, Number.NaN]
  })
  const page = await renderReport(run)
  expect(page).not.toMatch(/NaN|Infinity|000,000/)
  expect(page).toContain('>1e-10</text>')
})

test('when no episode ever ended the report says so and still shows the policy', async () => {
  const run = summary(3, 3, { evaluation: null })
  for (const m of run.metrics) m.returns = [null, null, null]
  const page = await renderReport(run)
  expect(page).toContain('No episode ended during training')
  expect(page).toContain('<dt>Best particle</dt><dd><b>\u2013</b></dd>')
  expect(headings(page)).toContain('Policy')
})

test('64 particles over 2000 iterations stay under 2 MB and say what was left out', async () => {
  const page = await renderReport(summary(64, 2000))
  expect(new TextEncoder().encode(page).length).toBeLessThan(2_000_000)
  expect(page).toContain('One iteration in 10 is drawn.')
  expect(thinLines(svgs(page)[0])).toHaveLength(64)
})

test('numbers that an algorithm adds are drawn, with their titles; what does not change is not', async () => {
  const base = summary(1, 5, { kernel: null })
  const alone = { drive: null, repulsion: null, sharing: null, kernelOffDiagonal: null, bandwidth: null, entropy: [] }
  const metrics = base.metrics.map((m, t) => ({ ...m, ...alone, qLoss: 10 ** (4 - t), massSpread: 0.1 * t }))
  const page = await renderReport({ ...base, metrics })
  expect(headings(page)).toEqual(['Return', 'Evaluation', 'Policy', 'Learning', 'Configuration'])
  expect(page).toContain('Loss of Q')
  expect(page).toContain('massSpread')
  expect(page).not.toContain('Temperature')
  // Without a density there is no entropy.
  expect(page).not.toContain('Entropy of the policies')
  const drawn = svgs(page).filter((svg) => /Loss of Q|massSpread/.test(svg))
  expect(drawn).toHaveLength(2)
  for (const svg of drawn) expect(svg).not.toContain('NaN')
})

test('the directions of particles that are not the policies are drawn', async () => {
  const page = await renderReport(summary(1, 4, { kernel: null }))
  expect(page).toContain('Drive and repulsion')
  expect(page).toContain('Mean kernel')
  expect(page).not.toContain('Kernel matrix')
})

test('settings that do not concern a run are left out, and a kernel that does nothing is said to', async () => {
  const run = summary(3, 5)
  const config = {
    ...{ algorithm: 'svpg', env: 'CartPole-v1', estimator: 'reinforce', baseline: 'linear', selfImitation: 'none' },
    ...{ interaction: 'stein', kernel: 'rbf', particles: 3, clip: 0.25, criticHidden: [77], imitationSteps: 41 },
  }
  const idle = run.metrics.map((m) => ({ ...m, kernelOffDiagonal: 0.003 }))
  const page = await renderReport({ ...run, config, metrics: idle })
  expect(page).toContain('The kernel does nothing here at the end')
  for (const name of ['clip', 'criticHidden', 'imitationSteps']) expect(page).not.toContain(`>${name}<`)
  for (const name of ['interaction', 'kernel', 'estimator']) expect(page).toContain(`>${name}<`)
  const coupled = run.metrics.map((m) => ({ ...m, kernelOffDiagonal: 0.4 }))
  const other = await renderReport({ ...run, metrics: coupled, config: { ...config, estimator: 'ppo' } })
  expect(other).not.toContain('The kernel does nothing')
  expect(other).toContain('>clip<')

  const population = { particles: 1, interaction: 'independent', prior: 'flat', temperatureSchedule: 'constant' }
  const alone = await renderReport({ ...summary(1, 5), config: { ...config, ...population, nSteps: null } })
  for (const name of [...Object.keys(population), 'nSteps', 'kernel']) expect(alone).not.toContain(`>${name}<`)
  for (const name of ['estimator', 'baseline']) expect(alone).toContain(`>${name}<`)
  expect(await renderReport({ ...summary(1, 5), config: { ...config, ...population, prior: 1 } })).toContain('>prior<')
})

test('evaluations of the training are drawn against environment steps, and an episode that moves is shown', async () => {
  const evaluations = [1, 2, 3].map((k) => ({
    ...{ iteration: 2 * k, transitions: 8000 * k, episodes: 20 },
    ...{ greedy: [10 * k, 20 * k, 30 * k, 40 * k], sampled: [1, 2, 3, 4] },
  }))
  const scenes = [0, 1, 2].map((k): Scene => ({ view: [0, 0, 4, 1], shapes: [circle('#2f6f9f', [k, 0.5], 0.3)] }))
  const page = await renderReport(summary(4, 6, { evaluations, acting: { particle: 3, return: -2, scenes } }))
  expect(headings(page)).toEqual(['Return', 'Evaluation', 'Kernel', 'Policy', 'Configuration'])
  expect(page).toContain('Mean return in 3 evaluations while it was trained; the highest is 120.')
  expect(page).toContain('Particle 3 in one episode, acting greedily: return -2 in 2 steps.')
  expect(page.match(/<animate [^>]*attributeName="cx"/g)).toHaveLength(1)
  expect(page).not.toMatch(/<script|NaN|undefined|Infinity/)
  const without = await renderReport(summary(4, 6, { evaluations: evaluations.slice(0, 1) }))
  expect(without).not.toContain('while it was trained')
  await expect(renderReport(summary(4, 6, { acting: { particle: 0 } as never }))).rejects.toThrow(/acting/)
})

test('the axis of a number that is never below 0 does not go there', () => {
  const axis = (values: number[]) => quantityChart('x', [1, 2, 3], values).yAxis as { min?: number }
  expect(axis([0, 0.001, 0.02]).min).toBe(0)
  expect(axis([0.9, 0.95, 1]).min).toBeUndefined()
  expect(axis([-0.1, 0.2, 0.3]).min).toBeUndefined()
})

test('a metric may have any name', async () => {
  const run = summary(3, 3)
  for (const [t, m] of run.metrics.entries()) Object.assign(m, { constructor: t, toString: t ** 2 })
  const page = await renderReport(run)
  for (const name of ['constructor', 'toString']) expect(page).toContain(`${name} over iterations.`)
})
