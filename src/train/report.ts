import type { EChartsOption } from 'echarts'
import {
  type Curves,
  carriedReturns,
  type Draw,
  escapeHtml,
  evaluationChart,
  finite,
  forcesChart,
  kernelChart,
  kernelMeanChart,
  legendOf,
  loadCharts,
  populationChart,
  quantile,
  type Size,
  thinned,
  type Value,
} from './charts.ts'
import type { Evaluation, IterationMetrics, RunSummary } from './metrics.ts'

// About as wide as they are shown on a desk, so that their 13 px stay near 13 px; phones get the narrow ones.
const WIDE: Size = { width: 960, height: 370 }
const WIDE_LOW: Size = { width: 960, height: 270 }
const HALF: Size = { width: 440, height: 290 }
const HALF_LOW: Size = { width: 440, height: 180 }
const HALF_HIGH: Size = { width: 440, height: 490 }

/** One HTML page without scripts or requests that shows a run: to be opened from disk, mailed, printed. */
export async function renderReport(run: RunSummary): Promise<string> {
  const draw = await loadCharts()
  const score = finalScore(run)
  const heading = `${text(run.config.algorithm, 'run')} on ${text(run.config.env, 'an unnamed environment')}`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(heading)}</title>
<style>${CSS}</style>
</head>
<body>
<main>
<header>
<h1>${escapeHtml(heading)}</h1>
<p>${escapeHtml(run.outcome)}</p>
${keyFigures(run, score)}
</header>
${curveSections(run, score, draw)}
${section('Configuration', configTable(run.config))}
</main>
</body>
</html>
`
}

/** What particles are ranked by: the greedy evaluation, or without one the last return seen in training. */
interface Score {
  values: Value[]
  /** Where the values come from. */
  source: string
  /** Particle of the highest value, null when there are no values. */
  best: number | null
}

function finalScore({ evaluation, metrics }: RunSummary): Score {
  const values = evaluation
    ? evaluation.greedy.map(finite)
    : carriedReturns(metrics).map((returns) => returns.at(-1) ?? null)
  const source = evaluation
    ? `greedy evaluation, ${counted(evaluation.episodes, 'episode')} each`
    : 'last return in training'
  return { values, source, best: bestOf(values, evaluation?.sampled) }
}

/** Many policies reach the highest return of an environment: among equals the one that samples best, then the first. */
function bestOf(values: Value[], sampled?: number[]): number | null {
  const highest = quantile(values, 1)
  if (highest === null) return null
  const equals = [...values.keys()].filter((i) => values[i] === highest)
  return equals.reduce((best, i) => (sampled && sampled[i] > sampled[best] ? i : best))
}

function keyFigures({ config, metrics }: RunSummary, { values, source, best }: Score): string {
  const last = metrics.at(-1)
  const results =
    values.length === 1
      ? [['Return', number(values[0]), source]]
      : [
          ['Best particle', number(quantile(values, 1)), best === null ? '' : `particle ${best}; ${source}`],
          ['Median particle', number(quantile(values, 0.5)), best === null ? '' : `of ${values.length}; ${source}`],
        ]
  const figures = [
    ...results,
    ['Iterations', number(metrics.length), ''],
    ['Transitions', compact(last?.transitions ?? 0), values.length > 1 ? 'environment steps of all particles' : ''],
    ['Training time', duration(last?.seconds ?? 0), ''],
    ['Seed', text(config.seed, '\u2013'), ''],
  ]
  const items = figures.map(
    ([name, value, note]) =>
      `<div><dt>${name}</dt><dd><b>${escapeHtml(value)}</b>${note && `<small>${escapeHtml(note)}</small>`}</dd></div>`,
  )
  return `<dl>\n${items.join('\n')}\n</dl>`
}

function curveSections(run: RunSummary, score: Score, draw: Draw): string {
  const { metrics, evaluation } = run
  const evaluated = evaluation ? section('Evaluation', evaluationFigure(evaluation, score, draw)) : ''
  if (metrics.length === 0) {
    return `${section('Return', '<p>No iteration was completed, so there are no curves to draw.</p>')}\n${evaluated}`
  }
  return [
    section('Return', returnFigure(run, score, draw)),
    evaluated,
    section('Kernel', kernelFigures(run, draw)),
    section('Policy', policyFigures(run, draw)),
  ].join('\n')
}

function returnFigure({ metrics }: RunSummary, { best, source }: Score, draw: Draw): string {
  const all = carriedReturns(metrics)
  if (all.flat().every((value) => value === null)) {
    return '<p>No episode ended during training, so there are no returns to draw.</p>'
  }
  const drawn = thinned(metrics)
  const curves: Curves = {
    iterations: drawn.map((m) => m.iteration),
    particles: all.map((values) => thinned(values)),
  }
  const { iteration, transitions } = metrics[metrics.length - 1]
  const ends = number(
    quantile(
      all.map((values) => values[values.length - 1]),
      0.5,
    ),
  )
  const caption =
    all.length > 1
      ? `Mean return of the episodes that ended in each iteration: a median close to the best means that the whole population learns, not one lucky particle. The best is chosen by ${source}.`
      : 'Mean return of the episodes that ended in each iteration: look for a rise that lasts.'
  return figure(draw, {
    id: 'return',
    label: `Mean return of ${counted(all.length, 'particle')} over ${counted(metrics.length, 'iteration')}; the median ends at ${ends}.`,
    caption: caption + stride(metrics, drawn),
    option: populationChart(curves, `iteration (${iteration} = ${compact(transitions)} transitions)`, true, best),
    size: HALF,
    wide: WIDE,
  })
}

function evaluationFigure(evaluation: Evaluation, { best, values }: Score, draw: Draw): string {
  return figure(draw, {
    id: 'evaluation',
    label: `Mean return of ${counted(values.length, 'particle')} in evaluation, greedy and sampled${best === null ? '' : `; the best is particle ${best}`}.`,
    caption: `Mean return over ${counted(evaluation.episodes, 'episode')} after training: a sampled bar much shorter than its greedy one belongs to a policy that is still exploring.`,
    option: evaluationChart(evaluation),
    size: HALF,
    wide: WIDE_LOW,
  })
}

function kernelFigures({ kernel, metrics }: RunSummary, draw: Draw): string {
  if (metrics[0].returns.length === 1) return '<p>A single particle has nothing to interact with.</p>'
  if (kernel === null) return '<p>These particles do not interact: the run has no kernel between them.</p>'
  const drawn = thinned(metrics)
  const matrix = figure(draw, {
    id: 'kernel',
    title: 'Kernel matrix',
    label: `Kernel matrix of ${counted(kernel.length, 'particle')}.`,
    caption:
      'Likeness of every two particles in the last iteration: dark everywhere, they have collapsed into one; pale off the diagonal, they no longer feel each other.',
    option: kernelChart(kernel),
    size: HALF_HIGH,
  })
  const forces = figure(draw, {
    id: 'forces',
    title: 'Drive and repulsion',
    label: 'Norms of drive and repulsion over iterations, logarithmic.',
    caption: `Mean norms of the two terms of the Stein direction: the higher line moves the particles, drive towards return or repulsion away from each other.${stride(metrics, drawn)}`,
    option: forcesChart(drawn),
    size: HALF_LOW,
  })
  const mean = figure(draw, {
    id: 'kernel-mean',
    title: 'Mean kernel',
    label: 'Mean of the kernel off its diagonal over iterations.',
    caption: 'Mean over pairs of different particles: near 1 they are alike, near 0 they do not feel each other.',
    option: kernelMeanChart(drawn),
    size: HALF_LOW,
  })
  return `<div class="pair">${matrix}<div>${forces}${mean}</div></div>`
}

function policyFigures({ metrics }: RunSummary, draw: Draw): string {
  const drawn = thinned(metrics)
  const curves = (rows: number[][]): Curves => ({
    iterations: drawn.map((m) => m.iteration),
    particles: rows[0].map((_, i) => rows.map((row) => finite(row[i]))),
  })
  const entropy = curves(drawn.map((m) => m.entropy))
  const norms = curves(drawn.map((m) => m.thetaNorm))
  return `<div class="pair">${figure(draw, {
    id: 'entropy',
    title: 'Entropy',
    label: 'Entropy of the policies over iterations.',
    caption: `Entropy of the policy in nats: a slow fall is learning, a plunge is a policy that stopped exploring.${stride(metrics, drawn)}`,
    option: populationChart(entropy, 'iteration', true),
    size: HALF,
  })}${figure(draw, {
    id: 'norm',
    title: 'Norm of the parameters',
    label: 'Norm of the parameters over iterations.',
    caption:
      'Length of each particle, |\u03b8|: it should level off or grow slowly; a steep rise means too large a step.',
    option: populationChart(norms, 'iteration', false),
    size: HALF,
  })}</div>`
}

/** Says so where a chart does not show every iteration. */
function stride(metrics: readonly IterationMetrics[], drawn: IterationMetrics[]): string {
  const step = Math.ceil(metrics.length / drawn.length)
  return step > 1 ? ` One iteration in ${step} is drawn.` : ''
}

function section(title: string, body: string): string {
  return `<section>\n<h2>${title}</h2>\n${body}\n</section>`
}

interface Figure {
  id: string
  title?: string
  /** What the chart shows, for those who cannot see it. */
  label: string
  /** What to look for. */
  caption: string
  option: EChartsOption
  size: Size
  /** Drawn a second time for wide screens, where `size` would be blown up. */
  wide?: Size
}

function figure(draw: Draw, { id, title, label, caption, option, size, wide }: Figure): string {
  const chart = draw(id, label, size, option)
  return `<figure>
