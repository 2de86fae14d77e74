import { finite, quantile, type Value } from '../core/statistics.ts'
import { drawAnimation } from '../play/animation.ts'
import { type Draw, escapeHtml, evaluationChart, populationChart, STEPS, thinned } from '../report/charts.ts'
import type { Evaluation, IterationEvaluation, RunSummary, ShownEpisode } from '../report/metrics.ts'
import { counted, figure, HALF, HALF_LOW, number, WIDE_LOW } from '../report/page.ts'

/** What particles are ranked by: the greedy evaluation, or without one the last return seen in training. */
export interface Score {
  values: Value[]
  /** Where the values come from. */
  source: string
  /** Particle of the highest value, null when there are no values. */
  best: number | null
}

/** What a report shows of evaluations: while it was trained, after that, and an episode. */
export function evaluationFigures(run: RunSummary, score: Score, draw: Draw): string {
  const { metrics, evaluation, evaluations = [], acting } = run
  const shown = [
    evaluations.length > 1 ? evaluationsFigure(evaluations, score, draw) : '',
    evaluation ? evaluationFigure(evaluation, score, draw) : '',
    acting ? actingFigure(acting, metrics[0]?.returns.length ?? 1) : '',
  ]
  const figures = shown.filter((each) => each !== '')
  return figures.length > 1 ? `<div class="stack">\n${figures.join('\n')}\n</div>` : figures.join('')
}

function evaluationFigure(evaluation: Evaluation, { best, values }: Score, draw: Draw): string {
  return figure(draw, {
    id: 'evaluation',
    label: `Mean return of ${values.length === 1 ? 'the policy' : counted(values.length, 'particle')} in evaluation, greedy and sampled${best === null || values.length === 1 ? '' : `; the best is particle ${best}`}.`,
    caption: `Mean return over ${counted(evaluation.episodes, 'episode')} after training: where the sampled mean is well below the greedy one the policy is still exploring.`,
    option: evaluationChart(evaluation),
    size: HALF,
    wide: WIDE_LOW,
  })
}

/** Greedy returns while training went on. */
function evaluationsFigure(evaluations: readonly IterationEvaluation[], { best }: Score, draw: Draw): string {
  const drawn = thinned(evaluations)
  const particles = drawn[0].greedy.map((_, i) => drawn.map(({ greedy }) => finite(greedy[i])))
  const most = number(
    quantile(
      evaluations.map(({ greedy }) => quantile(greedy, 1)),
      1,
    ),
  )
  return figure(draw, {
    id: 'evaluations',
    title: 'While it was trained',
    label: `Mean return in ${counted(evaluations.length, 'evaluation')} while it was trained; the highest is ${most}.`,
    caption: `Mean return over ${counted(drawn[0].episodes, 'episode')} in each evaluation, acting greedily. The highest of many is too high, as it was chosen for its luck as well.`,
    option: populationChart({ iterations: drawn.map(({ transitions }) => transitions), particles }, STEPS, false, best),
    size: HALF_LOW,
    wide: WIDE_LOW,
  })
}

/** Scenes of an episode that are drawn. */
const MOST_SCENES = 600

function actingFigure({ scenes, particle, return: total }: ShownEpisode, particles: number): string {
  const who = particles === 1 ? 'The policy' : `Particle ${particle}`
  const cut = scenes.length > MOST_SCENES ? ` Its first ${MOST_SCENES} scenes are shown.` : ''
  const words = `${who} in one episode, acting greedily: return ${number(total)} in ${counted(scenes.length - 1, 'step')}.${cut}`
  const picture = drawAnimation(scenes.slice(0, MOST_SCENES), { width: 480, framesPerSecond: 30 })
  return `<figure class="acting">
<h3>An episode</h3>
${picture.replace('<svg ', `<svg role="img" aria-label="${escapeHtml(words)}" `)}
<figcaption>${escapeHtml(words)}</figcaption>
</figure>`
}
