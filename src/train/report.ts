import { isRecord, requireThat } from '../core/require.ts'
import { finite, quantile, type Value } from '../core/statistics.ts'
import {
  type Curves,
  type Draw,
  escapeHtml,
  forcesChart,
  kernelChart,
  kernelMeanChart,
  loadCharts,
  populationChart,
  quantityChart,
  STEPS,
  thinned,
} from '../report/charts.ts'
import { QUANTITIES, titled } from '../report/metric-titles.ts'
import type { IterationMetrics, RunSummary } from '../report/metrics.ts'
import { carriedReturns } from '../report/metrics.ts'
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
} from '../report/page.ts'
import { evaluationFigures, type Score } from './evaluation-figures.ts'
import { singlePolicyOf } from './single-policies.ts'

/** One HTML page without scripts or requests that shows a run: to be opened from disk, mailed, printed. */
export async function renderReport(run: RunSummary): Promise<string> {
  const isSummary = isRecord(run) && isRecord(run.config) && Array.isArray(run.metrics)
  requireThat(isSummary, 'renderReport', 'a run with its config and metrics', run)
  const { metrics, evaluation = null, kernel = null, outcome } = run
  requireThat(metrics.every(isRecord), 'renderReport', 'metrics that are records', metrics)
  requireThat(typeof outcome === 'string', 'renderReport', 'how the run ended in words, outcome', outcome)
  requireThat(kernel === null || Array.isArray(kernel), 'renderReport', 'the rows of the kernel or null', kernel)
  const isEvaluation = isRecord(evaluation) && Array.isArray(evaluation.greedy) && Array.isArray(evaluation.sampled)
  requireThat(evaluation === null || isEvaluation, 'renderReport', 'what evaluate() gives, evaluation', evaluation)
  const { evaluations = [], acting = null } = run
  const areEvaluations = Array.isArray(evaluations) && evaluations.every((each) => Array.isArray(each?.greedy))
  requireThat(areEvaluations, 'renderReport', 'the evaluations of its training as a list, evaluations', evaluations)
  const isEpisode = acting === null || (isRecord(acting) && Array.isArray(acting.scenes))
  requireThat(isEpisode, 'renderReport', 'an episode with its scenes, acting', acting)
  const draw = await loadCharts()
  const score = finalScore(run)
  const heading = `${nameOf(run.config)} on ${text(run.config.env, 'an unnamed environment')}`
  return page(
    heading,
    `<header>
<h1>${escapeHtml(heading)}</h1>
<p>${escapeHtml(run.outcome)}</p>
${keyFigures(run, score)}
</header>
${curveSections(run, score, draw)}
${section('Configuration', settingsTable(concerning(run.config)))}`,
  )
}

/** A population of one is known by its estimator. */
const nameOf = (config: RunSummary['config']) => singlePolicyOf(config) ?? text(config.algorithm, 'run')

/** Settings that only count where another one has a certain value, by the beginning of their names. */
const DEPENDENT: readonly [names: RegExp, counts: (config: RunSummary['config']) => boolean][] = [
  [/^(clip|epochs|minibatches)$/, ({ estimator }) => estimator !== 'reinforce' && estimator !== 'a2c'],
  [/^critic/, ({ baseline, estimator }) => estimator !== 'reinforce' || baseline === 'value'],
  [/^(imitation|priorityExponent|importanceExponent|trajectories|discriminator)/, isImitating],
  [/^temperature(From|Iterations)$/, ({ temperatureSchedule }) => temperatureSchedule !== 'constant'],
  [/^(kernel|bandwidth|kernelTemperature|probeStates|exploration|perLayer|repulsion)$/, isInteracting],
  [/^probeStates$/, ({ kernel }) => kernel === 'function'],
  [/^(kernelTemperature|exploration)$/, ({ kernel }) => kernel === 'js' || kernel === 'symmetric-kl'],
  [/^(temperature|temperatureSchedule|evolutionEvery)$/, ({ particles }) => particles !== 1],
  [/^(particles|interaction)$/, (config) => !isSingle(config)],
  [/^prior$/, (config) => !isSingle(config) || config.prior !== 'flat'],
  [/^nSteps$/, ({ nSteps }) => nSteps !== null],
]

function isSingle({ particles, interaction }: RunSummary['config']): boolean {
  return particles === 1 && interaction === 'independent'
}

function isImitating({ selfImitation }: RunSummary['config']): boolean {
  return selfImitation !== 'none'
}

function isInteracting({ interaction }: RunSummary['config']): boolean {
  return interaction !== 'independent' && interaction !== 'joint'
}

/** The settings that this run depends on; all of them are in config.json. */
const concerning = (config: RunSummary['config']) =>
  config.algorithm === 'svpg'
    ? Object.fromEntries(
        Object.entries(config).filter(([name]) =>
          DEPENDENT.every(([names, counts]) => !names.test(name) || counts(config)),
        ),
      )
    : config

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
  const { metrics } = run
  const figures = evaluationFigures(run, score, draw)
  const evaluated = figures === '' ? '' : section('Evaluation', figures)
  if (metrics.length === 0) {
    return `${section('Return', '<p>No iteration was completed, so there are no curves to draw.</p>')}\n${evaluated}`
  }
  const learning = learningFigures(run, draw)
  const kernel = kernelFigures(run, draw)
  return [
    section('Return', returnFigure(run, score, draw)),
    evaluated,
    kernel === '' ? '' : section('Kernel', kernel),
    section('Policy', policyFigures(run, draw)),
    learning === '' ? '' : section('Learning', `<div class="pair">${learning}</div>`),
  ].join('\n')
}

