import { type AnyTrainOptions, environments } from 'steinrl'
import { around, createChart, fromZero } from '../shared/chart.ts'
import { offerCode } from '../shared/code.ts'
import { byId, make, short, write } from '../shared/page.ts'
import type { Part } from '../shared/part.ts'
import { policiesCode } from './code.ts'
import { createForms } from './forms.ts'
import { append, emptyHistory, latest, median, merits } from './history.ts'
import { kernelPicture, planePicture } from './pictures.ts'
import type { Iteration, Opened, Plane, Reply } from './protocol.ts'
import { type Session, startSession } from './session.ts'
import { createStage, type Stage } from './stage.ts'
import { thisTab } from './tab.ts'

/** Shown by the page and read by its test as data-policies of the root element. */
type Phase = 'ready' | 'training' | 'paused' | 'finished' | 'failed' | 'opening' | 'opened'

const LABELS: Record<Phase, string> = {
  ready: 'Start',
  training: 'Pause',
  paused: 'Resume',
  finished: 'Start again',
  failed: 'Start again',
  opening: 'Start',
  opened: 'Start',
}
/** What α divides: the return of an episode in populations, the reward of a step elsewhere. */
const UNITS = { svpg: 'return/nat', adr: 'return/nat' } as Readonly<Record<string, string>>

