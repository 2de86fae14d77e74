import { afterEach, describe, expect, jest, test } from '@jest/globals'
import { compiledGradient } from '../../src/compile/compiled.ts'
import { logDensity } from '../../src/compile/log-density.ts'
import type { Expression } from '../../src/compile/recording.ts'
import { startTfjs, tf } from '../../src/nn/tfjs.ts'

await startTfjs()

const X = Float32Array.of(1, -2, 3, 0.5)
const SHAPE = [2, 2]

function compile(mode: 'auto' | 'always' | 'never' = 'always', more = {}) {
  const warn = jest.fn<(message: string) => void>()
  const differentiate = compiledGradient({ name: 'The loss', mode, warn, ...more })
  const gradient = (f: Expression, x = X, shape: readonly number[] = SHAPE) => [...differentiate(f, x, shape).gradient]
  return { gradient, differentiate, warn }
}

const said = (warn: ReturnType<typeof compile>['warn']) => warn.mock.calls.map(([message]) => message)

afterEach(() => {
  expect(tf.getBackend()).toBe('wasm')
})

describe('what a function takes from outside', () => {
  test('a number that changes is that of the call', () => {
    const { gradient } = compile()
    let factor = 2
    const f: Expression = (x) => [tf.mul(factor, tf.sum(x))]
    for (factor of [2, 2, 3, 3, 0, 1, -1, 5]) expect(gradient(f)).toEqual(new Array(4).fill(factor))
  })

  test('an array that is written to is that of the call, and so is a tensor that is another one', () => {
    const { gradient } = compile()
    const array = Float32Array.of(1, 2)
    let tensor = tf.tensor1d([10, 20])
    const f: Expression = (x) => [tf.sum(tf.mul(x, tf.add(tf.tensor1d(array), tensor)))]
    expect(gradient(f)).toEqual([11, 22, 11, 22])
    array[0] = 5
    expect(gradient(f)).toEqual([15, 22, 15, 22])
    tensor.dispose()
    tensor = tf.tensor1d([0, 1])
    expect(gradient(f)).toEqual([5, 3, 5, 3])
    tensor.dispose()
  })

  test('an array of one number is an input at once: nothing is traced again when it changes', () => {
    const { gradient } = compile()
    let traced = 0
    const gradFunc = (dy: tf.Tensor) => {
      traced++
      return dy
    }
    for (const factor of [1, 2, 3]) {
      const f: Expression = (x) => {
        const counted = tf.customGrad((y) => ({ value: tf.clone(y as tf.Tensor), gradFunc }))
        return [tf.sum(tf.mul(tf.tensor1d([factor]), counted(x)))]
      }
      expect(gradient(f)).toEqual(new Array(4).fill(factor))
    }
    expect(traced).toBe(1)
  })

  test('a variable that is assigned to is what it is at the call', () => {
    const { gradient } = compile()
    const variable = tf.variable(tf.tensor1d([1, 2]))
    const f: Expression = (x) => [tf.sum(tf.mul(x, variable))]
    expect(gradient(f)).toEqual([1, 2, 1, 2])
    variable.assign(tf.tensor1d([3, 4]))
    expect(gradient(f)).toEqual([3, 4, 3, 4])
    variable.dispose()
  })

  test('random numbers are drawn anew at each call, and the gradient is that of the draws', () => {
    const { differentiate } = compile()
    let drawn = 0
    const f: Expression = (x) => {
      const noise = Float32Array.from({ length: 4 }, () => ++drawn)
      return [tf.sum(tf.mul(x, tf.tensor2d(noise, [2, 2])))]
    }
    for (let k = 0; k < 5; k++) {
      const gradient = [...differentiate(f, X, SHAPE).gradient]
      expect(gradient).toEqual([drawn - 3, drawn - 2, drawn - 1, drawn])
    }
  })

  test('a function that is another expression now and then is compiled once for each', () => {
    const { gradient, warn } = compile('auto')
    let call = 0
    const f: Expression = (x) => [tf.sum(call % 3 === 0 ? tf.square(x) : x)]
    for (call = 0; call < 60; call++) {
      expect(gradient(f)).toEqual(call % 3 === 0 ? [2, -4, 6, 1] : [1, 1, 1, 1])
    }
    expect(warn).not.toHaveBeenCalled()
  })

  test('another shape is another plan', () => {
    const { gradient } = compile()
    const f: Expression = (x) => [tf.sum(tf.square(x))]
    expect(gradient(f)).toEqual([2, -4, 6, 1])
    expect(gradient(f, Float32Array.of(1, 2, 3), [1, 3])).toEqual([2, 4, 6])
    expect(gradient(f)).toEqual([2, -4, 6, 1])
  })

  test('a gradient inside takes what it is given', () => {
    const { gradient } = compile()
    let factor = 1
    const f: Expression = (x) => [tf.sum(tf.grad((y) => tf.mul(factor, tf.mul(tf.square(y), y)))(x))]
    for (factor of [1, 2, 3]) expect(gradient(f)).toEqual([...X].map((x) => 6 * factor * x))
  })

  test('one that never is the same twice is compiled each time, which is said once', () => {
    const { gradient, warn } = compile('auto')
    let power = 0
    const f: Expression = (x) => {
      power++
      let y: tf.Tensor = x
      for (let k = 0; k < power; k++) y = tf.mul(y, 1)
      return [tf.sum(y)]
    }
    for (let k = 0; k < 40; k++) expect(gradient(f)).toEqual([1, 1, 1, 1])
    expect(said(warn)).toEqual([
      'The loss was another expression in 32 of 33 calls, and is compiled anew in each of them, which is slow.',
    ])
  })

  describe('one that is fixed', () => {
    const fixed = () => compile('auto', { fixed: true })

    test('runs in calls 1, 2, 4, 8, … of a plan only', () => {
      const { gradient } = fixed()
      let runs = 0
      const f: Expression = (x) => {
        runs++
        return [tf.sum(tf.mul(tf.square(x), tf.tensor2d([1, 2, 3, 4], [2, 2])))]
      }
      const counted = Array.from({ length: 16 }, () => {
        expect(gradient(f)).toEqual([2, -8, 18, 4])
        return runs
      })
      expect(counted).toEqual([1, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 5])
    })

    test.each<[what: string, f: (x: tf.Tensor, call: number) => tf.Tensor]>([
      ['a number that changes', (x, call) => tf.mul(x, call)],
      ['an array that changes', (x, call) => tf.mul(x, tf.tensor2d([1, 2, 3, call], [2, 2]))],
      ['another expression', (x, call) => (call > 1 ? tf.square(x) : x)],
      ['random numbers', (x) => tf.mul(x, tf.randomNormal([2, 2]))],
    ])('is refused for %s', (_, f) => {
      const { gradient } = fixed()
      let call = 0
      const changing: Expression = (x) => [tf.sum(f(x, ++call))]
      gradient(changing)
      expect(() => gradient(changing)).toThrow(
        'The loss was another function in call 2 than before: it must not depend on random numbers or on what changes.',
      )
    })

    test('has an error of its own told', () => {
      const { gradient } = fixed()
      let call = 0
      const failing: Expression = (x) => {
        if (++call > 1) throw new Error('out of data')
        return [tf.sum(x)]
      }
      gradient(failing)
      expect(() => gradient(failing)).toThrow('out of data')
    })
  })

  test('what it was before changes no bit, however often it was another one', () => {
    const rows = (count: number) =>
      Float32Array.from({ length: count }, (_, k) => Math.fround(((k * 7) % 13) / 11 - 0.5))
    const f =
      (count: number): Expression =>
      (x) => [tf.mean(tf.softplus(tf.mul(tf.reshape(x, [4, 1]), tf.tensor2d(rows(count), [1, count]))))]
    const long = compile('auto')
    for (let count = 1; count <= 50; count++) long.gradient(f(100 + count))
    for (const count of [149, 150, 977]) {
      const byTfjs = compile('never').gradient(f(count))
      const once = compile('auto').gradient(f(count))
      expect(long.gradient(f(count))).toEqual(once)
      // Else it would not matter which of the two runs it.
      if (count === 977) expect(once).not.toEqual(byTfjs)
    }
  })
})