${title ? `<h3>${title}</h3>` : ''}
${legendList(option)}
${wide ? `<div class="narrow">${chart}</div><div class="wide">${draw(`${id}-wide`, label, wide, option)}</div>` : chart}
<figcaption>${escapeHtml(caption)}</figcaption>
</figure>`
}

function legendList(option: EChartsOption): string {
  const entries = legendOf(option)
  if (entries.length < 2) return ''
  const items = entries.map(
    ({ name, color, shape }) =>
      `<li><svg viewBox="0 0 18 12" aria-hidden="true"><path d="${shape === 'box' ? 'M0 0h18v12H0z' : 'M0 4.5h18v3H0z'}" fill="${color}"/></svg>${escapeHtml(name)}</li>`,
  )
  return `<ul>${items.join('')}</ul>`
}

function configTable(config: RunSummary['config']): string {
  const rows = Object.entries(config).map(
    ([name, value]) => `<tr><th scope="row">${escapeHtml(name)}</th><td>${escapeHtml(text(value, ''))}</td></tr>`,
  )
  return `<table>\n<tbody>\n${rows.join('\n')}\n</tbody>\n</table>`
}

/** Strings as they are, everything else as compact JSON. */
function text(value: unknown, missing: string): string {
  if (value === undefined) return missing
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function number(x: Value): string {
  if (x === null) return '\u2013'
  const precision = Math.abs(x) < 1 ? { maximumSignificantDigits: 3 } : { maximumFractionDigits: 1 }
  return x.toLocaleString('en-US', precision)
}

/** 1234567 as "1.2 M". */
function compact(x: number): string {
  return x
    .toLocaleString('en-US', { notation: 'compact', maximumFractionDigits: 1 })
    .replace(/[A-Z]$/, (unit) => `\u00a0${unit.replace('K', 'k')}`)
}

function duration(seconds: number): string {
  if (seconds < 100) return `${number(seconds)}\u00a0s`
  if (seconds < 6000) return `${Math.round(seconds / 60)}\u00a0min`
  return `${number(seconds / 3600)}\u00a0h`
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

// The charts are drawn in dark ink, so in the dark theme their cards stay white.
const CSS = `
:root { color-scheme: light dark; --page: #f5f6f8; --ink: #1c2128; --soft: #59636e; --card: #fff; --line: #dfe3e8; }
@media screen and (prefers-color-scheme: dark) {
  :root { --page: #14171c; --ink: #e6e9ed; --soft: #9aa4af; --card: #1d2127; --line: #333a43; }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--ink); -webkit-text-size-adjust: 100%;
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, Helvetica, Arial, sans-serif;
}
main { max-width: 1120px; margin: 0 auto; padding: 40px 24px 56px; }
h1 { font-size: 30px; line-height: 1.2; letter-spacing: -0.015em; margin: 0 0 6px; overflow-wrap: anywhere; }
h2 { font-size: 19px; margin: 40px 0 12px; }
h3 { color: #1c2128; font-size: 15px; margin: 0 0 8px; }
p { margin: 0; color: var(--soft); max-width: 70ch; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: 12px; margin: 24px 0 0; }
dl div { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 12px 14px; }
dt { color: var(--soft); font-size: 13px; }
dd { margin: 0; overflow-wrap: anywhere; }
dd b { display: block; font-size: 24px; font-weight: 600; line-height: 1.3; font-variant-numeric: tabular-nums; }
small { display: block; color: var(--soft); font-size: 12px; line-height: 1.35; }
figure { margin: 0; background: #fff; border: 1px solid var(--line); border-radius: 10px; padding: 18px 18px 14px; }
figcaption { color: #59636e; font-size: 14px; line-height: 1.45; margin-top: 10px; max-width: 110ch; text-wrap: pretty; }
svg { display: block; width: 100%; height: auto; }
ul { display: flex; flex-wrap: wrap; gap: 2px 20px; margin: 0 0 6px; padding: 0; list-style: none; color: #3d444d; font-size: 13px; }
li { display: flex; align-items: center; gap: 7px; }
li svg { width: 18px; height: 12px; }
.narrow { display: none; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 16px; }
.pair > div { display: flex; flex-direction: column; gap: 16px; }
.pair > div > figure:last-child { flex: 1; }
table { width: 100%; border-collapse: collapse; font-size: 14px; background: var(--card); border: 1px solid var(--line); }
th, td { text-align: left; vertical-align: top; padding: 6px 14px; border-top: 1px solid var(--line); }
th { font-weight: 500; color: var(--soft); white-space: nowrap; }
td { width: 100%; font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: 13px; overflow-wrap: anywhere; }
@media screen and (max-width: 900px) { dl { grid-template-columns: repeat(3, 1fr); } }
@media (max-width: 640px) {
  main { padding: 24px 14px 40px; }
  h1 { font-size: 24px; }
  dl { grid-template-columns: 1fr 1fr; gap: 10px; }
  figure { padding: 12px 10px 10px; }
  .pair { grid-template-columns: 1fr; }
  .wide { display: none; }
  .narrow { display: block; }
  th { white-space: normal; }
}
@page { margin: 14mm; }
@media print {
  :root { --page: #fff; }
  body { font-size: 11pt; }
  main { padding: 0; }
  dl { grid-template-columns: repeat(3, 1fr); }
  figure, dl, tr { break-inside: avoid; }
  h2 { break-after: avoid; }
}
`
