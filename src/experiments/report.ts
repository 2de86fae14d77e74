import { quantile, type Value } from '../core/statistics.ts'
import { type Draw, escapeHtml, loadCharts, type Size } from '../report/charts.ts'
import { colorOf } from '../report/colours.ts'
import { QUANTITIES, titled } from '../report/metric-titles.ts'
import {
  compact,
  counted,
  duration,
  figure,
  HALF,
  HALF_LOW,
  keyFigureList,
  number,
  page,
  section,
  settingsTable,
  table,
  text,
  WIDE,
} from '../report/page.ts'
import { barChart, gridChart, learningChart, mapChart, numberChart, pointChart, type VariantCurve } from './charts.ts'
import { comparisonSection } from './comparison-section.ts'
import { cornerName, gridValues, hardIndex, type PresetGrid } from './grid.ts'
import type { PopulationCurves } from './measures.ts'
import { goalSection, type RunGoals } from './multigoal/section.ts'
import type { Preset } from './preset.ts'
import { estimated, fixed, hasCoverage, seedsNote, statisticsTable, swatch } from './statistics-table.ts'
import type { ExperimentSummary, RunResult, VariantSummary } from './summary.ts'
import { type Plane, planeOf, type RunVisits } from './visits.ts'

/** What a report shows beside the summary. */
export interface ReportExtras {
  /** Of training, of all finished runs. */
  readonly seconds: number
  readonly transitions: number
  readonly figure: Preset['figure']
  readonly visits: readonly RunVisits[]
  /** Where episodes end, of a run of each variant on a task with goals. */
  readonly goals: readonly RunGoals[]
}

const MAP: Size = { width: 230, height: 190 }
const GRID_MAP: Size = { width: 350, height: 300 }

/**
 * One HTML page without scripts or requests that compares the variants of an experiment; runs are linked by relative
 * paths.
 */
export async function renderExperiment(summary: ExperimentSummary, extras: ReportExtras): Promise<string> {
  const draw = await loadCharts()
  const finished = summary.variants.some(({ runs }) => runs.some(({ measures }) => measures))
  const results = finished
    ? [
        ...(summary.grid ? [section('Across the parameters', gridFigures(summary, summary.grid, draw))] : []),
        ...resultSections(summary, extras, draw),
        diversitySection(summary, draw),
        goalSection(summary, extras.goals, draw),
        section('Statistics', statisticsTable(summary)),
        comparisonSection(summary, draw),
        section('What moves the policies', numberFigures(summary, draw)),
        await visitationSection(summary, extras, draw),
      ]
    : [section('Results', '<p>No run is finished, so there is nothing to compare.</p>')]
  return page(
    summary.name,
    [
      `<header>\n<h1>${escapeHtml(summary.name)}</h1>\n<p>${escapeHtml(`${summary.env}. ${summary.shows}`)}</p>\n${keyFigures(summary, extras)}\n</header>`,
      variantList(summary.variants),
      ...results,
      section('Runs', runsTable(summary)),
      section('Settings', settings(summary)),
    ].join('\n'),
  )
}

function keyFigures({ iterations, seeds, variants }: ExperimentSummary, extras: ReportExtras): string {
  const runs = variants.flatMap((variant) => variant.runs)
  const finished = runs.filter(({ outcome }) => outcome === 'finished').length
  const failed = runs.filter(({ outcome }) => outcome === 'failed').length
  const note = failed > 0 ? `of ${runs.length}; ${failed} failed` : `of ${runs.length} finished`
  return keyFigureList([
    ['Variants', number(variants.length), ''],
    ['Seeds', number(seeds.length), 'of each variant'],
    ['Runs', number(finished), note],
    ['Iterations', number(iterations), 'of each run'],
    ['Transitions', compact(extras.transitions), 'environment steps of all runs'],
    ['Training time', duration(extras.seconds), 'sum over runs'],
  ])
}

function variantList(variants: readonly VariantSummary[]): string {
  const items = variants.map(
    ({ label, note }, v) => `<div><dt>${swatch(v)}${escapeHtml(label)}</dt><dd>${escapeHtml(note)}</dd></div>`,
  )
  return `<dl class="variants">\n${items.join('\n')}\n</dl>`
}

