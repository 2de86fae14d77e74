import type { EChartsOption, SeriesOption } from 'echarts'
import { finite, quantile, type Value } from '../core/statistics.ts'
import { BAND, BLUE, FAINT, ORANGE, RULE, TEXT, VERMILION } from './colours.ts'
import type { Evaluation, IterationMetrics } from './metrics.ts'

/** The axis of the curves of a run: of all particles together. */
export const STEPS = 'environment steps'

/** One value per particle and drawn iteration. */
export interface Curves {
  /** What stands on the axis: environment steps, or iterations where runs are compared. */
  iterations: number[]
  /** [n][iterations] */
  particles: Value[][]
}

export interface Size {
  width: number
  height: number
}

/** Draws one chart. `id` keeps the ids inside one SVG apart from those of the others on the page. */
export type Draw = (id: string, label: string, size: Size, option: EChartsOption) => string

// Room for the labels is measured by echarts; the right margin is for half of the last one.
export const GRID = {
  left: 4,
  right: 18,
  top: 10,
  bottom: 26,
  outerBoundsMode: 'same',
  outerBoundsContain: 'axisLabel',
} as const

/** More points than this would not be seen at the size of the page, and 64 particles would fill megabytes. */
const POINTS = 200

/**
 * echarts, in the parts that tools/charts.js names, is loaded with the first report: training and the CLI must not wait
 * for it.
 */
export async function loadCharts(): Promise<Draw> {
  const { init } = await import('../../dist/inline/charts.js')
  return (id, label, size, option) => {
    const chart = init(null, null, { renderer: 'svg', ssr: true, ...size })
    try {
      chart.setOption({ ...BASE, ...option })
      return still(chart.renderToSVGString(), id, label, size)
    } finally {
      chart.dispose()
    }
  }
}

const BASE: EChartsOption = {
  animation: false,
  backgroundColor: 'transparent',
  // Unquoted names: echarts writes the list into a quoted attribute as it is.
  textStyle: { fontFamily: 'system-ui, -apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif' },
}

/**
 * The SVG without what echarts adds for hovering and hydration. Its classes and ids count up over the life of the
 * process, so they would also differ from one report to the next.
 */
function still(svg: string, id: string, label: string, { width, height }: Size): string {
  return svg
    .replace(/<style[\s\S]*?<\/style>/g, '')
    .replace(/ (?:class|pointer-events|ecmeta_\w+)="[^"]*"/g, '')
    .replace(/\bzr\d+-/g, `${id.replace(/[^\w-]/g, '-')}-`)
    .replace(/\n+/g, '\n')
    .replace(
      /^<svg[^>]*>/,
      `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeHtml(label)}">`,
    )
}

interface LegendEntry {
  name: string
  color: string
  shape: 'line' | 'box' | 'dot' | 'diamond'
}

/**
 * The named series, once each: all thin lines share a name. The page shows them as text, because without a DOM echarts
 * can only guess how wide its legend is, and overlaps it when the reader's font is wider.
 */
export function legendOf({ series }: EChartsOption): LegendEntry[] {
  const named = ([series].flat() as SeriesOption[]).filter((s) => s.name !== undefined)
  return [...new Map(named.map((s) => [s.name, s])).values()].map((s) => ({
    name: String(s.name),
    color: String(s.color),
    shape: swatchOf(s),
  }))
}

function swatchOf(series: SeriesOption): LegendEntry['shape'] {
  if (series.type === 'scatter') return series.symbol === 'diamond' ? 'diamond' : 'dot'
  return series.type === 'bar' || (series.type === 'line' && series.areaStyle) ? 'box' : 'line'
}

/** Text as it may stand in an element or a quoted attribute. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

/** Every k-th value and always the last, at most POINTS of them. */
export function thinned<T>(values: readonly T[]): T[] {
  const stride = Math.ceil(values.length / POINTS)
  return values.filter((_, t) => (values.length - 1 - t) % stride === 0)
}

