import { type Arena, createArenaSync } from '../core/arena.ts'
import { f32, i32, padded, struct } from '../core/layout.ts'
import type { CoreModule } from '../core/module.ts'
import { coreOp, fusing, valuesOf } from './core-op.ts'
import { ActivationKind, type Network } from './network.ts'
import { kernels, tf } from './tfjs.ts'

// A population of networks as one op of tfjs: forward and backward run in the core at the speed of WASM SIMD. Stock
// tfjs-wasm multiplies stacked and transposed matrices on a scalar path, and takes ten times as long for a tanh.

/** As the class Mlp in assembly/nn/training.ts. */
export const mlpStruct = struct([
  'networks',
  'rows',
  'layers',
  'widths',
  'kinds',
  'theta',
  'x',
  'outputs',
  'known',
  'y',
  'dy',
  'gradient',
  'dx',
  'strips',
  'tile',
  'terms',
])

/** Floats of a row of outputs inside the core: an odd number of vectors. */
const stride = (width: number) => padded(width) | 4

/** As in assembly/nn/training.ts. */
const BLOCK = 64

/** What SIMD writes behind the end of rows that are not whole vectors. */
const SLACK = 4

/** n networks on `rows` rows each. */
interface PassSizes {
  readonly n: number
  readonly rows: number
}

/** Floats of the scratch memory of a pass, as in assembly/nn/training.ts. */
export function mlpScratch({ widths }: Network) {
  const widest = Math.max(...widths)
  const terms = 2 * BLOCK * widest + Math.max(BLOCK, widest) + 1
  return { strips: Math.ceil(widest / 16) * 16 * widest + 48, tile: BLOCK * stride(widest), terms }
}

/** Floats of the outputs of all layers for one row, as they stand in the core. */
export const outputFloats = ({ widths }: Network) => widths.slice(1).reduce((sum, width) => sum + stride(width), 0)

function workspaceFields(net: Network, { n, rows }: PassSizes) {
  const { strips, tile, terms } = mlpScratch(net)
  const [first, last] = [net.widths[0], net.widths[net.widths.length - 1]]
  return {
    net: mlpStruct.field,
    widths: i32(net.widths.length),
    kinds: i32(net.layers.length),
    /** [n, size] */
    theta: f32(n * net.size + SLACK),
    gradient: f32(n * net.size + SLACK),
    /** [n, rows, w₀] */
    x: f32(n * rows * first + SLACK),
    dx: f32(n * rows * first + SLACK),
    /** [n, …] rows [rows, stride] of each layer, one after the other. */
    outputs: f32(n * rows, outputFloats(net)),
    /** [n, rows, w_last] */
    y: f32(n * rows * last + SLACK),
    dy: f32(n * rows * last + SLACK),
    strips: f32(strips),
    tile: f32(tile),
    terms: f32(terms),
  }
}

/** The memory that passes through at most n networks of one shape run in, with at most `rows` rows each. */
interface Workspace extends PassSizes {
  readonly arena: Arena<ReturnType<typeof workspaceFields>>
  readonly core: CoreModule
  /** Which pass it holds: outputs of a forward one, or the gradients that a backward one puts in their place. */
  pass: number
}

// A network is an immutable record, so what is derived from it is kept beside it and goes when it goes.
const workspaces = new WeakMap<Network, Workspace>()

function workspaceFor(net: Network, { n, rows }: PassSizes): Workspace {
  const kept = workspaces.get(net)
  if (kept && kept.core === kernels.core && kept.n >= n && kept.rows >= rows) return kept
  if (!kernels.core) throw new Error('The core has not been compiled: call startTfjs first.')
  // Never smaller than before: batches of two sizes in turn would otherwise take new memory every time.
  const room = { n: Math.max(n, kept?.n ?? 0), rows: Math.max(rows, kept?.rows ?? 0) }
  const arena = createArenaSync(kernels.core, workspaceFields(net, room))
  arena.view.widths.set(net.widths)
  arena.view.kinds.set(net.layers.map(({ activation }) => ActivationKind[activation]))
  // Passes are numbered on, so that one through another workspace is not taken for one through this.
  const workspace = { arena, core: kernels.core, ...room, pass: kept?.pass ?? 0 }
  workspaces.set(net, workspace)
  return workspace
}