function returnFigure({ metrics }: RunSummary, { best, source }: Score, draw: Draw): string {
  const all = carriedReturns(metrics)
  if (all.flat().every((value) => value === null)) {
    return '<p>No episode ended during training, so there are no returns to draw.</p>'
  }
  const drawn = thinned(metrics)
  const curves: Curves = {
    iterations: drawn.map((m) => m.transitions),
    particles: all.map((values) => thinned(values)),
  }
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
    label: `Mean return of ${all.length === 1 ? 'the policy' : counted(all.length, 'particle')} over ${counted(metrics.length, 'iteration')}; the median ends at ${ends}.`,
    caption: caption + stride(metrics, drawn),
    option: populationChart(curves, STEPS, true, best),
    size: HALF,
    wide: WIDE,
  })
}

function kernelFigures({ kernel, metrics }: RunSummary, draw: Draw): string {
  const known = metrics.some(({ kernelOffDiagonal }) => kernelOffDiagonal !== null)
  if (kernel === null ? !known : kernel.length === 1) {
    return metrics[0].returns.length === 1
      ? ''
      : '<p>These particles do not interact: the run has no kernel between them.</p>'
  }
  const drawn = thinned(metrics)
  const idle = kernel === null ? '' : idleKernel(metrics)
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
  if (kernel === null) return `<div class="pair">${forces}${mean}</div>`
  const matrix = figure(draw, {
    id: 'kernel',
    title: 'Kernel matrix',
    label: `Kernel matrix of ${counted(kernel.length, 'particle')}.`,
    caption:
      'Likeness of every two particles in the last iteration: dark everywhere, they have collapsed into one; pale off the diagonal, they do not feel each other.',
    option: kernelChart(kernel),
    size: HALF_HIGH,
  })
  return `${idle}<div class="pair">${matrix}<div>${forces}${mean}</div></div>`
}

/** A mean kernel below this couples no particles: a hundredth of what a particle feels of itself. */
const IDLE = 0.01

/** Says so where the kernel did nothing. */
function idleKernel(metrics: readonly IterationMetrics[]): string {
  const last = finite(metrics.at(-1)?.kernelOffDiagonal)
  if (last === null || last >= IDLE) return ''
  return `<p class="note">The kernel does nothing here at the end: its mean between particles is ${number(last)}, so that each learned by itself and they neither shared nor kept apart. A larger bandwidth would couple them.</p>`
}

function policyFigures({ metrics }: RunSummary, draw: Draw): string {
  const drawn = thinned(metrics)
  const curves = (rows: number[][]): Curves => ({
    iterations: drawn.map((m) => m.transitions),
    particles: rows[0].map((_, i) => rows.map((row) => finite(row[i]))),
  })
  const norms = figure(draw, {
    id: 'norm',
    title: QUANTITIES.thetaNorm[0],
    label: `${QUANTITIES.thetaNorm[0]} over iterations.`,
    caption: `${QUANTITIES.thetaNorm[1]} A steady rise is common; where it doubles within a few iterations the step is too large.`,
    option: populationChart(curves(drawn.map((m) => m.thetaNorm)), STEPS, false),
    size: HALF,
  })
  // A sampler without a density has no entropy that could be measured.
  const entropies = drawn.map((m) => m.entropy)
  if (entropies[0].length === 0) return `<div class="pair">${norms}</div>`
  const entropy = figure(draw, {
    id: 'entropy',
    title: QUANTITIES.entropy[0],
    label: `${QUANTITIES.entropy[0]} over iterations.`,
    caption:
      `${QUANTITIES.entropy[1]} A slow fall is learning, a plunge is a policy that stopped exploring.` +
      stride(metrics, drawn),
    option: populationChart(curves(entropies), STEPS, true),
    size: HALF,
  })
  return `<div class="pair">${entropy}${norms}</div>`
}

/** What the other charts show, or only count. */
const ELSEWHERE = [
  'iteration',
  'seconds',
  'transitions',
  'best',
  'median',
  'drive',
  'repulsion',
  'sharing',
  'kernelOffDiagonal',
]

/** Numbers that an algorithm adds to the metrics, and what changes of those that all have. */
function learningFigures({ metrics }: RunSummary, draw: Draw): string {
  const drawn = thinned(metrics)
  const numeric = new Set(drawn.flatMap((m) => Object.keys(m).filter((name) => typeof m[name] === 'number')))
  const listed = [...Object.keys(QUANTITIES).filter((name) => numeric.has(name)), ...numeric]
  const figures = [...new Set(listed)].map((name) => {
    const values = drawn.map((m) => finite(m[name] as Value | undefined))
    if (ELSEWHERE.includes(name) || new Set(values).size === 1) return ''
    const [title, caption] = titled(name)
    return figure(draw, {
      ...{ id: `number-${name}`, title, caption: caption + stride(metrics, drawn), size: HALF_LOW },
      label: `${title} over iterations.`,
      option: quantityChart(
        title,
        drawn.map((m) => m.transitions),
        values,
      ),
    })
  })
  return figures.join('')
}

/** Says so where a chart does not show every iteration. */
function stride(metrics: readonly IterationMetrics[], drawn: IterationMetrics[]): string {
  const step = Math.ceil(metrics.length / drawn.length)
  return step > 1 ? ` One iteration in ${step} is drawn.` : ''
}
