import { type Arena, createArenaSync, f32, i32, padded, struct } from '../core/arena.ts'
import { ActivationKind, type Network } from './network.ts'
import { kernels, tf } from './tfjs.ts'

// A whole network as one op of tfjs: forward and backward run in the core, on panels, at the speed of WASM SIMD. Stock tfjs-wasm
// multiplies stacked and transposed matrices on a scalar path, and takes ten times as long for a tanh.

/** As the class Mlp in assembly/nn/training.ts. */
export const mlpStruct = struct([
  'rows',
  'layers',
  'widths',
  'kinds',
  'theta',
  'x',
  'outputs',
  'gradient',
  'delta',
  'spare',
  'dx',
  'panels',
  'rowPanel',
  'tile',
])

/** Floats of the outputs of all layers of one network. */
const outputFloats = ({ widths }: Network, rows: number) =>
  padded(rows) * widths.slice(1).reduce((sum, width) => sum + padded(width), 0)

function workspaceFields(net: Network, n: number, rows: number) {
  const R = padded(rows)
  const widths = net.widths.map(padded)
  const widest = Math.max(...widths)
  const deepest = Math.max(R, widest)
  return {
    net: mlpStruct.field,
    widths: i32(net.widths.length),
    kinds: i32(net.layers.length),
    /** [n, size] */
    theta: f32(n, net.size),
    gradient: f32(n, net.size),
    /** [n, R, P(w₀)] */
    x: f32(n, R, widths[0]),
    dx: f32(n, R, widths[0]),
    /** [n, …] rows [R, P(w)] of each layer, one after the other. */
    outputs: f32(n, outputFloats(net, rows)),
    delta: f32(R, widest),
    spare: f32(R, widest),
    panels: f32(widest, deepest),
    rowPanel: f32(deepest, 4),
    tile: f32(4, widest),
  }
}

/** The memory that passes through at most n networks of one shape run in, with at most `rows` rows each. */
interface Workspace {
  readonly arena: Arena<ReturnType<typeof workspaceFields>>
  readonly n: number
  readonly rows: number
  /** Which forward pass its outputs are of. */
  pass: number
}

// A network is an immutable record, so what is derived from it is kept beside it and goes when it goes.
const workspaces = new WeakMap<Network, Workspace>()

function workspaceFor(net: Network, n: number, rows: number): Workspace {
  const kept = workspaces.get(net)
  if (kept && kept.n >= n && kept.rows >= rows) return kept
  if (!kernels.core) throw new Error('The core has not been compiled: call startTfjs first.')
  // Never smaller than before: batches of two sizes in turn would otherwise take new memory every time.
  const room = { n: Math.max(n, kept?.n ?? 0), rows: Math.max(rows, kept?.rows ?? 0) }
  const arena = createArenaSync(kernels.core, workspaceFields(net, room.n, room.rows))
  arena.view.widths.set(net.widths)
  arena.view.kinds.set(net.layers.map(({ activation }) => ActivationKind[activation]))
  // Passes are numbered on, so that one through another workspace is not taken for one through this.
  const workspace = { arena, ...room, pass: kept?.pass ?? 0 }
  workspaces.set(net, workspace)
  return workspace
}

/** Whether `fusedForward` can be used: the core is there and tfjs runs on its WASM backend. */
export const canFuse = () => kernels.core !== null && tf.getBackend() === 'wasm'

/**
 * Outputs [n, rows, last width] of n networks of one shape with parameters theta [n, size], each for its rows of x
 * [n, rows, first width], with a gradient by both. Without the leading axis one network.
 */
export function fusedForward<X extends tf.Tensor2D | tf.Tensor3D>(net: Network, theta: tf.Tensor, x: X): X {
  const op = tf.customGrad((...inputs) => {
    const [theta, x, save] = inputs as unknown as [tf.Tensor, X, tf.GradSaveFunc]
    save([theta, x])
    const workspace = runForward(net, theta, x)
    const { pass } = workspace
    return {
      value: outputsOf(net, workspace, x),
      gradFunc: (dy, saved) => {
        const [theta, x] = saved as [tf.Tensor, X]
        return runBackward(net, theta, x, dy as tf.Tensor, pass)
      },
    }
  })
  return op(theta, x) as X
}

