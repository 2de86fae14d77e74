import { CATEGORICAL, SQUASHED } from './policy'

/**
 * Actions as an environment takes them: a class as it is, a Gaussian's clipped to [low, high], a squashed one's moved
 * there from [−1, 1]. Returns the address of the result, which is `action` itself where nothing is to be done.
 *
 *     out, action: f32 [rows, A], may be the same    low, high: f32 [A]    head: its kind
 */
export function boundRows(out: usize, action: usize, rows: i32, A: i32, low: usize, high: usize, head: i32): usize {
  if (head == CATEGORICAL) return action
  for (let k = 0, count = rows * A; k < count; k++) {
    const a = load<f32>(action + (k << 2))
    const least = load<f32>(low + ((k % A) << 2))
    const most = load<f32>(high + ((k % A) << 2))
    const moved = head == SQUASHED ? least + <f32>0.5 * (a + <f32>1) * (most - least) : a
    store<f32>(out + (k << 2), min<f32>(max<f32>(moved, least), most))
  }
  return out
}
