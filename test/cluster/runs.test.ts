import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { clusterStatus } from '../../src/cluster/status.ts'
import type { Running } from '../cli/steinrl.ts'
import { until } from '../cli/steinrl.ts'
import { endWorker, type RedisServer, startRedis, startWorker } from './server.ts'
import { SMALL, trained } from './trained.ts'
import { describeWithRedis } from './with-redis.ts'

const small = { ...SMALL, iterations: 3 } as const

const methods = {
  'SVPG with REINFORCE': small,
  'SVPG with A2C': { ...small, estimator: 'a2c', criticHidden: [8] },
  'SVPG with PPO': { ...small, estimator: 'ppo', criticHidden: [8], epochs: 2 },
  'SVPG with a kernel on behaviour': { ...small, particles: 4, kernel: 'js' },
  ADR: { ...small, algorithm: 'adr', ranges: { halfLength: [0.3, 1] }, particles: 2, moves: 2 },
} as const

const known = new Map<string, ReturnType<typeof trained>>()

/** What this thread comes to alone. */
function here(name: keyof typeof methods) {
  const run = known.get(name) ?? trained({ ...methods[name], workers: 0 })
  known.set(name, run)
  return run
}

describeWithRedis('workers of a cluster', () => {
  let redis: RedisServer
  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(() => redis.stop())

  test('any number of workers gives the bytes of this thread, and leaves no key', async () => {
    const names = Object.keys(methods) as (keyof typeof methods)[]
    const workers: Running[] = []
    try {
      for (const count of [1, 3]) {
        while (workers.length < count) workers.push(await startWorker(redis.address))
        for (const name of names) {
          const there = await trained({ ...methods[name], workers: redis.address })
          expect([name, there]).toEqual([name, await here(name)])
        }
      }
    } finally {
      await Promise.all(workers.map(endWorker))
    }
    await until('the last key to go', async () => (await redis.scan()).length === 0)
  })

  test('short evaluations go several to a job from the second iteration on, and their bytes stay', async () => {
    const worker = await startWorker(redis.address, '--threads', '2')
    try {
      const many = { ...methods['SVPG with PPO'], particles: 12, iterations: 5 } as const
      expect(await trained({ ...many, workers: redis.address })).toEqual(await trained({ ...many, workers: 0 }))
      const done = async () => (await clusterStatus(redis.address)).workers[0].done
      await until('the worker to tell of its jobs', async () => (await done()) > 24)
      // Of each particle a rollout and seven later passes an iteration.
      expect(await done()).toBeLessThan((12 * 8 * 5) / 2)
    } finally {
      await endWorker(worker)
    }
  })

  test.each(Object.keys(methods) as (keyof typeof methods)[])('%s: two threads give them too', async (name) => {
    expect(await trained({ ...methods[name], workers: 2 })).toEqual(await here(name))
  })
})