function resultSections(summary: ExperimentSummary, extras: ReportExtras, draw: Draw): string[] {
  const curves = section('Learning curves', learningFigures(summary, extras, draw))
  const bars = section('What is reached', barFigures(summary, draw))
  return extras.figure === 'curves' ? [curves, bars] : [bars, curves]
}

/** Heat maps where there are two constants, bars, and a table. */
function gridFigures(summary: ExperimentSummary, grid: PresetGrid, draw: Draw): string {
  const { variants } = summary
  const corner = cornerName(grid)
  const all = variants.find((variant) => variant.grid)?.grid?.length ?? 0
  const bars = [
    ['gridHard', 'Hard corner', `Mean return at ${corner}. ${seedsNote(summary)}`],
    ['gridMean', 'Mean over the grid', `Mean return over all ${all} points.`],
  ].map(([name, title, caption]) => barFigure(summary, draw, { name, title, caption, withPublished: false }))
  const rows = variants.map(({ label, estimates }, v) => [
    `${swatch(v)}${escapeHtml(label)}`,
    ...['gridMean', 'gridHard', 'gridWorst', 'greedyBest'].map((name) => estimated(estimates[name])),
  ])
  const head = ['', 'Mean over the grid', `Hard corner: ${escapeHtml(corner)}`, 'Worst point', 'Reference']
  return [
    `<p class="note">Mean return of the greedy policy over ${grid.episodes} episodes at each point of a grid over ${escapeHtml(Object.keys(grid.ranges).join(' and '))}, mean over seeds; pale is good. The hard corner, ${escapeHtml(corner)}, is framed. Reference: the task as it is.</p>`,
    gridMaps(summary, grid, draw),
    table(head, rows),
    `<div class="pair">${bars.join('')}</div>`,
  ].join('\n')
}

function gridMaps({ variants }: ExperimentSummary, grid: PresetGrid, draw: Draw): string {
  const axes = Object.entries(grid.ranges).map(([name, range]) => ({ name, values: gridValues(range, grid.points) }))
  if (axes.length !== 2) return ''
  const all = variants.flatMap((variant) => variant.grid ?? [])
  const ends = [0, 1].map((q) => quantile(all, q) as number)
  const hard = hardIndex(grid)
  const maps = variants.map(({ label, grid: returns }, v) => {
    if (!returns) return ''
    const lines = axes[0].values.map((_, j) => returns.slice(j * grid.points, (j + 1) * grid.points))
    const option = gridChart({
      ...{ returns: lines, x: axes[1], y: axes[0], range: [ends[0], ends[1]] },
      marked: [hard % grid.points, Math.floor(hard / grid.points)],
    })
    const title = `Returns of ${label} over ${axes[0].name} and ${axes[1].name}.`
    return `<figure><h3>${swatch(v)}${escapeHtml(label)}</h3>${draw(`grid-${v}`, title, GRID_MAP, option)}</figure>`
  })
  return `<div class="grids">${maps.join('')}</div>`
}

function curvesOf({ variants }: ExperimentSummary, name: keyof PopulationCurves): VariantCurve[] {
  return variants.flatMap(({ label, curves, runs }, v) => {
    if (!curves[name]?.mean.some((x) => x !== null)) return []
    const seeds = runs.flatMap((run) => (run.curves ? [run.curves[name]] : []))
    return [{ label, color: colorOf(v), estimate: curves[name], seeds }]
  })
}

function learningFigures(summary: ExperimentSummary, { transitions }: ReportExtras, draw: Draw): string {
  const runs = summary.variants.flatMap((variant) => variant.runs.filter(({ measures }) => measures)).length
  const xName = `iteration (${summary.iterations} = ${compact(transitions / Math.max(runs, 1))} transitions)`
  const drawn = (name: keyof PopulationCurves, title: string, caption: string) => {
    const curves = curvesOf(summary, name)
    if (curves.length === 0) return ''
    return figure(draw, {
      ...{ id: `curve-${name}`, title, caption, size: HALF, wide: WIDE },
      label: `${title} over ${counted(summary.iterations, 'iteration')}: ${curves.map(({ label }) => label).join(', ')}.`,
      option: learningChart(curves, xName),
    })
  }
  const lines = summary.seeds.length > 1 ? 'Bold: mean over seeds; shaded: its interval; thin: every seed. ' : ''
  const best = drawn(
    'runningBest',
    'Best policy',
    `Return in training of the best policy of each iteration, its mean over ten iterations. ${lines}The best of many is higher than one of them on average, which favours populations over a single policy. ${seedsNote(summary)}`,
  )
  const median = drawn(
    'median',
    'Median policy',
    'Return in training of the median policy: the whole population has learned where it is close to the best.',
  )
  return `<div class="stack">${best}${median}</div>`
}

