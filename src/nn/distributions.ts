import { tf } from './tfjs.ts'

/** The categorical distribution π(a|s) = softmax(logits)_a. logits [rows, classes]. */
export const categorical = {
  /** log π(a|s) [rows] of the actions [rows]. */
  logProb(logits: tf.Tensor2D, action: tf.Tensor1D): tf.Tensor1D {
    // One-hot and multiply: the gradient of gather is missing in tfjs-wasm.
    return tf.sum(tf.mul(tf.oneHot(action, logits.shape[1]), tf.logSoftmax(logits)), -1)
  },

  /** H(π(·|s)) = −Σ_a π log π [rows], in nats. */
  entropy(logits: tf.Tensor2D): tf.Tensor1D {
    const logProb = tf.logSoftmax(logits)
    return tf.neg(tf.sum(tf.mul(tf.exp(logProb), logProb), -1))
  },
}
