import { execFileSync } from 'node:child_process'
import { afterAll, afterEach, beforeAll, describe, test } from '@jest/globals'
import type { Running } from '../cli/steinrl.ts'
import { endWorker, type RedisServer, startRedis, startWorker } from './server.ts'

function hasRedis(): boolean {
  try {
    execFileSync('redis-server', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Tests that need a server: where there is none, one test says so and is skipped. */
export function describeWithRedis(name: string, tests: () => void): void {
  if (hasRedis()) describe(name, tests)
  else
    describe(name, () => {
      test.skip('redis-server is not installed (apt-get install redis-server)', () => {})
    })
}

/** A server that keeps a log, and the workers of one test. */
export interface Cluster {
  readonly redis: RedisServer
  readonly workers: Running[]
  begin(count: number, ...options: string[]): Promise<void>
  /** Ends the workers that there are. */
  end(): Promise<void>
}

const MINUTE = 60_000

/** Tests with a server for all of them, and workers that end with each. */
export function describeCluster(name: string, tests: (cluster: Cluster) => void): void {
  describeWithRedis(name, () => {
    let redis: RedisServer
    const workers: Running[] = []
    const end = async () => void (await Promise.all(workers.splice(0).map(endWorker)))
    beforeAll(async () => {
      redis = await startRedis('--appendonly', 'yes')
    }, MINUTE)
    afterAll(() => redis.stop())
    afterEach(end, MINUTE)
    tests({
      get redis() {
        return redis
      },
      workers,
      async begin(count, ...options) {
        for (let k = 0; k < count; k++) workers.push(await startWorker(redis.address, ...options))
      },
      end,
    })
  })
}
