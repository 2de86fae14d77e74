// Whole runs of an experiment on the workers of a cluster: what comes back is what this machine would have made.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { checkedOrder } from '../../src/experiments/cluster/order.ts'
import { planOf } from '../../src/experiments/plan.ts'
import { presetNamed } from '../../src/experiments/presets.ts'
import { checkedContent } from '../../src/train/run-content.ts'
import { inTemporaryDirectory, lines, type Running, start, until } from '../cli/steinrl.ts'
import { describeCluster } from './with-redis.ts'

const MINUTES = 60_000
// Seconds for either run: a worker that is killed when both are under way must be in the middle of one.
const ITERATIONS = 80

const experiment = (...options: string[]) => [
  ...['experiment', 'svpg-cartpole', '--seeds', '1', '--variants', 'stein,joint'],
  ...['--iterations', String(ITERATIONS), '--checkpoint-every', '0', '--json', ...options],
]

const finished = ({ output }: Running) => output.stdout.split('"status":"finished"').length - 1
const iterations = ({ output }: Running) => output.stdout.split('"iteration":').length - 1

/** The variants of which an iteration has been told. */
const underWay = ({ output }: Running) =>
  new Set(Array.from(output.stdout.matchAll(/"variant":"(\w+)"[^\n]*"iteration":/g), ([, variant]) => variant))

/** The summary and the particles of both runs. */
async function results(directory: string): Promise<string[]> {
  const files = ['experiment.json', 'stein/seed-0/particles.safetensors', 'joint/seed-0/particles.safetensors']
  return Promise.all(files.map(async (file) => (await readFile(join(directory, file))).toString('hex')))
}

describeCluster('an experiment on a cluster', (cluster) => {
  const { workers } = cluster

  test(
    'goes on where it was when a worker is killed, and when the driver is, to the bytes of one machine',
    () =>
      inTemporaryDirectory(async (directory) => {
        await cluster.begin(2)
        expect((await start(directory, experiment('--out', 'here', '--jobs', '1')).ended).code).toBe(0)

        const there = experiment('--out', 'there', '--jobs', cluster.redis.address)
        const killed = start(directory, there)
        await until('some iterations', () => iterations(killed) >= 3)
        // Both are on their way: the driver has a checkpoint of each that was told.
        // What is listed may be gone a moment later: checkpoints come and go.
        const names = () => readdir(directory, { recursive: true }).catch((): string[] => [])
        await until('a checkpoint', async () => (await names()).some(isCheckpointOf('there')))
        killed.child.kill('SIGKILL')
        await killed.ended

        // What the one that was killed has started ends within a minute: here its workers end.
        await cluster.end()
        await cluster.begin(2)
        const again = start(directory, there)
        await until('an iteration of both runs', () => underWay(again).size === 2)
        workers[0].child.kill('SIGKILL')
        const { code, stdout, stderr } = await again.ended
        expect([code, finished(again)]).toEqual([0, 2])
        expect(stderr).toMatch(
          new RegExp(`Worker \\S+:${workers[0].child.pid} has gone or gives no sign of life; 1 are`),
        )
        expect(await results(join(directory, 'there'))).toEqual(await results(join(directory, 'here')))

        // It did not begin again: what the first driver kept was not done twice.
        const told = lines(stdout).map((line) => JSON.parse(line))
        const firsts = told.filter(({ iteration }) => iteration === 1)
        expect(firsts.length).toBeLessThan(2)
        const left = await readdir(join(directory, 'there', 'stein', 'seed-0'))
        expect(left).not.toContain('checkpoint')
        expect(left.filter((name) => /steinrl|partial|lock/.test(name))).toEqual([])

        // Nothing is done again where all is finished, and no server is asked.
        await cluster.end()
        const third = await start(directory, there).ended
        expect([third.code, third.stdout.split('"status":"kept"').length - 1]).toEqual([0, 2])
      }),
    4 * MINUTES,
  )

  test(
    'leaves no key, and stops when it is told to',
    () =>
      inTemporaryDirectory(async (directory) => {
        await cluster.begin(1, '--threads', '2')
        await cluster.redis.call('FLUSHALL')
        await until('a sign of life', async () => (await cluster.redis.scan()).includes('steinrl:workers'))
        const stopped = start(directory, experiment('--out', 'there', '--jobs', cluster.redis.address))
        await until('some iterations', () => iterations(stopped) >= 2)
        stopped.child.kill('SIGINT')
        expect((await stopped.ended).code).toBe(130)
        expect((await start(directory, experiment('--out', 'there', '--jobs', cluster.redis.address)).ended).code).toBe(
          0,
        )
        expect(await readdir(join(directory, 'there'))).toEqual(['experiment.json', 'joint', 'report.html', 'stein'])
        await cluster.end()
        await until('the last key to go', async () => (await cluster.redis.scan()).length === 0)
      }),
    3 * MINUTES,
  )

  test('without a server nothing is written', () =>
    inTemporaryDirectory(async (directory) => {
      const { code, stderr } = await start(directory, experiment('--jobs', 'redis://127.0.0.1:1')).ended
      expect([code, stderr]).toEqual([1, expect.stringMatching(/^steinrl: No Redis server answers at redis:\/\/127/)])
      expect(await readdir(directory)).toEqual([])
    }))
})

const isCheckpointOf = (name: string) => (file: string) => file.startsWith(name) && file.includes('/checkpoint/')

test('an order that no driver sends is refused in a sentence', async () => {
  const [{ config }] = (await planOf({ preset: presetNamed('svpg-cartpole') })).jobs
  const order = { variant: 'a', seed: 0, config, evaluationEpisodes: 2, grid: null, checkpointEvery: 1, files: {} }
  expect((await checkedOrder(order)).job.config).toEqual(config)
  const refused: [object, RegExp][] = [
    [{ ...order, evaluationEpisodes: 1e12 }, /evaluationEpisodes must be a whole number from 1 to 1000000/],
    [{ ...order, config: { ...config, particles: 1e12 } }, /particles must be a whole number/],
    [{ ...order, config: { ...config, surprise: 1 } }, /surprise/],
    [{ ...order, config: { ...config, learningRate: '1' } }, /learningRate/],
    [
      { ...order, grid: { ranges: { a: [0, 1], b: [0, 1], c: [0, 1] }, points: 1000, episodes: 1 } },
      /1000000000 points/,
    ],
    [{ ...order, files: { '../x': new Uint8Array(1) } }, /it has the file "..\/x", which no run has/],
    [{ ...order, files: { 'checkpoint/../../x.safetensors': new Uint8Array(1) } }, /which no run has/],
    [{ ...order, files: { 'config.json': 'text' } }, /which no run has/],
    [
      { ...order, config: { ...config, task: { id: 'A', maxEpisodeSteps: 1, module: 'file:///a.js' } } },
      /this library/,
    ],
    [{ nothing: 1 }, /./],
  ]
  for (const [given, message] of refused) await expect(checkedOrder(given)).rejects.toThrow(message)
  expect(() => checkedContent(null)).toThrow('it has no files')
})
