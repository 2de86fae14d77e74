// npm run kills:workers -- --count 30: workers of a cluster that are killed at random moments of trainings, with a new
// one for each, until as many kills are done. θ must be, bit by bit, that of one thread.
import { parseArgs } from 'node:util'
import { generator, uniformInteger } from '../../src/core/generator.ts'
import type { Running } from '../cli/steinrl.ts'
import { endWorker, startRedis, startWorker } from '../cluster/server.ts'
import { SMALL, trained } from '../cluster/trained.ts'

const { values } = parseArgs({
  options: { count: { type: 'string', default: '30' }, seed: { type: 'string', default: '0' } },
})
const count = Number(values.count)
const numbers = generator(Number(values.seed))

const WORKERS = 3
const long = { ...SMALL, environments: 32, steps: 2000, hidden: [64, 64], iterations: 6 } as const
const ppo = { estimator: 'ppo', criticHidden: [8], epochs: 3, steps: 1000 } as const
const TRAININGS = { reinforce: long, a2c: { ...long, estimator: 'a2c', criticHidden: [8] }, ppo: { ...long, ...ppo } }

/** Kills a worker at a random moment, starts another one, and again, until it is told to stop. */
async function killing(address: string, workers: Running[], signal: AbortSignal): Promise<number> {
  let kills = 0
  while (true) {
    await new Promise((resolve) => setTimeout(resolve, uniformInteger(numbers, 6000)))
    if (signal.aborted) return kills
    const [killed] = workers.splice(uniformInteger(numbers, workers.length), 1)
    killed.child.kill('SIGKILL')
    kills++
    workers.push(await startWorker(address))
  }
}

const redis = await startRedis('--appendonly', 'yes')
const workers: Running[] = []
let done = 0
let right = 0
try {
  for (let k = 0; k < WORKERS; k++) workers.push(await startWorker(redis.address))
  while (done < count)
    for (const [name, options] of Object.entries(TRAININGS)) {
      const here = await trained({ ...options, workers: 0 })
      const end = new AbortController()
      const kills = killing(redis.address, workers, end.signal)
      const there = await trained({ ...options, workers: redis.address }).catch((error: Error) => ({
        ...{ theta: error.message, losses: [] },
      }))
      end.abort()
      done += await kills
      if (there.theta === here.theta) right += await kills
      else console.error(`${name}: ${there.theta} instead of ${here.theta}`)
      const other = there.losses.filter((text) => text.includes('other bytes'))
      if (other.length > 0) console.error(other.join('\n'))
      console.log(`${name}: ${right} of ${done} kills left the same bytes`)
    }
} finally {
  await Promise.all(workers.map(endWorker))
  await redis.stop()
}
if (right < done) process.exitCode = 1
