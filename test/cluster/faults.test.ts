// What machines do to a run: workers and servers that are killed, paused, flushed, late.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { keys } from '../../src/cluster/names.ts'
import type { WorkerRecord } from '../../src/cluster/register.ts'
import { PREFIX } from '../../src/cluster/server.ts'
import { contents, inTemporaryDirectory, type Running, start, until } from '../cli/steinrl.ts'
import { endWorker, type RedisServer, startRedis, startWorker } from './server.ts'
import { SMALL, trained } from './trained.ts'
import { describeWithRedis } from './with-redis.ts'

/** Long enough in one evaluation to be hit in the middle. */
const long = { ...SMALL, environments: 32, steps: 4000, hidden: [64, 64], iterations: 4 } as const

const MINUTES = 60_000

describeWithRedis('faults', () => {
  let redis: RedisServer
  let here: string
  const workers: Running[] = []
  /** A server a test: keys that go by themselves after a while do so while the next test runs. */
  const servers: [test: string | undefined, server: RedisServer][] = []
  beforeAll(async () => {
    here = (await trained({ ...long, workers: 0 })).theta
  }, 2 * MINUTES)
  beforeEach(async () => {
    redis = await startRedis('--appendonly', 'yes')
    servers.push([expect.getState().currentTestName, redis])
  })
  afterEach(() => Promise.all(workers.splice(0).map(endWorker)).then(() => {}), MINUTES)
  afterAll(async () => {
    for (const [name, server] of servers) {
      await until('the last key to go', async () => (await server.scan()).length === 0, MINUTES / 2).catch(() => {})
      expect([name, await server.scan()]).toEqual([name, []])
    }
  }, MINUTES)
  afterAll(() => Promise.all(servers.map(([, server]) => server.stop())))
  const begin = async (count: number) => {
    for (let k = 0; k < count; k++) workers.push(await startWorker(redis.address))
  }
  const soon = (action: () => unknown, ms = 150) => void setTimeout(action, ms)

  test(
    'workers that are killed in the middle of a job, and one that joins late',
    async () => {
      await begin(2)
      const { theta, losses } = await trained({ ...long, workers: redis.address }, async (iteration) => {
        if (iteration > 2) return
        workers.push(await startWorker(redis.address))
        const { child } = workers[iteration - 1]
        soon(() => child.kill('SIGKILL'))
      })
      expect(theta).toBe(here)
      for (const { child } of workers.slice(0, 2))
        expect(losses.join('\n')).toMatch(new RegExp(`Worker \\S+:${child.pid} has gone or gives no sign of life; \\d`))
    },
    3 * MINUTES,
  )

  test(
    'a worker that is paused longer than its lock, and wakes up: its bytes are compared',
    async () => {
      await begin(2)
      const [{ child }] = workers
      let woken = false
      const { theta, losses } = await trained({ ...long, iterations: 4, workers: redis.address }, async (iteration) => {
        if (iteration === 1) soon(() => child.kill('SIGSTOP'))
        // Once the job of the one that sleeps has been done by the other.
        if (iteration === 2) woken = child.kill('SIGCONT')
        if (iteration === 2) await new Promise((resolve) => setTimeout(resolve, 3000))
      })
      expect([theta, woken]).toEqual([here, true])
      const twice = losses.filter((text) => text.includes('was evaluated twice'))
      expect(twice.length).toBeGreaterThan(0)
      for (const text of twice) expect(text).toContain('with the same bytes')
    },
    3 * MINUTES,
  )

  test(
    'a server that is killed in mid-run and started again with its log',
    async () => {
      await begin(2)
      const { theta } = await trained({ ...long, workers: redis.address }, (iteration) => {
        if (iteration === 1) soon(() => redis.kill().then(redis.startAgain))
      })
      expect(theta).toBe(here)
    },
    3 * MINUTES,
  )

  test(
    'rows of a worker that is gone are collected again by another',
    async () => {
      const ppo = { ...long, estimator: 'ppo', criticHidden: [8], epochs: 2, iterations: 2, steps: 1000 } as const
      await begin(2)
      const alone = await trained({ ...ppo, workers: 0 })
      // The first that does a second pass over rows that it alone has.
      const killed = until('a job of a second pass', async () => {
        const [key] = (await redis.call('KEYS', `${PREFIX}:worker-*:active`)) as string[]
        const id = /worker-(.*):active$/.exec(key ?? '')?.[1]
        const record = id === undefined ? null : ((await redis.call('GET', keys.worker(id))) as string | null)
        const name = record === null ? '' : (JSON.parse(record) as WorkerRecord).name
        return workers.find(({ child }) => name.endsWith(`:${child.pid}`))?.child.kill('SIGKILL') ?? false
      })
      const there = await trained({ ...ppo, workers: redis.address })
      await killed
      expect(there.theta).toBe(alone.theta)
      expect(there.losses.join('\n')).toContain('has gone or gives no sign of life; 1 ')
    },
    3 * MINUTES,
  )

  test(
    'what a worker has left that dies when nobody looks is gone after a while',
    async () => {
      await begin(2)
      await trained({ ...SMALL, workers: redis.address, iterations: 1 })
      const [dead] = workers.splice(0, 1)
      dead.child.kill('SIGKILL')
      await dead.ended
      // The other takes its leave while the dead one still counts as alive; then nobody is left to clear away.
      await Promise.all(workers.splice(0).map(endWorker))
      expect(await redis.scan()).toContain(keys.workers)
    },
    MINUTES,
  )

  test(
    'every key that a worker makes goes by itself from its first moment on',
    async () => {
      const starting = begin(1)
      const lasting = new Set<string>()
      let hasLooked = false
      const look = async () => {
        for (const key of await redis.scan()) {
          hasLooked ||= key.endsWith(':stalled-check')
          if (Number(await redis.call('PTTL', key)) === -1) lasting.add(key)
        }
        return hasLooked
      }
      await until('its look for stalled jobs', look, MINUTES)
      await starting
      await look()
      workers[0].child.kill('SIGKILL')
      expect([...lasting]).toEqual([])
    },
    2 * MINUTES,
  )

  test(
    'theta of two megabytes',
    async () => {
      const wide = { ...SMALL, hidden: [700, 700], particles: 2, iterations: 2, steps: 8 } as const
      await begin(1)
      expect(await trained({ ...wide, workers: redis.address })).toEqual(await trained({ ...wide, workers: 0 }))
    },
    3 * MINUTES,
  )

  test(
    'a server that is flushed, and a driver that is killed: the directory goes on to the same bytes',
    () =>
      inTemporaryDirectory(async (directory) => {
        await begin(2)
        const settings = ['--particles', '4', '--steps', '3000', '--hidden', '32', '--iterations', '8']
        const train = ['train', 'svpg', 'CartPole-v1', ...settings, '--eval-episodes', '2', '--checkpoint-every', '0']
        const run = (...args: string[]) => start(directory, [...train, '--json', ...args])
        const iterations = ({ output }: Running) => output.stdout.split('"iteration":').length - 1
        const alone = await run('--out', 'alone', '--workers', '0').ended
        expect(alone.code).toBe(0)

        const flushed = run('--out', 'there', '--workers', redis.address)
        await until('two iterations', () => iterations(flushed) >= 2)
        await redis.call('FLUSHALL')
        const { code, stderr } = await flushed.ended
        expect(code).toBe(3)
        expect(stderr).toMatch(
          /Iteration \d: The Redis server at redis:\/\/127.0.0.1:\d+ has lost the data of this run/,
        )

        const again = ['train', 'svpg', '--resume', 'there', '--workers', redis.address, '--checkpoint-every', '0']
        const killed = start(directory, [...again, '--json', '--eval-episodes', '2'])
        await until('an iteration', () => iterations(killed) >= 1)
        killed.child.kill('SIGKILL')
        await killed.ended
        expect((await start(directory, [...again, '--eval-episodes', '2']).ended).code).toBe(0)

        const particles = (name: string) => readFile(join(directory, name, 'particles.safetensors'))
        expect(await particles('there')).toEqual(await particles('alone'))
        expect(Object.keys(await contents(join(directory, 'there')))).toContain('evaluation.json')
        // What the killed driver left goes by itself within a minute: here it is taken away.
        for (const { child } of workers) child.kill('SIGTERM')
        await redis.call('FLUSHALL')
      }),
    3 * MINUTES,
  )
})
