import { describe, expect, test } from '@jest/globals'
import { compiledGradient } from '../../src/compile/compiled.ts'
import { planOf } from '../../src/compile/plan.ts'
import { type Expression, record } from '../../src/compile/recording.ts'
import { compileCore } from '../../src/core/module.ts'
import { startTfjs, tf } from '../../src/nn/tfjs.ts'

await startTfjs()

const SHAPE = [2, 6]
const X = Float32Array.from({ length: 12 }, (_, k) => k + 1)

/** Σ_k (k + 1) Σ x², each sum over one slice. */
const slices =
  (...boxes: readonly (readonly [begin: readonly number[], size: readonly number[]])[]): Expression =>
  (x) => [
    boxes
      .map(([begin, size], k) => tf.mul(k + 1, tf.sum(tf.square(tf.slice(x, [...begin], [...size])))))
      .reduce((a, b) => tf.add(a, b)),
  ]

const columns = slices(
  ...[0, 1, 2, 3, 4].map(
    (k) =>
      [
        [0, k],
        [2, 1],
      ] as const,
  ),
)
const overlapping = slices(
  [
    [0, 0],
    [2, 3],
  ],
  [
    [1, 2],
    [1, 2],
  ],
  [
    [0, 4],
    [1, 2],
  ],
)
const cornersApart = slices(
  [
    [0, 0],
    [1, 3],
  ],
  [
    [1, 0],
    [1, 6],
  ],
)
const otherAxes: Expression = (x) => [
  tf.add(
    tf.sum(tf.square(tf.slice(x, [0, 1], [2, 2]))),
    tf.sum(tf.square(tf.slice(tf.reshape(x, [3, 4]), [1, 0], [1, 4]))),
  ),
]

describe('the gradients of slices, added up', () => {
  test.each(Object.entries({ columns, overlapping, cornersApart, otherAxes }))('are those of tfjs: %s', (_, f) => {
    const [compiled, eager] = (['always', 'never'] as const).map((mode) => [
      ...compiledGradient({ name: 'It', mode })(f, X, SHAPE).gradient,
    ])
    expect(compiled).toEqual(eager)
  })

  test('are put into one array where they do not overlap, and into several where they do', async () => {
    const core = await compileCore()
    const arraysOf = (f: Expression) => {
      const { steps } = planOf(core, record(f, SHAPE, new Set()).outputs)
      return new Set(steps.filter(({ work }) => work === 'join').map(({ result }) => result.byteOffset)).size
    }
    expect(arraysOf(columns)).toBe(1)
    expect(arraysOf(overlapping)).toBeGreaterThan(1)
  })
})

test('a series whose every step needs the one before: a plan of thousands of groups, one after another', () => {
  const steps = 3000
  // s ← A s + x without end, A = ½ I: s → 2 x, and d Σ s / dx = 2.
  const half = tf.tensor2d([0.5, 0, 0, 0.5], [2, 2])
  const compiled = compiledGradient({ name: 'The series', mode: 'always' })
  const series: Expression = (x) => {
    let s: tf.Tensor = tf.zerosLike(x)
    for (let step = 0; step < steps; step++) s = tf.add(tf.matMul(s as tf.Tensor2D, half), x)
    return [tf.sum(s), s]
  }
  const { values, gradient } = compiled(series, Float32Array.of(1, -3), [1, 2])
  expect([...values[1]]).toEqual([2, -6])
  expect([...gradient]).toEqual([2, 2])
})
