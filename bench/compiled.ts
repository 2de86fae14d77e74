import { startTfjs } from '../src/nn/tfjs.ts'
import { type Case, cases } from './compiled/cases.ts'
import { type PeakRow, peakRows } from './compiled/core.ts'
import { type CostRow, costsOfPlans } from './compiled/costs.ts'
import { type PeerRow, peerRows } from './compiled/peers.ts'
import { optionsIn, type Report } from './harness.ts'

/** Times of either form, taken in turn. */
const SAMPLES = 9

/**
 * What learns by plans against the same by tfjs alone, in one process and in turn, and against others where PYTHON has
 * them; how near to the peak of the machine the core comes; and what a plan costs. Times are of the clock, medians.
 * `--without peers,peak,costs` leaves out what is named; `--only TEXT` takes the cases whose name has the text.
 */
export default async function bench(args: readonly string[]): Promise<Report> {
  const options = optionsIn(args, {
    without: { type: 'string', default: '' },
    only: { type: 'string', default: '' },
  })
  const left = options.without.split(',')
  await startTfjs()
  const rows: CompiledRow[] = []
  for (const one of cases()) {
    if (!one.name.includes(options.only)) continue
    rows.push(await inTurn(one))
    console.log(lineOf(rows[rows.length - 1]))
  }
  const peers = left.includes('peers') ? [] : peerRows(rows)
  const peaks = left.includes('peak') ? [] : await peakRows()
  const costs = left.includes('costs') ? [] : await costsOfPlans()
  const table = [...[...rows, ...peers].map(timeLine), ...peaks.map(peakLine), ...costs.map(costLine)]
  return { rows: [...rows, ...peers, ...peaks, ...costs], table }
}

interface CompiledRow {
  readonly name: string
  readonly ms: number
  readonly min: number
  /** By tfjs alone. */
  readonly eagerMs: number
  readonly eagerMin: number
  /** eagerMs / ms, and what it is to be. */
  readonly faster: number
  readonly goal: number
}

async function inTurn({ name, goal, chunk, warmUp, start }: Case): Promise<CompiledRow> {
  const forms = ['compiled', 'eager'] as const
  const steps = { compiled: await start(true), eager: await start(false) }
  for (const form of forms) {
    await startTfjs({ compiled: form === 'compiled' })
    for (let t = 0; t < warmUp; t++) await steps[form]()
  }
  const times: Record<(typeof forms)[number], number[]> = { compiled: [], eager: [] }
  for (let sample = -1; sample < SAMPLES; sample++) {
    for (const form of forms) {
      await startTfjs({ compiled: form === 'compiled' })
      const step = steps[form]
      const started = performance.now()
      for (let t = 0; t < chunk; t++) await step()
      // The first of either is not counted: its plans are made then.
      if (sample >= 0) times[form].push((performance.now() - started) / chunk)
    }
  }
  await startTfjs({ compiled: true })
  const [compiled, eager] = [times.compiled, times.eager].map((values) => values.sort((a, b) => a - b))
  const [ms, eagerMs] = [compiled[SAMPLES >> 1], eager[SAMPLES >> 1]]
  return { name, ms, min: compiled[0], eagerMs, eagerMin: eager[0], faster: eagerMs / ms, goal }
}

const digits = (value: number) => value.toPrecision(3)

const lineOf = ({ name, ms, eagerMs, faster, goal }: CompiledRow) =>
  `${name}: ${digits(ms)} ms, by tfjs ${digits(eagerMs)} ms, ${digits(faster)} times as fast (goal ${goal})`

function timeLine(row: CompiledRow | PeerRow) {
  const [against, other] = 'peer' in row ? [row.peer, row.ms] : ['tfjs alone', row.eagerMs]
  const ms = 'peer' in row ? row.ms / row.faster : row.ms
  const times = { work: row.name, ours: digits(ms), against, other: digits(other) }
  return { ...times, ratio: digits(row.faster), goal: row.goal ? `>= ${row.goal}` : '' }
}

const peakLine = ({ name, ms, gflops, peak, percent, goal }: PeakRow) => ({
  ...{ work: name, ours: digits(ms), against: `peak ${digits(peak)} GFLOP/s`, other: digits(gflops) },
  ...{ ratio: `${percent.toFixed(0)} %`, goal: `>= ${goal} %` },
})

const costLine = ({ name, value, goal }: CostRow) => ({ work: name, ours: digits(value), goal: `<= ${goal}` })