describe('what cannot be compiled', () => {
  const reading: Expression = (x) => [tf.sum(tf.mul(x, tf.sum(x).dataSync()[0] > 0 ? 1 : 2))]
  const unknown: Expression = (x) => [tf.sum(tf.mul(x, tf.topk(x, 1).indices))]

  test('runs by tfjs, and says so once, with the reason', () => {
    const { gradient, warn } = compile('auto')
    expect(gradient(reading)).toEqual([1, 1, 1, 1])
    expect(gradient(reading)).toEqual([1, 1, 1, 1])
    expect(said(warn)).toEqual([
      'The loss is not compiled: it reads values while it runs (dataSync, arraySync, data or array). tfjs runs it instead, which is slower.',
    ])
  })

  test('names the op that has no rule', () => {
    const { gradient, warn } = compile('auto')
    gradient(unknown)
    expect(said(warn)[0]).toMatch('The loss is not compiled: it uses TopK, for which there is no rule.')
  })

  test('is an error where that is asked for', () => {
    const { gradient } = compile('always')
    expect(() => gradient(unknown)).toThrow('The loss is not compiled: it uses TopK, for which there is no rule.')
  })

  test('an error of the function is its own, without a word about compiling', () => {
    const { gradient, warn } = compile('auto')
    const f: Expression = (x) => [tf.sum(tf.matMul(x as tf.Tensor2D, tf.ones([3, 1])))]
    expect(() => gradient(f)).toThrow('matMul')
    expect(warn).not.toHaveBeenCalled()
  })

  test('leaves no tensors behind', () => {
    const before = tf.memory().numTensors
    for (const f of [reading, unknown]) compile('auto').gradient(f)
    expect(tf.memory().numTensors).toBe(before)
  })
})

