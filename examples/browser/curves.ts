import type { IterationMetrics } from 'steinrl'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'

type Value = number | null

/** What the curves show, one entry an iteration. */
interface History {
  iterations: number[]
  /** [n][iterations] */
  returns: Value[][]
  best: Value[]
  median: Value[]
  drive: Value[]
  repulsion: Value[]
  /** [n][iterations] */
  entropies: number[][]
  entropy: number[]
}

/** One chart: thin unnamed lines behind, named lines in front. */
interface Panel {
  id: string
  range: [number, number] | 'from zero'
  /** A value in the legend. */
  digits: (value: number) => string
  thin: (history: History) => Value[][]
  bold: { name: string; color: string; values: (history: History) => Value[] }[]
}

// More thin lines than this are a solid area, and slow to draw.
const MOST_LINES = 128

const panels: Panel[] = [
  {
    id: 'returns',
    // An episode of CartPole-v1 ends after 500 steps of reward 1.
    range: [0, 500],
    digits: (value) => value.toFixed(0),
    thin: ({ returns }) => returns,
    bold: [
      { name: 'best', color: '--vermilion', values: ({ best }) => best },
      { name: 'median', color: '--blue', values: ({ median }) => median },
    ],
  },
  {
    id: 'forces',
    range: 'from zero',
    digits: (value) => value.toPrecision(2),
    thin: () => [],
    bold: [
      { name: 'drive', color: '--blue', values: ({ drive }) => drive },
      { name: 'repulsion', color: '--vermilion', values: ({ repulsion }) => repulsion },
    ],
  },
  {
    id: 'entropy',
    // ln 2 = 0.693 nats is the most that two actions can have.
    range: [0, 0.7],
    digits: (value) => value.toFixed(2),
    thin: ({ entropies }) => entropies,
    bold: [{ name: 'median', color: '--blue', values: ({ entropy }) => entropy }],
  },
]

/** The live curves of one run. */
export interface Curves {
  /** Adds an iteration and returns best and median return so far: a particle without a new one keeps its last. */
  add(metrics: IterationMetrics): { best: Value; median: Value }
  destroy(): void
}

/** Draws empty axes for a run of `iterations`; they fill as metrics are added. */
export function createCurves(iterations: number): Curves {
  const history = emptyHistory()
  let plots: uPlot[] = []
  let frame = 0
  const build = () => {
    for (const plot of plots) plot.destroy()
    plots = panels.map((panel) => createPlot(panel, history, iterations))
  }
  const draw = () => {
    frame = 0
    // The first iteration tells how many lines there are.
    if (history.iterations.length > 0 && plots[0].series.length !== dataOf(panels[0], history).length) build()
    else for (const [index, plot] of plots.entries()) show(plot, panels[index], history)
  }
  const dark = matchMedia('(prefers-color-scheme: dark)')
  dark.addEventListener('change', build)
  const resize = new ResizeObserver(() => {
    for (const plot of plots) plot.setSize(sizeOf(plot.root.parentElement as HTMLElement))
  })
  for (const { id } of panels) resize.observe(host(id))
  build()
  return {
    add(metrics) {
      append(history, metrics)
      // Several iterations between two frames are drawn once.
      frame ||= requestAnimationFrame(draw)
      return { best: history.best.at(-1) ?? null, median: history.median.at(-1) ?? null }
    },
    destroy() {
      cancelAnimationFrame(frame)
      dark.removeEventListener('change', build)
      resize.disconnect()
      for (const plot of plots) plot.destroy()
    },
  }
}

function emptyHistory(): History {
  // One particle without values, so that the legend is whole from the start.
  return { iterations: [], returns: [[]], best: [], median: [], drive: [], repulsion: [], entropies: [[]], entropy: [] }
}

