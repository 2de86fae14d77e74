import type { Head } from './policy.ts'

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
  const out = new Float32Array(rows * width)
  for (let r = 0; r < rows; r++) {
    out.set(observation.subarray(r * observations, (r + 1) * observations), r * width)
    const at = r * width + observations
    if (head.name === 'categorical') out[at + action[r]] = 1
    else out.set(action.subarray(r * head.actions, (r + 1) * head.actions), at)
  }
  return out
}
