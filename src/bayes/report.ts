import type { EChartsOption } from 'echarts'
import { mean as meanOf } from '../core/rows.ts'
import { type Draw, escapeHtml, GRID, loadCharts } from '../report/charts.ts'
import { BLUE, FAINT, RULE, TEXT } from '../report/colours.ts'
import { columnHead, figure, type KeyFigure, keyFigureList, page, scrolled, section, WIDE_LOW } from '../report/page.ts'
import type { Diagnosis } from './diagnose.ts'
import { columnsOf, type Draws } from './draws.ts'
import type { FitStep } from './fit.ts'
import type { Supports } from './parameters.ts'
import { type SummaryRow, sdOf, summary } from './summary.ts'
import type { Support } from './supports.ts'

/** What a report of a posterior shows. */
export interface PosteriorReport {
  /** Above everything. */
  readonly title: string
  readonly draws: Draws
  /** Its supports say where densities end; without, they reach beyond the draws. */
  readonly model?: { readonly parameters: { readonly supports: Supports } }
  readonly diagnosis: Diagnosis
  readonly steps: readonly FitStep[]
  /** Why the fit ended. */
  readonly reason: string
  readonly evaluations: number
  readonly seconds: number
  /** Draws of another method by label, as `mu`, `theta[0]`, to be drawn beside. */
  readonly reference?: Readonly<Record<string, ArrayLike<number>>>
}

/** Numbers that the pair plot shows: more would be too small to see. */
const PAIRS = 5
/** Marginals below it. */
const MARGINALS = 24

/**
 * One self-contained HTML page of a posterior: the diagnosis in a sentence, a summary table, pairs, marginals and the
 * discrepancy over iterations. It asks for nothing and runs no script.
 */
export async function renderPosterior(report: PosteriorReport): Promise<string> {
  const draw = await loadCharts()
  const columns = bounded(report)
  const rows = summary(report)
  const body = [
    heading(report, rows.length),
    section('Summary', summaryTable(rows)),
    section('Pairs', pairs(columns.slice(0, PAIRS), draw)),
    section('Marginals', marginals(columns.slice(0, MARGINALS), report.reference ?? {}, draw)),
    section('The way there', progressFigure(report, draw)),
    section('Diagnosis', diagnosisTable(report.diagnosis)),
  ]
  return page(report.title, `<style>${CSS}</style>\n${body.join('\n')}`)
}

function heading({ title, diagnosis, draws, evaluations, seconds, reason }: PosteriorReport, numbers: number): string {
  const first = Object.values(draws)[0]
  const n = first.data.length / first.shape.reduce((product, length) => product * length, 1)
  const figures: KeyFigure[] = [
    ['Verdict', diagnosis.verdict, ''],
    ['Particles', String(n), `${numbers} numbers each`],
    ['Gradients', evaluations.toLocaleString('en-US'), `${seconds.toFixed(2)} s`],
    ['Discrepancy', diagnosis.discrepancy.toFixed(2), 'of that of as many independent draws'],
  ]
  const tone = diagnosis.verdict === 'fine' ? 'fine' : 'warning'
  return `<h1>${escapeHtml(title)}</h1>
<p class="verdict ${tone}">${escapeHtml(diagnosis.sentence)}</p>
${keyFigureList(figures)}
<p class="reason">${escapeHtml(reason)}</p>`
}

/** Five digits that matter, without an exponent where it reads better. */
const digits = (x: number) =>
  x === 0 ? '0' : Math.abs(x) >= 1e5 || Math.abs(x) < 1e-3 ? x.toExponential(3) : x.toPrecision(4)

function summaryTable(rows: readonly SummaryRow[]): string {
  const heads = ['', 'mean', 'sd', '5 %', 'median', '95 %', '90 % HPDI']
  const lines = rows.map(({ name, mean, sd, q5, median, q95, hpdi }) => {
    const cells = [...[mean, sd, q5, median, q95].map(digits), `${digits(hpdi[0])} … ${digits(hpdi[1])}`]
    return `<tr><th scope="row">${escapeHtml(name)}</th>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`
  })
  const head = `<thead><tr>${heads.map(columnHead).join('')}</tr></thead>`
  const rest = `<tbody>${lines.join('\n')}</tbody>`
  return scrolled('wide-table', 'Summary', `<table class="numbers">${head}${rest}</table>`)
}

type Edges = NonNullable<Support['edges']>
type Column = ReturnType<typeof columnsOf>[number] & { readonly edges: Edges }

/** Without edges. */
const ANYWHERE: Edges = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]

/** The numbers of the draws with the edges of their supports. */
function bounded({ draws, model }: PosteriorReport): Column[] {
  return Object.entries(draws).flatMap(([name, draw]) => {
    const edges = model?.parameters.supports[name]?.edges ?? ANYWHERE
    return columnsOf({ [name]: draw }).map((column) => ({ ...column, edges }))
  })
}

