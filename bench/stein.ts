import { createArena } from '../src/core/arena.ts'
import { show, UsageError } from '../src/core/errors.ts'
import { f32, padded } from '../src/core/layout.ts'
import { compileCore, compileThreadedCore } from '../src/core/module.ts'
import { Purpose } from '../src/core/random.ts'
import { createSharedArena } from '../src/core/shared-arena.ts'
import { steinDirection } from '../src/svgd/direction.ts'
import { steinFields } from '../src/svgd/fields.ts'
import { rbf } from '../src/svgd/kernels.ts'
import { measure, optionsIn, type Report, type Row } from './harness.ts'
import { compilePeak } from './peak/measure.ts'
import type { Contender, Input } from './peers/contender.ts'
import { hasPython, runPython } from './peers/python.ts'
import { tfjs } from './peers/tfjs.ts'
import { typedArrays } from './peers/typed-arrays.ts'

interface Size {
  readonly n: number
  readonly d: number
}

interface SteinRow extends Row {
  params: { n: number; d: number }
  /** 3 n² d flops: half of the symmetric Gram matrix and one product, each a multiplication and an addition. */
  gflops: number
  /** GFLOP/s of WASM's f32x4 multiplications and additions at that time. */
  peak: number
  percentOfPeak: number
  /** How many times faster steinrl is on one thread. */
  slower: number
}

const OURS = 'steinrl'
const SIZES = '16x5000,64x5000,256x1000,1024x256,100x2,2048x10000'
const IN_PROCESS = { tfjs, 'typed-arrays': typedArrays }
const IN_PYTHON = { numpy: 'svgd_numpy.py', torch: 'svgd_torch.py' }
const PEERS = [...Object.keys(IN_PROCESS), ...Object.keys(IN_PYTHON)]
const TOLERANCE = 1e-3

/** n² d from which a call takes seconds: only ours and numpy run, a few times. */
const LARGE = 1e10
const isLarge = ({ n, d }: Size) => n * n * d >= LARGE

/**
 * The processor learns the branches of a small input by heart when it comes again and again: 100 x 2, whose time goes
 * into selecting the median, then takes half as long as in a program where particles move. So small inputs change.
 */
const SMALL = 1024
const VARIED = 64

/**
 * The whole Stein direction (distances, exact median bandwidth h = med²/log(n+1), RBF kernel, φ) in float32, by
 * this library on one and two threads and by others on one. All are checked against float64 first.
 */
export default async function bench(args: readonly string[]): Promise<Report> {
  const { sizes, peers } = optionsFrom(args)
  const python = (Object.keys(IN_PYTHON) as (keyof typeof IN_PYTHON)[]).filter(
    (name) => peers.includes(name) && hasPython(name),
  )
  const peak = await compilePeak()
  const { gflops, accumulators } = peak()
  console.log(`f32x4 multiplications and additions: ${gflops.toFixed(1)} GFLOP/s, ${accumulators} accumulators`)
  const rows: SteinRow[] = []
  for (const size of sizes) {
    const contenders = await contendersAt(size, peers)
    await checkAll(contenders, size)
    const before = peak().gflops
    const measured = await measure(
      title(size),
      contenders.map(({ name, run }) => ({ name, params: { ...size }, run })),
      isLarge(size) ? { minSamples: 3, maxTime: 1 } : undefined,
    )
    // The greater of before and after, so that a clock that slowed down for one of them does not flatter us.
    const reached = Math.max(before, peak().gflops)
    for (const name of python) {
      if (!isLarge(size) || name === 'numpy') measured.push(rowOf(name, size))
    }
    rows.push(...measured.map((row) => withRatios(row, size, reached, measured[0].ms)))
  }
  return { rows, table: sizes.map((size) => tableLine(size, rows)) }
}

function optionsFrom(args: readonly string[]): { sizes: Size[]; peers: string[] } {
  const values = optionsIn(args, {
    sizes: { type: 'string', default: SIZES },
    peers: { type: 'string', default: 'all' },
  })
  const sizes = values.sizes.split(',').map((text) => {
    const match = /^(\d+)x(\d+)$/.exec(text)
    if (!match || Number(match[1]) < 2 || Number(match[2]) < 1) {
      throw new UsageError(`--sizes must be particles x coordinates such as 64x5000,100x2; got ${show(text)}.`)
    }
    return { n: Number(match[1]), d: Number(match[2]) }
  })
  const named: Record<string, string[]> = { all: PEERS, none: [] }
  const peers = named[values.peers] ?? values.peers.split(',')
  const unknown = peers.find((name) => !PEERS.includes(name))
  if (unknown !== undefined) {
    throw new UsageError(`--peers must be all, none or among ${PEERS.join(', ')}; got ${show(unknown)}.`)
  }
  return { sizes, peers }
}

async function contendersAt(size: Size, peers: readonly string[]): Promise<Contender[]> {
  const contenders = [await ours(size, 1), await ours(size, 2)]
  if (isLarge(size)) return contenders
  for (const [name, create] of Object.entries(IN_PROCESS)) {
    if (peers.includes(name)) contenders.push(await create(size.n, size.d))
  }
  return contenders
}

/**
 * All that this suite asks of the library: φ alone, without the norms of its two terms, which no peer computes either.
 */
