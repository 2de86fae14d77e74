import { expect, test } from '@jest/globals'
import { meantBy } from '../../src/core/elsewhere.ts'
import { flagOf } from '../../src/core/settings.ts'
import { runConfig } from '../../src/train/train.ts'

test.each([
  ['total_timesteps', 'how long it trains is iterations here, each of environments × steps transitions for every'],
  ['n_envs', 'it is called environments here.'],
  ['num_iterations', 'it is called iterations here.'],
  ['ent_coef', 'it is called entropyBonus here.'],
  ['algo', "train() takes it, algorithm: 'ppo'."],
  ['batch_size', 'a rollout is parted into minibatches here.'],
  ['n_steps', 'steps of each environment in an iteration are called steps here, and nSteps is after how many'],
])("train() tells another library's %s what it is here", (name, hint) => {
  expect(() => runConfig({ env: 'CartPole-v1', [name]: 3 })).toThrow(hint)
})

test('a name is given as it is written where it is asked for', () => {
  const written = { as: flagOf, places: { env: 'it is an argument' } }
  const known = ['learningRate', 'seed']
  expect(meantBy('lr', known, written)).toBe(': it is called --learning-rate here.')
  expect(meantBy('random-seed', known, written)).toBe(': it is called --seed here.')
  expect(meantBy('env', known, written)).toBe(': it is an argument.')
  expect(meantBy('colour', known, written)).toBe('; there are --learning-rate, --seed.')
})
