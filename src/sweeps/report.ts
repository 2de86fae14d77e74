import type { EChartsOption, SeriesOption } from 'echarts'
import { barChart } from '../experiments/charts.ts'
import { axis, type Draw, escapeHtml, GRID, line, lineChart, loadCharts } from '../report/charts.ts'
import { BLUE, FAINT, HEAT, VERMILION } from '../report/colours.ts'
import {
  compact,
  counted,
  duration,
  figure,
  HALF,
  keyFigureList,
  number,
  page,
  section,
  settingsTable,
  table,
  text,
  WIDE,
} from '../report/page.ts'
import { asTyped } from '../train/single-policies.ts'
import { importanceOf } from './importance.ts'
import type { SweepDescription } from './plan.ts'
import type { SweepResult, SweepTrial } from './result.ts'
import { type Dimension, dimensionsOf, placeOf } from './space.ts'

/** Rows of the table, the best first. */
const SHOWN = 50

/** A trial that came to something. */
type Valued = SweepTrial & { readonly value: number }

/** One HTML page without scripts or requests: what was tried, what it came to, and what mattered. */
export async function renderSweep(result: SweepResult): Promise<string> {
  const { name, description, best, command } = result
  const dimensions = dimensionsOf(description.algorithm, description.space)
  const sign = description.direction === 'maximise' ? 1 : -1
  const valued = result.trials
    .filter((trial): trial is Valued => trial.value !== null)
    .sort((a, b) => sign * (b.value - a.value) || a.number - b.number)
  const draw = await loadCharts()
  const found =
    best && command
      ? [
          section('Best settings', bestSettings(best, command)),
          section('What was tried', parallelFigure(valued, best, dimensions, draw)),
          section('What mattered', importanceFigures(valued, result, dimensions, draw)),
        ]
      : [section('Results', '<p>No trial has come to its end, so there is nothing to compare.</p>')]
  return page(
    name,
    [
      `<header>\n<h1>${escapeHtml(name)}</h1>\n<p>${escapeHtml(summaryOf(result))}</p>\n${keyFigures(result)}\n</header>`,
      ...found,
      section('Trials', trialTable(result, valued, dimensions)),
      section('Settings of all trials', settingsTable(sharedSettings(result))),
    ].join('\n'),
  )
}

/** The algorithm by the name that it has on the command line, and the settings that all trials share. */
const learnerOf = ({ algorithm, settings, space }: SweepDescription) => ({
  algorithm: asTyped({ ...space, ...settings, algorithm }).algorithm,
  settings: asTyped({ ...settings, algorithm }).settings,
})

function summaryOf({ description }: SweepResult): string {
  const { env, objective, sampler, iterations, transitions } = description
  const { algorithm } = learnerOf(description)
  const length = iterations === null ? `${transitions} transitions` : counted(iterations, 'iteration')
  const judged =
    objective.by === 'training'
      ? `the mean return in training of the ${objective.of} particle over the last ten iterations`
      : `the mean return of the ${objective.of} particle over ${counted(objective.episodes, 'episode')}, acting greedily`
  return `${algorithm} on ${env}, ${length} a trial, sampled by ${sampler}. A trial is judged by ${judged}.`
}

function keyFigures({ trials, best }: SweepResult): string {
  const count = (state: SweepTrial['state']) => trials.filter((trial) => trial.state === state).length
  const sum = (of: (trial: SweepTrial) => number | null) => trials.reduce((total, trial) => total + (of(trial) ?? 0), 0)
  return keyFigureList([
    ['Best value', number(best?.value ?? null), best ? `trial ${best.number}` : ''],
    ['Trials', number(trials.length), `${count('finished')} finished`],
    ['Pruned', number(count('pruned')), 'judged before their end'],
    ['Failed', number(count('failed')), ''],
    ['Transitions', compact(sum(({ transitions }) => transitions)), 'environment steps of all trials'],
    ['Training time', duration(sum(({ seconds }) => seconds)), 'sum over trials'],
  ])
}

const bestSettings = ({ value, number: trial }: SweepTrial, command: string) =>
  `<p class="note">Trial ${trial} came to ${number(value)}. This trains with its settings again, to the same bits:</p>
<table><tbody><tr><td>${command.split(' ').map(word).join(' ')}</td></tr></tbody></table>
<p class="note">The best of many trials is better than it will be with another seed: train it with some before it is relied on.</p>`

/** A flag is not broken after its dashes. */
const word = (text: string) =>
  text.startsWith('--') ? `<span style="white-space:nowrap">${escapeHtml(text)}</span>` : escapeHtml(text)