/** Return against diversity, one point a run; nothing where no population has a diversity. */
function diversitySection({ variants }: ExperimentSummary, draw: Draw): string {
  const named = variants.map(({ label, runs }, v) => ({
    ...{ label, color: colorOf(v) },
    points: runs.flatMap(({ measures }): [number, number][] => {
      const [x, y] = [measures?.behaviourVolume ?? null, measures?.finalMedian ?? null]
      return x === null || y === null ? [] : [[x, y]]
    }),
  }))
  if (named.every(({ points }) => points.length === 0)) return ''
  const drawn = figure(draw, {
    ...{ id: 'diversity', title: 'Median return against volume', size: HALF, wide: WIDE, legend: true },
    label: `Median return against the volume of behaviours, one point a run: ${named.map(({ label }) => label).join(', ')}.`,
    caption:
      'One point a run: to the right policies differ, at the top they are good; both of the last ten iterations.',
    option: pointChart(named, 'log-volume of behaviours', 'median return'),
  })
  const names = ['finalMedian', 'actionDivergence', 'behaviourVolume', 'goals', 'qualityDiversity'] as const
  const known = names.filter((name) => variants.some(({ estimates }) => name in estimates))
  const rows = variants.map(({ label, estimates }, v) => [
    `${swatch(v)}${escapeHtml(label)}`,
    ...known.map((name) => estimated(estimates[name])),
  ])
  return section('Return and diversity', `${drawn}\n${table(['', ...known.map((name) => MEASURED[name])], rows)}`)
}

const MEASURED = {
  ...{ finalMedian: 'Final median', actionDivergence: 'Divergence', behaviourVolume: 'Volume' },
  ...{ goals: 'Goals kept', qualityDiversity: QUANTITIES.qualityDiversity[0] },
}

interface BarFigure {
  readonly name: string
  readonly title: string
  readonly caption: string
  readonly withPublished: boolean
}

function barFigures(summary: ExperimentSummary, draw: Draw): string {
  const best = barFigure(summary, draw, {
    ...{ name: 'best', title: 'Best policy', withPublished: true },
    caption: 'Highest mean of the best policy over ten iterations, the metric of the published numbers.',
  })
  const median = barFigure(summary, draw, {
    ...{ name: 'finalMedian', title: 'Median policy at the end', withPublished: false },
    caption: 'Mean over the last ten iterations.',
  })
  const returns = `<div class="pair">${best}${median}</div>`
  if (!hasCoverage(summary)) return returns
  const now = barFigure(summary, draw, {
    ...{ name: 'finalCoverage', title: 'Coverage at the end', withPublished: false },
    caption: 'Cells of the task’s grid that the population visits in an iteration, mean over the last ten.',
  })
  const all = barFigure(summary, draw, {
    ...{ name: 'coverage', title: QUANTITIES.coverage[0], withPublished: false },
    caption: 'Cells that the population has visited over the run.',
  })
  return `${returns}<div class="pair">${now}${all}</div>`
}

function barFigure(summary: ExperimentSummary, draw: Draw, { name, title, caption, withPublished }: BarFigure): string {
  const { variants, published } = summary
  return figure(draw, {
    ...{ id: `bars-${name}`, title, caption, size: { width: HALF.width, height: 64 + 40 * variants.length } },
    label: `${title}: ${variants.map(({ label, estimates }) => `${label} ${number(estimates[name]?.mean ?? null)}`).join(', ')}.`,
    option: barChart(
      variants.map(({ label, estimates, runs }, v) => ({
        ...{ label, color: colorOf(v), mean: estimates[name]?.mean ?? null },
        halfWidth: estimates[name]?.halfWidth ?? null,
        seeds: runs.flatMap(({ measures }) => (measures ? [measures[name]] : [])),
        published: withPublished
          ? published.flatMap(({ short, best }) => (label in best ? [{ name: short, value: best[label] }] : []))
          : [],
      })),
    ),
  })
}

/** Curves that are shown elsewhere, or that the others tell already. */
const SHOWN = ['bandwidth', 'best', 'runningBest', 'upperQuartile', 'median', 'mean', 'lowerQuartile', 'worst']

