import { show, UsageError } from '../src/core/errors.ts'
import { startTfjs } from '../src/nn/tfjs.ts'
import { loadSet, type RegressionSet, setsIn } from './bnn/data.ts'
import { type Figures, type Published, publishedFor } from './bnn/published.ts'
import { type BnnSettings, runSplit, type SplitResult } from './bnn/split.ts'
import { optionsIn, type Report } from './harness.ts'

interface Options {
  data: string
  sets: readonly string[]
  /** How many of the splits; Infinity for all. */
  splits: number
  /** One count for all sets; undefined for each set's in the authors' script. */
  iterations?: number
  particles: number
  /** Undefined for the paper's: 50, and 100 for its two largest sets. */
  hidden?: number
  /** What the kernel is on. */
  space: BnnSettings['space']
  optimizer: BnnSettings['optimizer']
}

/** One set, over its splits. */
interface BnnRow {
  set: string
  rows: number
  features: number
  splits: number
  settings: BnnSettings
  figures: Figures
  published: Published | null
}

/**
 * Bayesian neural networks by SVGD on UCI regression sets, as in table 1 of Liu & Wang 2016 (arXiv 1608.04471). One
 * setting for all sets; only the number of iterations is that of each set in the authors' script, unless `--iterations`
 * gives one for all. `--space function` has the kernel on outputs in the place of weights (function-space.ts), and
 * `--optimizer adam` the optimizer of that paper. Splits run one after the other in this process; the seed of a split
 * is its number.
 */
export default async function bench(args: readonly string[]): Promise<Report> {
  const options = await optionsFrom(args)
  await startTfjs()
  const rows: BnnRow[] = []
  for (const name of options.sets) rows.push(await benchSet(await loadSet(options.data, name), options))
  return { rows, table: rows.map(tableLine) }
}

/** Those of Liu & Wang 2016 and of Wang, Ren, Zhu & Zhang 2019. */
const LEARNING_RATES = { adagrad: 0.001, adam: 0.004 } as const

const TEXT = { type: 'string' } as const

async function optionsFrom(args: readonly string[]): Promise<Options> {
  const {
    data,
    sets,
    splits,
    iterations,
    particles,
    hidden,
    space,
    optimizer: named,
  } = optionsIn(args, {
    ...{ data: TEXT, sets: TEXT, splits: TEXT, iterations: TEXT, particles: TEXT, hidden: TEXT },
    space: { type: 'string', default: 'weights' },
    optimizer: TEXT,
  })
  if (space !== 'weights' && space !== 'function')
    throw new UsageError(`--space must be weights or function, got ${show(space)}.`)
  const optimizer = named ?? (space === 'weights' ? 'adagrad' : 'adam')
  if (optimizer !== 'adagrad' && optimizer !== 'adam')
    throw new UsageError(`--optimizer must be adagrad or adam, got ${show(optimizer)}.`)
  if (!data) throw new UsageError('--data must name the folder with NAME.csv and NAME.splits.json.')
  const present = await setsIn(data)
  const wanted = sets?.split(',') ?? present
  const missing = wanted.find((name) => !present.includes(name))
  if (missing !== undefined) {
    throw new UsageError(`--sets must be among ${present.join(', ')}, the sets in ${show(data)}; got ${show(missing)}.`)
  }
  return {
    data,
    sets: wanted,
    splits: count('--splits', splits) ?? Number.POSITIVE_INFINITY,
    iterations: count('--iterations', iterations),
    particles: count('--particles', particles) ?? 20,
    hidden: count('--hidden', hidden),
    space,
    optimizer,
  }
}

/** The number behind an option, at least 1. */
function count(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (Number.isSafeInteger(value) && value >= 1) return value
  throw new UsageError(`${option} must be a whole number of at least 1, got ${show(text)}.`)
}

async function benchSet(set: RegressionSet, options: Options): Promise<BnnRow> {
  const { hidden, batch, iterations, figures: published } = publishedFor(set.name)
  const settings = {
    particles: options.particles,
    hidden: options.hidden ?? hidden,
    batch,
    iterations: options.iterations ?? iterations,
    space: options.space,
    optimizer: options.optimizer,
    learningRate: LEARNING_RATES[options.optimizer],
  }
  const splits = Math.min(options.splits, set.testSplits.length)
  const results: SplitResult[] = []
  for (let split = 0; split < splits; split++) {
    const result = await runSplit(set, split, settings)
    results.push(result)
    const { rmse, ll, seconds } = result
    const figures = `RMSE ${rmse.toFixed(3)}, LL ${ll.toFixed(3)}, ${seconds.toFixed(2)} s`
    console.error(`${set.name} ${split + 1}/${splits}: ${figures}`)
  }
  const { name, rows, features } = set
  return { set: name, rows, features: features.length, splits, settings, figures: figuresOf(results), published }
}

function figuresOf(results: readonly SplitResult[]): Figures {
  const rmse = meanAndError(results.map(({ rmse }) => rmse))
  const ll = meanAndError(results.map(({ ll }) => ll))
  const [seconds] = meanAndError(results.map(({ seconds }) => seconds))
  return { rmse, ll, seconds }
}

/** The mean and its standard error, which takes two values at least. */
function meanAndError(values: readonly number[]): [number, number | null] {
  const n = values.length
  const mean = values.reduce((a, b) => a + b) / n
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1)
  return [mean, n > 1 ? Math.sqrt(variance / n) : null]
}

function tableLine({ set, rows, features, splits, settings, figures, published }: BnnRow) {
  return {
    set,
    rows,
    features,
    splits,
    iterations: settings.iterations,
    ...columns('', figures),
    ...columns('SVGD ', published?.svgd),
    ...columns('PBP ', published?.pbp),
  }
}

const columns = (by: string, figures?: Figures) => ({
  [`${by}RMSE`]: figures ? withError(figures.rmse) : '–',
  [`${by}LL`]: figures ? withError(figures.ll) : '–',
  [`${by}s`]: figures ? figures.seconds.toPrecision(3) : '–',
})

const withError = ([mean, error]: Figures['rmse']) =>
  error === null ? mean.toFixed(3) : `${mean.toFixed(3)} ± ${error.toFixed(3)}`