const CELL = { width: 180, height: 150 }
const CELL_GRID = {
  left: 6,
  right: 6,
  top: 6,
  bottom: 6,
  outerBoundsMode: 'same',
  outerBoundsContain: 'axisLabel',
} as const

/** Densities on the diagonal, particles below it, correlations above. */
function pairs(columns: readonly Column[], draw: Draw): string {
  const rows = columns.map((row, i) => {
    const cells = columns.map((column, j) => {
      if (i === j) {
        const label = `Density of ${row.label}`
        return `<td>${draw(`pair-${i}-${j}`, label, CELL, densityChart([row.values], row.edges, true))}<span>${escapeHtml(row.label)}</span></td>`
      }
      if (j > i) return `<td class="correlation">${correlation(row.values, column.values)}</td>`
      const label = `${row.label} against ${column.label}`
      return `<td>${draw(`pair-${i}-${j}`, label, CELL, scatterChart(column.values, row.values))}</td>`
    })
    return `<tr>${cells.join('')}</tr>`
  })
  const caption = 'Every point is a particle; correlations stand above the diagonal.'
  const wide = scrolled('wide-table', 'Pairs', `<table class="pairs">${rows.join('\n')}</table>`)
  return `<figure>${wide}<figcaption>${caption}</figcaption></figure>`
}

function marginals(
  columns: readonly Column[],
  reference: Readonly<Record<string, ArrayLike<number>>>,
  draw: Draw,
): string {
  const cells = columns.map(({ label, values, edges }, k) => {
    const other = Object.hasOwn(reference, label) ? reference[label] : undefined
    const sets = other ? [values, other] : [values]
    const chart = draw(`marginal-${k}`, `Density of ${label}`, CELL, densityChart(sets, edges))
    return `<div>${chart}<span>${escapeHtml(label)}</span></div>`
  })
  const beside = Object.keys(reference).length > 0 ? ' The grey line is the reference.' : ''
  const caption = `Densities of the particles, smoothed.${beside}`
  return `<figure><div class="marginals">${cells.join('\n')}</div><figcaption>${caption}</figcaption></figure>`
}

function progressFigure({ steps }: PosteriorReport, draw: Draw): string {
  const looks = steps.filter(({ discrepancy }) => discrepancy !== null)
  const option: EChartsOption = {
    grid: GRID,
    xAxis: { type: 'value', name: 'step', nameLocation: 'middle', nameGap: 24, min: 1, axisLabel: { color: TEXT } },
    yAxis: { type: 'log', axisLabel: { color: TEXT }, splitLine: { lineStyle: { color: RULE } } },
    series: [
      {
        type: 'line',
        showSymbol: looks.length < 40,
        color: BLUE,
        data: looks.map(({ iteration, discrepancy }) => [iteration, Math.max(discrepancy ?? 0, 1e-6)]),
      },
    ],
  }
  return figure(draw, {
    id: 'discrepancy',
    label: 'Kernel Stein discrepancy over the steps',
    caption:
      'Kernel Stein discrepancy in whitened coordinates, where units play no part. It falls and levels off; ' +
      'it goes up for a moment where the coordinates are renewed.',
    option,
    size: WIDE_LOW,
  })
}

function diagnosisTable({ movement, spread, identities, curvature, restarts, walk, p, edge }: Diagnosis): string {
  const rows: [string, string][] = [
    ['Means move in further steps by', `${movement.sd.toFixed(3)} sd (${movement.name})`],
    ['Standard deviations, over those after further steps', `${spread.least.toFixed(2)} to ${spread.most.toFixed(2)}`],
    ['Stein’s identity E[s] = 0', identities.shift.toFixed(3)],
    ['Stein’s identity E[−s z] = 1', `${identities.least.toFixed(2)} to ${identities.most.toFixed(2)}`],
    [
      'Variance over that of the curvature at the mode',
      `${curvature.least.toFixed(2)} to ${curvature.most.toFixed(2)}`,
    ],
    ['p of the test that particles are independent draws', p.toFixed(3)],
    ['Particles on an edge of a support', String(edge)],
  ]
  if (restarts)
    rows.push([
      'Means differ between seeds by',
      `${restarts.sd.toFixed(3)} sd (${restarts.name}), R̂ ${restarts.rHat.toFixed(3)}, sds by ${restarts.ratio.toFixed(2)}`,
    ])
  if (walk)
    rows.push([
      'A walk from the particles differs for sure by',
      `${walk.sd.toFixed(3)} sd (${walk.name}), sds by ${walk.ratio.toFixed(2)} (${walk.ratioName})`,
    ])
  const lines = rows.map(([name, value]) => `<tr><th scope="row">${name}</th><td>${escapeHtml(value)}</td></tr>`)
  return `<table><tbody>${lines.join('\n')}</tbody></table>`
}

