import { outputFloats } from '../../nn/fused.ts'
import type { Network } from '../../nn/network.ts'
import { tf } from '../../nn/tfjs.ts'
import type { Graph, Node, View } from '../graph.ts'
import { broadcast, sizeOf, stridesOf, transpose } from '../views.ts'
import { type Rule, shapeOf, type Traced } from './rule.ts'

const lastTwoSwapped = (view: View) => {
  const axes = view.shape.map((_, k) => k)
  const [a, b] = axes.splice(-2)
  return transpose(view, [...axes, b, a])
}

/** Two stacks of matrices, each [..., rows, columns], after transposition. */
function product(graph: Graph, a: View, b: View, transposedA: boolean, transposedB: boolean): View {
  const left = transposedA ? lastTwoSwapped(a) : a
  const right = transposedB ? lastTwoSwapped(b) : b
  const stack = tf.backend_util.assertAndGetBroadcastShape(
    left.shape.slice(0, -2) as number[],
    right.shape.slice(0, -2) as number[],
  )
  const [rows, terms] = left.shape.slice(-2)
  const [others, columns] = right.shape.slice(-2)
  tf.util.assert(terms === others, () => `Error in matMul: inner shapes (${terms}) and (${others}) must match`)
  const out = [...stack, rows, columns]
  const pairs = sizeOf(stack)
  const isShared = sizeOf(b.shape.slice(0, -2)) === 1
  if (isShared && pairs > 1 && !transposedA) {
    const tall = graph.reshape(graph.contiguous(broadcast(a, [...stack, rows, terms])), [pairs * rows, terms])
    return graph.reshape(product(graph, tall, graph.reshape(b, b.shape.slice(-2)), false, transposedB), out)
  }
  const work = {
    kind: 'product',
    pairs,
    rows,
    terms,
    columns,
    transposedA,
    transposedB: transposedB && !transposedA,
  } as const
  const plainB = transposedA && transposedB ? graph.contiguous(right) : graph.contiguous(b)
  return graph.compute(work, [stackOf(graph, a, stack), stackOf(graph, plainB, stack)], out)
}

/** [pairs, rows, columns]: either all different or one for all. */
function stackOf(graph: Graph, matrices: View, stack: readonly number[]): View {
  const size = matrices.shape.slice(-2)
  const own = sizeOf(matrices.shape.slice(0, -2))
  if (own === 1) return broadcast(graph.reshape(graph.contiguous(matrices), size), [sizeOf(stack), ...size])
  return graph.reshape(graph.contiguous(broadcast(matrices, [...stack, ...size])), [sizeOf(stack), ...size])
}

const matMul: Rule = (graph, { a, b }, { transposeA, transposeB }) => ({
  view: product(graph, a.view, b.view, Boolean(transposeA), Boolean(transposeB)),
  dtype: 'float32',
})

const netOf = (attributes: Readonly<Record<string, unknown>>) => attributes.net as Network

function sizesOf({ net }: { net: Network }, x: Traced) {
  const shape = shapeOf(x)
  const [networks, rows] = shape.length === 3 ? shape : [1, shape[0]]
  return { net, networks, rows }
}

/** The pass that a gradient of `passes` is taken from: each destroys what its pass has kept. */
const passesOf = new WeakMap<Graph, Map<string, Node>>()

type Inputs = Parameters<Rule>[1]

/** With outputs that are known it reads them, and leaves them to its gradient. */
function forwardNode(graph: Graph, { theta, x, outputs }: Inputs, sizes: ReturnType<typeof sizesOf>): Node {
  const { net, networks, rows } = sizes
  const args = [theta, x, outputs].filter((arg) => arg !== undefined).map(({ view }) => graph.contiguous(view))
  const size = networks * rows * net.widths[net.widths.length - 1]
  return graph.node({ kind: 'mlp', ...sizes }, args, size)
}

/** The same pass once more, on memory of its own. */
const againNode = (graph: Graph, { work, args, size }: Node): Node => graph.newNode(work, args.slice(0, 2), size)

/** Where a pass leaves the outputs of its layers. */
function outputsOf(graph: Graph, pass: Node, { net, networks, rows }: ReturnType<typeof sizesOf>): View {
  const [, , known] = pass.args
  return known ?? whole(graph.part(pass, 0, networks * rows * outputFloats(net)))
}

const whole = (node: Node): View => ({ node, shape: [node.size], strides: [1], offset: 0 })

const mlp: Rule = (graph, inputs, attributes) => {
  const { x } = inputs
  const sizes = sizesOf({ net: netOf(attributes) }, x)
  const node = forwardNode(graph, inputs, sizes)
  const { widths } = sizes.net
  const shape = [...shapeOf(x).slice(0, -1), widths[widths.length - 1]]
  return { view: { node, shape, strides: stridesOf(shape), offset: 0 }, dtype: 'float32' }
}

const mlpGradient: Rule = (graph, inputs, attributes) => {
  const { dy, theta, x } = inputs
  const sizes = sizesOf({ net: netOf(attributes) }, x)
  const first = forwardNode(graph, inputs, sizes)
  const passes = passesOf.get(graph) ?? new Map<string, Node>()
  passesOf.set(graph, passes)
  const dys = graph.contiguous(dy.view)
  const key = `${first.id} ${dys.node.id} ${dys.offset}`
  let gradient = passes.get(key)
  if (!gradient) {
    const isTaken = [...passes.keys()].some((other) => other.startsWith(`${first.id} `))
    const pass = isTaken ? againNode(graph, first) : first
    const args = [...pass.args.slice(0, 2), whole(pass), outputsOf(graph, pass, sizes), dys]
    gradient = graph.newNode({ kind: 'mlpGradient', ...sizes }, args, sizeOf(shapeOf(theta)))
    passes.set(key, gradient)
  }
  const by = attributes.by === 'theta' ? theta : x
  const node = attributes.by === 'theta' ? gradient : graph.part(gradient, 0, sizeOf(shapeOf(x)))
  return { view: { node, shape: shapeOf(by), strides: stridesOf(shapeOf(by)), offset: 0 }, dtype: 'float32' }
}

/** log π(a) and entropy of softmax(logits), and their gradients by the logits. */
const categorical =
  (kind: 'logProb' | 'logProbGradient' | 'entropy' | 'entropyGradient'): Rule =>
  (graph, { logits, action, dy }) => {
    const [rows, classes] = shapeOf(logits)
    const args = [dy, logits, action].filter((arg) => arg !== undefined).map(({ view }) => graph.contiguous(view))
    return { view: graph.compute({ kind, rows, classes }, args, dy ? [rows, classes] : [rows]), dtype: 'float32' }
  }

export const networkRules: Readonly<Record<string, Rule>> = {
  BatchMatMul: matMul,
  SteinrlMlp: mlp,
  SteinrlMlpGradient: mlpGradient,
  SteinrlKnownMlp: mlp,
  SteinrlKnownMlpGradient: mlpGradient,
  SteinrlCategoricalLogProb: categorical('logProb'),
  SteinrlCategoricalLogProbGradient: categorical('logProbGradient'),
  SteinrlCategoricalEntropy: categorical('entropy'),
  SteinrlCategoricalEntropyGradient: categorical('entropyGradient'),
}
