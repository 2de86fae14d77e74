import { expect, test } from '@jest/globals'
import type { Diagnosis } from '../../src/bayes/diagnose.ts'
import type { Draws } from '../../src/bayes/draws.ts'
import { parameters } from '../../src/bayes/parameters.ts'
import { densityOf, type PosteriorReport, renderPosterior } from '../../src/bayes/report.ts'
import { positive } from '../../src/bayes/supports.ts'
import { generator, normal } from '../../src/core/generator.ts'

const random = generator(1)
const numbers = (n: number) => Float32Array.from({ length: n }, () => normal(random))
const mu = numbers(50)
const draws: Draws = {
  mu: { shape: [], data: mu },
  '<b>': { shape: [], data: mu.map((value) => 2 * value) },
  theta: { shape: [2], data: numbers(100) },
}

const diagnosis: Diagnosis = {
  verdict: 'not converged',
  sentence: 'Not converged: the mean of <b> goes on by 0.50 standard deviations in further steps.',
  movement: { sd: 0.5, name: '<b>' },
  spread: { least: 0.9, leastName: 'mu', most: 1.1, mostName: 'theta[1]' },
  identities: { shift: 0.2, least: 0.7, most: 1.3 },
  discrepancy: 1.7,
  p: 0.04,
  curvature: { least: 0.5, most: 2 },
  restarts: { rHat: 1.234, sd: 0.4, name: 'theta[0]', ratio: 1.5, ratioName: 'mu' },
  walk: { sd: 0.123, name: 'theta[1]', ratio: 1.4, ratioName: 'mu', acceptance: 0.9, stuck: 0 },
  edge: 3,
}

const report: PosteriorReport = {
  ...{ title: 'Two <schools>', draws, diagnosis, reason: 'All 20 steps were taken.', evaluations: 12345, seconds: 1.5 },
  steps: Array.from({ length: 20 }, (_, k) => ({
    iteration: k + 1,
    movement: 1 / (k + 1),
    discrepancy: k % 10 === 0 ? 1 / (k + 1) : null,
  })),
}

test('a page shows the verdict, the summary, pairs, marginals and the way there, and asks for nothing', async () => {
  const html = await renderPosterior({ ...report, reference: { mu: numbers(80) } })
  expect(html).toContain('<p class="verdict warning">Not converged: the mean of &#60;b&#62; goes on by 0.50')
  for (const label of ['mu', '&#60;b&#62;', 'theta[0]', 'theta[1]'])
    expect(html).toContain(`<th scope="row">${label}</th>`)
  expect(html).toContain('12,345')
  expect(html).toContain('All 20 steps were taken.')
  // Four densities and six pairs; the correlation of two proportional columns; four marginals with one reference.
  expect(html.match(/aria-label="[^"]+ against /g)).toHaveLength(6)
  expect(html).toContain('<td class="correlation">1.00</td>')
  expect(html.match(/aria-label="Density of /g)).toHaveLength(4 + 4)
  expect(html).toContain('The grey line is the reference.')
  expect(html).toContain('R̂ 1.234')
  expect(html).toContain('0.123 sd (theta[1]), sds by 1.40 (mu)')
  expect(html).not.toContain('<schools>')
  expect(html).not.toMatch(/<script|<link|src="http|url\(http/)
  expect(html).not.toMatch(/NaN|undefined|Infinity/)
})

test('a page of a fine fit without restarts or reference has neither', async () => {
  const fine: Diagnosis = { ...diagnosis, verdict: 'fine', sentence: 'Fine: it is.', restarts: null, walk: null }
  const html = await renderPosterior({ ...report, diagnosis: fine })
  expect(html).toContain('<p class="verdict fine">Fine: it is.</p>')
  expect(html).not.toContain('grey line')
  expect(html).not.toContain('between seeds')
  expect(html).not.toContain('walk')
})

test('a quantity that never varies, and a run of no steps, do not spoil the page', async () => {
  const html = await renderPosterior({
    ...report,
    draws: { ...draws, c: { shape: [], data: mu.map(() => 3) } },
    steps: [],
  })
  expect(html).toContain('<th scope="row">c</th><td>3.000</td><td>0</td>')
  expect(html).not.toMatch(/NaN|undefined|Infinity/)
})

test('a smoothed density adds up to 1 and is highest in the middle', () => {
  const curve = densityOf(
    Float32Array.from({ length: 200 }, (_, k) => (k < 100 ? -(k / 100) : (k - 100) / 100)),
    400,
  )
  const width = curve[1][0] - curve[0][0]
  expect(curve.reduce((sum, [, y]) => sum + y * width, 0)).toBeCloseTo(1, 3)
  const [top] = curve.reduce((a, b) => (b[1] > a[1] ? b : a))
  expect(Math.abs(top)).toBeLessThan(0.5)
})

test('a density ends at the edges of its support, still adds up to 1, and is highest at an edge where it is', () => {
  const exponential = Float64Array.from({ length: 500 }, (_, i) => -Math.log((i + 0.5) / 500))
  const sides: readonly [Float64Array, [number, number]][] = [
    [exponential, [0, Number.POSITIVE_INFINITY]],
    [exponential.map((x) => 1 - x), [Number.NEGATIVE_INFINITY, 1]],
    [Float64Array.from({ length: 500 }, (_, i) => (i + 0.5) / 500), [0, 1]],
  ]
  for (const [values, edges] of sides) {
    const curve = densityOf(values, 801, edges)
    expect(curve.every(([x]) => x >= edges[0] && x <= edges[1])).toBe(true)
    const width = curve[1][0] - curve[0][0]
    const area = curve.reduce((sum, [, y], k) => sum + (k === 0 || k === 800 ? y / 2 : y) * width, 0)
    expect(area).toBeCloseTo(1, 2)
    const atEdge = Number.isFinite(edges[0]) ? curve[0][1] : curve[800][1]
    expect(atEdge).toBeGreaterThan(0.75)
  }
})

test('a page of a model draws the density of a positive parameter above 0 alone', async () => {
  const tau = { shape: [], data: Float32Array.from({ length: 50 }, (_, i) => (i + 1) / 500) }
  const page = (model?: PosteriorReport['model']) => renderPosterior({ ...report, draws: { tau }, model })
  const labels = (html: string) => html.includes('>-0.')
  expect(labels(await page())).toBe(true)
  expect(labels(await page({ parameters: parameters({ tau: positive() }) }))).toBe(false)
})
