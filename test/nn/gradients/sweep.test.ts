// Every differentiable op of tfjs against central differences of its values, and second derivatives against differences
// of gradients.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { startTfjs, tf } from '../../../src/nn/tfjs.ts'
import { elementwise, GENERIC, images, pairs, places, reductions, UNIT } from './ops.ts'

await startTfjs()

type F = (x: tf.Tensor) => tf.Tensor

/** Σ_k w_k f_k with weights that no symmetry cancels. */
const weighted =
  (f: F): F =>
  (x) => {
    const y = f(x)
    const weights = Array.from({ length: y.size }, (_, k) => 1 + 0.37 * k - 0.05 * k * k)
    return tf.sum(tf.mul(tf.reshape(y, [-1]), weights))
  }

const along =
  (f: F): F =>
  (x) =>
    tf.sum(tf.mul(tf.grad(weighted(f))(x), tf.cos(tf.mul(x, 1.7))))

const STEP = 1 / 128

/** Central differences of a function with one number, extrapolated: float32 leaves 1e-4 of them. */
function differences(f: F, values: readonly number[]): number[] {
  const at = (k: number, step: number) =>
    tf.tidy(
      () =>
        f(
          tf.tensor2d(
            values.map((value, other) => value + (other === k ? step : 0)),
            [2, 3],
          ),
        ).dataSync()[0],
    )
  const slope = (k: number, step: number) => (at(k, step) - at(k, -step)) / (2 * step)
  return values.map((_, k) => (4 * slope(k, STEP) - slope(k, 2 * STEP)) / 3)
}

function expectClose(found: ArrayLike<number>, right: number[]) {
  const size = Math.max(1, ...right.map(Math.abs))
  right.forEach((value, k) => void expect(Math.abs(found[k] - value)).toBeLessThan(1e-3 * size))
}

describe.each(Object.entries({ elementwise, pairs, reductions, places, images }))('%s', (group, ops) => {
  test.each(Object.entries(ops))('%s', (name, functions) => {
    const values = name.endsWith('unit') ? UNIT : GENERIC
    for (const f of functions) {
      const x = tf.tensor2d(values, [2, 3])
      expectClose(tf.grad(weighted(f))(x).dataSync(), differences(weighted(f), values))
      if (group !== 'images') expectClose(tf.grad(along(f))(x).dataSync(), differences(along(f), values))
    }
  })
})

test('docs/tfjs.md names every op that is swept', () => {
  const text = readFileSync(new URL('../../../docs/tfjs.md', import.meta.url), 'utf8')
  const groups = { elementwise, pairs, reductions, places, images }
  const titles = [
    'one number at a time',
    'two tensors',
    'along axes',
    'shapes and places',
    'images (first derivatives)',
  ]
  Object.values(groups).forEach((ops, k) => {
    const [, after] = text.split(`**${titles[k]}**: `)
    const named = after.split('\n\n')[0].split(/,\s+/)
    expect(named).toEqual([...new Set(Object.keys(ops).map((name) => name.replace(' unit', '')))].sort())
  })
})
