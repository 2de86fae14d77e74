import { isExpected, reasonOf, show, UsageError } from '../core/errors.ts'
import { namesOf, requireOptions } from '../core/options.ts'
import { isRecord, requireText, requireThat } from '../core/require.ts'
import type { Logger } from './logger.ts'
import { scalarsOf } from './scalars.ts'

/** Where an MLflow server is, and what a run of it is told. */
export interface MlflowOptions {
  /** Of a tracking server, as http://127.0.0.1:5000. */
  readonly url: string
  /** The name of an experiment, which is made where there is none. Default 'steinrl'. */
  readonly experiment?: string
  /** The name of the run. Default: MLflow chooses one. */
  readonly name?: string
  /** Settings, which stand as parameters of the run; those that are records or lists as JSON. Default: none. */
  readonly settings?: Readonly<Record<string, unknown>>
  /** Of every request, as { authorization: 'Bearer …' }. */
  readonly headers?: Readonly<Record<string, string>>
}

const OPTIONS = namesOf<MlflowOptions>({ url: true, experiment: true, name: true, settings: true, headers: true })

/** What the server takes in one request. */
const MOST_METRICS = 1000
const MOST_PARAMETERS = 100
const LONGEST_VALUE = 6000
/** Milliseconds, after which a server counts as stopped. */
const PATIENCE = 10_000

interface Metric {
  readonly key: string
  readonly value: number
  readonly timestamp: number
  readonly step: number
}

// biome-ignore lint/plugin: a date beside the numbers, which trains nothing
const now = () => Date.now()

/**
 * A logger that sends the numbers of every step to a tracking server of MLflow by its REST API (2.0), by environment
 * steps; of particles their mean. Training does not wait for the server: what has come together while one request was
 * on its way is in the next one, and the last ones are waited for at the end. A server that stops is told of once, by
 * logTo().
 *
 *     for await (const step of logTo(mlflowLogger({ url: 'http://127.0.0.1:5000' }))(train({ env }))) …
 *
 * @throws UsageError for an option that is not allowed
 */
export function mlflowLogger(options: MlflowOptions): Logger {
  requireOptions('mlflowLogger', options, OPTIONS)
  const { url, experiment = 'steinrl', name, settings = {}, headers = {} } = options
  requireAddress(url)
  requireText('mlflowLogger', 'the name of an experiment, experiment', experiment)
  if (name !== undefined) requireText('mlflowLogger', 'the name of the run, name', name)
  requireThat(isRecord(settings), 'mlflowLogger', 'settings as an object', settings)
  requireThat(isRecord(headers), 'mlflowLogger', 'headers as an object', headers)
  const ask = asking(url, headers)
  let waiting: Metric[] = []
  let run: string | null = null
  let sending: Promise<void> | null = null
  let failure: unknown = null

  async function send(): Promise<void> {
    run ??= await openRun(ask, experiment, name, settings)
    while (waiting.length > 0) {
      const metrics = waiting.slice(0, MOST_METRICS)
      waiting = waiting.slice(MOST_METRICS)
      await ask('runs/log-batch', { run_id: run, metrics })
    }
  }

  /** Starts what nobody waits for; what it fails by is told at the next step. */
  function start(): void {
    sending ??= send()
      .catch((error: unknown) => {
        failure = error
      })
      .finally(() => {
        sending = null
      })
  }

  const log: Logger = (step) => {
    if (failure) throw failure
    const timestamp = now()
    for (const [key, value] of Object.entries(scalarsOf(step)))
      if (value !== null) waiting.push({ key, value, timestamp, step: step.metrics.transitions })
    start()
  }
  log.close = async (failed) => {
    start()
    await sending
    if (failure) throw failure
    await ask('runs/update', { run_id: run, status: failed ? 'FAILED' : 'FINISHED', end_time: now() })
  }
  return log
}

function requireAddress(url: unknown): asserts url is string {
  requireText('mlflowLogger', 'the address of a server, url', url as string)
  const protocol = URL.canParse(url as string) ? new URL(url as string).protocol : ''
  if (protocol !== 'http:' && protocol !== 'https:')
    throw new UsageError(`url must be that of a tracking server, as http://127.0.0.1:5000, got ${show(url)}.`)
}

type Ask = (what: string, body: object | null) => Promise<Record<string, unknown>>

/** Asks the server: null as a body asks for what it has by an address alone. */
function asking(url: string, headers: Readonly<Record<string, string>>): Ask {
  const base = `${url.replace(/\/+$/, '')}/api/2.0/mlflow`
  return async (what, body) => {
    let response: Response
    try {
      response = await fetch(`${base}/${what}`, {
        ...(body && { method: 'POST', body: JSON.stringify(body) }),
        headers: { 'content-type': 'application/json', ...headers },
        signal: AbortSignal.timeout(PATIENCE),
      })
    } catch (error) {
      throw new UsageError(`the MLflow server at ${url} does not answer: ${reasonOf(error)}.`)
    }
    const answer = (await response.json().catch(() => null)) as Record<string, unknown> | null
    if (response.ok && answer) return answer
    throw new Refused(url, what, response.status, answer)
  }
}

/** The server says no. */
class Refused extends UsageError {
  readonly code: unknown

  constructor(url: string, what: string, status: number, answer: Record<string, unknown> | null) {
    super(`the MLflow server at ${url} refuses ${what}: ${status} ${show(answer?.message ?? answer)}.`)
    this.code = answer?.error_code
  }
}

async function openRun(
  ask: Ask,
  experiment: string,
  name: string | undefined,
  settings: Readonly<Record<string, unknown>>,
): Promise<string> {
  const experiment_id = await experimentNamed(ask, experiment)
  const { run } = await ask('runs/create', { experiment_id, start_time: now(), ...(name && { run_name: name }) })
  const run_id = (run as { info: { run_id: string } }).info.run_id
  const params = Object.entries(settings).map(([key, value]) => ({
    key,
    value: (typeof value === 'string' ? value : (JSON.stringify(value) ?? '')).slice(0, LONGEST_VALUE),
  }))
  for (let k = 0; k < params.length; k += MOST_PARAMETERS)
    await ask('runs/log-batch', { run_id, params: params.slice(k, k + MOST_PARAMETERS) })
  return run_id
}

/** Two runs may begin at once: who comes second finds what the first has made. */
async function experimentNamed(ask: Ask, name: string): Promise<string> {
  const find = async () => {
    const { experiment } = await ask(`experiments/get-by-name?experiment_name=${encodeURIComponent(name)}`, null)
    return (experiment as { experiment_id: string }).experiment_id
  }
  const unless = (code: string) => (error: unknown) => {
    if (isExpected(error) && error instanceof Refused && error.code === code) return null
    throw error
  }
  const found = await find().catch(unless('RESOURCE_DOES_NOT_EXIST'))
  if (found) return found
  const made = await ask('experiments/create', { name }).catch(unless('RESOURCE_ALREADY_EXISTS'))
  return made ? (made.experiment_id as string) : find()
}
