import { describe, expect, test } from '@jest/globals'
import { compiledGradient } from '../../src/compile/compiled.ts'
import { startTfjs } from '../../src/nn/tfjs.ts'
import { expression, type Operation, operations, points, SHAPE, weights } from './operations.ts'

await startTfjs()

const COUNT = 24

const both = (f: Operation['f'], x: Float32Array) =>
  (['always', 'never'] as const).map((mode) => {
    const { gradient, values } = compiledGradient({ name: 'It', mode })(expression(f), x, SHAPE)
    return { gradient: gradient.slice(), values: values.map((value) => value.slice()) }
  })

function expectClose(a: Float32Array, b: Float32Array) {
  const scale = b.reduce((most, value) => Math.max(most, Math.abs(value)), 1)
  expect(a.length).toBe(b.length)
  a.forEach((value, k) => void expect(Math.abs(value - b[k])).toBeLessThanOrEqual(1e-5 * scale))
}

describe.each(Object.entries(operations))('%s', (_, operation) => {
  const x = points(operation)

  test('compiled is eager: values and gradient', () => {
    const [compiled, eager] = both(operation.f, x)
    compiled.values.forEach((value, k) => void expectClose(value, eager.values[k]))
    expectClose(compiled.gradient, eager.gradient)
  })

  test('the gradient is that of differences', () => {
    const differentiate = compiledGradient({ name: 'It', mode: 'always' })
    const f = expression(operation.f)
    // From the values, not from their float32 sum.
    const at = (x: Float32Array) => {
      const [, value] = differentiate(f, x, SHAPE).values
      return value.reduce((sum, y, k) => sum + y * weights(value.length)[k], 0)
    }
    const gradient = differentiate(f, x, SHAPE).gradient.slice()
    const scale = gradient.reduce((most, value) => Math.max(most, Math.abs(value)), 1)
    for (let k = 0; k < COUNT; k++) {
      const [above, below] = [x.slice(), x.slice()]
      above[k] += 2 ** -9
      below[k] -= 2 ** -9
      const difference = (at(above) - at(below)) / (above[k] - below[k])
      expect(Math.abs(difference - gradient[k])).toBeLessThan(2e-3 * scale)
    }
  })
})
