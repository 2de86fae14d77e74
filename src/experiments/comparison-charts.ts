import type { EChartsOption, SeriesOption } from 'echarts'
import { axis, GRID, line, shade, valueAxis } from '../report/charts.ts'
import { FAINT, TEXT } from '../report/colours.ts'
import { niceRange } from './charts.ts'
import type { Improvement, Profile } from './comparison.ts'

/** Width of a letter of a label in a wide font. */
const LETTER = 8.2

/** Steps of the share of runs above each threshold, with the interval of each shaded. */
export function profileChart(
  profiles: readonly Profile[],
  thresholds: readonly number[],
  colors: readonly string[],
  xName: string,
): EChartsOption {
  const range = niceRange(thresholds)
  // From the edge of the chart to the other: above the last threshold is nothing, below the first everything.
  const x = corners([range.min ?? thresholds[0], ...thresholds, range.max ?? thresholds[thresholds.length - 1]])
  const drawn = (shares: readonly number[]) => stairs([1, ...shares])
  const series: SeriesOption[] = [
    ...profiles.flatMap(({ variant, low, high }, v) =>
      shade(x, { low: drawn(low), high: drawn(high) }, { color: colors[v], opacity: 0.13, stack: variant }),
    ),
    ...profiles.map(({ variant, share }, v) => line(variant, x, drawn(share), colors[v], 2.4)),
  ]
  return {
    grid: GRID,
    xAxis: { type: 'value', ...valueAxis(), ...axis(xName), ...range, splitLine: { show: false } },
    yAxis: { type: 'value', ...valueAxis(), min: 0, max: 1, interval: 0.25 },
    series,
  }
}

/** a, b, c → a, b, b, c: with `stairs`, each value holds until the next threshold. */
const corners = (x: readonly number[]) =>
  x.flatMap((value, k) => (k === 0 || k === x.length - 1 ? [value] : [value, value]))
const stairs = (y: readonly number[]) => y.flatMap((value) => [value, value])

/** Dot: probability that the first is better. Whisker: its interval, which tells nothing where it holds one half. */
export function improvementChart(improvements: readonly Improvement[], colors: readonly string[]): EChartsOption {
  const names = improvements.map(({ over }) => `over ${over}`)
  const longest = Math.max(...names.map((name) => name.length))
  const base = axis()
  const half: SeriesOption = {
    // On a hidden axis of its own, from the bottom of the chart to its top.
    ...{
      type: 'line',
      silent: true,
      symbol: 'none',
      yAxisIndex: 1,
      lineStyle: { color: FAINT, width: 1.4, type: 'dashed' },
    },
    data: [
      [0.5, 0],
      [0.5, 1],
    ],
  }
  const hidden = { show: false, type: 'value' as const, min: 0, max: 1 }
  return {
    // Without a DOM echarts can only guess how wide a word is, and would cut it.
    grid: { left: 14 + LETTER * longest, right: 24, top: 10, bottom: 26 },
    xAxis: { type: 'value', ...valueAxis(), min: 0, max: 1, interval: 0.25 },
    yAxis: [
      {
        ...base,
        ...{ type: 'category', inverse: true, data: names, axisTick: { show: false } },
        axisLabel: { ...base.axisLabel, interval: 0 },
      },
      hidden,
    ],
    series: [
      half,
      ...improvements.flatMap(({ interval }, k): SeriesOption => {
        const ends = { symbol: 'rect', symbolSize: [1.6, 11], itemStyle: { color: TEXT } }
        const style = { lineStyle: { color: TEXT, width: 1.6 }, silent: true, z: 3 }
        return { type: 'line', ...ends, ...style, data: interval.map((x) => [x, names[k]]) }
      }),
      {
        ...{ type: 'scatter', silent: true, symbolSize: 12, z: 4 },
        data: improvements.map(({ probability }, k) => ({
          value: [probability, names[k]],
          itemStyle: { color: colors[k] },
        })),
      },
    ],
  }
}