/** Thin: every particle. Bold: the best particle, if asked for, and the median. Shaded: the middle half. */
export function populationChart(curves: Curves, xName: string, zero: boolean, best?: number | null): EChartsOption {
  const { iterations, particles } = curves
  const series =
    particles.length === 1
      ? [line('policy', iterations, particles[0], BLUE, 2)]
      : [
          ...band(curves),
          ...particles.map((values) => line('each particle', iterations, values, FAINT, 0.9, 0.5)),
          line('median', iterations, quantileCurve(curves, 0.5), BLUE, 2.6),
          ...(best == null ? [] : [line(`best particle (${best})`, iterations, particles[best], VERMILION, 2.2)]),
        ]
  return lineChart(series, iterations, xName, { type: 'value', scale: !zero })
}

function quantileCurve({ iterations, particles }: Curves, q: number): Value[] {
  return iterations.map((_, t) =>
    quantile(
      particles.map((values) => values[t]),
      q,
    ),
  )
}

function band(curves: Curves): SeriesOption[] {
  const edges = { low: quantileCurve(curves, 0.25), high: quantileCurve(curves, 0.75) }
  return shade(curves.iterations, edges, { name: 'middle half of the particles', color: BAND, opacity: 0.75 })
}

/**
 * Shades between two curves.
 *
 * @param style `stack` tells the bands of one chart apart
 */
export function shade(
  iterations: number[],
  { low, high }: { low: Value[]; high: Value[] },
  { color, opacity, stack = 'band', name }: { color: string; opacity: number; stack?: string; name?: string },
): SeriesOption[] {
  // echarts stacks their difference on an invisible lower one; 'all', because by default a positive difference is not
  // stacked on a negative value.
  const stacked = { stack, stackStrategy: 'all' as const, silent: true, symbol: 'none', lineStyle: { opacity: 0 } }
  const spread = low.map((x, t) => (x === null ? null : (high[t] as number) - x))
  return [
    { type: 'line', ...stacked, data: points(iterations, low) },
    {
      type: 'line',
      ...stacked,
      ...(name !== undefined && { name }),
      color,
      areaStyle: { color, opacity },
      data: points(iterations, spread),
    },
  ]
}

function points(iterations: number[], values: readonly Value[]): [number, number][] {
  return iterations.flatMap((x, t): [number, number][] => {
    const y = values[t]
    return y === null ? [] : [[x, y]]
  })
}

export function line(
  name: string | undefined,
  iterations: number[],
  values: readonly Value[],
  color: string,
  width: number,
  opacity = 1,
): SeriesOption {
  const data = points(iterations, values)
  // A line of one point would be invisible.
  const showSymbol = data.length === 1
  return {
    type: 'line',
    ...(name !== undefined && { name }),
    data,
    color,
    silent: true,
    showSymbol,
    symbol: 'circle',
    symbolSize: 7,
    itemStyle: { color, opacity },
    lineStyle: { color, width, opacity, join: 'round' },
  }
}

export function lineChart(
  series: SeriesOption[],
  iterations: number[],
  xName: string,
  yAxis: EChartsOption['yAxis'],
): EChartsOption {
  return {
    grid: GRID,
    xAxis: {
      type: 'value',
      min: 0,
      max: iterations.at(-1),
      minInterval: 1,
      ...axis(xName),
      ...(xName === STEPS && { axisLabel: { ...axis().axisLabel, formatter: compactSteps } }),
      splitLine: { show: false },
    },
    yAxis: { ...valueAxis(), ...yAxis } as EChartsOption['yAxis'],
    series,
  }
}

export function axis(name?: string) {
  return {
    name,
    nameLocation: 'middle' as const,
    nameGap: 26,
    nameTextStyle: { color: TEXT, fontSize: 13 },
    axisLabel: { color: TEXT, fontSize: 13, hideOverlap: true },
    axisLine: { lineStyle: { color: FAINT }, onZero: false },
    axisTick: { lineStyle: { color: FAINT } },
    splitLine: { lineStyle: { color: RULE } },
  }
}

export function valueAxis() {
  const base = axis()
  return { ...base, axisLabel: { ...base.axisLabel, formatter: tick } }
}

/** Norms may span twenty decades, and echarts would write every zero. */
function tick(x: number): string {
  const size = Math.abs(x)
  if (size !== 0 && (size < 1e-3 || size >= 1e5)) return Number(x.toPrecision(6)).toExponential()
  return x.toLocaleString('en-US', { maximumSignificantDigits: 6 })
}

/** 1200000 as 1.2M. */
const compactSteps = (x: number): string => x.toLocaleString('en-US', { notation: 'compact', maximumFractionDigits: 2 })

