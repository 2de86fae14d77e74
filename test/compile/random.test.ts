import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { compiledGradient } from '../../src/compile/compiled.ts'
import { startTfjs, tf } from '../../src/nn/tfjs.ts'
import { expressionOf, shapes, step } from './expressions.ts'

await startTfjs()

/** The larger of 1 and of what is compared: sums of terms of about 1. */
const scaleOf = (values: Float32Array) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 1)

describe('random expressions', () => {
  test('compiled are eager ones: values and gradients, at every call', () => {
    fc.assert(
      fc.property(shapes(6), fc.array(step, { minLength: 1, maxLength: 12 }), fc.nat(1000), (shape, steps, start) => {
        const f = expressionOf(steps)
        const compiled = compiledGradient({ name: 'It', mode: 'always' })
        const eager = compiledGradient({ name: 'It', mode: 'never' })
        for (const shift of [0, 1]) {
          const size = shape.reduce((a, b) => a * b, 1)
          const x = Float32Array.from({ length: size }, (_, k) => 1.5 * Math.sin(start + shift + 2.3 * k))
          const [a, b] = [compiled(f, x, shape), eager(f, x, shape)]
          for (const [found, expected] of [
            [a.gradient, b.gradient],
            ...a.values.map((value, k) => [value, b.values[k]]),
          ]) {
            const scale = scaleOf(expected) * Math.sqrt(size)
            found.forEach((value, k) => {
              if (Math.abs(value - expected[k]) > 1e-5 * scale) throw new Error(`${value} is not ${expected[k]}`)
            })
          }
        }
        expect(tf.memory().numTensors).toBeLessThan(100)
      }),
      { numRuns: 100, seed: 1 },
    )
  })
})