/** The part in which a population of policies learns and acts. `changed` is told when the address has to be. */
export async function createPolicies(settings: URLSearchParams, changed: () => void): Promise<Part> {
  const forms = createForms(settings, {
    onLive: (name, value) => {
      if (name === 'temperature') session?.ask({ kind: 'temperature', value: Number(value) })
      changed()
    },
    onChange: () => {
      if (phase !== 'ready') write('policies-note', 'Reset to train with the new settings.')
      changed()
    },
    onWatch: () => {
      if (stage) setStage(actors)
      changed()
    },
  })
  const choose = (particle: number) => {
    chosen = particle === chosen ? null : particle
    show()
  }
  const returns = createChart(byId('returns'), {
    x: 'iteration',
    thin: 'every particle',
    lines: [
      { name: 'best', variable: '--repulsion' },
      { name: 'median', variable: '--drive' },
    ],
    range: around,
  })
  const forces = createChart(byId('forces'), {
    x: 'iteration',
    lines: [
      { name: 'drive', variable: '--drive' },
      { name: 'repulsion', variable: '--repulsion' },
    ],
    range: fromZero,
  })
  const kernel = kernelPicture(byId<HTMLCanvasElement>('kernel'), choose)
  const weights = planePicture(byId<HTMLCanvasElement>('weights'), choose)
  let phase: Phase = 'ready'
  /** Of the run; that of the form may be another by now. */
  let env = forms.env()
  let session: Session | null = null
  let stage: Stage | null = null
  let history = emptyHistory()
  let iteration: Iteration | null = null
  let plane: Plane | null = null
  let chosen: number | null = null
  /** How many there are to watch. */
  let actors = 0

  function start(paused: boolean, goesOn = false) {
    reset()
    enter(paused ? 'paused' : 'training')
    env = forms.env()
    const options = forms.options() as unknown as AnyTrainOptions
    write('run-temperature-unit', UNITS[String(options.algorithm)] ?? 'reward/nat')
    session = startSession({ kind: 'start', options, paused, name: thisTab.name(), goesOn }, receive)
    thisTab.tell(forms.settings(), phase)
    changed()
  }

  /** The policies of a file act in place of a run. */
  async function open(file: File) {
    thisTab.forget()
    reset()
    enter('opening')
    write('policies-note', `Opening ${file.name} …`)
    const bytes = new Uint8Array(await file.arrayBuffer())
    session = startSession({ kind: 'open', file: file.name, bytes, env: forms.env() }, receive)
  }

  function onOpened({ env: task, returns: means }: Opened) {
    forms.choose(task)
    env = task
    changed()
    enter('opened')
    setStage(means.length)
    history.best.push(Math.max(...means))
    history.median.push(median(means))
    show()
    write(
      'policies-note',
      `${means.length === 1 ? 'A policy' : `${means.length} policies`} of a file on ${task}: returns of 20 episodes, acting greedily.`,
    )
  }

  function receive(reply: Reply) {
    if (reply.kind === 'iteration') onIteration(reply)
    else if (reply.kind === 'opened') onOpened(reply)
    else if (reply.kind === 'before') for (const metrics of reply.metrics) append(history, metrics)
    else if (reply.kind === 'episode') stage?.show(reply)
    else if (reply.kind === 'file') download(reply.bytes)
    else if (reply.kind === 'end') {
      thisTab.forget()
      enter('finished')
      write('policies-note', `Finished: ${iteration?.iterations} iterations. The policies act on.`)
    } else {
      session?.end()
      session = null
      thisTab.forget()
      enter('failed')
      write('policies-message', reply.message)
    }
  }

  function onIteration(next: Iteration) {
    const first = iteration === null
    iteration = next
    plane = next.plane ?? plane
    append(history, next.metrics)
    if (first) setStage(next.actors)
    show()
  }

  function setStage(count: number) {
    actors = count
    stage?.end()
    const { watched, greedy, animate } = forms.watch()
    byId('cards-empty').hidden = true
    stage = createStage(byId('cards'), {
      spec: environments[env],
      actors,
      most: watched,
      moves: animate,
      ask: (place, particle) => session?.ask({ kind: 'episode', place, particle, greedy }),
      choose,
    })
    stage.choose(chosen)
  }

  function show() {
    const metrics = iteration?.metrics
    const until = iteration?.iterations ?? 2
    const { iterations: x, best, median: middle, drive, repulsion } = history
    returns.show({ x, thin: history.returns, lines: [best, middle], chosen, until })
    forces.show({ x, lines: [drive, repulsion], until })
    kernel.show(iteration?.kernel ?? null, chosen)
    weights.show(plane && { plane, merit: merits(history) }, chosen)
    stage?.choose(chosen)
    byId<HTMLButtonElement>('policies-download').disabled = iteration === null
    // What an algorithm does not have is not shown empty.
    byId('returns-figure').hidden = iteration === null
    byId('kernel-figure').hidden = !iteration?.kernel
    byId('plane-figure').hidden = plane === null
    byId('forces-figure').hidden = metrics?.drive == null
    write('run-iteration', metrics ? `${metrics.iteration} / ${iteration?.iterations}` : '–')
    write('run-best', short(best.at(-1)))
    write('run-median', short(middle.at(-1)))
    write('run-temperature', short(metrics?.temperature))
    write('run-bandwidth', short(metrics?.bandwidth))
    write('run-speed', metrics ? thousands(metrics.transitions / metrics.seconds) : '–')
    write('plane-note', planeNote())
    write('kernel-note', kernelNote())
    document.documentElement.dataset.iteration = String(metrics?.iteration ?? 0)
    document.documentElement.dataset.median = String(middle.at(-1) ?? '')
  }

  function planeNote(): string {
    const share = plane ? ` It shows ${Math.round(100 * plane.explained)} % of what differs.` : ''
    return `All weights of every policy, seen in the plane in which they differ most; the fuller, the higher its return.${share}`
  }

  function kernelNote(): string {
    const mean = iteration?.metrics.kernelOffDiagonal
    if (chosen === null || !iteration?.kernel)
      return `How much policy i feels policy j: full is alike, empty is unlike. Mean off the diagonal ${short(mean)}.`
    const row = iteration.kernel[chosen].filter((_, j) => j !== chosen)
    return `Policy ${chosen + 1}: return ${short(latest(history)[chosen])}, feels the others by ${short(Math.min(...row))} to ${short(Math.max(...row))}.`
  }

  function reset() {
    session?.end()
    stage?.end()
    session = null
    stage = null
    iteration = null
    plane = null
    chosen = null
    history = emptyHistory()
    byId('cards').replaceChildren()
    byId('cards-empty').hidden = false
    write('policies-message', '')
    write('policies-note', '')
    enter('ready')
    show()
  }

  function enter(next: Phase) {
    phase = next
    document.documentElement.dataset.policies = next
    byId('policies-toggle').textContent = LABELS[next]
  }

  const part: Part = {
    address: () => forms.address(),
    show: (visible) => void (visible && show()),
    toggle() {
      if (phase === 'training') {
        session?.pause()
        enter('paused')
        thisTab.tell(null, phase)
      } else if (phase === 'paused') {
        session?.resume()
        enter('training')
        thisTab.tell(null, phase)
      } else start(false)
    },
    step() {
      if (phase === 'paused') session?.step()
      else if (phase === 'training') part.toggle()
      else start(true)
    },
    reset() {
      thisTab.forget()
      reset()
    },
  }
  byId('policies-toggle').addEventListener('click', part.toggle)
  byId('policies-step').addEventListener('click', part.step)
  byId('policies-reset').addEventListener('click', part.reset)
  const file = byId<HTMLInputElement>('policies-file')
  byId('policies-open').addEventListener('click', () => file.click())
  file.addEventListener('change', () => {
    const [chosenFile] = file.files ?? []
    if (chosenFile) open(chosenFile)
    // The same file may be chosen again.
    file.value = ''
  })
  offerCode('policies-code', () => policiesCode(forms.options()))
  byId('policies-download').addEventListener('click', () => session?.ask({ kind: 'download' }))
  enter('ready')
  show()
  // A tab that was loaded again goes on, unless its address is of another run.
  const before = thisTab.running(forms.settings())
  if (before) start(before === 'paused', true)
  return part
}

const thousands = (value: number) =>
  value < 10_000 ? value.toFixed(0) : value < 1e6 ? `${(value / 1e3).toFixed(0)} k` : `${(value / 1e6).toFixed(1)} M`

function download(bytes: Uint8Array<ArrayBuffer>): void {
  const href = URL.createObjectURL(new Blob([bytes]))
  make('a', { href, download: 'particles.safetensors' }).click()
  // The browser has taken the bytes by the next turn of its loop; some time later it certainly has.
  setTimeout(() => URL.revokeObjectURL(href), 10_000)
}
