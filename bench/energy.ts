import { createArena } from '../src/core/arena.ts'
import { f32, padded } from '../src/core/layout.ts'
import { compileCore } from '../src/core/module.ts'
import { Purpose } from '../src/core/random.ts'
import { startTfjs, tf } from '../src/nn/tfjs.ts'
import { perStateDirection, perStateFields } from '../src/svgd/per-state.ts'
import { gradientSteps } from './gradient-steps.ts'
import { measure, type Report, type Row } from './harness.ts'
import { select } from './peers/median.ts'

/** B states with F fixed and as many updated particles of d coordinates. */
interface Size {
  readonly B: number
  readonly F: number
  readonly d: number
}

const SIZES: readonly Size[] = [64, 256].flatMap((B) => [16, 32].flatMap((F) => [2, 6].map((d) => ({ B, F, d }))))
const TOLERANCE = 1e-4

/** [B, F, d] each. */
interface Input {
  readonly fixed: Float32Array
  readonly score: Float32Array
  readonly updated: Float32Array
}

type Form = (size: Size, input: Input) => Float32Array

interface EnergyRow extends Row {
  /** How many times slower than steinrl. */
  slower: number
}

/**
 * The Stein direction on the actions of a batch of states, two sets of particles and the bandwidth of soft Q-learning,
 * by the core and by three forms in stock tfjs-wasm ops: whole broadcasts, batched products of matrices, and planes of
 * one coordinate each. From particles and scores in typed arrays to directions in one. All are checked against float64
 * first.
 */
export default async function bench(): Promise<Report> {
  await startTfjs()
  const rows: EnergyRow[] = []
  for (const size of SIZES) rows.push(...(await benchSize(size)))
  const table = SIZES.map((size) => tableLine(size, rows))
  const steps = await gradientSteps()
  const stepTable = steps.map(({ name, ms }) => ({ size: `gradient step: ${name}`, ms: ms.toPrecision(3) }))
  return { rows: [...rows, ...steps], table: [...table, ...stepTable] }
}

async function benchSize(size: Size): Promise<EnergyRow[]> {
  const input = await draw(size)
  const forms: Record<string, () => Float32Array> = {
    steinrl: await ours(size, input, false),
    'steinrl with trace': await ours(size, input, true),
    'tfjs, broadcasts': stock(broadcasts, size, input),
    'tfjs, products': stock(products, size, input),
    'tfjs, planes': stock(planes, size, input),
  }
  const expected = reference(size, input)
  for (const [name, run] of Object.entries(forms)) checkForm(name, run(), expected)
  const measured = await measure(
    title(size),
    Object.entries(forms).map(([name, run]) => ({ name, params: { ...size }, run: () => void run() })),
  )
  return measured.map((row) => ({ ...row, slower: Number((row.ms / measured[0].ms).toPrecision(3)) }))
}

async function draw({ B, F, d }: Size): Promise<Input> {
  const count = B * F * d
  const { ops, at, view } = await createArena(await compileCore(), { values: f32(padded(count)) })
  const normal = (which: number) => {
    ops.fillNormal(at.values, count, 0, 0, Purpose.user, 0, which, 0)
    return view.values.slice(0, count)
  }
  return { fixed: normal(0), score: normal(1), updated: normal(2) }
}

async function ours({ B, F, d }: Size, input: Input, trace: boolean): Promise<() => Float32Array> {
  const sizes = { states: B, fixed: F, updated: F, width: d }
  const arena = await createArena(await compileCore(), perStateFields(sizes))
  const { view } = arena
  const out = new Float32Array(B * F * d)
  return () => {
    view.fixed.set(input.fixed)
    view.fixedScore.set(input.score)
    view.updated.set(input.updated)
    perStateDirection(arena, sizes, { bandwidth: 'sql-code', trace })
    out.set(view.phi)
    return out
  }
}

/** A form in ops of tfjs with what is left behind disposed of. */
function stock(form: Form, size: Size, input: Input): () => Float32Array {
  return () => {
    tf.engine().startScope()
    const out = form(size, input)
    tf.engine().endScope()
    return out
  }
}

/** h of each state [B, 1, 1] from squared distances, selected in JavaScript: tf.topk sorts, in JavaScript as well. */
function bandwidths(squares: tf.Tensor, { B, F }: Size): tf.Tensor {
  const values = squares.dataSync() as Float32Array
  const h = new Float32Array(B)
  for (let b = 0; b < B; b++) {
    const median = select(values.slice(b * F * F, (b + 1) * F * F), (F * F - 1) >> 1)
    h[b] = Math.max(median / Math.log(F), 1e-3)
  }
  return tf.tensor3d(h, [B, 1, 1])
}

