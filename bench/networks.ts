import { createArena } from '../src/core/arena.ts'
import { f32, padded } from '../src/core/layout.ts'
import { compileCore } from '../src/core/module.ts'
import { splitSeed } from '../src/core/random.ts'
import { cartPole } from '../src/envs/cartpole.ts'
import { readInto } from '../src/nn/core-op.ts'
import { categorical, stockCategorical } from '../src/nn/distributions.ts'
import { forward, stockForward } from '../src/nn/forward.ts'
import { type Activation, initialiseInto, mlp, type Network } from '../src/nn/network.ts'
import { policyFields, policyOf, writePolicy } from '../src/nn/policy.ts'
import { startTfjs, tf } from '../src/nn/tfjs.ts'
import { createRoller, rollout, seedFields, startEnvironments, type Task, writeTask } from '../src/rl/rollout.ts'
import { batchFields, environmentFields } from '../src/rl/rollout-layout.ts'
import { type Case, measure, type Row } from './harness.ts'
import { hasPython, runPython } from './peers/python.ts'

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
 * stock tfjs-wasm network by network in plain products of explicitly transposed matrices (its best form), in stock
 * tfjs-wasm with all networks stacked along an axis (its usual form), and in torch. Then the fused policy step of the
 * rollout.
 */
export default async function bench(): Promise<Row[]> {
  await startTfjs()
  const torch = hasPython('torch')
  const rows: Row[] = []
  for (const setting of SETTINGS) rows.push(...(await benchSetting(setting, torch)))
  for (const shape of POLICIES) rows.push(...(await benchPolicyStep(shape)))
  return rows
}

async function benchSetting(setting: Setting, torch: boolean): Promise<Row[]> {
  const { name, net, n, rows } = setting
  const data = dataFor(setting)
  const ours: Loss = categorical.logProb
  const stock: Loss = stockCategorical.logProb
  const forms: Record<string, () => Float32Array> = {
    steinrl: () => together(setting, data, (theta, x) => forward(net, theta, x), ours),
    'steinrl, one by one': () => oneByOne(setting, data, forward, ours),
    'tfjs-wasm, one by one': () => oneByOne(setting, data, stockForward, stock),
    'tfjs-wasm, stacked': () => together(setting, data, (theta, x) => stackedForward(net, theta, x), stock),
  }
  const expected = forms['tfjs-wasm, one by one']().slice()
  for (const [form, run] of Object.entries(forms)) checkGradient(form, run(), expected)
  const params = { networks: n, widths: net.widths.join('-'), rows }
  const measured = await measure(
    name,
    Object.entries(forms).map(([form, run]): Case => ({ name: form, params, run: () => void run() })),
  )
  if (torch) measured.push(...runTorch(setting, params, data, expected))
  return measured.map((row) => ({ ...row, slower: Number((row.ms / measured[0].ms).toPrecision(3)) }))
}

interface Data {
  /** [n, size] */
  readonly theta: Float32Array
  /** [n, rows, inputs] */
  readonly x: Float32Array
  /** [n, rows] */
  readonly action: Float32Array
  readonly weight: Float32Array
  /** [n, size] what a form found. */
  readonly gradient: Float32Array
}

const numbers = (count: number, seed: number, scale = 1) =>
  Float32Array.from({ length: count }, (_, k) => Math.sin(12.9898 * (k + 1) + 78.233 * seed) * scale)

function dataFor({ net, n, rows }: Setting): Data {
  const outputs = net.widths[net.widths.length - 1]
  return {
    theta: numbers(n * net.size, 1, 0.3),
    x: numbers(n * rows * net.widths[0], 2),
    action: Float32Array.from({ length: n * rows }, (_, k) => k % outputs),
    weight: numbers(n * rows, 3, 1 / rows),
    gradient: new Float32Array(n * net.size),
  }
}

type Loss = typeof categorical.logProb

/** Σ_b w_b log π(a_b|s_b), or Σ_b w_b y_b where there is one output. */
function lossOf(y: tf.Tensor2D, action: tf.Tensor2D, weight: tf.Tensor1D, logProb: Loss): tf.Scalar {
  const value = y.shape[1] === 1 ? tf.reshape(y, [-1]) : logProb(y, action)
  return tf.sum(tf.mul(value, weight))
}

