import { expect, test } from '@jest/globals'
import { niceRange } from '../../src/experiments/charts.ts'
import { compareVariants } from '../../src/experiments/comparison.ts'
import { type ReportExtras, renderExperiment } from '../../src/experiments/report.ts'
import { type ExperimentSummary, encodeSummary, type RunRecord, summarise } from '../../src/experiments/summary.ts'
import type { IterationMetrics } from '../../src/report/metrics.ts'

const LABELS = ['stein', 'independent', 'joint']

function metricsOf(variant: number, seed: number, t: number): IterationMetrics & { surprise: number } {
  const isJoint = variant === 2
  const particles = isJoint ? [0] : [0, 1, 2]
  return {
    ...{ iteration: t + 1, seconds: t + 1, transitions: 300 * (t + 1) },
    returns: particles.map((i) => (variant + 1) * 10 + t * (3 + seed) + i),
    episodes: particles.map(() => 2),
    entropy: particles.map(() => 1 / (t + 1)),
    thetaNorm: particles.map((i) => 5 + i),
    drive: variant === 0 ? 1 / (t + 1) : null,
    repulsion: variant === 0 ? 0.5 : null,
    sharing: variant === 0 ? 0 : null,
    bandwidth: variant === 0 ? 3 : null,
    kernelOffDiagonal: variant === 0 ? 0.1 : null,
    temperature: 10,
    surprise: seed + t,
  }
}

function summaryOf(seeds: number, changes: Partial<ExperimentSummary> = {}, iterations = 20): ExperimentSummary {
  const variants = LABELS.map((label, v) => {
    const records = Array.from({ length: seeds }, (_, seed): RunRecord => {
      const metrics = Array.from({ length: iterations }, (_, t) => metricsOf(v, seed, t))
      const evaluation = { episodes: 100, greedy: [90, 80, 70], sampled: [60, 50, 40] }
      return { seed, finished: { config: {}, metrics, evaluation } }
    })
    return summarise({ label, note: `Note of ${label}.`, settings: { particles: 3, interaction: label } }, records)
  })
  return {
    ...{ name: 'demo', shows: 'What is to be seen.', env: 'CartPole-v1', iterations, evaluationEpisodes: 100 },
    seeds: Array.from({ length: seeds }, (_, seed) => seed),
    variants,
    comparisons: compareVariants(variants),
    published: [
      { source: 'Somebody 1999, table 1', short: 'paper', best: { stein: 426.69 }, iterationsTo95: { stein: 238 } },
    ],
    ...changes,
  }
}

const visits: ReportExtras['visits'] = ['stein', 'joint'].map((variant, v) => ({
  ...{ variant, seed: 1 },
  policies: [0, 1].slice(v).map((particle) => ({
    ...{ particle, greedy: 90 },
    rows: Array.from({ length: 30 }, (_, k) => [k, (7 * k) % 5, v + (k % 3)]),
  })),
}))

const extras: ReportExtras = { seconds: 60, transitions: 9000, figure: 'curves', goals: [], visits }

const svgs = (page: string): string[] => page.match(/<svg [^>]*role="img"[\s\S]*?<\/svg>/g) ?? []
const labelled = (page: string, label: string) => svgs(page).filter((svg) => svg.includes(`aria-label="${label}`))
const headings = (page: string) => [...page.matchAll(/<h2>(.*?)<\/h2>/g)].map((match) => match[1])
const paths = (svg: string, attributes: string) => svg.match(new RegExp(`<path [^>]*${attributes}`, 'g')) ?? []

test('coverage has bars, columns and charts where the task has a grid, and nothing where it has none', async () => {
  const summary = summaryOf(2)
  expect(await renderExperiment(summary, extras)).not.toContain('overage')
  const covered = summary.variants.map(({ estimates, curves, ...variant }, v) => ({
    ...variant,
    estimates: { ...estimates, coverage: { ...estimates.best, mean: 350 - v }, finalCoverage: estimates.best },
    curves: { ...curves, coverageNow: curves.median },
  }))
  const page = await renderExperiment({ ...summary, variants: covered }, extras)
  expect(labelled(page, 'Coverage: stein 350, independent 349, joint 348')).toHaveLength(1)
  expect(labelled(page, 'Coverage at the end: ')).toHaveLength(1)
  expect(labelled(page, 'Coverage in an iteration over iterations')).toHaveLength(1)
  expect(page).toContain('<th scope="col">Final coverage</th>')
})

