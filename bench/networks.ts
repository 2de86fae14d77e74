import { svpg } from '../src/algorithms/svpg.ts'
import { categorical } from '../src/nn/distributions.ts'
import { forward, stockForward } from '../src/nn/forward.ts'
import { type Activation, mlp, type Network } from '../src/nn/network.ts'
import { startTfjs, tf } from '../src/nn/tfjs.ts'
import { rollout } from '../src/rl/rollout.ts'
import { type Case, measure, type Row } from './harness.ts'

/** n networks of one shape, a batch for each, and what a loss needs. */
interface Setting {
  readonly name: string
  readonly net: Network
  readonly n: number
  readonly rows: number
}

const SETTINGS: readonly Setting[] = [
  { name: '16 x MLP(4-64-64-2), batch 512', net: mlp([4, 64, 64, 2]), n: 16, rows: 512 },
  { name: '16 x MLP(4-100-50-25-1), batch 1000', net: mlp([4, 100, 50, 25, 1]), n: 16, rows: 1000 },
  { name: '1 x MLP(17-256-256-6) relu, batch 256', net: mlp([17, 256, 256, 6], { hidden: 'relu' }), n: 1, rows: 256 },
  { name: '16 x MLP(4-64-64-2), batch 1', net: mlp([4, 64, 64, 2]), n: 16, rows: 1 },
]

/**
 * Forward and backward passes with a loss, from parameters in memory to gradients in memory: in the core below tfjs, in
 * stock tfjs-wasm network by network in plain products of explicitly transposed matrices (its best form), and in stock tfjs-wasm
 * with all networks stacked along an axis (its usual form). Then the fused policy step of the rollout.
 */
export default async function bench(): Promise<Row[]> {
  await startTfjs()
  const rows: Row[] = []
  for (const setting of SETTINGS) rows.push(...(await benchSetting(setting)))
  return [...rows, ...(await benchPolicyStep())]
}

async function benchSetting(setting: Setting): Promise<Row[]> {
  const { name, net, n, rows } = setting
  const data = dataFor(setting)
  const forms: Record<string, () => Float32Array> = {
    steinrl: () => together(setting, data, (theta, x) => forward(setting.net, theta, x)),
    'steinrl, one by one': () => oneByOne(setting, data, forward),
    'tfjs-wasm, one by one': () => oneByOne(setting, data, stockForward),
    'tfjs-wasm, stacked': () => together(setting, data, (theta, x) => stackedForward(setting.net, theta, x)),
  }
  const expected = forms['tfjs-wasm, one by one']()
  for (const [form, run] of Object.entries(forms)) checkGradient(form, run(), expected)
  const params = { networks: n, widths: net.widths.join('-'), rows }
  const measured = await measure(
    name,
    Object.entries(forms).map(([form, run]): Case => ({ name: form, params, run: () => void run() })),
  )
  return measured.map((row) => ({ ...row, slower: Number((row.ms / measured[0].ms).toPrecision(3)) }))
}

interface Data {
  /** [n, size] */
  readonly theta: Float32Array
  /** [n, rows, inputs] */
  readonly x: Float32Array
  /** [n, rows] */
  readonly action: Int32Array
  readonly weight: Float32Array
}

const numbers = (count: number, seed: number, scale = 1) =>
  Float32Array.from({ length: count }, (_, k) => Math.sin(12.9898 * (k + 1) + 78.233 * seed) * scale)

function dataFor({ net, n, rows }: Setting): Data {
  const outputs = net.widths[net.widths.length - 1]
  return {
    theta: numbers(n * net.size, 1, 0.3),
    x: numbers(n * rows * net.widths[0], 2),
    action: Int32Array.from({ length: n * rows }, (_, k) => k % outputs),
    weight: numbers(n * rows, 3, 1 / rows),
  }
}