function oneByOne(
  { net, n, rows }: Setting,
  { theta, x, action, weight, gradient }: Data,
  run: typeof stockForward,
  logProb: Loss,
): Float32Array {
  const inputs = net.widths[0]
  for (let i = 0; i < n; i++) {
    const slice = tf.tidy(() => {
      const batch = tf.tensor2d(x.subarray(i * rows * inputs, (i + 1) * rows * inputs), [rows, inputs])
      const a = tf.tensor2d(action.subarray(i * rows, (i + 1) * rows), [rows, 1])
      const w = tf.tensor1d(weight.subarray(i * rows, (i + 1) * rows))
      const loss = (row: tf.Tensor) => lossOf(run(net, row as tf.Tensor1D, batch), a, w, logProb)
      return tf.grad(loss)(tf.tensor1d(theta.subarray(i * net.size, (i + 1) * net.size)))
    })
    readInto(gradient.subarray(i * net.size, (i + 1) * net.size), slice)
    slice.dispose()
  }
  return gradient
}

/** All networks in one expression. */
function together(
  { net, n, rows }: Setting,
  { theta, x, action, weight, gradient }: Data,
  outputs: (theta: tf.Tensor2D, x: tf.Tensor3D) => tf.Tensor,
  logProb: Loss,
): Float32Array {
  const tensor = tf.tidy(() => {
    const batch = tf.tensor3d(x, [n, rows, net.widths[0]])
    const a = tf.tensor2d(action, [n * rows, 1])
    const w = tf.tensor1d(weight)
    const last = net.widths[net.widths.length - 1]
    const loss = (all: tf.Tensor) =>
      lossOf(tf.reshape(outputs(all as tf.Tensor2D, batch), [n * rows, last]) as tf.Tensor2D, a, w, logProb)
    return tf.grad(loss)(tf.tensor2d(theta, [n, net.size]))
  })
  readInto(gradient, tensor)
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

type TorchTimes = Pick<Row, 'ms' | 'min' | 'max' | 'samples'> & { readonly form: string; readonly error: number }

/** The same data in torch, on one thread and on two, checked as ours. */
function runTorch(
  { name, net, n, rows }: Setting,
  params: Row['params'],
  { theta, x, action, weight }: Data,
  expected: Float32Array,
): Row[] {
  const { widths, layers } = net
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  return [1, 2].map((threads) => {
    const task = { n, widths, hidden: layers[0].activation, rows, threads }
    const input = Buffer.concat([theta, x, action, weight, expected].map((array) => Buffer.from(array.buffer)))
    const { form, ms, min, max, samples, error } = runPython<TorchTimes>('mlp_torch.py', task, { input })
    if (!(error < 1e-4 * largest)) throw new Error(`torch: the gradient of ${name} is off by ${error / largest}.`)
    return { name: `torch, ${threads} thread${threads > 1 ? 's' : ''}, ${form}`, params, ms, min, max, samples }
  })
}

/** Particles, environments of each, and hidden widths: the default task, and the size of the paper. */
const POLICIES = [
  { particles: 16, environments: 64, hidden: [64, 64] },
  { particles: 16, environments: 10, hidden: [100, 50, 25] },
] as const

const STEPS = 32

/** Forward, sample and CartPole step of all particles, one after the other. */
async function benchPolicyStep({ particles, environments, hidden }: (typeof POLICIES)[number]): Promise<Row[]> {
  const head = { name: 'categorical', actions: 2 } as const
  const policy = policyOf({ observations: 4, hidden, head })
  const D = padded(policy.size)
  const task: Task = { spec: cartPole, head, environments, steps: STEPS, seed: splitSeed(0) }
  const arena = await createArena(await compileCore(), {
    theta: f32(1, D),
    population: f32(particles, D),
    ...policyFields(policy, environments),
    ...environmentFields(cartPole, environments),
    ...batchFields(STEPS, environments, 4, 1),
    ...seedFields(),
  })
  const { ops, view } = arena
  const rows = Array.from({ length: particles }, (_, i) => view.population.subarray(i * D, (i + 1) * D))
  rows.forEach((row, i) => {
    initialiseInto(row, policy.net, ops, task.seed, i)
  })
  writePolicy(arena, policy, D)
  writeTask(arena, task)
  startEnvironments(arena, task, createRoller(task, 0))
  let step = 0
  const run = () => {
    rows.forEach((row, particle) => {
      view.theta.set(row)
      rollout(arena, task, createRoller(task, particle), step)
    })
    step += STEPS
  }
  return measure('Policy step', [
    {
      name: 'policy step',
      params: { particles, environments, steps: STEPS, hidden: hidden.join('-') },
      run,
      derive: (ms) => ({ stepsPerSecond: Math.round((particles * environments * STEPS * 1000) / ms) }),
    },
  ])
}
