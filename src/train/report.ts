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
  loadCharts,
  populationChart,
  quantile,
  thinned,
  type Value,
} from './charts.ts'
import type { Evaluation, IterationMetrics, RunSummary } from './metrics.ts'
import {
  compact,
  counted,
  duration,
  figure,
  HALF,
  HALF_HIGH,
  HALF_LOW,
  type KeyFigure,
  keyFigureList,
  number,
  page,
  section,
  settingsTable,
  text,
  WIDE,
  WIDE_LOW,
} from './page.ts'

/** One HTML page without scripts or requests that shows a run: to be opened from disk, mailed, printed. */
export async function renderReport(run: RunSummary): Promise<string> {
  const draw = await loadCharts()
  const score = finalScore(run)
  const heading = `${text(run.config.algorithm, 'run')} on ${text(run.config.env, 'an unnamed environment')}`
  return page(
    heading,
    `<header>
<h1>${escapeHtml(heading)}</h1>
<p>${escapeHtml(run.outcome)}</p>
${keyFigures(run, score)}
</header>
${curveSections(run, score, draw)}
${section('Configuration', settingsTable(run.config))}`,
  )
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
  const results: KeyFigure[] =
    values.length === 1
      ? [['Return', number(values[0]), source]]
      : [
          ['Best particle', number(quantile(values, 1)), best === null ? '' : `particle ${best}; ${source}`],
          ['Median particle', number(quantile(values, 0.5)), best === null ? '' : `of ${values.length}; ${source}`],
          ['Worst particle', number(quantile(values, 0)), best === null ? '' : middleHalf(values)],
        ]
  return keyFigureList([
    ...results,
    ['Iterations', number(metrics.length), ''],
    ['Transitions', compact(last?.transitions ?? 0), values.length > 1 ? 'environment steps of all particles' : ''],
    ['Training time', duration(last?.seconds ?? 0), ''],
    ['Seed', text(config.seed, '\u2013'), ''],
  ])
}

const middleHalf = (values: Value[]) =>
  `half of all between ${number(quantile(values, 0.25))} and ${number(quantile(values, 0.75))}`

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
    label: 'Norms of drive, its share from others, and repulsion over iterations, logarithmic.',
    caption: `Mean norms of the two terms of the Stein direction: the higher line moves the particles, drive towards return or repulsion away from each other. Sharing is what of the drive comes from other particles.${stride(metrics, drawn)}`,
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