/** A line a trial over the settings, each along its own range; the last axis is what it came to. */
function parallelFigure(valued: readonly Valued[], best: SweepTrial, dimensions: readonly Dimension[], draw: Draw) {
  const values = valued.map(({ value }) => value)
  const [low, high] = [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))]
  const along = (value: number) => (high > low ? (value - low) / (high - low) : 0.5)
  const axes = dimensions.map((_, d) => d)
  const lineOf = (trial: Valued): SeriesOption => {
    const places = dimensions.map((dimension) => placeOf(dimension, trial.settings[dimension.name]))
    const isBest = trial.number === best.number
    const share = along(trial.value)
    const worse = best.value === low ? share : 1 - share
    const color = isBest ? VERMILION : HEAT[Math.min(Math.floor(worse * HEAT.length), HEAT.length - 2)]
    const name = isBest ? `trial ${trial.number}, the best` : undefined
    return line(name, [...axes, axes.length], [...places, share], color, isBest ? 3 : 1.2, isBest ? 1 : 0.6)
  }
  const base = axis()
  const option: EChartsOption = {
    grid: { ...GRID, left: 40, right: 60, bottom: 44 },
    xAxis: {
      ...base,
      type: 'category',
      boundaryGap: false,
      data: [...dimensions.map(axisName), `value\n${number(low)} to ${number(high)}`],
      axisLabel: { ...base.axisLabel, interval: 0, hideOverlap: false },
      splitLine: { show: true, ...base.splitLine },
    },
    yAxis: { type: 'value', min: 0, max: 1, show: false },
    series: [...valued].reverse().map(lineOf),
  }
  return figure(draw, {
    ...{
      id: 'parallel',
      option,
      size: { width: Math.max(440, (axes.length < 7 ? 120 : 130) * (axes.length + 1)), height: 300 },
    },
    legend: true,
    ...(axes.length < 7 && { wide: WIDE }),
    label: `Settings and value of ${counted(valued.length, 'trial')}.`,
    caption:
      'A line is a trial. Each axis goes from the low end of its range, below, to the high end; a list goes in its order. ' +
      'Dark lines came near the best, pale ones near the worst.',
  })
}

function axisName(dimension: Dimension): string {
  if (dimension.kind === 'choice') {
    const { name, among } = dimension
    const ends = [among[0], among[among.length - 1]].map((value) => text(value, '').slice(0, 16))
    return `${name}\n${ends.join(among.length > 2 ? ' … ' : ', ')}`
  }
  const { name, from, to, isLog } = dimension
  return `${name}\n${from} to ${to}${isLog ? ', log' : ''}`
}

function importanceFigures(
  valued: readonly Valued[],
  { trials, description }: SweepResult,
  dimensions: readonly Dimension[],
  draw: Draw,
): string {
  const shares = dimensions
    .map((dimension) => {
      const places = valued.map(({ settings }) => placeOf(dimension, settings[dimension.name]))
      const values = valued.map(({ value }) => value)
      return { name: dimension.name, share: importanceOf(places, values, dimension.kind === 'choice') }
    })
    .sort((a, b) => (b.share ?? -1) - (a.share ?? -1))
  const known = shares.some(({ share }) => share !== null)
  const bars = known
    ? figure(draw, {
        ...{ id: 'importance', title: 'Importance', size: { width: HALF.width, height: 64 + 34 * shares.length } },
        label: `Importance: ${shares.map(({ name, share }) => `${name} ${number(share)}`).join(', ')}.`,
        caption:
          'Share of the variance of the ranks of the values that a setting explains alone, less what chance would have it.',
        option: barChart(
          shares.map(({ name, share }) => ({
            ...{ label: name, color: BLUE, mean: share, halfWidth: null, seeds: [], published: [] },
          })),
        ),
      })
    : '<p class="note">Eight trials with different values or more tell which setting matters.</p>'
  return `<div class="pair">${bars}${historyFigure(trials, description.direction === 'maximise', draw)}</div>`
}

/** What each trial came to, in their order, and the best until then. */
function historyFigure(trials: readonly SweepTrial[], isMaximised: boolean, draw: Draw): string {
  const numbers = trials.map(({ number }) => number)
  let best: number | null = null
  const bests = trials.map(({ state, value }) => {
    const isBetter = value !== null && (best === null || (isMaximised ? value > best : value < best))
    if (state === 'finished' && isBetter) best = value
    return best
  })
  const dots: SeriesOption = {
    ...{ type: 'scatter', name: 'trial', silent: true, color: FAINT, symbolSize: 7 },
    data: trials.flatMap(({ number, value }) => (value === null ? [] : [[number, value]])),
  }
  return figure(draw, {
    ...{ id: 'history', title: 'Best so far', size: HALF },
    label: `Best value after each of ${counted(trials.length, 'trial')}.`,
    caption: 'Where the line has been flat for long, more trials of this kind find little.',
    option: lineChart([dots, line('best so far', numbers, bests, BLUE, 2.2)], numbers, 'trial', {
      type: 'value',
      scale: true,
    }),
  })
}

function trialTable({ trials }: SweepResult, valued: readonly Valued[], dimensions: readonly Dimension[]): string {
  const others = trials.filter(({ value }) => value === null)
  const rows = [...valued, ...others]
    .slice(0, SHOWN)
    .map(({ number: trial, value, settings, state, seconds, reason }) => [
      `trial ${trial}`,
      number(value),
      ...dimensions.map(({ name }) => escapeHtml(text(settings[name], '–'))),
      seconds === null ? '–' : duration(seconds),
      reason ? `failed: ${escapeHtml(reason)}` : state,
    ])
  const more = trials.length > SHOWN ? `<p class="note">The best ${SHOWN} of ${trials.length}.</p>` : ''
  const head = ['', 'Value', ...dimensions.map(({ name }) => escapeHtml(name)), 'Training', 'Outcome']
  return `${more}${table(head, rows)}`
}

function sharedSettings({ description, trials }: SweepResult): Readonly<Record<string, unknown>> {
  const { env, objective, direction, sampler, seed } = description
  const { algorithm, settings } = learnerOf(description)
  return {
    algorithm,
    env,
    ...settings,
    objective,
    direction,
    sampler,
    'seed of the sampler': seed,
    trials: trials.length,
  }
}