/** Σ_b w_b log π(a_b|s_b), or Σ_b w_b y_b where there is one output. */
function lossOf(y: tf.Tensor2D, action: tf.Tensor1D, weight: tf.Tensor1D): tf.Scalar {
  const value = y.shape[1] === 1 ? tf.reshape(y, [-1]) : categorical.logProb(y, action)
  return tf.sum(tf.mul(value, weight))
}

function oneByOne(
  { net, n, rows }: Setting,
  { theta, x, action, weight }: Data,
  run: typeof stockForward,
): Float32Array {
  const gradient = new Float32Array(theta.length)
  const inputs = net.widths[0]
  for (let i = 0; i < n; i++) {
    const slice = tf.tidy(() => {
      const batch = tf.tensor2d(x.subarray(i * rows * inputs, (i + 1) * rows * inputs), [rows, inputs])
      const a = tf.tensor1d(action.subarray(i * rows, (i + 1) * rows), 'int32')
      const w = tf.tensor1d(weight.subarray(i * rows, (i + 1) * rows))
      const loss = (row: tf.Tensor) => lossOf(run(net, row as tf.Tensor1D, batch), a, w)
      return tf.grad(loss)(tf.tensor1d(theta.subarray(i * net.size, (i + 1) * net.size)))
    })
    gradient.set(slice.dataSync() as Float32Array, i * net.size)
    slice.dispose()
  }
  return gradient
}

/** All networks in one expression. */
function together(
  { net, n, rows }: Setting,
  { theta, x, action, weight }: Data,
  outputs: (theta: tf.Tensor2D, x: tf.Tensor3D) => tf.Tensor,
): Float32Array {
  const tensor = tf.tidy(() => {
    const batch = tf.tensor3d(x, [n, rows, net.widths[0]])
    const a = tf.tensor1d(action, 'int32')
    const w = tf.tensor1d(weight)
    const last = net.widths[net.widths.length - 1]
    const loss = (all: tf.Tensor) =>
      lossOf(tf.reshape(outputs(all as tf.Tensor2D, batch), [n * rows, last]) as tf.Tensor2D, a, w)
    return tf.grad(loss)(tf.tensor2d(theta, [n, net.size]))
  })
  const gradient = tensor.dataSync() as Float32Array
  tensor.dispose()
  return gradient
}

/** Stock tfjs with products of stacks of matrices. */
const stackedForward = (net: Network, theta: tf.Tensor2D, x: tf.Tensor3D) =>
  net.layers.reduce<tf.Tensor>((input, { inputs, outputs, weight, bias, activation }) => {
    const n = theta.shape[0]
    const W = tf.reshape(tf.slice(theta, [0, weight], [n, inputs * outputs]), [n, inputs, outputs])
    const b = tf.reshape(tf.slice(theta, [0, bias], [n, outputs]), [n, 1, outputs])
    return activate(tf.add(tf.matMul(input, W), b), activation)
  }, x)

function activate(x: tf.Tensor, activation: Activation): tf.Tensor {
  if (activation === 'tanh') return tf.tanh(x)
  return activation === 'relu' ? tf.relu(x) : x
}

function checkGradient(form: string, found: Float32Array, expected: Float32Array): void {
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  const error = found.reduce((most, value, k) => Math.max(most, Math.abs(value - expected[k])), 0)
  if (!(error < 1e-4 * largest))
    throw new Error(`${form}: the gradient is off by ${error / largest} of its largest entry.`)
}

/** Forward, sample and CartPole step of 16 particles in 64 environments each. */
async function benchPolicyStep(): Promise<Row[]> {
  const state = await svpg.init({ env: 'CartPole-v1', seed: 0, environments: 64, steps: 32 })
  const { arena, task } = state
  for (let k = 0; k < 5; k++) svpg.step(state)
  const steps = task.particles * task.environments * task.steps
  return measure('Policy step', [
    {
      name: 'policy step',
      params: { particles: 16, environments: 64, steps: 32, hidden: '64-64' },
      run: () => rollout(arena, task, 0, task.particles, state.iteration * task.steps),
      derive: (ms) => ({ stepsPerSecond: Math.round((steps / ms) * 1000) }),
    },
  ])
}