function sizesOf(x: tf.Tensor): { n: number; rows: number } {
  const [first, second] = x.shape as [number, number]
  return x.rank === 3 ? { n: first, rows: second } : { n: 1, rows: first }
}

function runForward(net: Network, theta: tf.Tensor, x: tf.Tensor): Workspace {
  const { n, rows } = sizesOf(x)
  const workspace = workspaceFor(net, n, rows)
  const { ops, at, view } = workspace.arena
  view.theta.set(theta.dataSync() as Float32Array)
  const inputs = x.dataSync() as Float32Array
  for (let i = 0; i < n; i++) {
    scatterRows(view.x, (view.x.length / workspace.n) * i, inputs, i * rows, rows, net.widths[0])
    pointAt(net, workspace, i, rows)
    ops.trainingForward(at.net)
  }
  workspace.pass++
  return workspace
}

/** Makes the record that the ops read that of network i. */
function pointAt(net: Network, { arena, n }: Workspace, i: number, rows: number): void {
  const { at, view } = arena
  const part = (name: 'theta' | 'gradient' | 'x' | 'dx' | 'outputs') => at[name] + (view[name].byteLength / n) * i
  mlpStruct.write(view.net, {
    ...at,
    rows,
    layers: net.layers.length,
    theta: part('theta'),
    gradient: part('gradient'),
    x: part('x'),
    dx: part('dx'),
    outputs: part('outputs'),
  })
}

function outputsOf(net: Network, { arena, n: room }: Workspace, x: tf.Tensor): tf.Tensor {
  const { n, rows } = sizesOf(x)
  const last = net.widths[net.widths.length - 1]
  const { outputs } = arena.view
  const before = outputFloats(net, rows) - padded(rows) * padded(last)
  const out = new Float32Array(n * rows * last)
  for (let i = 0; i < n; i++) gatherRows(out, i * rows, outputs, (outputs.length / room) * i + before, rows, last)
  return tf.tensor(out, [...x.shape.slice(0, -1), last])
}

function runBackward(net: Network, theta: tf.Tensor, x: tf.Tensor, dy: tf.Tensor, pass: number): tf.Tensor[] {
  const kept = workspaces.get(net)
  // Another pass through the same network has written over the outputs: run this one again.
  const workspace = kept?.pass === pass ? kept : runForward(net, theta, x)
  const { n, rows } = sizesOf(x)
  const { ops, at, view } = workspace.arena
  const [first, last] = [net.widths[0], net.widths[net.widths.length - 1]]
  const upstream = dy.dataSync() as Float32Array
  const dx = new Float32Array(n * rows * first)
  for (let i = 0; i < n; i++) {
    pointAt(net, workspace, i, rows)
    scatterRows(view.delta, 0, upstream, i * rows, rows, last)
    ops.trainingBackward(at.net)
    gatherRows(dx, i * rows, view.dx, (view.dx.length / workspace.n) * i, rows, first)
  }
  return [tf.tensor(view.gradient.slice(0, theta.size), theta.shape), tf.tensor(dx, x.shape)]
}

/** Rows `row` and on of `from` to padded rows at `start` of out, zeros behind each. */
function scatterRows(
  out: Float32Array,
  start: number,
  from: Float32Array,
  row: number,
  rows: number,
  width: number,
): void {
  const stride = padded(width)
  if (stride === width) {
    out.set(from.subarray(row * width, (row + rows) * width), start)
    return
  }
  for (let r = 0; r < rows; r++) {
    const to = start + r * stride
    for (let k = 0; k < width; k++) out[to + k] = from[(row + r) * width + k]
    for (let k = width; k < stride; k++) out[to + k] = 0
  }
}

/** Padded rows at `start` of `from` to rows `row` and on of out. */
function gatherRows(
  out: Float32Array,
  row: number,
  from: Float32Array,
  start: number,
  rows: number,
  width: number,
): void {
  const stride = padded(width)
  if (stride === width) {
    out.set(from.subarray(start, start + rows * width), row * width)
    return
  }
  for (let r = 0; r < rows; r++) {
    for (let k = 0; k < width; k++) out[(row + r) * width + k] = from[start + r * stride + k]
  }
}
