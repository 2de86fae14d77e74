import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { colour, onceAFrame, onThemeChange, short } from './page.ts'

export type Value = number | null

/** A named line in front, with its CSS variable. */
export interface Line {
  readonly name: string
  readonly variable: string
}

export interface ChartOptions {
  readonly x: string
  readonly lines: readonly Line[]
  /** Ends of the y axis, from the least and the greatest value. */
  readonly range?: uPlot.Range.Function
  /** Name of the thin lines behind, if there are any. */
  readonly thin?: string
}

/** Rows of numbers: x, the thin lines, the named lines. */
export interface ChartData {
  readonly x: readonly number[]
  readonly thin?: readonly (readonly Value[])[]
  readonly lines: readonly (readonly Value[])[]
  /** The thin line that stands out. */
  readonly chosen?: number | null
  /** The x axis reaches at least to here. */
  readonly until?: number
}

export interface Chart {
  show(data: ChartData): void
}

/** More thin lines than this are a solid area, and slow to draw. */
const MOST_LINES = 128

/**
 * A line chart in `host` that fills its width and follows the theme. Data that come faster than frames are drawn once a
 * frame.
 */
export function createChart(host: HTMLElement, options: ChartOptions): Chart {
  let data: ChartData = { x: [], thin: options.thin ? [[]] : [], lines: options.lines.map(() => []) }
  let plot: uPlot | null = null
  const draw = onceAFrame(() => {
    const rows = rowsOf(data)
    if (!plot || plot.series.length !== rows.length) {
      plot?.destroy()
      plot = new uPlot(
        settingsOf(options, host, () => data),
        rows,
        host,
      )
    } else plot.setData(rows)
    if (plot.cursor.idx == null && data.x.length > 0) plot.setLegend({ idx: data.x.length - 1 })
  })
  onThemeChange(() => plot?.redraw(false))
  new ResizeObserver(() => host.clientWidth > 0 && (plot ? plot.setSize(sizeOf(host)) : draw())).observe(host)
  return {
    show(next) {
      data = next
      if (host.clientWidth > 0) draw()
    },
  }
}

function rowsOf({ x, thin = [], lines }: ChartData): uPlot.AlignedData {
  const stride = Math.ceil(thin.length / MOST_LINES)
  return [x, ...thin.filter((_, i) => i % stride === 0), ...lines] as unknown as uPlot.AlignedData
}

function sizeOf({ clientWidth: width }: HTMLElement) {
  return { width, height: Math.round(Math.min(Math.max(width * 0.36, 150), 260)) }
}

function settingsOf({ x, lines, thin, range }: ChartOptions, host: HTMLElement, data: () => ChartData): uPlot.Options {
  const count = rowsOf(data()).length - 1 - lines.length
  const thinLines = Array.from({ length: count }, (_, i): uPlot.Series => {
    const stroke = () => colour(i === data().chosen ? '--ink' : '--thin')
    // One entry of the legend stands for all.
    const entry = i === 0 ? { label: thin, class: 'bundle' } : { class: 'unlisted' }
    return { ...entry, ...drawnWith(stroke, 1) }
  })
  const named = lines.map(({ name, variable }): uPlot.Series => {
    const value = (_: uPlot, y: Value) => short(y)
    return { label: name, value, ...drawnWith(() => colour(variable), 2) }
  })
  return {
    ...sizeOf(host),
    padding: [8, 10, 0, 0],
    scales: {
      x: { time: false, range: (_, low, high) => [low ?? 0, Math.max(high ?? 0, data().until ?? 1, 1)] },
      y: { range },
    },
    axes: axes(),
    series: [{ label: x }, ...thinLines, ...named],
    legend: { markers: { width: 0, fill: (u, k) => (u.series[k].stroke as () => string)() } },
    cursor: { drag: { x: false, y: false }, y: false, points: { show: false } },
  }
}

/** The first value is a point, as no line goes through it yet. */
const drawnWith = (stroke: () => string, width: number): uPlot.Series => ({
  stroke,
  width,
  spanGaps: true,
  points: { show: (u) => u.data[0].length === 1, size: 3 * width, stroke, fill: stroke },
})

/** From zero to a little above the greatest value. */
export const fromZero: uPlot.Range.Function = (_, __, high) => [0, high > 0 ? high * 1.1 : 1]

/** From the least to the greatest value with a margin; zero stays in sight where it is near. */
export const around: uPlot.Range.Function = (_, low, high) => {
  if (low == null || high == null) return [0, 1]
  const margin = 0.06 * (high - low) || 0.1 * Math.abs(high) || 1
  const nearZero = low >= 0 && low < 0.5 * high
  return [nearZero ? 0 : low - margin, high + margin]
}

function axes(): uPlot.Axis[] {
  const common: uPlot.Axis = {
    stroke: () => colour('--soft'),
    grid: { stroke: () => colour('--line'), width: 1 },
    ticks: { show: false },
    font: `12px ${getComputedStyle(document.body).fontFamily}`,
  }
  const values: uPlot.Axis['values'] = (_, splits) => splits.map((y) => String(Number(y.toPrecision(3))))
  return [
    { ...common, grid: { show: false }, size: 26, gap: 5, space: 56, values },
    { ...common, size: 54, gap: 8, space: 30, values },
  ]
}