/** Labels 0, 1, 2 ... or, for many particles, multiples that leave room between them; one alone is the policy. */
function particleAxis(n: number) {
  const base = axis(n === 1 ? '' : 'particle')
  const interval = Math.ceil(n / 16) - 1
  const data = n === 1 ? ['policy'] : Array.from({ length: n }, (_, i) => String(i))
  return {
    ...base,
    type: 'category' as const,
    data,
    axisTick: { show: false },
    axisLabel: { ...base.axisLabel, interval },
  }
}

export function evaluationChart({ greedy, sampled }: Evaluation): EChartsOption {
  const bars = (name: string, values: number[], color: string): SeriesOption => ({
    type: 'bar',
    name,
    color,
    silent: true,
    barGap: '0%',
    barCategoryGap: '25%',
    barMaxWidth: 36,
    data: values.map((x) => finite(x) ?? '-'),
  })
  const series = [bars('greedy', greedy, BLUE), bars('sampled', sampled, ORANGE)]
  return {
    grid: GRID,
    xAxis: particleAxis(greedy.length),
    yAxis: { type: 'value', ...valueAxis() },
    series,
  }
}

export function kernelChart(kernel: number[][]): EChartsOption {
  const particles = particleAxis(kernel.length)
  return {
    grid: { left: 44, right: 4, top: 4, bottom: 92 },
    xAxis: particles,
    yAxis: { ...particles, inverse: true, nameGap: 30 },
    visualMap: {
      type: 'continuous',
      min: 0,
      max: 1,
      text: ['1', '0'],
      orient: 'horizontal',
      left: 'center',
      bottom: 0,
      itemWidth: 14,
      itemHeight: 200,
      textStyle: { color: TEXT, fontSize: 13 },
      inRange: { color: ['#f7fafc', '#a6cee3', '#3c8dbd', '#0b4f85', '#08264a'] },
    },
    series: [
      {
        type: 'heatmap',
        silent: true,
        data: kernel.flatMap((row, i) => row.map((k, j) => [j, i, finite(k) ?? '-'])),
        itemStyle: { borderColor: '#fff', borderWidth: kernel.length > 32 ? 0 : 1 },
      },
    ],
  }
}

export function forcesChart(metrics: readonly IterationMetrics[]): EChartsOption {
  const steps = metrics.map((m) => m.transitions)
  // A logarithm has no place for zero.
  const positive = (x: number | null): Value => ((finite(x) ?? 0) > 0 ? x : null)
  const term = (name: 'drive' | 'repulsion' | 'sharing', color: string) => {
    const values = metrics.map((m) => positive(m[name]))
    return line(name, steps, values, color, 2.2)
  }
  const series = [term('drive', BLUE), term('sharing', ORANGE), term('repulsion', VERMILION)]
  return lineChart(series, steps, STEPS, { type: 'log' })
}

export function kernelMeanChart(metrics: readonly IterationMetrics[]): EChartsOption {
  const steps = metrics.map((m) => m.transitions)
  const means = metrics.map((m) => finite(m.kernelOffDiagonal))
  const series = [line('mean kernel', steps, means, BLUE, 2.2)]
  return lineChart(series, steps, STEPS, { type: 'value', min: 0, max: 1, interval: 0.25 })
}

/** A span by more than this factor is drawn logarithmically. */
export const LOGARITHMIC = 50

/** A number of the metrics over environment steps, with a logarithmic axis where it spans several powers of ten. */
export function quantityChart(name: string, steps: number[], values: readonly Value[]): EChartsOption {
  const known = values.filter((x) => x !== null)
  const isLog = Math.min(...known) > 0 && Math.max(...known) > LOGARITHMIC * Math.min(...known)
  const series = [line(name, steps, values, BLUE, 2.2)]
  return lineChart(series, steps, STEPS, isLog ? { type: 'log' } : { type: 'value', scale: true, ...fromZero(known) })
}

/** An axis of values that are not below 0 does not go there, as it would to be round about those close to 0. */
function fromZero(known: readonly number[]): { min?: number } {
  const [low, high] = [Math.min(...known), Math.max(...known)]
  return low >= 0 && low < 0.5 * (high - low) ? { min: 0 } : {}
}
