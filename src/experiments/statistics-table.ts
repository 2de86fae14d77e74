import type { Estimate, Value } from '../core/statistics.ts'
import { escapeHtml } from '../report/charts.ts'
import { colorOf } from '../report/colours.ts'
import { QUANTITIES } from '../report/metric-titles.ts'
import { number, table } from '../report/page.ts'
import type { ExperimentSummary, VariantSummary } from './summary.ts'

/** Columns of the statistics: a title and the names of one measure, or of the two ends of a range. */
const COLUMNS = [
  ['Best', 'best'],
  ['Iterations to 95 %', 'iterationsTo95'],
  [QUANTITIES.coverage[0], 'coverage'],
  ['Final coverage', 'finalCoverage'],
  ['Final median', 'finalMedian'],
  ['Final mean', 'finalMean'],
  ['Final worst', 'finalWorst'],
  ['Final quartiles', 'finalLowerQuartile', 'finalUpperQuartile'],
  ['Greedy best', 'greedyBest'],
  ['Greedy median', 'greedyMedian'],
] as const

export const hasCoverage = ({ variants }: ExperimentSummary) =>
  variants.some(({ estimates }) => 'coverage' in estimates)

/** Those of coverage only where it is known. */
const columnsOf = (summary: ExperimentSummary) =>
  COLUMNS.filter(([, name]) => hasCoverage(summary) || (name !== 'coverage' && name !== 'finalCoverage'))

/** What the seeds say of each variant, with published numbers beside ours. */
export function statisticsTable(summary: ExperimentSummary): string {
  const columns = columnsOf(summary)
  const rows = summary.variants.map((variant, v) => {
    const cells = columns.map(([, ...names]) => cellOf(summary, variant, names))
    return [`${swatch(v)}${escapeHtml(variant.label)}`, ...cells]
  })
  const sources = summary.published.map(
    ({ short, source }) => `<p class="note">${escapeHtml(short)}: ${escapeHtml(source)}.</p>`,
  )
  const notes = [
    '<p class="note">Best: maximum over the run of the ten-iteration mean of the best policy’s return in training. Iterations to 95 %: the first whose mean is within 5 % of it. Final: mean over the last ten iterations of training.',
    hasCoverage(summary) ? 'Coverage: cells that the population visited over the run; final, in an iteration.' : '',
    `Greedy: mean return over ${summary.evaluationEpisodes} episodes after training. ± is half the interval. ${seedsNote(summary)}</p>`,
  ]
  return [table(['', ...columns.map(([title]) => title)], rows), notes.join(' '), ...sources].join('\n')
}

function cellOf(
  { published }: ExperimentSummary,
  { label, estimates }: VariantSummary,
  names: readonly string[],
): string {
  const means = names.map((name) => estimates[name]?.mean ?? null)
  const ours = names.length === 1 ? estimated(estimates[names[0]]) : means.map(number).join(' to ')
  const others = published.flatMap(({ short, best, iterationsTo95 }) => {
    const values = names[0] === 'best' ? best : names[0] === 'iterationsTo95' ? (iterationsTo95 ?? {}) : {}
    return label in values ? [`<small>${escapeHtml(short)} ${number(values[label])}</small>`] : []
  })
  return `${ours}${others.join('')}`
}

export function estimated({ mean, halfWidth }: Estimate = { mean: null, halfWidth: null, seeds: 0 }): string {
  return halfWidth === null ? fixed(mean) : `${fixed(mean)} <i>± ${fixed(halfWidth, mean)}</i>`
}

/** With as many decimals as suit a number of the size of `like`, so that columns line up. */
export function fixed(x: Value, like = x): string {
  if (x === null) return number(x)
  const digits = Math.abs(like ?? 0) >= 10 ? 1 : 3
  return x.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

/** The colour of a variant in front of its name. */
export const swatch = (v: number) =>
  `<svg class="swatch" viewBox="0 0 12 12" aria-hidden="true"><path d="M0 0h12v12H0z" fill="${colorOf(v)}"/></svg>`

/** How many seeds the means are over, and what their intervals are. */
export function seedsNote({ seeds }: ExperimentSummary): string {
  if (seeds.length < 2) return 'There is one seed, so nothing is known of the spread between seeds.'
  const few = seeds.length < 5 ? ', wide because so few seeds say little' : ''
  return `Intervals are 95 % confidence intervals of the mean over ${seeds.length} seeds by Student's t${few}.`
}