function append(history: History, { iteration, returns, entropy, drive, repulsion }: IterationMetrics): void {
  history.iterations.push(iteration)
  returns.forEach((value, i) => {
    history.returns[i] ??= []
    history.returns[i].push(value ?? history.returns[i].at(-1) ?? null)
  })
  entropy.forEach((value, i) => {
    history.entropies[i] ??= []
    history.entropies[i].push(value)
  })
  const known = history.returns.map((values) => values.at(-1) ?? null).filter((value) => value !== null)
  history.best.push(known.length ? known.reduce((a, b) => Math.max(a, b)) : null)
  history.median.push(known.length ? median(known) : null)
  history.entropy.push(median(entropy))
  history.drive.push(drive)
  history.repulsion.push(repulsion)
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** x, the thin lines (evenly chosen when there are very many), the bold lines. */
function dataOf({ thin, bold }: Panel, history: History): Value[][] {
  const lines = thin(history)
  const stride = Math.ceil(lines.length / MOST_LINES)
  const drawn = lines.filter((_, i) => i % stride === 0)
  return [history.iterations, ...drawn, ...bold.map(({ values }) => values(history))]
}

function show(plot: uPlot, panel: Panel, history: History): void {
  plot.setData(dataOf(panel, history) as uPlot.AlignedData)
  // Without a pointer over the chart the legend tells the newest values.
  if (plot.cursor.idx == null && history.iterations.length > 0) plot.setLegend({ idx: history.iterations.length - 1 })
}

const host = (id: string) => document.getElementById(id) as HTMLElement

function sizeOf(element: HTMLElement) {
  const width = element.clientWidth
  return { width, height: Math.round(Math.min(Math.max(width * 0.42, 190), 380)) }
}

function createPlot(panel: Panel, history: History, iterations: number): uPlot {
  const element = host(panel.id)
  const plot = new uPlot(
    {
      ...sizeOf(element),
      padding: [10, 12, 0, 0],
      scales: {
        x: { time: false, range: [1, Math.max(2, iterations)] },
        y: { range: panel.range === 'from zero' ? fromZero : panel.range },
      },
      axes: axes(),
      series: [{ label: 'iteration' }, ...seriesOf(panel, dataOf(panel, history).length - 1)],
      legend: { markers: { width: 0, fill: strokeOf } },
      cursor: { drag: { x: false, y: false }, y: false, points: { show: false } },
      hooks: { setCursor: [(u) => u.cursor.idx == null && history.iterations.length && show(u, panel, history)] },
    },
    dataOf(panel, history) as uPlot.AlignedData,
    element,
  )
  show(plot, panel, history)
  return plot
}

const fromZero: uPlot.Range.Function = (_, __, max) => [0, max > 0 ? max * 1.1 : 1]

function axes(): uPlot.Axis[] {
  const common: uPlot.Axis = {
    stroke: () => color('--soft'),
    grid: { stroke: () => color('--line'), width: 1 },
    ticks: { show: false },
    font: `12px ${getComputedStyle(document.body).fontFamily}`,
  }
  return [
    {
      ...common,
      grid: { show: false },
      size: 28,
      gap: 6,
      space: 60,
      incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000],
    },
    {
      ...common,
      size: 52,
      gap: 8,
      space: airy,
      values: (_, splits) => splits.map((y) => String(Number(y.toPrecision(3)))),
    },
  ]
}

/** Least distance of two grid lines in pixels: wider in a tall chart. */
const airy: uPlot.Axis.Space = (_, __, ___, ____, height) => (height > 250 ? 50 : 28)

function seriesOf({ bold, digits }: Panel, count: number): uPlot.Series[] {
  const thin = line('--thin', 1)
  const lines = Array.from({ length: count - bold.length }, (_, i): uPlot.Series => {
    // One entry of the legend stands for all.
    return i === 0 ? { ...thin, label: 'every particle', class: 'bundle' } : { ...thin, class: 'unlisted' }
  })
  const named = bold.map(({ name, color: variable }): uPlot.Series => {
    const value = (_: uPlot, x: Value) => (x == null ? '–' : digits(x))
    return { ...line(variable, 2.25), label: name, value }
  })
  return [...lines, ...named]
}

function line(variable: string, width: number): uPlot.Series {
  const stroke = () => color(variable)
  // The first iteration is a point, as no line goes through it yet.
  return { stroke, width, points: { show: (u) => u.data[0].length === 1, size: 3 * width, stroke, fill: stroke } }
}

// uPlot has turned every stroke into a function by the time it asks.
const strokeOf = (u: uPlot, index: number) => (u.series[index].stroke as (u: uPlot, index: number) => string)(u, index)

/** The value of a CSS variable: the charts follow the page's light and dark. */
const color = (variable: string) => getComputedStyle(document.documentElement).getPropertyValue(variable).trim()
