import { compileCore } from 'steinrl'
import { fromAddress } from '../shared/address.ts'
import { createChart, fromZero } from '../shared/chart.ts'
import { offerCode } from '../shared/code.ts'
import { buildForm, showGroups } from '../shared/form.ts'
import { byId, fitCanvas, onceAFrame, onThemeChange, prefersStillness, short, write } from '../shared/page.ts'
import type { Part } from '../shared/part.ts'
import { particlesCode } from './code.ts'
import { drawDensity } from './density.ts'
import { createFlow, type Point, startPoints } from './flow.ts'
import { drawPicture } from './picture.ts'
import { watchHands } from './pointer.ts'
import { fields, groups, type Settings, usesBandwidth, usesH } from './settings.ts'
import { targets } from './targets.ts'

const TRAIL = 50
/** Entries of the chart before every second one is dropped. */
const HISTORY = 1200

interface History {
  /** Steps between two entries. */
  every: number
  readonly x: number[]
  readonly lines: [discrepancy: number[], drive: number[], repulsion: number[]]
}

const emptyHistory = (): History => ({ every: 1, x: [], lines: [[], [], []] })

/** The part in which particles follow a density on the plane. `changed` is told when the address has to be. */
export async function createParticles(settings: URLSearchParams, changed: () => void): Promise<Part> {
  const canvas = byId<HTMLCanvasElement>('plane')
  const form = buildForm(byId('particles-form'), {
    fields,
    values: fromAddress(fields, settings),
    groups,
    onChange: (name) => attempt(() => onSetting(name)),
  })
  const flow = createFlow(await compileCore(), form.values)
  const chart = createChart(byId('convergence'), {
    x: 'step',
    lines: [
      { name: 'discrepancy', variable: '--ink' },
      { name: 'drive', variable: '--drive' },
      { name: 'repulsion', variable: '--repulsion' },
    ],
    range: fromZero,
  })
  let placed = placedIn(settings)
  let history = emptyHistory()
  let trails: Float32Array[] = []
  let density: HTMLCanvasElement | null = null
  let running = false
  /** Whether a frame is on its way. */
  let awaited = false
  let visible = false
  let owed = 0
  let last = 0

  const draw = onceAFrame(() => {
    if (!visible) return
    density ??= drawDensity(canvas, form.values)
    const { particle, cross } = hands
    drawPicture(canvas, { moment: flow.moment, settings: form.values, density, trails, particle, cross })
    tell()
  })
  const redraw = () => {
    density = null
    draw()
  }
  const hands = watchHands(canvas, {
    moment: () => flow.moment,
    onPlace: (point) => attempt(() => place(point)),
    onDrag: (particle, point) => attempt(async () => flow.move(particle, point)),
    onChange: draw,
  })

  async function place([x, y]: Point) {
    const point: Point = [Number(x.toFixed(2)), Number(y.toFixed(2))]
    placed.push(point)
    changed()
    await flow.add(point)
    draw()
  }

  async function onSetting(name: keyof Settings) {
    showFields()
    changed()
    if (name === 'start' || name === 'count' || name === 'seed') await restart()
    else await flow.change(form.values)
    if (name === 'target' || name === 'temperature') history = emptyHistory()
    redraw()
  }

  async function restart() {
    history = emptyHistory()
    trails = []
    await flow.restart([...startPoints(form.values), ...placed])
    remember()
    draw()
  }

  /** What the library refuses is said, and nothing goes on until something else is chosen. */
  async function attempt(body: () => Promise<void>) {
    write('particles-message', '')
    try {
      await body()
    } catch (error) {
      run(false)
      write('particles-message', error instanceof Error ? error.message : String(error))
    }
  }

  function remember() {
    if (!flow.moment) return
    trails = [...trails, flow.moment.x].slice(-TRAIL)
    if (flow.steps % history.every !== 0) return
    const { discrepancy, drive, repulsion } = flow.moment.info
    history.x.push(flow.steps)
    ;[discrepancy?.discrepancy ?? 0, drive, repulsion].forEach((value, k) => void history.lines[k].push(value))
    if (history.x.length <= HISTORY) return
    const half = <T>(all: T[]) => all.filter((_, k) => k % 2 === 0)
    const [a, b, c] = history.lines
    history = { every: 2 * history.every, x: half(history.x), lines: [half(a), half(b), half(c)] }
  }

  function stepOnce() {
    const { steps } = flow
    flow.step()
    // There is none while a change is under way.
    if (flow.steps !== steps) remember()
  }

  function frame(now: number) {
    awaited = running && visible
    if (!awaited) return
    owed = Math.min(owed + ((now - last) / 1000) * form.values.speed, MOST_STEPS_A_FRAME)
    last = now
    attempt(async () => {
      for (; owed >= 1; owed--) stepOnce()
    })
    draw()
    requestAnimationFrame(frame)
  }

  function run(go: boolean) {
    running = go
    document.documentElement.dataset.particles = go ? 'running' : 'paused'
    byId('particles-toggle').textContent = go ? 'Pause' : 'Play'
    last = performance.now()
    if (!go || awaited) return
    awaited = true
    requestAnimationFrame(frame)
  }

  function tell() {
    const { moment, steps } = flow
    const info = moment?.info
    write('plane-count', String(moment?.count ?? 0))
    write('plane-steps', String(steps))
    write('plane-bandwidth', short(info?.bandwidth))
    write('plane-discrepancy', short(info?.discrepancy?.discrepancy))
    write('plane-drive', short(info?.drive))
    write('plane-repulsion', short(info?.repulsion))
    document.documentElement.dataset.steps = String(steps)
    chart.show(history)
  }

  function showFields() {
    form.show('bandwidth', usesBandwidth(form.values))
    form.show('h', usesH(form.values))
    for (const name of ['count', 'seed'] as const) form.show(name, form.values.start !== 'nowhere')
    write('particles-form-target-hint', targets[form.values.target].about)
  }

  const part: Part = {
    address: () => ({
      ...form.values,
      ...(placed.length > 0 && { placed: placed.map((point) => point.join(',')).join(';') }),
    }),
    show(shown) {
      visible = shown
      if (shown && running) run(true)
      draw()
    },
    toggle: () => run(!running),
    step() {
      run(false)
      attempt(async () => stepOnce())
      draw()
    },
    reset: () => void attempt(restart),
  }
  byId('particles-toggle').addEventListener('click', part.toggle)
  byId('particles-step').addEventListener('click', part.step)
  byId('particles-reset').addEventListener('click', part.reset)
  offerCode('particles-code', () => particlesCode(form.values, [...startPoints(form.values), ...placed], flow.steps))
  showGroups(byId('particles-settings'))
  byId('particles-clear').addEventListener('click', () => {
    placed = []
    form.set('start', 'nowhere')
    showFields()
    changed()
    part.reset()
  })
  fitCanvas(canvas, redraw)
  onThemeChange(redraw)
  showFields()
  await attempt(restart)
  run(!prefersStillness())
  return part
}

/** A slow machine falls behind rather than standing still. */
const MOST_STEPS_A_FRAME = 20

/** Particles that were placed by hand: x,y;x,y;… */
function placedIn(settings: URLSearchParams): Point[] {
  const texts = settings.get('placed')?.split(';') ?? []
  return texts.flatMap((text): Point[] => {
    const [x, y] = text.split(',').map(Number)
    return Number.isFinite(x) && Number.isFinite(y) ? [[x, y]] : []
  })
}
