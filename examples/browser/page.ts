import type { TrainOptions } from 'steinrl'
import { type Curves, createCurves } from './curves.ts'
import type { Message } from './worker.ts'

/** Shown by the page and read by its test as data-phase of the root element. */
type Phase = 'ready' | 'training' | 'finished' | 'stopped' | 'failed'

const root = document.documentElement
const form = document.querySelector('form') as HTMLFormElement
const element = (id: string) => document.getElementById(id) as HTMLElement
const write = (id: string, text: string) => {
  element(id).textContent = text
}

/** The run on the page; its worker is ended to stop it at once, however long an iteration takes. */
interface Run {
  worker: Worker
  curves: Curves
  /** After the last finished iteration. */
  theta: string | null
  iteration: number
}

let run: Run | undefined
let curves: Curves

function readForm(): TrainOptions {
  const settings: Record<string, unknown> = {}
  for (const field of form.elements) {
    if (field instanceof HTMLSelectElement) settings[field.name] = field.value
    if (field instanceof HTMLInputElement) settings[field.name] = numberIn(field)
  }
  return { env: 'CartPole-v1', ...settings }
}

/** An empty field means the default. What is allowed is the library's to say. */
function numberIn({ value, validity, valueAsNumber }: HTMLInputElement): number | undefined {
  return value === '' && !validity.badInput ? undefined : valueAsNumber
}

/** Fills the form from the address: ?iterations=10&seed=1&start */
function presetForm(address: URLSearchParams): void {
  for (const [name, value] of address) {
    const field = form.elements.namedItem(name)
    if (field instanceof HTMLInputElement || field instanceof HTMLSelectElement) field.value = value
  }
}

function start(): void {
  const settings = readForm()
  // The address leads to the same run, and so to the same bits.
  history.replaceState(null, '', `?${new URLSearchParams(new FormData(form) as unknown as Record<string, string>)}`)
  end('ready')
  clear(settings.iterations)
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' })
  run = { worker, curves, theta: null, iteration: 0 }
  worker.onmessage = ({ data }: MessageEvent<Message>) => receive(data)
  worker.onerror = ({ message }) => fail(`The worker could not run${message ? `: ${message}` : '.'}`)
  worker.postMessage(settings)
  enter('training')
}

function receive(message: Message): void {
  if (message.kind === 'iteration') showIteration(message)
  else if (message.kind === 'error') fail(message.message)
  else end('finished')
}

function fail(message: string): void {
  end('failed')
  write('message', message)
}

/** Ends the worker, if there is one, and shows what it reached. */
function end(phase: Phase): void {
  run?.worker.terminate()
  if (run) showResult(run, phase)
  run = undefined
  enter(phase)
}

function showResult({ theta, iteration }: Run, phase: Phase): void {
  if (iteration === 0) return
  write('left', phase === 'finished' ? 'done' : phase)
  write('announce', `Training ${phase} after ${iteration} iterations.`)
  if (theta === null) return
  write('theta', theta)
  write('after', `iteration ${iteration}`)
  element('result').hidden = false
  root.dataset.theta = theta
}

function showIteration({ metrics, iterations, theta }: Message & { kind: 'iteration' }): void {
  if (!run) return
  const { iteration, seconds, transitions } = metrics
  const { best, median } = run.curves.add(metrics)
  run.theta = theta
  run.iteration = iteration
  root.dataset.iteration = String(iteration)
  write('iteration', `${iteration} / ${iterations}`)
  write('no-forces', metrics.drive === null ? '– none without a kernel' : '')
  write('best', best === null ? '–' : best.toFixed(0))
  write('median', median === null ? '–' : median.toFixed(0))
  write('speed', thousands(transitions / seconds))
  write('left', duration((seconds / iteration) * (iterations - iteration)))
}

const thousands = (value: number) => (value < 10_000 ? value.toFixed(0) : `${(value / 1000).toFixed(0)} k`)

function duration(seconds: number): string {
  const whole = Math.round(seconds)
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`
}

/** Empties the page for a new run. */
function clear(iterations = 60): void {
  curves?.destroy()
  curves = createCurves(iterations)
  for (const id of ['iteration', 'best', 'median', 'speed', 'left']) write(id, '–')
  write('no-forces', '')
  write('message', '')
  write('announce', '')
  element('result').hidden = true
  delete root.dataset.theta
  delete root.dataset.iteration
}

function enter(phase: Phase): void {
  root.dataset.phase = phase
  const stopButton = element('stop') as HTMLButtonElement
  const startButton = element('start') as HTMLButtonElement
  // Focus moves with the action, so that the keyboard is not lost on a disabled button.
  const focused = document.activeElement === (phase === 'training' ? startButton : stopButton)
  startButton.disabled = phase === 'training'
  stopButton.disabled = phase !== 'training'
  if (focused) (phase === 'training' ? stopButton : startButton).focus()
}

form.addEventListener('submit', (event) => {
  event.preventDefault()
  start()
})
element('stop').addEventListener('click', () => end('stopped'))

const address = new URLSearchParams(location.search)
presetForm(address)
clear(readForm().iterations)
enter('ready')
if (address.has('start')) start()