async function ours({ n, d }: Size, threads: number): Promise<Contender> {
  const kernel = rbf()
  const fields = steinFields(n, d, { kernel, norms: false, threads })
  const arena =
    threads > 1
      ? await createSharedArena(await compileThreadedCore(), fields, threads)
      : await createArena(await compileCore(), fields)
  const { theta, score, direction } = arena.view
  const D = padded(d)
  let loaded: Input[] = []
  let turn = 0
  const enter = (input: Input) => {
    theta.set(input.x)
    score.set(input.score)
  }
  return {
    name: threads > 1 ? `${OURS}, ${threads} threads` : OURS,
    load(inputs) {
      loaded = inputs.map(({ x, score }) => ({ x: stride(x, n, d, D), score: stride(score, n, d, D) }))
      turn = 0
      enter(loaded[0])
    },
    run() {
      if (loaded.length > 1) enter(loaded[turn++ % loaded.length])
      steinDirection(arena, { particles: n, dimension: d }, kernel)
    },
    result: () => stride(direction, n, D, d),
  }
}

/** Rows of one length as rows of another, zeros added or elements cut off at the end of each. */
function stride(a: Float32Array, n: number, from: number, to: number): Float32Array {
  if (from === to) return a
  const out = new Float32Array(n * to)
  for (let i = 0; i < n; i++) out.set(a.subarray(i * from, i * from + Math.min(from, to)), i * to)
  return out
}

/** Standard normal particles and scores, from the library's own generator. */
async function inputsFor({ n, d }: Size): Promise<Input[]> {
  const count = n * d
  const { ops, at, view } = await createArena(await compileCore(), { values: f32(padded(count)) })
  const draw = (index: number, which: number) => {
    ops.fillNormal(at.values, count, 0, 0, Purpose.user, index, which, 0)
    return view.values.slice(0, count)
  }
  const inputs = count <= SMALL ? VARIED : 1
  return Array.from({ length: inputs }, (_, index) => ({ x: draw(index, 0), score: draw(index, 1) }))
}

/** Leaves the contenders loaded. */
async function checkAll(contenders: readonly Contender[], size: Size): Promise<void> {
  const inputs = await inputsFor(size)
  const [{ x, score }] = inputs
  const silent = new Float32Array(score.length)
  const rows = Array.from({ length: isLarge(size) ? 8 : size.n }, (_, k) => k)
  const direction = reference(x, size, rows)
  const expected = direction(score)
  // Without scores as well: where d is large the repulsion is so small a part of φ that it could be missing.
  const repulsion = direction(silent)
  for (const contender of contenders) {
    contender.load([{ x, score: silent }])
    contender.run()
    checkOne(contender, size, repulsion)
    contender.load(inputs)
    contender.run()
    checkOne(contender, size, expected)
  }
}

function checkOne({ name, result }: Contender, size: Size, expected: Float64Array): void {
  const found = result()
  let error = 0
  let largest = 0
  for (let k = 0; k < expected.length; k++) {
    // NaN stays.
    error = Math.max(error, Math.abs(found[k] - expected[k]))
    largest = Math.max(largest, Math.abs(expected[k]))
  }
  if (!(error < TOLERANCE * largest)) {
    throw new Error(`${name} at ${title(size)} is off by ${(error / largest).toExponential(1)} of the largest φ.`)
  }
}

/** From scores to the first rows of φ, as the formula says, in float64. */
function reference(x: Float32Array, { n, d }: Size, rows: readonly number[]) {
  const distances = new Float64Array(n * n)
  const pairs = new Float64Array((n * (n - 1)) / 2)
  for (let i = 0, pair = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      let sum = 0
      for (let k = 0; k < d; k++) sum += (x[i * d + k] - x[j * d + k]) ** 2
      distances[i * n + j] = sum
      distances[j * n + i] = sum
      pairs[pair++] = Math.sqrt(sum)
    }
  }
  pairs.sort()
  const med = (pairs[(pairs.length - 1) >> 1] + pairs[pairs.length >> 1]) / 2
  const h = med ** 2 / Math.log(n + 1)
  return (score: Float32Array): Float64Array => {
    const phi = new Float64Array(rows.length * d)
    rows.forEach((i, row) => {
      for (let j = 0; j < n; j++) {
        const kernel = Math.exp(-distances[i * n + j] / h)
        for (let k = 0; k < d; k++) {
          const repulsion = (2 / h) * (x[i * d + k] - x[j * d + k])
          phi[row * d + k] += (kernel * (score[j * d + k] + repulsion)) / n
        }
      }
    })
    return phi
  }
}

function rowOf(name: keyof typeof IN_PYTHON, { n, d }: Size): Row {
  const [{ ms, min, max, samples }] = runPython<Row[]>(IN_PYTHON[name], [[n, d]])
  return { name, params: { n, d }, ms, min, max, samples }
}

function withRatios(row: Row, { n, d }: Size, peak: number, oursMs: number): SteinRow {
  const gflops = (3 * n * n * d) / (row.ms * 1e6)
  const round = (value: number) => Number(value.toPrecision(4))
  return {
    ...row,
    params: { n, d },
    gflops: round(gflops),
    peak: round(peak),
    percentOfPeak: round((100 * gflops) / peak),
    slower: round(row.ms / oursMs),
  }
}

const title = ({ n, d }: Size) => `${n} x ${d}`

/** One size: our figures, what threads gain, then how many times faster we are than each peer, and their times. */
function tableLine(size: Size, rows: readonly SteinRow[]) {
  const [own, ...others] = rows.filter(({ params }) => params.n === size.n && params.d === size.d)
  const digits = (value: number) => (value < 1000 ? value.toPrecision(3) : value.toFixed(0))
  const columns = others.map(({ name, slower, ms }) =>
    name.startsWith(OURS)
      ? [name.slice(OURS.length + 2), `${digits(1 / slower)}x (${digits(ms)} ms)`]
      : [`faster than ${name}`, `${digits(slower)}x (${digits(ms)} ms)`],
  )
  return {
    size: title(size),
    ms: digits(own.ms),
    'GFLOP/s': digits(own.gflops),
    peak: digits(own.peak),
    '% of peak': digits(own.percentOfPeak),
    ...Object.fromEntries(columns),
  }
}
