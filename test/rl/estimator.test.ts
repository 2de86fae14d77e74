import { describe, expect, test } from '@jest/globals'
import { svpgConfig } from '../../src/algorithms/svpg/settings.ts'
import { UsageError } from '../../src/core/errors.ts'
import { type EstimatorOptions, estimatorOf, passesOf } from '../../src/rl/estimator.ts'

describe('defaults', () => {
  test.each([
    [{}, { baseline: 'linear', lambda: 1, nSteps: null, epochs: 1, minibatches: 1 }],
    [{ estimator: 'a2c' }, { baseline: 'value', lambda: 0.95, nSteps: null, epochs: 1, minibatches: 1 }],
    [{ estimator: 'ppo' }, { baseline: 'value', lambda: 0.95, nSteps: null, epochs: 5, minibatches: 4, clip: 0.2 }],
    [
      { estimator: 'a2c', nSteps: 5 },
      { baseline: 'value', lambda: null, nSteps: 5 },
    ],
    [
      { estimator: 'ppo', epochs: 2, baseline: 'linear' },
      { baseline: 'linear', epochs: 2, minibatches: 4 },
    ],
  ] as [EstimatorOptions, object][])('%j', (options, expected) => {
    expect(estimatorOf(options)).toMatchObject(expected)
  })

  test.each<EstimatorOptions>([{}, { estimator: 'a2c', nSteps: 5 }, { estimator: 'ppo' }, { baseline: 'none' }])(
    'a complete record is its own: %j',
    (options) => {
      const estimator = estimatorOf(options)
      expect(estimatorOf(estimator)).toEqual(estimator)
      expect(svpgConfig(svpgConfig(options))).toEqual(svpgConfig(options))
    },
  )

  test('a rollout is good for epochs × minibatches steps', () => {
    expect(passesOf(estimatorOf({ estimator: 'ppo', epochs: 3, minibatches: 2 }))).toBe(6)
    expect(passesOf(estimatorOf({ estimator: 'a2c' }))).toBe(1)
  })
})

describe('bad input', () => {
  test.each<[EstimatorOptions, string]>([
    [{ estimator: 'sarsa' as 'ppo' }, 'estimator must be one of reinforce, a2c, ppo, got "sarsa".'],
    [
      { baseline: 'critic' as 'value' },
      'baseline must be one of none, mean, linear, linear-rllab, value, got "critic".',
    ],
    [{ discount: 1.01 }, 'discount must be a number from 0 to 1, got 1.01.'],
    [{ discount: -0.1 }, 'discount must be a number from 0 to 1, got -0.1.'],
    [{ lambda: 1.5 }, 'lambda must be a number from 0 to 1, got 1.5.'],
    [{ lambda: -1 }, 'lambda must be a number from 0 to 1, got -1.'],
    [{ lambda: Number.NaN }, 'lambda must be a number from 0 to 1, got NaN.'],
    [{ nSteps: 0 }, 'nSteps must be a whole number from 1 to 100000, got 0.'],
    [{ nSteps: 2 ** 32 + 1 }, 'nSteps must be a whole number from 1 to 100000, got 4294967297.'],
    [
      { estimator: 'a2c', baseline: 'none' },
      'a2c needs the baseline linear, linear-rllab or value, which know values, got "none".',
    ],
    [
      { estimator: 'ppo', baseline: 'mean' },
      'ppo needs the baseline linear, linear-rllab or value, which know values, got "mean".',
    ],
    [
      { baseline: 'none', lambda: 0.9 },
      'lambda and nSteps need the baseline linear, linear-rllab or value, which know values, got "none".',
    ],
    [
      { baseline: 'mean', nSteps: 3 },
      'lambda and nSteps need the baseline linear, linear-rllab or value, which know values, got "mean".',
    ],
    [{ lambda: 0.9, nSteps: 3 }, 'Returns are cut by lambda or by nSteps; set one of them.'],
    [{ epochs: 4 }, 'Only ppo takes several passes over a rollout, got the estimator "reinforce".'],
    [{ estimator: 'a2c', minibatches: 4 }, 'Only ppo takes several passes over a rollout, got the estimator "a2c".'],
    [{ epochs: 1, minibatches: 4 }, 'Only ppo takes several passes over a rollout, got the estimator "reinforce".'],
    [{ clip: 0 }, 'clip must be a finite number above 0, got 0.'],
    [{ entropyBonus: -1 }, 'entropyBonus must be a finite number of at least 0, got -1.'],
    [{ entropyReward: -1 }, 'entropyReward must be a finite number of at least 0, got -1.'],
    [{ criticHidden: [0] }, 'a hidden width of the critic must be a whole number from 1 to 4096, got 0.'],
    [{ criticLearningRate: 0 }, 'criticLearningRate must be a finite number above 0, got 0.'],
    [{ criticEpochs: 0 }, 'criticEpochs must be a whole number from 1 to 10000, got 0.'],
    [{ criticBatch: 0 }, 'criticBatch must be a whole number from 1 to 1000000, got 0.'],
  ])('%j', (options, message) => {
    const refused = () => estimatorOf(options)
    expect(refused).toThrow(UsageError)
    expect(refused).toThrow(message)
  })
})