/** Differences [B, U, F, d] and sums over their axes. */
const broadcasts: Form = (size, { fixed, score, updated }) => {
  const { B, F, d } = size
  const difference = tf.sub(tf.tensor4d(updated, [B, F, 1, d]), tf.tensor4d(fixed, [B, 1, F, d]))
  const squares = tf.sum(tf.square(difference), 3)
  const h = bandwidths(squares, size)
  const kernel = tf.exp(tf.neg(tf.div(squares, h)))
  const slope = tf.mul(difference, tf.div(2, tf.reshape(h, [B, 1, 1, 1])))
  const terms = tf.mul(tf.expandDims(kernel, 3), tf.add(tf.tensor4d(score, [B, 1, F, d]), slope))
  return tf.mean(terms, 2).dataSync() as Float32Array
}

/** Gram matrices: |y|² + |x|² − 2 y·x, and φ = 1/F [ K (s − 2/h x) + 2/h (K 1) y ]. */
const products: Form = (size, { fixed, score, updated }) => {
  const { B, F, d } = size
  const x = tf.tensor3d(fixed, [B, F, d])
  const y = tf.tensor3d(updated, [B, F, d])
  const norms = tf.add(tf.sum(tf.square(y), 2, true), tf.reshape(tf.sum(tf.square(x), 2), [B, 1, F]))
  const squares = tf.sub(norms, tf.mul(2, tf.matMul(y, tf.transpose(x, [0, 2, 1]))))
  const h = bandwidths(squares, size)
  const kernel = tf.exp(tf.neg(tf.div(squares, h))) as tf.Tensor3D
  const slope = tf.div(2, h)
  const drawn = tf.matMul(kernel, tf.sub(tf.tensor3d(score, [B, F, d]), tf.mul(slope, x)) as tf.Tensor3D)
  const pushed = tf.mul(tf.mul(slope, tf.sum(kernel, 2, true)), y)
  return tf.mul(tf.add(drawn, pushed), 1 / F).dataSync() as Float32Array
}

/** Everything in [B, U, F], one coordinate after another, so that sums run along the last axis. */
const planes: Form = (size, { fixed, score, updated }) => {
  const { B, F, d } = size
  const split = (values: Float32Array, shape: [number, number, number]) =>
    tf.unstack(tf.tensor3d(values, [B, F, d]), 2).map((plane) => tf.reshape(plane, shape))
  const x = split(fixed, [B, 1, F])
  const y = split(updated, [B, F, 1])
  const s = split(score, [B, 1, F])
  const differences = x.map((plane, c) => tf.sub(y[c], plane))
  const squares = differences.map((difference) => tf.square(difference)).reduce((a, b) => tf.add(a, b))
  const h = bandwidths(squares, size)
  const kernel = tf.exp(tf.neg(tf.div(squares, h)))
  const slope = tf.div(2, h)
  const phi = differences.map((difference, c) => tf.mean(tf.mul(kernel, tf.add(s[c], tf.mul(slope, difference))), 2))
  return tf.stack(phi, 2).dataSync() as Float32Array
}

/** As the formula says, in float64. */
function reference({ B, F, d }: Size, { fixed, score, updated }: Input): Float64Array {
  const phi = new Float64Array(B * F * d)
  for (let b = 0; b < B; b++) {
    const row = (i: number) => (b * F + i) * d
    const squares = new Float64Array(F * F)
    for (let i = 0; i < F; i++) {
      for (let j = 0; j < F; j++) {
        for (let c = 0; c < d; c++) squares[i * F + j] += (updated[row(i) + c] - fixed[row(j) + c]) ** 2
      }
    }
    const h = Math.max(squares.slice().sort()[(F * F - 1) >> 1] / Math.log(F), 1e-3)
    for (let i = 0; i < F; i++) {
      for (let j = 0; j < F; j++) {
        const k = Math.exp(-squares[i * F + j] / h)
        for (let c = 0; c < d; c++) {
          const slope = (2 / h) * (updated[row(i) + c] - fixed[row(j) + c])
          phi[row(i) + c] += (k * (score[row(j) + c] + slope)) / F
        }
      }
    }
  }
  return phi
}

function checkForm(name: string, found: Float32Array, expected: Float64Array): void {
  let error = 0
  for (let k = 0; k < expected.length; k++) error = Math.max(error, Math.abs(found[k] - expected[k]))
  if (!(error < TOLERANCE)) throw new Error(`${name} is off by ${error.toExponential(1)}.`)
}

const title = ({ B, F, d }: Size) => `${B} states, ${F} + ${F} particles, ${d} coordinates`

function tableLine(size: Size, rows: readonly EnergyRow[]) {
  const [own, ...others] = rows.filter(({ params: { B, F, d } }) => B === size.B && F === size.F && d === size.d)
  const columns = others.map(({ name, slower, ms }) => [name, `${slower.toPrecision(3)}x (${ms.toPrecision(3)} ms)`])
  return { size: title(size), ms: own.ms.toPrecision(3), ...Object.fromEntries(columns) }
}
