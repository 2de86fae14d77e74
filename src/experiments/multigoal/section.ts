import type { EChartsOption } from 'echarts'
import { axis, type Draw, escapeHtml, type Size } from '../../report/charts.ts'
import { colorOf, HEAT } from '../../report/colours.ts'
import { number, section, table } from '../../report/page.ts'
import type { ExperimentSummary } from '../summary.ts'
import type { ActionValues, AgentGoals, Goals } from './play.ts'

/** Where the episodes of one run end. */
export interface RunGoals {
  readonly variant: string
  readonly seed: number
  readonly goals: Goals
}

const MAP: Size = { width: 300, height: 300 }
const SMALL: Size = { width: 230, height: 230 }

/** Trajectories of sampled episodes, Q and actions in some states, and a table of where every run's episodes end. */
export function goalSection({ variants }: ExperimentSummary, runs: readonly RunGoals[], draw: Draw): string {
  if (runs.length === 0) return ''
  const count = runs[0].goals.places.length
  const rows = variants.flatMap(({ label, runs }) =>
    runs.flatMap(({ seed, measures }) => {
      if (measures?.goals == null) return []
      const shares = Array.from({ length: count }, (_, g) => percent(measures[`goal${g}`]))
      return [[`${escapeHtml(label)}, seed ${seed}`, String(measures.goals), ...shares, percent(measures.goalsMissed)]]
    }),
  )
  const heads = runs[0].goals.places.map(([x, y]) => `(${number(x)}, ${number(y)})`)
  const figures = runs.map((run) => {
    const v = variants.findIndex(({ label }) => label === run.variant)
    return runFigures(run, v, draw)
  })
  return section(
    'Where episodes end',
    `<p class="note">Sampled episodes of the first run of each variant; the start is in the middle. Then Q over the actions, pale where it is high, and actions drawn from the policy, in three states.</p>
<div class="stack">${figures.join('\n')}</div>
${table(['', 'Goals reached', ...heads, 'None'], rows)}
<p class="note">Shares of sampled episodes after training: 100 of an agent, 20 of each policy of a population, counted together. A goal counts as reached when one episode in twenty ends there.</p>`,
  )
}

const percent = (share: number | null) => (share === null ? '–' : `${number(100 * share)} %`)

function runFigures({ variant, seed, goals }: RunGoals, v: number, draw: Draw): string {
  const figures = goals.agents.map((agent, i) => {
    const name = goals.agents.length > 1 ? `, agent ${i}` : ''
    const label = `Trajectories of ${variant}, seed ${seed}${name}.`
    const map = draw(`goals-${v}-${i}`, label, MAP, trajectoryChart(agent, goals, colorOf(v)))
    const maps = agent.actionValues.map((values, k) => {
      const at = `(${number(values.state[0])}, ${number(values.state[1])})`
      const chart = actionValueChart(values)
      return `<div>${draw(`q-${v}-${i}-${k}`, `Q and actions of ${variant}${name} at ${at}.`, SMALL, chart)}<span>Q and actions at ${at}</span></div>`
    })
    return `<div class="maps"><div>${map}<span>${goals.agents.length > 1 ? `agent ${i}: ` : ''}trajectories</span></div>${maps.join('')}</div>`
  })
  return `<figure><h3>${escapeHtml(variant)}, seed ${seed}</h3>${figures.join('')}</figure>`
}

const square = (limit: number) => {
  const side = {
    ...axis(),
    type: 'value' as const,
    min: -limit,
    max: limit,
    axisLabel: { show: false },
    axisTick: { show: false },
    axisLine: { show: false },
    splitLine: { show: false },
  }
  return { grid: { left: 4, right: 4, top: 4, bottom: 4 }, xAxis: side, yAxis: side }
}

function trajectoryChart({ trajectories }: AgentGoals, { places, radius, limit }: Goals, color: string): EChartsOption {
  const size = (2 * radius * (MAP.width - 8)) / (2 * limit)
  return {
    ...square(limit),
    series: [
      ...trajectories.map((points) => ({
        type: 'line' as const,
        silent: true,
        showSymbol: false,
        lineStyle: { color, width: 1, opacity: 0.45 },
        data: points.map(([x, y]) => [x, y]),
      })),
      {
        type: 'scatter',
        silent: true,
        symbol: 'circle',
        symbolSize: size,
        itemStyle: { color: 'transparent', borderColor: '#7a828e', borderWidth: 1.6 },
        data: places.map(([x, y]) => [x, y]),
      },
    ],
  }
}

/** Of the sampled actions, on the map of the policy. */
const DOT = '#d1495b'

function actionValueChart({ values, actions }: ActionValues): EChartsOption {
  const cells = values.length
  const all = values.flat()
  const category = {
    type: 'category' as const,
    show: false,
    data: Array.from({ length: cells }, (_, k) => String(k)),
  }
  const plain = { type: 'value' as const, show: false, min: -1, max: 1 }
  const box = { left: 4, right: 4, top: 4, bottom: 4 }
  return {
    grid: [box, box],
    xAxis: [category, { ...plain, gridIndex: 1 }],
    yAxis: [category, { ...plain, gridIndex: 1 }],
    visualMap: {
      show: false,
      seriesIndex: 0,
      min: all.reduce((a, b) => Math.min(a, b)),
      max: all.reduce((a, b) => Math.max(a, b)),
      inRange: { color: HEAT },
    },
    series: [
      { type: 'heatmap', silent: true, data: values.flatMap((row, j) => row.map((value, i) => [i, j, value])) },
      {
        type: 'scatter',
        silent: true,
        ...{ xAxisIndex: 1, yAxisIndex: 1, symbolSize: 5 },
        itemStyle: { color: DOT, borderColor: '#fff', borderWidth: 0.6 },
        data: actions.map(([x, y]) => [x, y]),
      },
    ],
  }
}
