import { tf } from '../../nn/tfjs.ts'
import type { Batch } from '../../rl/replay.ts'
import { type Learning, learningRateNow } from '../../rl/schedules.ts'
import { type Critics, learnQ, matrixOf } from '../../rl/soft-q.ts'
import type { SqlConfig } from './settings.ts'

/**
 * One gradient step of the Q networks down the squared error to y = r + γ (1 − d) V(s'), rewards scaled.
 *
 * @param values V(s') [rows]
 * @param qValues what the networks say of (s, a), where it is not their output
 * @returns the loss, and the mean of V(s')
 */
export function learnFromValues(
  state: Learning & { readonly config: SqlConfig; readonly critics: Critics },
  batch: Batch,
  values: Float32Array,
  qValues?: Parameters<typeof learnQ>[3],
): { qLoss: number; value: number } {
  const { rewardScale, discount } = state.config
  const { reward, terminated } = batch
  const y = values.map((value, b) => rewardScale * reward[b] + discount * (1 - terminated[b]) * value)
  const rows = () => ({
    state: matrixOf(batch.observation, batch),
    action: matrixOf(batch.action, batch),
    y: tf.tensor1d(y),
  })
  const qLoss = learnQ(state.critics, learningRateNow(state), rows, qValues)
  return { qLoss, value: values.reduce((sum, value) => sum + value, 0) / batch.rows }
}
