import { type Arena, createArenaSync } from '../core/arena.ts'
import { f32 } from '../core/layout.ts'
import type { CoreModule } from '../core/module.ts'
import { coreOp, valuesOf } from './core-op.ts'
import { kernels, type tf } from './tfjs.ts'

// log π(a) and the entropy of softmax(logits) as one op each: stock tfjs takes a dozen, and as long for them as the
// core for a whole network.

/** Logits come [rows, classes], all else [rows]. */
interface LogitSizes {
  readonly rows: number
  readonly classes: number
}

/** What SIMD reads behind the end of rows that are not whole vectors. */
const SLACK = 4

const fieldsFor = ({ rows, classes }: LogitSizes) => ({
  logits: f32(rows * classes + SLACK),
  action: f32(rows + SLACK),
  /** What is computed of each row, or the gradient by that. */
  row: f32(rows + SLACK),
  gradient: f32(rows * classes + SLACK),
})

interface Workspace {
  readonly arena: Arena<ReturnType<typeof fieldsFor>>
  readonly rows: number
  readonly size: number
}

const workspaces = new WeakMap<CoreModule, Workspace>()

function arenaFor({ rows, classes }: LogitSizes): Workspace['arena'] {
  if (!kernels.core) throw new Error('The core has not been compiled: call startTfjs first.')
  const kept = workspaces.get(kernels.core)
  if (kept && kept.rows >= rows && kept.size >= rows * classes) return kept.arena
  const room = { rows: Math.max(rows, kept?.rows ?? 0), size: Math.max(rows * classes, kept?.size ?? 0) }
  const arena = createArenaSync(kernels.core, fieldsFor({ rows: room.rows, classes: Math.ceil(room.size / room.rows) }))
  workspaces.set(kernels.core, { arena, ...room })
  return arena
}

const sizesOf = ({ shape: [rows, classes] }: tf.TensorInfo): LogitSizes => ({ rows, classes })

/** log π(a) [rows] of the classes [rows, 1], with a gradient by the logits [rows, classes]. */
export const fusedLogProb = (logits: tf.Tensor2D, action: tf.Tensor): tf.Tensor1D =>
  logProbOp({ logits, action }, {}) as tf.Tensor1D

const logProbOp = coreOp<'logits' | 'action', object>({
  name: 'SteinrlCategoricalLogProb',
  inputs: ['logits', 'action'],
  run({ logits, action }) {
    const { rows, classes } = sizesOf(logits)
    const { ops, at, view } = arenaFor({ rows, classes })
    view.logits.set(valuesOf(logits))
    view.action.set(valuesOf(action))
    ops.logProbRows(at.row, at.logits, at.action, rows, classes)
    return { values: view.row.subarray(0, rows), shape: [rows] }
  },
  gradients: (dy, { logits, action }) => ({
    logits() {
      const { rows, classes } = sizesOf(logits)
      const { ops, at, view } = arenaFor({ rows, classes })
      view.logits.set(valuesOf(logits))
      view.action.set(valuesOf(action))
      view.row.set(valuesOf(dy))
      ops.logProbGradient(at.gradient, at.row, at.logits, at.action, rows, classes)
      return { values: view.gradient.subarray(0, rows * classes), shape: logits.shape }
    },
  }),
})

/** H(π) [rows], in nats, with a gradient by the logits [rows, classes]. */
export const fusedEntropy = (logits: tf.Tensor2D): tf.Tensor1D => entropyOp({ logits }, {}) as tf.Tensor1D

const entropyOp = coreOp<'logits', object>({
  name: 'SteinrlCategoricalEntropy',
  inputs: ['logits'],
  run({ logits }) {
    const { rows, classes } = sizesOf(logits)
    const { ops, at, view } = arenaFor({ rows, classes })
    view.logits.set(valuesOf(logits))
    ops.entropyRows(at.row, at.logits, rows, classes)
    return { values: view.row.subarray(0, rows), shape: [rows] }
  },
  gradients: (dy, { logits }) => ({
    logits() {
      const { rows, classes } = sizesOf(logits)
      const { ops, at, view } = arenaFor({ rows, classes })
      view.logits.set(valuesOf(logits))
      view.row.set(valuesOf(dy))
      ops.entropyGradient(at.gradient, at.row, at.logits, rows, classes)
      return { values: view.gradient.subarray(0, rows * classes), shape: logits.shape }
    },
  }),
})
