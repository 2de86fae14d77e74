import type { EChartsOption, SeriesOption } from 'echarts'
import type { CurveEstimate, Value } from '../core/statistics.ts'
import { axis, LOGARITHMIC, line, lineChart, shade, thinned, valueAxis } from '../report/charts.ts'
import { FAINT, HEAT, TEXT, VERMILION } from '../report/colours.ts'

/** What one variant draws in a chart over iterations. */
export interface VariantCurve {
  readonly label: string
  readonly color: string
  readonly estimate: CurveEstimate
  /** Of each seed. */
  readonly seeds: readonly (readonly Value[])[]
}

/** Bold: mean over seeds. Shaded: its confidence interval. Thin: every seed. */
export function learningChart(curves: readonly VariantCurve[], xName: string): EChartsOption {
  const iterations = iterationsOf(curves)
  const series = [
    ...curves.flatMap(({ label, color, estimate }) => confidenceBand(estimate, label, color)),
    ...curves.flatMap(({ color, seeds }) =>
      seeds.length < 2 ? [] : seeds.map((values) => line(undefined, iterations, thinned(values), color, 0.9, 0.45)),
    ),
    ...curves.map(({ label, color, estimate }) => line(label, iterations, thinned(estimate.mean), color, 2.6)),
  ]
  // An interval from three seeds may be wider than all that was seen; the axis is that of the runs.
  const range = niceRange(curves.flatMap(({ seeds }) => seeds.flat()))
  return lineChart(series, iterations, xName, { type: 'value', ...range })
}

/** The mean of one number of the metrics with its confidence interval. */
export function numberChart(curves: readonly VariantCurve[]): EChartsOption {
  const iterations = iterationsOf(curves)
  const values = curves.flatMap(({ estimate }) => estimate.mean.filter((x) => x !== null))
  const positive = values.filter((x) => x > 0)
  const isLog = values.every((x) => x >= 0) && extreme(positive, Math.max) > LOGARITHMIC * extreme(positive, Math.min)
  const drawn = (mean: readonly Value[]) => thinned(mean).map((x) => (isLog && x === 0 ? null : x))
  const series = [
    // The lower edge of an interval may be negative; that and zero a logarithm has no place for.
    ...(isLog ? [] : curves.flatMap(({ label, color, estimate }) => confidenceBand(estimate, label, color))),
    ...curves.map(({ label, color, estimate }) => line(label, iterations, drawn(estimate.mean), color, 2.2)),
  ]
  const range = isLog ? { type: 'log' as const } : { type: 'value' as const, ...niceRange(values) }
  return lineChart(series, iterations, 'iteration', range)
}

const iterationsOf = (curves: readonly VariantCurve[]) =>
  thinned(Array.from({ length: Math.max(...curves.map(({ estimate }) => estimate.mean.length)) }, (_, t) => t + 1))

function confidenceBand({ mean, halfWidth }: CurveEstimate, stack: string, color: string): SeriesOption[] {
  if (halfWidth.every((x) => x === null)) return []
  const edge = (side: number) =>
    thinned(mean.map((x, t) => (x === null || halfWidth[t] === null ? null : x + side * halfWidth[t])))
  const iterations = thinned(mean.map((_, t) => t + 1))
  return shade(iterations, { low: edge(-1), high: edge(1) }, { color, opacity: 0.13, stack })
}

/** Round numbers around values, about four steps apart. */
export function niceRange(values: readonly Value[]): { min?: number; max?: number; interval?: number } {
  const there = values.filter((x): x is number => x !== null && Number.isFinite(x))
  if (there.length === 0) return {}
  const low = extreme(there, Math.min)
  const high = extreme(there, Math.max)
  const step = niceStep((high - low || Math.abs(high) || 1) / 4)
  const round = (x: number) => Number((x * step).toPrecision(12))
  return { min: round(Math.floor(low / step)), max: round(Math.ceil(high / step)), interval: step }
}

