// What is wrong with a server, a worker or a message is one sentence, and costs nobody a run.
import { connect as connectTo, createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { RedisAddress } from '../../src/cluster/address.ts'
import { decodeJobs, decodeOutcomes } from '../../src/cluster/answers.ts'
import { decodeMessage, encodeMessage, messageMemory, sameBytes } from '../../src/cluster/messages.ts'
import { ownRelease, sharedQueue } from '../../src/cluster/names.ts'
import { startClusterPool } from '../../src/cluster/pool.ts'
import { tell } from '../../src/cluster/register.ts'
import { connect } from '../../src/cluster/server.ts'
import { clusterStatus } from '../../src/cluster/status.ts'
import { RunError, UsageError } from '../../src/core/errors.ts'
import type { EnvironmentSpec } from '../../src/envs/contract.ts'
import { train } from '../../src/train/train.ts'
import { inTemporaryDirectory, run, until } from '../cli/steinrl.ts'
import { endWorker, freePort, type RedisServer, startRedis, startWorker } from './server.ts'
import { SMALL, trained } from './trained.ts'
import { describeWithRedis } from './with-redis.ts'

const refusal = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => new Error('nothing was refused'),
    (error) => error,
  )

test('where no server is, training and worker end with one sentence', async () => {
  const address = `redis://:secret@127.0.0.1:${await freePort()}` as const
  const error = await refusal(trained({ ...SMALL, workers: address }))
  expect(error).toBeInstanceOf(UsageError)
  expect(error.message).toMatch(/^No Redis server answers at redis:\/\/127\.0\.0\.1:\d+ \(connect ECONNREFUSED .*\)\.$/)
  const { code, stderr } = await run('.', 'worker', address)
  expect([code, stderr.trim()]).toEqual([1, `steinrl: ${error.message}`])
  expect((await run('.', 'worker', 'localhost')).stderr).toMatch(/^steinrl: The address must be that of a Redis server/)
  expect((await run('.', 'worker', address, '--threads', '0')).stderr).toMatch(/threads must be a whole number from 1/)
})

describe('messages', () => {
  const message = { text: 'a', numbers: [1, -0, Number.NaN], list: Float32Array.of(1, 2, 3), more: Float64Array.of(4) }

  test('come back as they were, with the same bytes each time', () => {
    const bytes = encodeMessage(message)
    expect(decodeMessage(bytes)).toEqual(message)
    expect(encodeMessage(decodeMessage(bytes))).toEqual(bytes)
  })

  test('are the same bytes in memory that is used again, beside the others of a round', () => {
    const memory = messageMemory()
    const fresh = [message, { ...message, text: 'bc' }, new Float32Array(300_000)].map((each) => encodeMessage(each))
    for (let round = 0; round < 3; round++) {
      memory.clear()
      memory.allocate(1000).fill(round + 1)
      memory.clear()
      const all = [message, { ...message, text: 'bc' }, new Float32Array(300_000)].map((each) =>
        encodeMessage(each, memory.allocate),
      )
      for (const [k, bytes] of all.entries()) expect(sameBytes(bytes, fresh[k])).toBe(true)
    }
  })

  test('lengths that do not match the bytes are refused before anything is allocated', () => {
    const header = (arrays: unknown, text = '{}') => {
      const json = new TextEncoder().encode(JSON.stringify({ arrays, text }))
      const bytes = new Uint8Array(8 + json.length)
      new Uint32Array(bytes.buffer, 0, 2).set([1, json.length])
      bytes.set(json, 8)
      return bytes
    }
    const huge = header([['Float64Array', 2 ** 50]])
    expect(() => decodeMessage(huge)).toThrow(/its arrays are said to need 9007199254741\d+ bytes, of \d+ in all/)
    expect(() => decodeMessage(header([['Float64Array', -1]]))).toThrow('no known type or length')
    expect(() => decodeMessage(header([['constructor', 1]]))).toThrow('no known type or length')
    expect(() => decodeMessage(header([], '{'))).toThrow('its text is no JSON')
    const whole = encodeMessage(message)
    for (let length = 0; length < whole.length; length++)
      expect(() => decodeMessage(whole.subarray(0, length))).toThrow(UsageError)
    for (let k = 0; k < 8; k++) {
      const damaged = whole.slice()
      damaged[k] ^= 0x40
      expect(() => decodeMessage(damaged)).toThrow(UsageError)
    }
    for (const wrong of [{ particle: 1 }, [], [{ particle: 1 }], null, [null], 'job'])
      expect(() => decodeJobs(encodeMessage(wrong))).toThrow('it is no job')
    const outcome = { gradient: Float32Array.of(1, 2), carried: null, exploration: null, info: null, visited: null }
    expect(decodeOutcomes(encodeMessage([outcome, outcome]), [2, 2])).toEqual([outcome, outcome])
    expect(() => decodeOutcomes(encodeMessage([outcome]), [2, 2])).toThrow('it has not 2 outcomes.')
    expect(() => decodeOutcomes(encodeMessage(outcome), [2])).toThrow('it has not 1 outcomes.')
    expect(() => decodeOutcomes(encodeMessage([outcome, outcome]), [2, 3])).toThrow('not 3 finite numbers')
  })
})

