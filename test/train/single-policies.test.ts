import { expect, test } from '@jest/globals'
import { runConfig, type TrainStep, train } from '../../src/train/train.ts'

const small = { env: 'CartPole-v1', iterations: 2, environments: 2, steps: 64, hidden: [8] }

const numbers = async (steps: AsyncIterable<TrainStep>) => {
  const found: object[] = []
  for await (const { metrics } of steps) {
    const { seconds: _, ...rest } = metrics
    expect(metrics.best).toBe(metrics.median)
    found.push(rest)
  }
  return found
}

test.each(['ppo', 'a2c', 'reinforce'] as const)('%s is the estimator of that name on one policy', async (name) => {
  const same = { ...small, estimator: name, particles: 1, interaction: 'independent' as const }
  expect(runConfig({ ...small, algorithm: name })).toEqual(runConfig(same))
  expect(await numbers(train({ ...small, algorithm: name }))).toEqual(await numbers(train(same)))
})

test('best and median are those of the last mean returns, of particles whose episodes still run too', async () => {
  const last: (number | null)[] = []
  for await (const { metrics } of train({ ...small, particles: 5, iterations: 6, steps: 8 })) {
    metrics.returns.forEach((value, i) => {
      last[i] = value ?? last[i] ?? null
    })
    const known = last.filter((value) => value !== null).sort((a, b) => a - b)
    expect(metrics.best).toBe(known.at(-1) ?? null)
    if (known.length % 2 === 1) expect(metrics.median).toBe(known[(known.length - 1) / 2])
  }
})