// Spread into Math.min, a hundred thousand values would overflow the stack.
const extreme = (values: readonly number[], of: (a: number, b: number) => number) =>
  values.reduce((a, b) => of(a, b), values[0] ?? Number.NaN)

/** 1, 2 or 5 times a power of ten, at least x. */
function niceStep(x: number): number {
  const magnitude = Number(`1e${x.toExponential().split('e')[1]}`)
  const factor = [1, 2, 5].find((f) => f * magnitude >= x * (1 - 1e-9)) ?? 10
  return factor * magnitude
}

/** What one variant draws in a chart of bars. */
interface VariantBar {
  readonly label: string
  readonly color: string
  readonly mean: Value
  readonly halfWidth: Value
  readonly seeds: readonly Value[]
  /** Of others. */
  readonly published: readonly { readonly name: string; readonly value: number }[]
}

/** Width of a letter of a label in a wide font. */
const LETTER = 8.2

/** Bar: mean over seeds. Whisker: its confidence interval. Dots: every seed. Diamonds: what others have published. */
export function barChart(bars: readonly VariantBar[]): EChartsOption {
  const base = axis()
  const names = [...new Set(bars.flatMap(({ published }) => published.map(({ name }) => name)))]
  const isSeveral = bars.some(({ seeds }) => seeds.length > 1)
  const shown = bars.flatMap(({ mean, seeds, published }) => [0, mean, ...seeds, ...published.map((p) => p.value)])
  const longest = Math.max(...bars.map(({ label }) => label.length))
  const dot = { type: 'scatter' as const, silent: true, z: 4 }
  return {
    // Without a DOM echarts can only guess how wide a word is, and would cut it.
    grid: { left: 14 + LETTER * longest, right: 24, top: 10, bottom: 26 },
    xAxis: { type: 'value', ...valueAxis(), ...niceRange(shown) },
    yAxis: {
      ...base,
      type: 'category',
      inverse: true,
      data: bars.map(({ label }) => label),
      axisTick: { show: false },
      axisLabel: { ...base.axisLabel, interval: 0 },
    },
    series: [
      {
        type: 'bar',
        silent: true,
        barMaxWidth: 24,
        data: bars.map(({ mean, color }) => ({ value: mean ?? '-', itemStyle: { color, opacity: 0.8 } })),
      },
      ...bars.flatMap(whisker),
      ...(isSeveral
        ? [
            {
              ...dot,
              ...{ name: 'each seed', color: TEXT, symbolSize: 7 },
              itemStyle: { color: '#fff', borderColor: TEXT, borderWidth: 1.4 },
              data: bars.flatMap(({ label, seeds }) =>
                seeds.filter((x) => x !== null).map((x): [number, string] => [x, label]),
              ),
            },
          ]
        : []),
      ...names.map((name, k) => ({
        ...dot,
        ...{ name, symbol: 'diamond', symbolSize: 13, color: PUBLISHED[k % PUBLISHED.length] },
        data: bars.flatMap(({ label, published }) =>
          published.filter((p) => p.name === name).map((p): [number, string] => [p.value, label]),
        ),
      })),
    ],
  }
}

const PUBLISHED = [TEXT, FAINT]

function whisker({ label, mean, halfWidth }: VariantBar): SeriesOption[] {
  if (mean === null || halfWidth === null) return []
  return [
    {
      type: 'line',
      silent: true,
      z: 3,
      symbol: 'rect',
      symbolSize: [1.6, 11],
      itemStyle: { color: TEXT },
      lineStyle: { color: TEXT, width: 1.6 },
      data: [mean - halfWidth, mean + halfWidth].map((x) => [x, label]),
    },
  ]
}

/** The runs of one variant in a plane of two measures. */
interface VariantPoints {
  readonly label: string
  readonly color: string
  readonly points: readonly (readonly [x: number, y: number])[]
}

