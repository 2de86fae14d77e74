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

function workspaceFields(net: Network, rows: number) {
  const R = padded(rows)
  const widths = net.widths.map(padded)
  const widest = Math.max(...widths)
  const deepest = Math.max(R, widest)
  return {
    net: mlpStruct.field,
    widths: i32(net.widths.length),
    kinds: i32(net.layers.length),
    /** [size] */
    theta: f32(net.size),
    gradient: f32(net.size),
    /** [R, P(w₀)] */
    x: f32(R, widths[0]),
    dx: f32(R, widths[0]),
    /** [R, P(w)] of each layer, one after the other. */
    outputs: f32(
      R,
      widths.slice(1).reduce((sum, width) => sum + width, 0),
    ),
    delta: f32(R, widest),
    spare: f32(R, widest),
    panels: f32(widest, deepest),
    rowPanel: f32(deepest, 4),
    tile: f32(4, widest),
  }
}

/** The memory that one network's passes run in, for up to `rows` rows. */
interface Workspace {
  readonly arena: Arena<ReturnType<typeof workspaceFields>>
  readonly rows: number
  /** Which forward pass its outputs are of. */
  pass: number
}

// A network is an immutable record, so what is derived from it is kept beside it and goes when it goes.
const workspaces = new WeakMap<Network, Workspace>()

function workspaceFor(net: Network, rows: number): Workspace {
  const kept = workspaces.get(net)
  if (kept && kept.rows >= rows) return kept
  if (!kernels.core) throw new Error('The core has not been compiled: call startTfjs first.')
  const arena = createArenaSync(kernels.core, workspaceFields(net, rows))
  arena.view.widths.set(net.widths)
  arena.view.kinds.set(net.layers.map(({ activation }) => ActivationKind[activation]))
  // Passes are numbered on, so that one through the smaller workspace is not taken for one through this.
  const workspace = { arena, rows, pass: kept?.pass ?? 0 }
  workspaces.set(net, workspace)
  return workspace
}

/** Whether `fusedForward` can be used: the core is there and tfjs runs on its WASM backend. */
export const canFuse = () => kernels.core !== null && tf.getBackend() === 'wasm'

/** Outputs [rows, last width] of the network with parameters theta [size] for x [rows, first width], with a gradient. */
export function fusedForward(net: Network, theta: tf.Tensor1D, x: tf.Tensor2D): tf.Tensor2D {
  const op = tf.customGrad((...inputs) => {
    const [theta, x, save] = inputs as unknown as [tf.Tensor1D, tf.Tensor2D, tf.GradSaveFunc]
    save([theta, x])
    const workspace = runForward(net, theta, x)
    const { pass } = workspace
    return {
      value: outputsOf(net, workspace, x.shape[0]),
      gradFunc: (dy, saved) => {
        const [theta, x] = saved as [tf.Tensor1D, tf.Tensor2D]
        return runBackward(net, theta, x, dy as tf.Tensor2D, pass)
      },
    }
  })
  return op(theta, x) as tf.Tensor2D
}

function runForward(net: Network, theta: tf.Tensor1D, x: tf.Tensor2D): Workspace {
  const rows = x.shape[0]
  const workspace = workspaceFor(net, rows)
  const { ops, at, view } = workspace.arena
  view.theta.set(theta.dataSync() as Float32Array)
  scatterRows(view.x, x.dataSync() as Float32Array, rows, net.widths[0])
  mlpStruct.write(view.net, { ...at, rows, layers: net.layers.length })
  ops.trainingForward(at.net)
  workspace.pass++
  return workspace
}

function outputsOf(net: Network, { arena }: Workspace, rows: number): tf.Tensor2D {
  const last = net.widths[net.widths.length - 1]
  const before = net.widths.slice(1, -1).reduce((sum, width) => sum + padded(width), 0) * padded(rows)
  const outputs = arena.view.outputs.subarray(before, before + rows * padded(last))
  return tf.tensor2d(gatherRows(outputs, rows, last), [rows, last])
}

function runBackward(net: Network, theta: tf.Tensor1D, x: tf.Tensor2D, dy: tf.Tensor2D, pass: number): tf.Tensor[] {
  const rows = x.shape[0]
  const kept = workspaces.get(net)
  // Another pass through the same network has written over the outputs: run this one again.
  const { arena } = kept?.pass === pass ? kept : runForward(net, theta, x)
  const { ops, at, view } = arena
  scatterRows(view.delta, dy.dataSync() as Float32Array, rows, net.widths[net.widths.length - 1])
  ops.trainingBackward(at.net)
  return [
    tf.tensor1d(view.gradient.slice()),
    tf.tensor2d(gatherRows(view.dx, rows, net.widths[0]), [rows, net.widths[0]]),
  ]
}

/** Rows of `width` as padded rows, zeros behind them. */
function scatterRows(out: Float32Array, from: Float32Array, rows: number, width: number): void {
  const stride = padded(width)
  if (stride === width) {
    out.set(from)
    return
  }
  for (let r = 0; r < rows; r++) {
    for (let k = 0; k < width; k++) out[r * stride + k] = from[r * width + k]
    for (let k = width; k < stride; k++) out[r * stride + k] = 0
  }
}

/** A copy without the padding. */
function gatherRows(from: Float32Array, rows: number, width: number): Float32Array {
  const stride = padded(width)
  if (stride === width) return from.slice(0, rows * width)
  const out = new Float32Array(rows * width)
  for (let r = 0; r < rows; r++) for (let k = 0; k < width; k++) out[r * width + k] = from[r * stride + k]
  return out
}
