import { describe, expect, test } from '@jest/globals'
import { UsageError } from '../../src/core/errors.ts'
import { describeSettings } from '../../src/core/settings.ts'
import { box, discrete } from '../../src/envs/spaces.ts'
import { type AlgorithmName, algorithmNamed, algorithms } from '../../src/train/train.ts'

const GIGABYTE = 2 ** 30
const small = { hidden: [4], steps: 4, environments: 1, iterations: 1 }
const given: Readonly<Record<AlgorithmName, object>> = {
  svpg: { ...small, env: 'CartPole-v1', particles: 2 },
  adr: { ...small, env: 'Pendulum-v1', particles: 2, ranges: { mass: [0.5, 2] } },
  sac: { ...small, env: 'Pendulum-v1', batchSize: 4 },
  sql: { ...small, env: 'MultiGoal-v0', batchSize: 4, particles: 4 },
  s2ac: { ...small, env: 'MultiGoal-v0', batchSize: 4, particles: 2 },
  'sql-compose': {
    ...{ ...small, env: 'MultiGoal-v0', batchSize: 4, particles: 4, iterations: 2, componentIterations: 1 },
    components: [{ goal0X: 4 }, { goal0X: -4 }],
  },
}

/** What a hand, a file or another library may put in the place of any setting. */
const odd = [
  ...[Number.NaN, Number.POSITIVE_INFINITY, -1, -0, 0, 0.5, 1e-320, 1e-40, 1e39, 2 ** 32, 2 ** 53],
  ...['', '3', 'odd', null, true, {}, [], [0], [4096, 4096], Array(2000).fill(4096), () => 3],
]

describe.each(Object.keys(algorithms) as AlgorithmName[])('%s', (name) => {
  const { init, close } = algorithmNamed(name)

  test.each(describeSettings(algorithms[name].settings).map(({ name: key }) => [key]))(
    '%s of any kind is taken, or refused in one sentence and no memory',
    async (key) => {
      for (const value of odd) {
        // Workers that are started are tested where there are some.
        if (key === 'workers' && value !== 0 && typeof value === 'number') continue
        const before = process.memoryUsage().rss
        try {
          close(await init({ ...given[name], [key]: value }))
        } catch (error) {
          if (!(error instanceof UsageError)) throw error
          expect(error.message).toMatch(/^[^\n]+\.$/)
        }
        expect(process.memoryUsage().rss - before).toBeLessThan(GIGABYTE)
      }
    },
  )
})

test.each(['svpg', 'sac'] as const)('%s refuses actions that no memory holds before it takes any', async (name) => {
  const spec = { id: 'Many', observationSpace: box([-1], [1]), actionSpace: discrete(1e7), maxEpisodeSteps: 5 }
  const create = () => ({ reset: () => ({ obs: [0], info: {} }), step: () => ({}) as never })
  const settings = { ...given[name], hidden: [256], env: { ...spec, create } }
  await expect(algorithmNamed(name).init(settings)).rejects.toThrow(/ GB in one WASM memory, which has at most 4 GB/)
})