test('the same experiment gives the same bytes, and the page stands alone but for its runs', async () => {
  const page = await renderExperiment(summaryOf(3), extras)
  expect(await renderExperiment(summaryOf(3), extras)).toBe(page)
  const bare = page.replaceAll('xmlns="http://www.w3.org/2000/svg"', '')
  expect(bare).not.toMatch(/https?:|<script|<link|@import|\bsrc=|xlink|NaN|undefined|Infinity/)
  const links = [...page.matchAll(/href="([^"]+)"/g)].map((match) => match[1])
  expect(links).toEqual(LABELS.flatMap((label) => [0, 1, 2].map((seed) => `${label}/seed-${seed}/report.html`)))
  const ids = [...page.matchAll(/ id="([^"]+)"/g)].map((match) => match[1])
  expect(new Set(ids).size).toBe(ids.length)
})

test('what it begins with is the figure of the preset', async () => {
  const rest = ['Statistics', 'Comparison', 'What moves the policies', 'Where the best policies go', 'Runs', 'Settings']
  const curves = await renderExperiment(summaryOf(2), extras)
  expect(headings(curves)).toEqual(['Learning curves', 'What is reached', ...rest])
  const bars = await renderExperiment(summaryOf(2), { ...extras, figure: 'bars' })
  expect(headings(bars)).toEqual(['What is reached', 'Learning curves', ...rest])
})

test('an experiment of an older version, without comparisons, has the other sections', async () => {
  const { comparisons, ...older } = summaryOf(2)
  expect(comparisons).not.toEqual([])
  const sections = headings(await renderExperiment(older, extras))
  expect(sections).not.toContain('Comparison')
  expect(sections).toContain('Statistics')
})

test('learning curves: a bold line a variant, a thin one a seed, a band where there are several seeds', async () => {
  const [svg] = labelled(await renderExperiment(summaryOf(3), extras), 'Best policy over')
  for (const color of ['#0072b2', '#d55e00', '#009e73']) {
    expect(paths(svg, `stroke="${color}"[^>]*stroke-width="2.6"`)).toHaveLength(1)
    expect(paths(svg, `stroke="${color}"[^>]*stroke-width="0.9"`)).toHaveLength(3)
    expect(paths(svg, `fill="${color}"[^>]*fill-opacity="0.13"`)).toHaveLength(1)
  }
  const page = await renderExperiment(summaryOf(1), extras)
  const [alone] = labelled(page, 'Best policy over')
  expect(paths(alone, 'stroke-width="0.9"')).toHaveLength(0)
  expect(paths(alone, 'fill-opacity="0.13"')).toHaveLength(0)
  expect(page).toContain('There is one seed, so nothing is known of the spread')
})

test('three seeds are said to be few', async () => {
  expect(await renderExperiment(summaryOf(3), extras)).toContain('over 3 seeds by Student&#39;s t, wide because so few')
  expect(await renderExperiment(summaryOf(6), extras)).not.toContain('wide because')
})

test('bars are named in full and stand beside each seed and published numbers', async () => {
  const [svg] = labelled(await renderExperiment(summaryOf(3), extras), 'Best policy: stein')
  for (const label of LABELS) expect(svg).toContain(`>${label}</text>`)
  expect(paths(svg, 'fill="#fff"[^>]*stroke="#3d444d"')).toHaveLength(9)
  // The whiskers are lines with an end mark each.
  expect(paths(svg, 'fill="none" stroke="#3d444d" stroke-width="1.6"')).toHaveLength(3)
  expect(labelled(await renderExperiment(summaryOf(3, { published: [] }), extras), 'Best policy: stein')[0]).not.toBe(
    svg,
  )
})

test('the table tells means, intervals and published numbers', async () => {
  const page = await renderExperiment(summaryOf(2), extras)
  // Best of stein: mean over the last ten of 10 + 3t + 2 and of 10 + 4t + 2, t = 10 … 19: 55.5 and 70.
  expect(page).toContain('62.8 <i>± 92.1</i><small>paper 426.7</small>')
  expect(page).toContain('<small>paper 238</small>')
  expect(page).toContain('Somebody 1999, table 1')
})