describeWithRedis('a server', () => {
  let redis: RedisServer
  beforeAll(async () => {
    redis = await startRedis('--requirepass', 'secret', '--maxmemory-policy', 'allkeys-lru')
  })
  afterAll(() => redis.stop())

  test('refuses a wrong password, and no password, without repeating it', async () => {
    for (const user of [':wrong@', '']) {
      const error = await refusal(clusterStatus(`redis://${user}127.0.0.1:${redis.port}`))
      expect(error.message).toMatch(
        /^The Redis server at redis:\/\/127.0.0.1:\d+ refuses this user and password \(\w+\)/,
      )
    }
  })

  test('that may throw away keys is warned of, once', async () => {
    const { address } = redis
    const code = `const { clusterStatus } = await import(${JSON.stringify(dist('cluster.js'))})
      for (let k = 0; k < 2; k++) await clusterStatus(${JSON.stringify(address)})`
    const { stderr } = await node(code)
    expect(stderr.match(/maxmemory-policy allkeys-lru\): set noeviction/g)).toHaveLength(1)
  })

  test('without memory ends a run with a sentence, where it begins and in the middle', async () => {
    const full = await startRedis('--maxmemory-policy', 'noeviction')
    const worker = await startWorker(full.address)
    try {
      const limit = (bytes: number) => full.call('CONFIG', 'SET', 'maxmemory', bytes)
      const training = train({ env: 'CartPole-v1', particles: 2, steps: 8, iterations: 9, workers: full.address })
      await training.next()
      await limit(1)
      const sentence =
        /^The Redis server at redis:\/\/127.0.0.1:\d+ refused a command \(OOM command not allowed .*\)\.$/
      expect((await refusal(training.next())).message.replace(/^Iteration 2: /, '')).toMatch(sentence)
      await inTemporaryDirectory(async (directory) => {
        const { code, stderr } = await run(directory, 'train', 'svpg', 'CartPole-v1', '--workers', full.address)
        expect([code, stderr.trim().replace(/^steinrl: /, '')]).toEqual([3, expect.stringMatching(sentence)])
      })
      await limit(0)
    } finally {
      await endWorker(worker)
      await full.stop()
    }
  })

  test('that refuses a command is told of by status, training and worker, in a sentence', async () => {
    const full = await startRedis()
    const worker = await startWorker(full.address)
    const refused = (why: string) => `The Redis server at redis://127.0.0.1:${full.port} refused a command (${why}).`
    const lacks = (command: string) => refused(`NOPERM this user has no permissions to run the '${command}' command`)
    /** The address of a user who may do all but one thing. */
    const without = async (command: string) => {
      await full.call('ACL', 'SETUSER', command, 'on', '>pw', '~steinrl:*', 'resetchannels', '+@all', `-${command}`)
      return `redis://${command}:pw@127.0.0.1:${full.port}` as const
    }
    const training = (workers: RedisAddress) => refusal(trained({ ...SMALL, workers }))
    try {
      const info = await refusal(clusterStatus(await without('info')))
      expect([info.name, info.message]).toEqual(['UsageError', lacks('info')])
      // ioredis has a line of its own about it, which nobody asked for.
      const blind = await run('.', 'worker', await without('info'))
      expect([blind.code, blind.stderr]).toEqual([1, `steinrl: ${lacks('info')}\n`])
      expect((await refusal(clusterStatus(await without('smembers')))).message).toBe(lacks('smembers'))
      expect((await training(await without('set'))).message).toBe(lacks('set'))
      for (const command of ['eval', 'blpop']) {
        const error = await training(await without(command))
        expect([error, error.message]).toEqual([expect.any(RunError), `Iteration 1: ${lacks(command)}`])
      }
      const first = await run('.', 'worker', await without('set'))
      expect([first.code, first.stderr]).toEqual([3, `steinrl: ${lacks('set')}\n`])
      // It may be allowed what it lacks.
      const patient = await startWorker(await without('evalsha'))
      await until('its sentence', () => patient.output.stderr.includes(lacks('evalsha')))
      expect(patient.output.stderr).toContain('The worker gets no jobs as long as that lasts.')
      await endWorker(patient)
    } finally {
      await endWorker(worker)
      await full.stop()
    }
  })

  /** A server between the real one and us, that tells something else. */
  async function telling(change: (told: string) => string, use: (port: number) => Promise<void>): Promise<void> {
    const proxy = createServer((client) => {
      const server = connectTo(redis.port, '127.0.0.1')
      client.pipe(server)
      server.on('data', (data) => {
        client.write(change(data.toString('latin1')), 'latin1')
      })
      for (const socket of [client, server]) socket.on('error', () => {})
      server.on('close', () => client.destroy())
      client.on('close', () => server.destroy())
    })
    const port = await freePort()
    await new Promise<void>((ready) => proxy.listen(port, '127.0.0.1', ready))
    try {
      await use(port)
    } finally {
      proxy.close()
    }
  }

  test('that is too old is refused by its version', () =>
    telling(
      (told) => told.replace(/redis_version:\d/, 'redis_version:5'),
      async (port) => {
        const error = await refusal(clusterStatus(`redis://:secret@127.0.0.1:${port}`))
        expect(error.message).toMatch(/^Redis 5\.\d+\.\d+ at redis:\/\/127.0.0.1:\d+ is too old: take 6.2 or newer\.$/)
      },
    ))

  test('that still reads its data is waited for, also after it was started again', async () => {
    let left = 3
    const loading = (told: string) => told.replace('loading:0', () => (left-- > 0 ? 'loading:1' : 'loading:0'))
    await telling(loading, async (port) => {
      const server = await connect(`redis://:secret@127.0.0.1:${port}`)
      expect(left).toBe(-1)
      left = 1
      const [, id] = /id=(\d+)/.exec(String(await server.call('CLIENT', 'INFO'))) ?? []
      await redis.call('CLIENT', 'KILL', 'ID', String(id))
      expect(await server.call('PING')).toBe('PONG')
      expect(left).toBe(-1)
      server.close()
    })
  })

  test('without workers ends the wait with a sentence, and names one of another version', async () => {
    const options = { address: redis.address, evaluator: 'policy-gradient', posted: {}, patience: 0.3 }
    const shown = `redis://127.0.0.1:${redis.port}`
    const alone = await refusal(startClusterPool(options))
    expect(alone.message).toBe(`No worker is at ${shown}: start one by npx steinrl worker ${shown}.`)
    const release = await ownRelease()
    const server = await connect(redis.address)
    const other = { ...release, version: '0.0.1', id: 'old', name: 'box:7', threads: 1, running: 0, done: 0 }
    await tell(server, { ...other, retries: 0, mean: null, p95: null })
    server.close()
    const core = release.core.slice(0, 12)
    expect((await refusal(startClusterPool(options))).message).toBe(
      `Worker box:7 is steinrl 0.0.1 with the core ${core}, not steinrl ${release.version} with the core ${core}, and gets ` +
        `no jobs, and there is no other: start one by npx steinrl worker ${shown}.`,
    )
    await redis.call('FLUSHALL')
  })

  test('a task that a worker does not know names the file; with --import it is found', async () => {
    const spec: EnvironmentSpec = (await import('../rl/fixtures/walk.js' as string)).default
    const module = new URL('../rl/fixtures/walk.js', import.meta.url).href
    const env = { ...spec, module }
    const options = { ...SMALL, env, iterations: 2 }
    const stranger = await startWorker(redis.address)
    const error = await refusal(trained({ ...options, workers: redis.address }))
    await endWorker(stranger)
    expect(error.message).toMatch(
      /^Iteration 1: Worker \S+ cannot take part in this run: it does not know the task Walk-v0; start it with --import walk.js\.$/,
    )
    const worker = await startWorker(redis.address, '--import', fileURLToPath(module))
    try {
      expect(await trained({ ...options, workers: redis.address })).toEqual(await trained({ ...options, workers: 0 }))
    } finally {
      await endWorker(worker)
    }
  })

  test('status tells workers and jobs; a hostile job is answered with a sentence, and the worker lives on', async () => {
    const worker = await startWorker(redis.address, '--threads', '2')
    const server = await connect(redis.address)
    try {
      const queue = server.queue(sharedQueue(await ownRelease()))
      const opts = { attempts: 1, removeOnComplete: true }
      // Of a run with a setup that asks for too much, without one, and with bytes that are no job.
      const release = await ownRelease()
      const task = { environments: 1e15, steps: 8, seed: { lo: 0, hi: 0 }, head: {}, spec: specOf('CartPole-v1') }
      const policy = { observations: 4, hidden: [4], activation: 'tanh', head: { name: 'categorical', actions: 2 } }
      const setup = { task, policy, estimator: {} }
      const theta = new Float32Array(5)
      const job = { particle: 0, step: 0, pass: 0, theta, behaviour: theta, carried: null, context: null }
      const put = async (run: string, of: object | null, bytes: Uint8Array) => {
        if (of) await server.call('SET', `steinrl:setup:${run}`, encodeMessage(of), 'PX', 60_000)
        await server.call('SET', `steinrl:job:${run}`, bytes, 'PX', 60_000)
        await queue.addBulk([{ name: 'x', data: { run, thread: 1e9 }, opts: { ...opts, jobId: run } }])
        const answer = of && (await server.next(`steinrl:answers:${run}`, 20))
        return answer && (decodeMessage(answer) as { failure: { message: string } }).failure.message
      }
      const whole = { release, evaluator: 'policy-gradient', setup, limit: 60 }
      expect(await put('a', whole, encodeMessage([job]))).toBe(
        'environments must be a whole number from 1 to 100000000, got 1000000000000000.',
      )
      const right = { ...setup, task: { ...task, environments: 2 } }
      expect(await put('b', { ...whole, setup: right }, encodeMessage([job]))).toBe(
        'The job of particle 0 has 5 parameters for a policy of 30.',
      )
      const nan = { ...job, theta: new Float32Array(30), behaviour: new Float32Array(30).fill(Number.NaN) }
      expect(await put('c', { ...whole, setup: right }, encodeMessage([nan]))).toBe(
        'The job of particle 0 has a parameter that is not finite.',
      )
      expect(await put('d', { ...whole, setup: right }, Uint8Array.of(1, 2))).toMatch(/^it has 2 bytes/)
      const evil = {
        ...task.spec,
        task: { ...task.spec.task, id: 'Evil-v0', module: 'data:text/javascript,process.exit(1)' },
      }
      expect(
        await put('e', { ...whole, setup: { ...right, task: { ...task, spec: evil } } }, encodeMessage([job])),
      ).toMatch(/does not know the task Evil-v0/)
      expect(await put('f', { ...whole, evaluator: 'constructor' }, encodeMessage([job]))).toBe(
        'There is no evaluator "constructor".',
      )
      expect(await put('g', { ...whole, release: { ...release, version: '9' } }, encodeMessage([job]))).toMatch(
        /cannot take part in this run: it is of steinrl 9 with the core/,
      )
      await put('h', null, encodeMessage([job]))
      await queue.close()
      const { workers, waiting } = await clusterStatus(redis.address)
      expect(workers).toMatchObject([{ threads: 2, version: release.version, core: release.core }])
      expect(waiting).toBe(0)
      const table = await run('.', 'cluster', 'status', redis.address)
      expect(table.stdout).toContain(`:${worker.child.pid}  2`)
      expect(table.stdout).not.toContain('secret')
      const line = await run('.', 'cluster', 'status', redis.address, '--json')
      expect(JSON.parse(line.stdout).workers).toHaveLength(1)
      expect(worker.child.exitCode).toBeNull()
    } finally {
      server.close()
      await endWorker(worker)
    }
  })
})

const specOf = (id: string) => ({ task: { id, maxEpisodeSteps: 500 }, states: [] })
const dist = (file: string) => new URL(`../../dist/${file}`, import.meta.url).href

async function node(code: string): Promise<{ stderr: string }> {
  const { spawnSync } = await import('node:child_process')
  return spawnSync(process.execPath, ['--input-type=module', '--eval', code], { encoding: 'utf8' })
}