/**
 * Density of draws on a grid, by the biweight kernel 15/16 (1 − u²)² with Silverman's bandwidth. What the kernel of a
 * draw has beyond an edge is reflected at it, so that nothing lies outside and the density still adds up to 1.
 *
 * Source: Silverman 1986, section 2.10.
 */
export function densityOf(
  values: ArrayLike<number>,
  points = 80,
  [least, most]: Edges = ANYWHERE,
): [x: number, density: number][] {
  const n = values.length
  // 2.78 n^(−1/5) sd is Silverman's rule for this kernel; n^(−1/5) by square roots would differ in no pixel from this.
  const sd = sdOf(values) || 1
  const width = 2.78 * sd * fifthRoot(1 / n)
  const low = Math.max(least, Math.min(...Array.from(values)) - width)
  const high = Math.min(most, Math.max(...Array.from(values)) + width)
  const at = (x: number) => {
    let sum = 0
    for (let i = 0; i < n; i++) {
      const u = (x - values[i]) / width
      if (u * u < 1) sum += (1 - u * u) * (1 - u * u)
    }
    return sum
  }
  return Array.from({ length: points }, (_, k) => {
    const x = low + ((high - low) * k) / (points - 1)
    const sum =
      at(x) + (Number.isFinite(least) ? at(2 * least - x) : 0) + (Number.isFinite(most) ? at(2 * most - x) : 0)
    return [x, (15 / 16) * (sum / (n * width))]
  })
}

/** x^(1/5) by Newton's method, for 0 < x ≤ 1. */
function fifthRoot(x: number): number {
  let root = 1
  for (let k = 0; k < 60; k++) root -= (root * root * root * root * root - x) / (5 * root * root * root * root)
  return root
}

function densityChart(sets: readonly ArrayLike<number>[], edges: Edges, bare = false): EChartsOption {
  return {
    grid: CELL_GRID,
    xAxis: {
      type: 'value',
      scale: true,
      splitNumber: 2,
      axisLabel: { color: TEXT, fontSize: 10 },
      splitLine: { show: false },
    },
    yAxis: { type: 'value', show: false },
    series: sets.map((values, k) => ({
      type: 'line',
      showSymbol: false,
      color: k === 0 ? BLUE : FAINT,
      lineStyle: { width: k === 0 ? 2 : 1.5 },
      areaStyle: k === 0 && !bare ? { opacity: 0.15 } : undefined,
      data: densityOf(values, 80, edges),
    })),
  }
}

function scatterChart(x: ArrayLike<number>, y: ArrayLike<number>): EChartsOption {
  const axis = {
    type: 'value',
    axisLine: { onZero: false },
    scale: true,
    splitNumber: 2,
    axisLabel: { color: TEXT, fontSize: 10 },
    splitLine: { show: false },
  } as const
  return {
    grid: CELL_GRID,
    xAxis: axis,
    yAxis: axis,
    series: [{ type: 'scatter', symbolSize: 3, color: BLUE, data: Array.from(x, (value, i) => [value, y[i]]) }],
  }
}

/** With two digits; nothing where one of the two never varies. */
function correlation(a: ArrayLike<number>, b: ArrayLike<number>): string {
  const [meanA, meanB] = [meanOf(a), meanOf(b)]
  const products = Array.from(a, (value, i) => (value - meanA) * (b[i] - meanB))
  const value = (meanOf(products) * a.length) / ((a.length - 1) * sdOf(a) * sdOf(b))
  return Number.isFinite(value) ? value.toFixed(2) : ''
}

const CSS = `
.verdict { padding: .6rem .9rem; border-radius: .5rem; border: 1px solid var(--line); background: var(--card); }
.verdict.fine { border-left: 6px solid #009e73; }
.verdict.warning { border-left: 6px solid #d55e00; font-weight: 600; }
.wide-table { overflow-x: auto; }
.numbers td { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.reason { margin-top: 1rem; }
.pairs { border-collapse: collapse; width: auto; min-width: 640px; }
.pairs td { width: 180px; padding: 2px; border: 1px solid var(--line); vertical-align: top; position: relative; }
.pairs td span { position: absolute; top: 4px; left: 8px; font-weight: 600; }
.pairs .correlation { text-align: center; vertical-align: middle; color: var(--soft); font-size: 1.1rem; }
.marginals { display: grid; grid-template-columns: repeat(auto-fill, minmax(160px, 1fr)); gap: .6rem; }
.marginals span { display: block; text-align: center; font-weight: 600; }
`
