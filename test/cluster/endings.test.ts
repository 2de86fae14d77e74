// How a run on a cluster ends when its jobs do not, and what it says of answers that differ.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from '@jest/globals'
import { encodeAnswer } from '../../src/cluster/answers.ts'
import { encodeMessage } from '../../src/cluster/messages.ts'
import { keys } from '../../src/cluster/names.ts'
import type { EnvironmentSpec } from '../../src/envs/contract.ts'
import { inTemporaryDirectory, until } from '../cli/steinrl.ts'
import { SMALL, trained } from './trained.ts'
import { describeCluster } from './with-redis.ts'

const MINUTES = 60_000
const walk = new URL('../rl/fixtures/walk.js', import.meta.url).href

const refusal = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => Promise.reject(new Error('nothing was thrown')),
    (error: Error) => error,
  )

describeCluster('the end of a run', (cluster) => {
  const { workers } = cluster

  /** A walk whose file does something of its own; `count` workers know it. */
  async function withTask(source: string, count: number, use: (env: EnvironmentSpec) => Promise<void>): Promise<void> {
    await inTemporaryDirectory(async (directory) => {
      const file = join(directory, 'task.mjs')
      await writeFile(file, source)
      const module = pathToFileURL(file).href
      await cluster.begin(count, '--import', file)
      const { default: spec } = await import(module)
      await use({ ...spec, module })
    })
  }

  test(
    'a job that three workers die of is given up by name, whether its thread dies or the whole process',
    async () => {
      const sentence = /^Iteration 1: 3 workers died while they evaluated particle 0\.$/
      const die = {
        thread: `export { default } from '${walk}?always=exit'`,
        process: `import walk from '${walk}'
import { isMainThread } from 'node:worker_threads'
export default {
  ...walk,
  create() {
    const task = walk.create()
    const step = (action) => (isMainThread ? task.step(action) : process.kill(process.pid, 'SIGKILL'))
    return { ...task, step }
  },
}`,
      }
      // Three die, and the fourth finds the job without them.
      for (const [what, source] of Object.entries(die))
        await withTask(source, 4, async (env) => {
          const error = await refusal(
            trained({ ...SMALL, env, particles: 1, iterations: 1, workers: cluster.redis.address }),
          )
          expect([what, error.message]).toEqual([what, expect.stringMatching(sentence)])
          const killed = workers.filter(({ child }) => child.signalCode === 'SIGKILL')
          expect(killed).toHaveLength(what === 'process' ? 3 : 0)
          await cluster.end()
        })
    },
    3 * MINUTES,
  )

  test(
    'a run without any worker ends after --worker-limit',
    async () => {
      await cluster.begin(1)
      const [{ child }] = workers
      const options = { ...SMALL, iterations: 3, workers: cluster.redis.address, workerLimit: 2 }
      const error = await refusal(trained(options, () => child.kill('SIGKILL')))
      expect(error.message).toBe(
        `Iteration 2: No worker has been at redis://127.0.0.1:${cluster.redis.port} for 2 s; ` +
          'the run can go on from its last checkpoint.',
      )
    },
    MINUTES,
  )

  test(
    'a second answer with other bytes is told, and the first one counts',
    async () => {
      await cluster.begin(1)
      const here = await trained({ ...SMALL, iterations: 3, workers: 0 })
      const there = await trained({ ...SMALL, iterations: 3, workers: cluster.redis.address }, async (iteration) => {
        if (iteration > 1) return
        const [setup] = (await cluster.redis.call('KEYS', keys.setup('*'))) as string[]
        const run = setup.slice(keys.setup('').length)
        const by = { worker: 'other', name: 'box:7', thread: 0 }
        const answer = encodeAnswer({ id: `${run}-0`, by, outcome: encodeMessage({ gradient: new Float32Array(3) }) })
        await cluster.redis.call('RPUSH', keys.answers(run), answer)
      })
      expect(there.theta).toBe(here.theta)
      expect(there.losses).toEqual([
        expect.stringMatching(
          /^Particle 0 was evaluated twice, by \S+:\d+ and by box:7, with other bytes: one of the two computes otherwise/,
        ),
      ])
    },
    MINUTES,
  )

  test(
    'a worker whose server is away says so once, takes jobs again when it is back, and ends where it is gone for good',
    async () => {
      await cluster.begin(1, '--server-limit', '15')
      const [{ child, output, ended }] = workers
      const { redis } = cluster
      const told = (text: string) => output.stderr.split(text).length - 1
      const shown = `The Redis server at redis://127.0.0.1:${redis.port}`
      redis.signal('SIGSTOP')
      await until('a note', () => told('does not answer') > 0)
      redis.signal('SIGCONT')
      await until('a second one', () => told('answers again') > 0)
      expect(output.stderr).toBe(
        `${shown} does not answer; the worker waits for it, up to 15 s.\n${shown} answers again.\n`,
      )
      const here = await trained({ ...SMALL, iterations: 1, workers: 0 })
      expect((await trained({ ...SMALL, iterations: 1, workers: redis.address })).theta).toBe(here.theta)
      await redis.kill()
      const { code } = await ended
      expect([code, child.signalCode, told('does not answer')]).toEqual([3, null, 2])
      expect(output.stderr).toMatch(new RegExp(`steinrl: ${shown} has not answered for 15 s: the worker ends\\.\n$`))
      await redis.startAgain()
    },
    3 * MINUTES,
  )
})
