// The page: recorded results as charts and a table, and the same measurements in the browser that shows it.
import { barChart } from '../../src/experiments/charts.ts'
import { escapeHtml, loadCharts } from '../../src/report/charts.ts'
import { BLUE, VERMILION } from '../../src/report/colours.ts'
import { figure, HALF, HALF_LOW, section } from '../../src/report/page.ts'
import { measureAll, type Subject, subjects } from './cases.ts'
import type { Timing } from './measure.ts'
import { duration, nameOf, type RuntimeResults, type RuntimeRow } from './results.ts'

const app = document.querySelector('#app') as HTMLElement
const recorded = JSON.parse(document.querySelector('#recorded')?.textContent ?? '{ "rows": [] }') as RuntimeResults
const HERE = 'this browser'

/** What the browser calls itself, as far as anybody can tell. */
function browserVersion(): string {
  const known = [/Firefox\/[\d.]+/, /Edg\/[\d.]+/, /Chrom(?:e|ium)\/[\d.]+/, /Version\/[\d.]+(?=.*Safari)/]
  const found = known.map((pattern) => navigator.userAgent.match(pattern)?.[0]).find((name) => name)
  return (found ?? 'unknown').replace('Version', 'Safari').replace('Edg/', 'Edge/').replace('/', ' ')
}

/** Lets the page draw: a macrotask. */
const breathe = () => new Promise<void>((resume) => setTimeout(resume))

const draw = await loadCharts()
let own: RuntimeRow | null = null
let status = ''
let running = false

const rowsShown = () => (own ? [...recorded.rows, own] : recorded.rows)

function chartOf({ name, does }: Subject, index: number): string {
  const rows = rowsShown().filter(({ timings }) => timings[name])
  const largest = Math.max(...rows.map(({ timings }) => timings[name].median))
  const inMicroseconds = largest < 1
  const scale = inMicroseconds ? 1000 : 1
  const option = barChart(
    rows.map(({ runtime, timings }) => ({
      label: nameOf(runtime),
      color: runtime === HERE ? VERMILION : BLUE,
      mean: timings[name].median * scale,
      halfWidth: null,
      // The fastest and the quarters of the samples, as dots.
      seeds: [timings[name].fastest * scale, timings[name].lower * scale, timings[name].upper * scale],
      published: [],
    })),
  )
  const size = { ...HALF, height: rows.length > 6 ? HALF.height : HALF_LOW.height }
  const unit = inMicroseconds ? 'µs' : 'ms'
  return figure(draw, {
    id: `subject-${index}`,
    title: `${escapeHtml(name)}, ${unit} a call`,
    label: `${name}: ${rows.map(({ runtime, timings }) => `${nameOf(runtime)} ${duration(timings[name].median)}`).join(', ')}`,
    caption: `${does[0].toUpperCase()}${does.slice(1)}.`,
    option,
    size,
  })
}

function tableOf(rows: readonly RuntimeRow[]): string {
  const head = subjects.map(({ name }) => `<th scope="col">${escapeHtml(name)}</th>`).join('')
  const cell = (timing: Timing | undefined) =>
    timing
      ? `<td>${duration(timing.median)}<br><i>${duration(timing.fastest)}</i></td>`
      : '<td aria-label="not measured">\u2013</td>'
  const body = rows.map(
    ({ runtime, version, timings }) =>
      `<tr><th scope="row">${escapeHtml(nameOf(runtime))}<br><i>${escapeHtml(version)}</i></th>${subjects.map(({ name }) => cell(timings[name])).join('')}</tr>`,
  )
  return `<div class="scroll" tabindex="0"><table class="numbers"><thead><tr><th></th>${head}</tr></thead><tbody>${body.join('')}</tbody></table></div>
<p class="note">The median of a call, and below it the fastest.</p>`
}

function measuredOn(): string {
  const { machine, date } = recorded
  if (!machine) return 'Nothing is recorded yet.'
  return `Recorded on ${machine.cores} cores of ${machine.cpu}${date ? `, ${date.slice(0, 10)}` : ''}; this browser is on the machine that you sit at.`
}

function render(): void {
  const rows = rowsShown()
  app.innerHTML = `<h1>steinrl in every runtime</h1>
<p>The same code gives the same bits everywhere; this is how long it takes. ${escapeHtml(measuredOn())}</p>
<p class="note"><button type="button" id="measure" ${running ? 'disabled' : ''}>${own && !running ? 'Measure again' : 'Measure in this browser'}</button>
<span id="status" role="status">${escapeHtml(status)}</span></p>
${rows.length === 0 ? '' : section('Time of a call', `<p class="note">Bars: the median. Dots: the fastest call, and the two between which half of all calls lie. Less is better.</p><div class="pair">${subjects.map(chartOf).join('')}</div>`)}
${rows.length === 0 ? '' : section('All of it', tableOf(rows))}`
  document.querySelector('#measure')?.addEventListener('click', () => void measureHere().catch(showError))
}

function showError(error: unknown): void {
  running = false
  status = error instanceof Error ? error.message : String(error)
  render()
}

/** Measures, and shows each result as it comes. */
async function measureHere(): Promise<Record<string, Timing>> {
  running = true
  const timings: Record<string, Timing> = {}
  own = { runtime: HERE, version: browserVersion(), timings }
  const tell = () => {
    const next = subjects.find(({ name }) => !timings[name])
    status = next ? `Measuring ${next.name} …` : 'Done.'
    running = next !== undefined
    render()
  }
  tell()
  return measureAll(breathe, (name, timing) => {
    timings[name] = timing
    tell()
  })
}

render()

// Asked for by `npm run bench -- runtimes`, which waits for the answer.
if (location.hash === '#measure' || location.search === '?measure') {
  const answer = (body: object) => fetch('/results', { method: 'POST', body: JSON.stringify(body) })
  try {
    await answer({ results: await measureHere() })
  } catch (error) {
    showError(error)
    await answer({ error: String(error) })
  }
}