test('variants are compared by interquartile means, profiles and probabilities, where there are several seeds', async () => {
  const page = await renderExperiment(summaryOf(3), extras)
  // Best of stein: 55.5, 70 and 84.5; of joint, seed by seed, 18 more and one particle instead of the best of three.
  expect(page).toContain('</svg>stein</th><td>70.0 <i>55.5 to 84.5</i></td>')
  const [profile] = labelled(page, 'Best policy, share of runs above a threshold: stein, independent, joint.')
  for (const color of ['#0072b2', '#d55e00', '#009e73']) {
    expect(paths(profile, `stroke="${color}"[^>]*stroke-width="2.4"`)).toHaveLength(1)
    expect(paths(profile, `fill="${color}"[^>]*fill-opacity="0.13"`)).toHaveLength(1)
  }
  const [improvement] = labelled(page, 'Best policy, probability that stein is better: 0.333 over independent, 0')
  expect(improvement).toContain('>over joint</text>')
  expect(page).toContain('hold what they estimate in 74 %')
  expect(await renderExperiment(summaryOf(10), extras)).not.toContain('in 74 %')
  expect(headings(await renderExperiment(summaryOf(1), extras))).not.toContain('Comparison')
})

test('numbers that an algorithm adds to its metrics have a figure of their own; a constant temperature has none', async () => {
  const page = await renderExperiment(summaryOf(2), extras)
  expect(labelled(page, 'surprise over iterations: stein, independent, joint.')).toHaveLength(1)
  expect(labelled(page, 'Drive over iterations: stein.')).toHaveLength(1)
  expect(labelled(page, 'Temperature')).toHaveLength(0)
  const annealed = summaryOf(1)
  annealed.variants[0].curves.temperature.mean[3] = 5
  expect(labelled(await renderExperiment(annealed, extras), 'Temperature over')).toHaveLength(1)
})

test('a map for each policy, all on the same axes', async () => {
  const page = await renderExperiment(summaryOf(2), extras)
  expect(labelled(page, 'Visited states of stein, seed 1, policy')).toHaveLength(2)
  expect(labelled(page, 'Visited states of joint, seed 1, policy 1: 90.')).toHaveLength(1)
  expect(page).toContain('% of the variance')
  expect(headings(await renderExperiment(summaryOf(2), { ...extras, visits: [] }))).not.toContain(
    'Where the best policies go',
  )
})

test('failed and unfinished runs are told, and left out of the means', async () => {
  const failed = summarise({ label: 'stein', note: 'A.', settings: {} }, [
    { seed: 0, finished: null, failure: 'Iteration 3: <b>bad</b>.' },
    { seed: 1, finished: null },
  ])
  const { variants } = summaryOf(2)
  const page = await renderExperiment(summaryOf(2, { variants: [failed, variants[1]] }), extras)
  expect(page).toContain('failed: Iteration 3: &#60;b&#62;bad&#60;/b&#62;.')
  expect(page).toContain('<small>of 4; 1 failed</small>')
  const none = await renderExperiment(summaryOf(2, { variants: [failed] }), { ...extras, visits: [] })
  expect(headings(none)).toEqual(['Results', 'Runs', 'Settings'])
})

test('a setting that differs is told for each variant, the others once', async () => {
  const page = await renderExperiment(summaryOf(1), extras)
  expect(page).toContain('<th scope="row">particles</th><td>3</td>')
  expect(page).toContain('stein: stein · independent: independent · joint: joint')
})

test.each([
  [[0, 1], { min: 0, max: 1, interval: 0.5 }],
  [[3, 97], { min: 0, max: 100, interval: 50 }],
  [[-1145, -240], { min: -1500, max: 0, interval: 500 }],
  [[5, 5], { min: 4, max: 6, interval: 2 }],
  [[], {}],
])('the range of %j is round and holds it', (values, range) => {
  const { min = Number.NaN, max = Number.NaN } = niceRange(values)
  expect(niceRange(values)).toEqual(range)
  for (const x of values) expect(min <= x && x <= max).toBe(true)
})

test('the text of a summary has every list of numbers on one line, rounded, and reads back', () => {
  const text = encodeSummary(summaryOf(2))
  expect(text).not.toMatch(/^\s+(?:-?\d[\d.e-]*|null),?$/m)
  const { variants, seeds } = JSON.parse(text) as ExperimentSummary
  expect(seeds).toEqual([0, 1])
  expect(variants[0].runs[0].curves?.median).toEqual(Array.from({ length: 20 }, (_, t) => 11 + 3 * t))
  expect(variants[0].curves.entropy.mean[2]).toBe(0.333333)
})
