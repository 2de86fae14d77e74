import { beforeAll, describe, expect, test } from '@jest/globals'
import { fitPosterior } from '../../src/bayes/fit.ts'
import * as logp from '../../src/bayes/logp.ts'
import { type Model, model, type Terms } from '../../src/bayes/model.ts'
import { predict } from '../../src/bayes/predict.ts'
import { positive, real } from '../../src/bayes/supports.ts'
import { UsageError } from '../../src/core/errors.ts'
import { startTfjs, tf } from '../../src/nn/tfjs.ts'

beforeAll(() => startTfjs())

/** A fit of one parameter mu, whose author may have erred. */
const fitOf = (logDensity: (values: Record<string, tf.Tensor>) => unknown, more: object = {}) =>
  fitPosterior(model({ parameters: { mu: real() }, logDensity: logDensity as () => Terms, ...more }) as Model, {
    iterations: 2,
    particles: 10,
  })

const normal = ({ mu }: Record<string, tf.Tensor>) => logp.normal(mu, 0, 1)
let gone: tf.Tensor
beforeAll(() => {
  gone = tf.tensor1d([1, 2])
  gone.dispose()
})

describe('a log density', () => {
  test.each<[string, (values: Record<string, tf.Tensor>) => unknown, string]>([
    [
      'takes a parameter by another name',
      ({ mue }) => tf.neg(tf.square(mue)),
      'There is no parameter mue; did you mean mu?',
    ],
    [
      'takes a parameter that is far off',
      (all) => tf.neg(all.temperature),
      'There is no parameter temperature; there are mu.',
    ],
    [
      'has data of another shape',
      ({ mu }) => [logp.normal(mu, 0, 1), tf.matMul(mu as tf.Tensor2D, tf.zeros([3, 4]))],
      'The log density failed: Error in matMul: inner shapes (1) and (3)',
    ],
    [
      'has data of text',
      ({ mu }) => logp.normal(tf.tensor1d(['1', '2']), mu, 1),
      'must be numeric tensor, but got string',
    ],
    [
      'throws',
      () => {
        throw new Error('mine.')
      },
      'The log density failed: mine.',
    ],
    [
      'throws a text',
      () => {
        throw 'mine'
      },
      'The log density failed: mine.',
    ],
    [
      'uses a tensor that is gone',
      ({ mu }) => logp.normal(gone, mu, 1),
      'The log density failed: it uses a tensor that was disposed.',
    ],
    ['is asynchronous', async ({ mu }) => mu, 'must be a tensor, got a promise: a log density cannot be async.'],
    ['gives a number', () => 3, 'Term 0 of the log density must be a tensor, got 3.'],
    ['is one of data alone', () => tf.zeros([4]), 'The log density does not depend on the parameters by ops of tfjs.'],
  ])('that %s is refused in a sentence', async (_, logDensity, message) => {
    await expect(fitOf(logDensity)).rejects.toThrow(message)
    await expect(fitOf(logDensity)).rejects.toBeInstanceOf(UsageError)
    await expect(fitOf(logDensity, { compile: 'never' })).rejects.toThrow(message)
  })

  test('that fails keeps the error itself as its cause', async () => {
    const mine = new Error('mine')
    const failed = fitOf(() => {
      throw mine
    })
    await expect(failed).rejects.toMatchObject({ cause: mine })
  })

  test.each([
    ['linear', ({ mu }: Record<string, tf.Tensor>) => mu],
    ['convex', ({ mu }: Record<string, tf.Tensor>) => tf.square(mu)],
  ])('that is %s rises without an end', async (_, logDensity) => {
    await expect(fitOf(logDensity)).rejects.toThrow('it rises without an end along mu')
  })

  test('of a scale far from 1 has a mode all the same', async () => {
    const wide = model({ parameters: { s: positive() }, logDensity: ({ s }) => logp.gamma(s, 5, 2e-12) })
    const { free } = await fitPosterior(wide, { iterations: 2, particles: 10 })
    expect(free.every(Number.isFinite)).toBe(true)
  })
})

describe('what follows from the parameters', () => {
  test.each<[string, unknown, string]>([
    [
      'a tensor without a name',
      ({ mu }: Record<string, tf.Tensor>) => mu,
      'generated needs a function that gives tensors by name',
    ],
    ['a number', () => ({ a: 3 }), 'generated needs a function that gives tensors by name'],
    [
      'of a name that is none',
      ({ nu }: Record<string, tf.Tensor>) => ({ a: tf.exp(nu) }),
      'There is no parameter nu; did you mean mu?',
    ],
    [
      'wrong in shape',
      ({ mu }: Record<string, tf.Tensor>) => ({ a: tf.add(mu, tf.zeros([3, 4])) }),
      'generated failed: Operands could not',
    ],
  ])('%s is refused', async (_, generated, message) => {
    await expect(fitOf(normal, { generated })).rejects.toThrow(message)
  })

  test('names are checked in predictions too', async () => {
    const fit = await fitOf(normal)
    expect(() => predict(fit, ({ mue }) => ({ a: mue }))).toThrow('There is no parameter mue; did you mean mu?')
    expect(Object.keys(predict(fit, (all) => ({ ...all })))).toEqual(['mu'])
  })
})

test('a signal that never says whether it is aborted is refused', async () => {
  const target = model({ parameters: { mu: real() }, logDensity: ({ mu }) => logp.normal(mu, 0, 1) })
  await expect(fitPosterior(target, { signal: {} as AbortSignal })).rejects.toThrow(
    'signal must be that of an AbortController, got {}.',
  )
})
