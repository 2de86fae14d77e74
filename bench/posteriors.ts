import { readdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { diagnose, type Verdict } from '../src/bayes/diagnose.ts'
import { columnsOf, type Draws } from '../src/bayes/draws.ts'
import { fitPosterior } from '../src/bayes/fit.ts'
import type { Model } from '../src/bayes/model.ts'
import { sdOf } from '../src/bayes/summary.ts'
import { UsageError } from '../src/core/errors.ts'
import { mean as meanOf } from '../src/core/rows.ts'
import { startTfjs } from '../src/nn/tfjs.ts'
import { optionsIn, type Report } from './harness.ts'
import { hasPython, runPython } from './peers/python.ts'

/** One set of posteriordb with the moments of its reference draws. */
interface PosteriorSet {
  readonly name: string
  readonly data: never
  /** As `beta[1]`: counted from 1. */
  readonly parameters: readonly string[]
  readonly mean: readonly number[]
  readonly sd: readonly number[]
}

/** One set, over its seeds: the worst of each figure. */
interface PosteriorRow {
  readonly set: string
  /** Largest error of a mean, in standard deviations of the posterior. */
  readonly error: number
  /** Smallest and largest ratio of standard deviations. */
  readonly least: number
  readonly most: number
  /** Largest distance of means between seeds, in standard deviations, and the largest split R̂. */
  readonly agreement: number
  readonly rHat: number
  readonly verdicts: readonly Verdict[]
  /** Median over seeds. */
  readonly seconds: number
  readonly evaluations: number
  readonly passed: boolean
}

/** A method of numpyro on one set, seed 0. Null where a figure is not finite. */
interface PeerRow {
  readonly set: string
  readonly method: string
  readonly error: number | null
  readonly least: number | null
  readonly most: number | null
  /** With its compilation. */
  readonly seconds: number
}

const PARTICLES = 100
const PASS = { error: 0.15, least: 0.85, most: 1.15 }

/**
 * Posteriors with known answers: fitPosterior() from its defaults against the moments of long NUTS runs (posteriordb),
 * nothing tuned by set. `--data` names the folder with the sets, `--models` a module that exports `models` for sets
 * that are not known here, `--seeds` how many seeds, `--sets` a comma-separated list. Where PYTHON has numpyro, two of
 * its methods, SVGD and AutoMultivariateNormal, take as many gradients on the same sets, seed 0.
 */
export default async function bench(args: readonly string[]): Promise<Report> {
  const values = optionsIn(args, {
    data: { type: 'string' },
    models: { type: 'string' },
    seeds: { type: 'string', default: '5' },
    sets: { type: 'string' },
  })
  if (!values.data) throw new UsageError('posteriors needs --data DIRECTORY, with the sets as JSON files.')
  await startTfjs()
  const models = await modelsFrom(values.models)
  const wanted = values.sets?.split(',')
  const rows: PosteriorRow[] = []
  for (const set of await setsIn(values.data)) {
    if (wanted && !wanted.some((part) => set.name.includes(part))) continue
    if (!models[set.name]) {
      console.log(`${set.name}: no model; give one with --models.`)
      continue
    }
    rows.push(await benchSet(set, models[set.name], Number(values.seeds)))
    console.log(lineOf(rows.at(-1) as PosteriorRow))
  }
  const times = rows.map(({ seconds }) => seconds).sort((a, b) => a - b)
  const passed = rows.filter(({ passed }) => passed).length
  console.log(`${passed} of ${rows.length} sets within ${JSON.stringify(PASS)}; median ${times[times.length >> 1]} s.`)
  const table = rows.map(({ verdicts, ...row }) => ({ ...row, verdict: [...new Set(verdicts)].join(', ') }))
  return { rows: [...rows, ...peerRows(resolve(values.data), rows)], table }
}

/** numpyro on the sets that it has a model of, at as many gradients as the fit here took. */
function peerRows(data: string, rows: readonly PosteriorRow[]): PeerRow[] {
  if (!hasPython('numpyro')) return []
  const sets = rows.map(({ set, evaluations }) => ({ set, evaluations }))
  const task = { data, sets, particles: PARTICLES, seed: 0 }
  const { rows: peers, versions } = runPython<{ rows: PeerRow[]; versions: Record<string, string> }>(
    'posteriors_numpyro.py',
    task,
  )
  console.log(`numpyro ${versions.numpyro}, seed 0, as many gradients:`)
  for (const { set, method, error, least, most, seconds } of peers) {
    const [off, low, high] = [error, least, most].map((figure) => figure?.toFixed(3) ?? 'not finite')
    console.log(
      `${set.padEnd(44)}  ${method.padEnd(22)}  mean off ${off} sd, sd ratio ${low}-${high}, ${seconds.toFixed(1)} s`,
    )
  }
  return peers
}

type Models = Readonly<Record<string, (data: never) => Model>>

async function modelsFrom(file: string | undefined): Promise<Models> {
  const { models } = await import('./posteriors/models.ts')
  const more = file ? ((await import(pathToFileURL(resolve(file)).href)) as { models: Models }).models : {}
  return { ...models, ...more } as unknown as Models
}

async function setsIn(folder: string): Promise<PosteriorSet[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.json')).sort()
  return Promise.all(
    files.map(async (file) => ({
      ...(JSON.parse(await readFile(join(folder, file), 'utf8')) as PosteriorSet),
      name: file.slice(0, -'.json'.length),
    })),
  )
}

async function benchSet(set: PosteriorSet, modelFor: (data: never) => Model, seeds: number): Promise<PosteriorRow> {
  const model = modelFor(set.data)
  const runs = []
  for (let seed = 0; seed < seeds; seed++) {
    const start = performance.now()
    const run = await fitPosterior(model, { particles: PARTICLES, seed })
    const seconds = (performance.now() - start) / 1000
    const { verdict, restarts } = await diagnose(run)
    runs.push({ ...errorsOf(set, run.draws), seconds, evaluations: run.evaluations, verdict, restarts })
  }
  const worst = {
    error: Math.max(...runs.map(({ error }) => error)),
    least: Math.min(...runs.map(({ least }) => least)),
    most: Math.max(...runs.map(({ most }) => most)),
  }
  const middle = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1]
  return {
    set: set.name,
    ...worst,
    agreement: Math.max(...runs.map(({ restarts }) => restarts?.sd ?? 0)),
    rHat: Math.max(...runs.map(({ restarts }) => restarts?.rHat ?? 0)),
    verdicts: runs.map(({ verdict }) => verdict),
    seconds: middle(runs.map(({ seconds }) => seconds)),
    evaluations: middle(runs.map(({ evaluations }) => evaluations)),
    passed: worst.error <= PASS.error && worst.least >= PASS.least && worst.most <= PASS.most,
  }
}