function numberFigures({ variants }: ExperimentSummary, draw: Draw): string {
  const names = new Set([...Object.keys(QUANTITIES), ...variants.flatMap(({ curves }) => Object.keys(curves))])
  const figures = [...names].map((name) => {
    const curves = variants.flatMap(({ label, curves }, v): VariantCurve[] =>
      curves[name]?.mean.some((x) => x !== null)
        ? [{ label, color: colorOf(v), estimate: curves[name], seeds: [] }]
        : [],
    )
    if (SHOWN.includes(name) || curves.length === 0 || isConstant(name, curves)) return ''
    const [title, caption] = titled(name)
    return figure(draw, {
      ...{ id: `number-${name}`, title, caption, size: HALF_LOW, legend: true },
      label: `${title} over iterations: ${curves.map(({ label }) => label).join(', ')}.`,
      option: numberChart(curves),
    })
  })
  return `<div class="pair">${figures.join('')}</div>`
}

/** A temperature that does not change is a setting. */
const isConstant = (name: string, curves: readonly VariantCurve[]) =>
  name === 'temperature' && curves.every(({ estimate }) => new Set(estimate.mean).size === 1)

async function visitationSection(
  { variants }: ExperimentSummary,
  { visits }: ReportExtras,
  draw: Draw,
): Promise<string> {
  const plane = await planeOf(visits)
  if (!plane) return ''
  const share = plane.explained.map((x) => `${number(100 * x)} %`).join(' and ')
  const maps = visits.map((run) => {
    const v = variants.findIndex(({ label }) => label === run.variant)
    return visitationMaps(run, v, plane, draw)
  })
  return section(
    'Where the best policies go',
    `<p class="note">Observations of the best four policies, by greedy evaluation, of the best run of each variant in its last iterations, on their first two principal components: ${share} of the variance of standardised observations. All maps have the same axes, so that policies which do the same look the same.</p>
<div class="stack">${maps.join('\n')}</div>`,
  )
}

function visitationMaps({ variant, seed, policies }: RunVisits, v: number, plane: Plane, draw: Draw): string {
  const maps = policies.map(({ particle, greedy, rows }) => {
    const name = `policy ${particle}: ${number(greedy)}`
    const label = `Visited states of ${variant}, seed ${seed}, ${name}.`
    const map = draw(`map-${v}-${particle}`, label, MAP, mapChart(plane.project(rows), colorOf(v), plane))
    return `<div>${map}<span>${name}</span></div>`
  })
  return `<figure><h3>${escapeHtml(variant)}, seed ${seed}</h3><div class="maps">${maps.join('')}</div></figure>`
}

function runsTable({ variants }: ExperimentSummary): string {
  const measure = ({ measures }: RunResult, name: string): Value => measures?.[name] ?? null
  const written = (name: string, x: Value) => (name === 'iterationsTo95' ? number(x) : fixed(x))
  const names = ['best', 'iterationsTo95', 'finalMedian', 'finalWorst', 'greedyBest', 'greedyMedian']
  const rows = variants.flatMap(({ label, runs }, v) =>
    runs.map((run) => {
      const link = `<a href="${encodeURIComponent(label)}/seed-${run.seed}/report.html">seed ${run.seed}</a>`
      const outcome = run.reason ? `failed: ${escapeHtml(run.reason)}` : run.outcome
      const name = `${swatch(v)}${escapeHtml(label)}, ${run.outcome === 'unfinished' ? `seed ${run.seed}` : link}`
      return [name, ...names.map((measured) => written(measured, measure(run, measured))), outcome]
    }),
  )
  const head = ['Best', 'Iterations to 95 %', 'Final median', 'Final worst', 'Greedy best', 'Greedy median', 'Outcome']
  return table(['', ...head], rows)
}

/** Settings that all variants share on one line, others by variant. */
function settings({ variants }: ExperimentSummary): string {
  const names = [...new Set(variants.flatMap((variant) => Object.keys(variant.settings)))]
  const rows = names.map((name): [string, string] => {
    const values = variants.map((variant) => text(variant.settings[name], '–'))
    const isShared = values.every((value) => value === values[0])
    return [name, isShared ? values[0] : variants.map(({ label }, v) => `${label}: ${values[v]}`).join(' · ')]
  })
  return settingsTable(Object.fromEntries(rows))
}
