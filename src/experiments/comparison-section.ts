import type { Value } from '../core/statistics.ts'
import { type Draw, escapeHtml } from '../report/charts.ts'
import { colorOf } from '../report/colours.ts'
import { QUANTITIES } from '../report/metric-titles.ts'
import { figure, HALF, number, section, table } from '../report/page.ts'
import type { Comparison, MeasureEstimate } from './comparison.ts'
import { improvementChart, profileChart } from './comparison-charts.ts'
import { fixed, swatch } from './statistics-table.ts'
import type { ExperimentSummary } from './summary.ts'

/** What the measures that variants are compared by are called. */
const TITLES: Readonly<Record<string, string>> = {
  best: 'Best policy',
  finalMedian: 'Median policy at the end',
  coverage: QUANTITIES.coverage[0],
  gridMean: 'Mean over the grid',
}
/** Runs of each variant from which on the intervals of a bootstrap are close to what they say. */
const ENOUGH = 10

/** Interquartile means, probabilities of improvement and performance profiles; nothing where there is one seed. */
export function comparisonSection(summary: ExperimentSummary, draw: Draw): string {
  const { comparisons = [] } = summary
  if (comparisons.length === 0) return ''
  const pair = (drawn: typeof profileFigure) =>
    `<div class="pair">${comparisons.map((comparison) => drawn(summary, comparison, draw)).join('')}</div>`
  return section(
    'Comparison',
    [meansTable(summary, comparisons), pair(profileFigure), pair(improvementFigure)].join('\n'),
  )
}

/** The colour that a variant has everywhere. */
const colorIn = ({ variants }: ExperimentSummary, variant: string) =>
  colorOf(variants.findIndex(({ label }) => label === variant))

function meansTable({ variants }: ExperimentSummary, comparisons: readonly Comparison[]): string {
  const names = comparisons.map(({ measure }) => measure)
  const rows = variants.map(({ label, estimates }, v) => [
    `${swatch(v)}${escapeHtml(label)}`,
    ...names.map((name) => meanCell(estimates[name])),
  ])
  const fewest = Math.min(...variants.map(({ runs }) => runs.filter(({ measures }) => measures).length))
  const few =
    fewest < ENOUGH
      ? ` With so few seeds these intervals are too narrow: of normal scores those of 3 seeds hold what they estimate in 74 % of cases and those of 5 in 89 %.`
      : ''
  const note = `Interquartile mean over the seeds, the mean of the middle half of them, and its 95 % interval by the percentile bootstrap (Agarwal et al. 2021).${few}`
  return `<p class="note">${note}</p>\n${table(['', ...names.map((name) => TITLES[name])], rows)}`
}

function meanCell(estimate: MeasureEstimate | undefined): string {
  const mean: Value = estimate?.interquartileMean ?? null
  const interval = estimate?.interval
  return interval ? `${fixed(mean)} <i>${interval.map((x) => fixed(x, mean)).join(' to ')}</i>` : fixed(mean)
}

function profileFigure(summary: ExperimentSummary, { measure, thresholds, profiles }: Comparison, draw: Draw): string {
  const title = TITLES[measure]
  const colors = profiles.map(({ variant }) => colorIn(summary, variant))
  return figure(draw, {
    ...{ id: `profile-${measure}`, title: `${title}: performance profile`, size: HALF },
    caption:
      'Share of the runs that reach more than what the axis says. A curve that is nowhere below another is better.',
    label: `${title}, share of runs above a threshold: ${profiles.map(({ variant }) => variant).join(', ')}.`,
    option: profileChart(profiles, thresholds, colors, 'reached'),
  })
}

function improvementFigure(summary: ExperimentSummary, { measure, improvements }: Comparison, draw: Draw): string {
  const title = TITLES[measure]
  const [{ variant: first }] = improvements
  const colors = improvements.map(({ over }) => colorIn(summary, over))
  const told = improvements.map(({ over, probability }) => `${number(probability)} over ${over}`).join(', ')
  return figure(draw, {
    ...{ id: `improvement-${measure}`, title: `${title}: probability that ${first} is better` },
    size: { width: HALF.width, height: 64 + 40 * improvements.length },
    caption: `That a run of ${first} comes to more than one of the other. An interval across one half leaves open which is better.`,
    label: `${title}, probability that ${first} is better: ${told}.`,
    option: improvementChart(improvements, colors),
  })
}
