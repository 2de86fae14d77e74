import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { EnvironmentSpec } from '../../src/envs/contract.ts'
import { box, discrete } from '../../src/envs/spaces.ts'
import { scaleReward } from '../../src/envs/wrappers/rewards.ts'
import { wrap } from '../../src/envs/wrappers/wrap.ts'
import { playEpisode } from '../../src/play/episode.ts'
import type { Agents } from '../../src/rl/agents.ts'
import { distil } from '../../src/rl/distil.ts'
import { evaluate, train } from '../../src/train/train.ts'
import { contents, run, SMALL, start, until } from '../cli/steinrl.ts'

// Commands that write nothing before their end, in the middle of it: told in a sentence, with the code of the signal.

const directory = join(tmpdir(), `steinrl-stopped-${process.pid}`)

/** A task that takes a millisecond a step and says when it steps; its module takes its time where it is told to. */
const SLOW = `
import { existsSync, writeFileSync } from 'node:fs'
if (process.env.MARK_LOAD) {
  writeFileSync(process.env.MARK_LOAD, '')
  await new Promise((resolve) => setTimeout(resolve, 1000))
}
let isMarked = false
function wait() {
  if (!process.env.MARK) return
  const end = performance.now() + 1
  while (performance.now() < end);
  if (!isMarked) writeFileSync(process.env.MARK, '')
  isMarked = true
}
export default {
  id: 'Slow-v0', maxEpisodeSteps: 20_000, module: import.meta.url,
  observationSpace: { kind: 'box', low: [-1], high: [1] }, actionSpace: { kind: 'discrete', n: 2 },
  create() {
    let t = 0
    return {
      get state() { return [t] },
      reset: () => ({ obs: [(t = 0)], info: {} }),
      step: () => (wait(), { obs: [0.5], reward: 1, terminated: !process.env.MARK && ++t > 5, truncated: false, info: {} }),
    }
  },
}`

const MODEL = `
import { writeFileSync } from 'node:fs'
import { model, real, tf } from '${new URL('../../dist/bayes.js', import.meta.url).href}'
let calls = 0
export default model({
  parameters: { x: real() },
  logDensity({ x }) {
    const end = performance.now() + 100
    while (performance.now() < end);
    if (++calls === 1) writeFileSync(process.env.MARK, '')
    return [tf.neg(tf.square(tf.square(x)))]
  },
})`

const mark = join(directory, 'mark')

beforeAll(async () => {
  await mkdir(directory)
  await writeFile(join(directory, 'slow.mjs'), SLOW)
  await writeFile(join(directory, 'model.mjs'), MODEL)
  const ended = await run(directory, 'train', 'svpg', './slow.mjs', ...SMALL, '--out', 'run')
  expect(ended.code).toBe(0)
}, 120_000)
afterAll(() => rm(directory, { recursive: true, force: true }))

const commands: Readonly<Record<string, readonly string[]>> = {
  eval: ['eval', 'run', '--episodes', '3'],
  distil: ['distil', 'run', '--out', 'one'],
  play: ['play', 'run', '--particle', '0', '--out', 'episode.json'],
  export: ['export', 'run', '--out', 'policy'],
  fit: ['fit', 'model.mjs', '--out', 'fit'],
}
const signals = [
  ['SIGTERM', 143],
  ['SIGHUP', 129],
  ['SIGINT', 130],
] as const

async function stopped(args: readonly string[], signal: NodeJS.Signals) {
  await rm(mark, { force: true })
  const variable = args[0] === 'export' ? 'MARK_LOAD' : 'MARK'
  const { child, ended } = start(directory, args, { env: { [variable]: mark } })
  await until('the work', async () => (await readdir(directory)).includes('mark'))
  const sent = performance.now()
  child.kill(signal)
  const { code, stdout, stderr } = await ended
  expect(performance.now() - sent).toBeLessThan(6000)
  await rm(mark, { force: true })
  return { code, stdout, stderr: stderr.replace(/^(evaluating|distilling) .*\n/gm, '') }
}

describe.each(Object.keys(commands))('%s', (name) => {
  test.each(signals)('ended by %s says so and leaves everything as it was: %i', async (signal, code) => {
    const before = await contents(directory)
    const told = 'Stopped by hand; nothing was written.\n'
    expect(await stopped(commands[name], signal)).toEqual({ code, stdout: told, stderr: '' })
    expect(await contents(directory)).toEqual(before)
  })
})

test('of JSON nothing is half there', async () => {
  for (const name of ['eval', 'distil', 'fit'])
    expect(await stopped([...commands[name], '--json'], 'SIGTERM')).toEqual({ code: 143, stdout: '', stderr: '' })
})

test('a signal ends evaluate(), distil() and playEpisode() with its reason', async () => {
  const endless: EnvironmentSpec = {
    ...{ id: 'Endless-v0', observationSpace: box([-1], [1]), actionSpace: discrete(2), maxEpisodeSteps: 900_000 },
    create: () => ({
      reset: () => ({ obs: [0], info: {} }),
      step: () => ({ obs: [0], reward: 0, terminated: false, truncated: false, info: {} }),
    }),
  }
  const agentsOf = async (env: string | EnvironmentSpec) => {
    const { value } = await train({ env, particles: 1, steps: 8, hidden: [4], environments: 1 }).next()
    return value.agents() as Agents
  }
  const [own, inCore] = [await agentsOf(endless), await agentsOf('CartPole-v1')]
  const works = [
    (signal: AbortSignal) => evaluate({ agents: own, episodes: 1000, signal }),
    (signal: AbortSignal) => evaluate({ agents: inCore, episodes: 1_000_000, signal }),
    (signal: AbortSignal) => distil({ agents: inCore, steps: 1e6, signal }),
    (signal: AbortSignal) => distil({ agents: own, signal }),
    (signal: AbortSignal) => playEpisode({ agents: own, signal }),
  ]
  for (const work of works) {
    const stop = new AbortController()
    const timer = setTimeout(() => stop.abort(new Error('enough')), 100)
    await expect(work(stop.signal)).rejects.toThrow('enough')
    clearTimeout(timer)
    await expect(work(AbortSignal.abort(new Error('at once')))).rejects.toThrow('at once')
    await expect(work('now' as never)).rejects.toThrow('signal must be that of an AbortController, got "now"')
  }
})

test('an evaluation in several calls of the core has the returns of one', async () => {
  const { value } = await train({ env: 'Pendulum-v1', particles: 1, steps: 8, hidden: [4], environments: 1 }).next()
  const agents = value.agents() as Agents
  const { greedy, sampled } = await evaluate({ agents, episodes: 2500, seed: 3 })
  const again = await evaluate({ agents, env: await wrap('Pendulum-v1', scaleReward(1)), episodes: 2500, seed: 3 })
  expect([greedy, sampled]).toEqual([again.greedy, again.sampled])
})