test('compiling that is switched off stays off until it is switched on', async () => {
  const { gradient, warn } = compile('auto')
  const tensors = () => {
    const made = jest.spyOn(tf.engine() as unknown as { nextTensorId(): number }, 'nextTensorId')
    gradient((x) => [tf.sum(tf.exp(x))])
    const { length } = made.mock.calls
    made.mockRestore()
    return length
  }
  tensors()
  expect(tensors()).toBe(0)
  await startTfjs({ compiled: false })
  await startTfjs()
  expect(tensors()).toBeGreaterThan(0)
  await startTfjs({ compiled: true })
  expect(tensors()).toBe(0)
  expect(warn).not.toHaveBeenCalled()
})

describe('a plan', () => {
  test('makes no tensor', () => {
    const { gradient } = compile()
    const f: Expression = (x) => [tf.sum(tf.exp(tf.mul(x, tf.tensor1d([0.5, 1]))))]
    gradient(f)
    const engine = tf.engine() as unknown as { nextTensorId(): number }
    const next = jest.spyOn(engine, 'nextTensorId')
    const before = tf.memory().numTensors
    for (let k = 0; k < 10; k++) gradient(f)
    expect(next).not.toHaveBeenCalled()
    expect(tf.memory().numTensors).toBe(before)
    next.mockRestore()
  })

  test('takes a product over no terms for zero', () => {
    const { differentiate } = compile()
    const f: Expression = (x) => {
      const none = tf.matMul(tf.slice(x, [0, 0], [0, 2]), tf.zeros([0, 3]), true)
      return [tf.add(tf.sum(tf.square(x)), tf.sum(none))]
    }
    const [first] = [0, 1].map(() => differentiate(f, X, SHAPE).values[0][0])
    expect(first).toBe(14.25)
  })

  test('names the step where a number that is not finite came up', () => {
    const { gradient } = compile('always', { checkFinite: true })
    expect(() => gradient((x) => [tf.sum(tf.log(x))])).toThrow(
      /^The loss or its gradient is not finite, and first so in step 1 of \d/,
    )
    expect(gradient((x) => [tf.sum(tf.exp(x))])[0]).toBeCloseTo(Math.E, 5)
  })

  test('refuses an index that is out of range', () => {
    const { gradient } = compile()
    let index = Int32Array.of(0, 1)
    const f: Expression = (x) => [tf.sum(tf.gather(x, tf.tensor1d(index, 'int32')))]
    expect(gradient(f)).toEqual([1, 1, 1, 1])
    index = Int32Array.of(0, 2)
    expect(() => gradient(f)).toThrow('An index that GatherV2 picks by is out of range.')
  })
})

describe.each(['auto', 'always', 'never'] as const)('a loss, with compile: %s', (mode) => {
  const lossOf = (f: unknown) => () => compiledGradient({ name: 'The loss', mode })(f as Expression, X, SHAPE)

  test.each([
    ['several numbers', (x: tf.Tensor) => [tf.square(x)], 'The loss gave [2, 2]: it must give one number.'],
    ['integers', (x: tf.Tensor) => [tf.sum(tf.cast(x, 'int32'))], 'The loss gave int32 numbers; it must give float32.'],
    ['booleans', (x: tf.Tensor) => [tf.any(tf.greater(x, 0))], 'The loss gave bool numbers; it must give float32.'],
    ['a number', () => [3], 'The loss gave 3: it must give a list of tensors.'],
    ['nothing', () => undefined, 'The loss gave undefined: it must give a list of tensors.'],
  ])('that gives %s is refused in a sentence', (_, f, message) => {
    const before = tf.memory().numTensors
    expect(lossOf(f)).toThrow(message)
    expect(tf.memory().numTensors).toBe(before)
  })

  test('that does not depend on x, or whose shapes do not fit, is an error', () => {
    expect(lossOf(() => [tf.scalar(3)])).toThrow('Cannot compute gradient')
    expect(lossOf((x: tf.Tensor) => [tf.sum(tf.add(x, tf.ones([3])))])).toThrow('could not be broadcast')
  })
})

describe('a log density', () => {
  const population = () => ({
    particles: 3,
    dimension: 2,
    stride: 4,
    x: new Float32Array(12).fill(1),
    score: new Float32Array(12),
  })
  const all = { rows: new Int32Array(0), scale: 1 }

  test('of another shape than one value a particle is refused in its own words', () => {
    const wrong = logDensity((x) => tf.matMul(x, x, false, true))
    expect(() => wrong(population(), all)).toThrow('Your log density gave [3, 3], one value a particle is [3].')
    expect(() => logDensity((x) => tf.sum(x))(population(), all)).toThrow(
      'gave a single number, one value a particle is [3]',
    )
  })

  test('of integers or booleans is refused', () => {
    const wrong = logDensity((x) => tf.any(tf.greater(x, 0), 1))
    expect(() => wrong(population(), all)).toThrow('Your log density gave bool numbers; it must give float32.')
  })
})
