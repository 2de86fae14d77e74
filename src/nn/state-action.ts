import { actionWidth, factorsOf, type Head } from './policy.ts'

/** Numbers of a state-action row: a class is one-hot. */
export const stateActionSize = (observations: number, { actions }: Head) => observations + actions

/**
 * Rows (s, a) for networks of both, from observations [rows, O] and actions [rows, A]; a class becomes one-hot.
 */
export function stateActions(
  observation: Float32Array,
  action: Float32Array,
  observations: number,
  head: Head,
): Float32Array {
  const rows = observation.length / observations
  const width = stateActionSize(observations, head)
  const A = actionWidth(head)
  const factors = factorsOf(head)
  const out = new Float32Array(rows * width)
  for (let r = 0; r < rows; r++) {
    out.set(observation.subarray(r * observations, (r + 1) * observations), r * width)
    const at = r * width + observations
    if (head.name === 'categorical') hot(out, at, action.subarray(r * A, (r + 1) * A), factors)
    else out.set(action.subarray(r * head.actions, (r + 1) * head.actions), at)
  }
  return out
}

/** Writes classes [K] of K factors as 0 … 1 … 0 each. */
function hot(out: Float32Array, at: number, action: Float32Array, factors: readonly number[]): void {
  factors.reduce((from, classes, k) => {
    out[from + action[k]] = 1
    return from + classes
  }, at)
}
