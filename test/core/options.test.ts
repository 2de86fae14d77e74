import { expect, test } from '@jest/globals'
import { namesOf, refuseUnknown } from '../../src/core/options.ts'

const known = namesOf<{ learningRate: number; steps?: number; nSteps?: number; discount?: number; batchSize?: number }>(
  {
    ...{ learningRate: true, steps: true, nSteps: true, discount: true, batchSize: true },
  },
)

test.each([
  ['learning_rate', 'train has no option "learning_rate": it is called learningRate here.'],
  ['LearningRate', 'train has no option "LearningRate": it is called learningRate here.'],
  ['lr', 'train has no option "lr": it is called learningRate here.'],
  ['gamma', 'train has no option "gamma": it is called discount here.'],
  ['batch', 'train has no option "batch": it is called batchSize now.'],
  ['discuont', 'train has no option "discuont"; the nearest is discount.'],
  ['verbose', 'train has no option "verbose"; there are learningRate, steps, nSteps, discount, batchSize.'],
])('%s is refused with the name that is meant', (name, message) => {
  expect(() => refuseUnknown('train', { [name]: 1 }, known)).toThrow(message)
})

test("another library's n_steps is not the nSteps of this one", () => {
  expect(() => refuseUnknown('train', { n_steps: 2048 }, known)).toThrow('are called steps here')
})

test('known names, and unknown ones that are undefined, pass', () => {
  refuseUnknown('train', { steps: 3, colour: undefined }, known)
  refuseUnknown('train', undefined, known)
})

test.each([[null], [3], ['CartPole-v1'], [[1]]])('%j is no record of options', (options) => {
  expect(() => refuseUnknown('train', options, known)).toThrow('train takes its options as an object, got ')
})