/** Against the reference, for the numbers that both have: ours count from 0. */
function errorsOf({ parameters, mean, sd }: PosteriorSet, draws: Draws) {
  const columns = new Map(columnsOf(draws).map(({ label, values }) => [label, values]))
  const figures = parameters.map((name, k) => {
    const label = name.replace(/\[(.+)\]$/, (_, places: string) => `[${places.split(',').map((p) => Number(p) - 1)}]`)
    const values = columns.get(label)
    if (!values) throw new UsageError(`The model has no ${name}; it has ${[...columns.keys()].join(', ')}.`)
    return { error: Math.abs(meanOf(values) - mean[k]) / sd[k], ratio: sdOf(values) / sd[k] }
  })
  return {
    error: Math.max(...figures.map(({ error }) => error)),
    least: Math.min(...figures.map(({ ratio }) => ratio)),
    most: Math.max(...figures.map(({ ratio }) => ratio)),
  }
}

const lineOf = ({ set, error, least, most, agreement, rHat, verdicts, seconds, evaluations, passed }: PosteriorRow) =>
  [
    passed ? 'ok  ' : 'MISS',
    set.padEnd(44),
    `mean off ${error.toFixed(3)} sd, sd ratio ${least.toFixed(2)}-${most.toFixed(2)}`,
    `seeds apart ${agreement.toFixed(3)} sd, R ${rHat.toFixed(3)}`,
    `${seconds.toFixed(2)} s, ${evaluations} gradients, ${[...new Set(verdicts)].join('/')}`,
  ].join('  ')