/** Whether `fusedForward` can be used: the core is there and tfjs runs on its WASM backend. */
export const canFuse = () => kernels.core !== null && fusing.has(tf.getBackend())

/**
 * Outputs [n, rows, last width] of n networks of one shape with parameters theta [n, size], each for its rows of x
 * [n, rows, first width], with a gradient by both. Without the leading axis one network.
 *
 * @param outputs [rows × outputFloats] of all layers of one network, for the same theta and x, where they are known
 */
export function fusedForward<X extends tf.Tensor2D | tf.Tensor3D>(
  net: Network,
  theta: tf.Tensor,
  x: X,
  outputs?: tf.Tensor1D,
): X {
  const call = { net, pass: 0 }
  return (outputs ? knownMlpOp({ theta, x, outputs }, call) : mlpOp({ theta, x }, call)) as X
}

type MlpCall = { readonly net: Network; pass: number }

const passes: Omit<Parameters<typeof coreOp<'theta' | 'x', MlpCall>>[0], 'name' | 'inputs'> = {
  run({ theta, x }, call) {
    const workspace = runForward(call.net, theta, x)
    call.pass = workspace.pass
    const last = call.net.widths[call.net.widths.length - 1]
    const { n, rows } = sizesOf(x)
    return { values: workspace.arena.view.y.subarray(0, n * rows * last), shape: [...x.shape.slice(0, -1), last] }
  },
  gradients(dy, { theta, x }, { net, pass }) {
    let reversed = 0
    return {
      theta: () => {
        const { arena, pass: after } = runBackward(net, theta, x, dy, pass, 'trainingBackward')
        reversed = after
        return { values: arena.view.gradient.subarray(0, theta.size), shape: theta.shape }
      },
      x: () => {
        const kept = workspaces.get(net)
        // Where theta was asked for as well its pass has come down to the first layer already.
        const isReversed = kept?.pass === reversed
        const { arena } = isReversed ? kept : runBackward(net, theta, x, dy, pass, 'inputsBackward')
        if (isReversed) arena.ops.trainingInputs(arena.at.net)
        return { values: arena.view.dx.subarray(0, x.size), shape: x.shape }
      },
    }
  },
}

const mlpOp = coreOp({ name: 'SteinrlMlp', inputs: ['theta', 'x'], ...passes })

/** A plan takes the outputs as they are; tfjs computes them again, which gives the same bits. */
const knownMlpOp = coreOp<'theta' | 'x' | 'outputs', MlpCall>({
  ...{ name: 'SteinrlKnownMlp', inputs: ['theta', 'x', 'outputs'] },
  ...passes,
})

function sizesOf(x: tf.TensorInfo): PassSizes {
  const [first, second] = x.shape
  return x.shape.length === 3 ? { n: first, rows: second } : { n: 1, rows: first }
}

function runForward(net: Network, theta: tf.TensorInfo, x: tf.TensorInfo): Workspace {
  const { n, rows } = sizesOf(x)
  const workspace = workspaceFor(net, { n, rows })
  const { ops, at, view } = workspace.arena
  view.theta.set(valuesOf(theta))
  view.x.set(valuesOf(x))
  mlpStruct.write(view.net, { ...at, networks: n, rows, layers: net.layers.length, known: 0 })
  ops.trainingForward(at.net)
  workspace.pass++
  return workspace
}

function runBackward(
  net: Network,
  theta: tf.Tensor,
  x: tf.Tensor,
  dy: tf.Tensor,
  pass: number,
  op: 'trainingBackward' | 'inputsBackward',
): Workspace {
  const kept = workspaces.get(net)
  // Another pass through the same network has written over the outputs: run this one again.
  const workspace = kept?.pass === pass ? kept : runForward(net, theta, x)
  const { ops, at, view } = workspace.arena
  view.dy.set(valuesOf(dy))
  ops[op](at.net)
  workspace.pass++
  return workspace
}