/** One point a run. */
export function pointChart(variants: readonly VariantPoints[], xName: string, yName: string): EChartsOption {
  const all = variants.flatMap(({ points }) => points)
  const side = (name: string, values: readonly number[]) => ({
    ...axis(name),
    ...valueAxis(),
    ...niceRange(values),
    type: 'value' as const,
    name,
  })
  return {
    grid: { left: 70, right: 24, top: 24, bottom: 44 },
    xAxis: {
      ...side(
        xName,
        all.map(([x]) => x),
      ),
      nameLocation: 'middle',
      nameGap: 28,
    },
    yAxis: {
      ...side(
        yName,
        all.map(([, y]) => y),
      ),
      nameLocation: 'end',
    },
    series: variants.map(({ label, color, points }) => ({
      type: 'scatter' as const,
      silent: true,
      ...{ name: label, color, symbolSize: 11 },
      itemStyle: { color, opacity: 0.85 },
      data: points.map(([x, y]) => [x, y]),
    })),
  }
}

/** What a heat map of returns over two constants shows. */
interface GridMap {
  /** [y][x] */
  readonly returns: readonly (readonly number[])[]
  readonly x: { readonly name: string; readonly values: readonly number[] }
  readonly y: { readonly name: string; readonly values: readonly number[] }
  /** Ends of the colours, the same for every map of an experiment. */
  readonly range: readonly [low: number, high: number]
  /** [x, y] of a cell that is marked. */
  readonly marked: readonly [number, number]
}

// Neither is a colour that the dark theme replaces: they stand on the heat.
const ON_DARK = '#fefefe'
const ON_LIGHT = '#1c2129'

/** Cells with their numbers, pale where the return is high; the marked cell has a frame. */
export function gridChart({ returns, x, y, range: [low, high], marked }: GridMap): EChartsOption {
  const data = returns.flatMap((row, j) =>
    row.map((value, i) => {
      const isMarked = i === marked[0] && j === marked[1]
      const isDark = value < low + 0.55 * (high - low)
      return {
        value: [i, j, value],
        label: { color: isDark ? ON_DARK : ON_LIGHT },
        itemStyle: isMarked ? { borderColor: VERMILION, borderWidth: 3 } : { borderColor: '#fff', borderWidth: 1 },
        z: isMarked ? 3 : 2,
      }
    }),
  )
  const category = (name: string, values: readonly number[], nameGap: number) => ({
    ...axis(name),
    type: 'category' as const,
    nameGap,
    data: values.map((value) => String(Number(value.toPrecision(3)))),
    axisTick: { show: false },
    axisLabel: { ...axis().axisLabel, fontSize: 12, interval: 0, hideOverlap: false },
    splitLine: { show: false },
  })
  return {
    grid: { left: 54, right: 6, top: 6, bottom: 46 },
    xAxis: category(x.name, x.values, 28),
    yAxis: category(y.name, y.values, 36),
    visualMap: { show: false, min: low, max: high, inRange: { color: HEAT } },
    series: [
      {
        type: 'heatmap',
        silent: true,
        data,
        label: { show: true, fontSize: 12, formatter: ({ value }) => (value as number[])[2].toFixed(0) },
      },
    ],
  }
}

/** Points of the plane on axes that are the same for every map of an experiment. */
export function mapChart(
  points: readonly (readonly [number, number])[],
  color: string,
  { x, y }: { x: readonly [number, number]; y: readonly [number, number] },
): EChartsOption {
  const base = axis()
  const bare = {
    ...base,
    type: 'value' as const,
    axisLabel: { show: false },
    axisTick: { show: false },
    axisLine: { show: false },
    splitNumber: 4,
  }
  return {
    grid: { left: 2, right: 2, top: 2, bottom: 2 },
    xAxis: { ...bare, min: x[0], max: x[1] },
    yAxis: { ...bare, min: y[0], max: y[1] },
    series: [
      {
        type: 'scatter',
        silent: true,
        // One path for all points: a tenth of the bytes.
        ...{ large: true, largeThreshold: 0, symbolSize: 3.4 },
        itemStyle: { color, opacity: 0.4 },
        data: points.map(([a, b]) => [a, b]),
      },
    ],
  }
}
