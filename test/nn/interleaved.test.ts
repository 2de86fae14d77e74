import { readFile } from 'node:fs/promises'
import { describe, expect, test } from '@jest/globals'
import { logDensity } from '../../src/compile/log-density.ts'
import { compileCore } from '../../src/core/module.ts'
import { startTfjs, tf } from '../../src/nn/tfjs.ts'
import type { Agents } from '../../src/rl/agents.ts'
import { distil } from '../../src/rl/distil.ts'
import { svgd } from '../../src/svgd/svgd.ts'
import { type AnyTrainOptions, train } from '../../src/train/train.ts'

// Work of several settings at the same time in one process: each has the bytes that it has alone.

const offPolicy = {
  env: 'Pendulum-v1',
  steps: 24,
  hidden: [8],
  warmup: 8,
  batchSize: 8,
  environments: 2,
  iterations: 3,
}
const svpg = { env: 'CartPole-v1', particles: 3, steps: 32, environments: 2, hidden: [8], iterations: 2 }
const trainings = {
  sac: { ...offPolicy, algorithm: 'sac' },
  sql: { ...offPolicy, algorithm: 'sql', particles: 4, valueParticles: 4 },
  classes: { ...offPolicy, env: 'CartPole-v1', algorithm: 'sql' },
  s2ac: { ...offPolicy, algorithm: 's2ac', particles: 4, svgdSteps: 2 },
  ppo: { ...svpg, estimator: 'ppo', criticHidden: [8], epochs: 2 },
  function: { ...svpg, kernel: 'function', probeStates: 8 },
  behaviour: { ...svpg, kernel: 'js' },
  adr: { ...svpg, algorithm: 'adr', env: 'Pendulum-v1', ranges: { mass: [0.5, 2] }, moves: 1, particleHidden: [4] },
} as unknown as Readonly<Record<string, AnyTrainOptions>>

const settings = [{}, { compiled: false }, { fused: false }]

/** What a training comes to: its metrics, the particles, and what they do, which those that draw ask tfjs for. */
async function bytesOf(options: AnyTrainOptions): Promise<string> {
  const found: unknown[] = []
  for await (const { metrics, agents } of train(options)) {
    const { seconds, ...rest } = metrics
    const now = agents() as Agents
    found.push(rest, Buffer.from(Float32Array.from(now.theta).buffer).toString('base64'))
    const observations = Array.from({ length: 3 * now.observations }, (_, k) => Math.sin(k))
    found.push([...now.actRows(observations, { particle: 0, greedy: false })])
    await new Promise((resolve) => setImmediate(resolve))
  }
  return JSON.stringify(found)
}

describe.each(Object.keys(trainings))('%s', (name) => {
  test('beside itself with other settings of tfjs, in turns', async () => {
    const all = settings.map((tfjs) => ({ ...trainings[name], tfjs }))
    const alone: string[] = []
    for (const options of all) alone.push(await bytesOf(options))
    expect(new Set(alone).size).toBeGreaterThan(1)
    expect(await Promise.all(all.map(bytesOf))).toEqual(alone)
  })
})

test('all of them at once, and two of the same in one', async () => {
  const all = Object.values(trainings).flatMap((options, k) => [
    { ...options, tfjs: settings[k % 3] },
    { ...options, tfjs: settings[(k + 1) % 3], seed: 7 },
  ]) as AnyTrainOptions[]
  const alone: string[] = []
  for (const options of all) alone.push(await bytesOf(options))
  expect(await Promise.all(all.map(bytesOf))).toEqual(alone)
})

test('what a program calls beside a training has its own settings, and a training with another core leaves them', async () => {
  await startTfjs()
  const core = await compileCore(new Uint8Array(await readFile(new URL('../../dist/steinrl.wasm', import.meta.url))))
  const target = () => {
    const populationScore = logDensity((x) => tf.sum(tf.neg(tf.log(tf.cosh(tf.mul(x, 1.7)))), 1))
    return svgd({ particles: 20, dimension: 3, populationScore, iterations: 30 })
  }
  const bytes = async () => Buffer.from((await target()).buffer).toString('base64')
  const alone = await bytes()
  const { value } = await train({ ...svpg, iterations: 1 }).next()
  const agents = value.agents() as Agents
  const taught = async () => [...(await distil({ agents, steps: 60 })).agents.theta]
  const own = await taught()
  const busy = Promise.all([
    bytesOf({ ...trainings.sac, iterations: 6, tfjs: { compiled: false }, core } as AnyTrainOptions),
    bytesOf({ ...trainings.ppo, iterations: 6, tfjs: { fused: false } } as AnyTrainOptions),
  ])
  let isBusy = true
  const ended = busy.finally(() => {
    isBusy = false
  })
  let count = 0
  for (; isBusy; count++) {
    expect(await bytes()).toBe(alone)
    if (count % 5 === 0) expect(await taught()).toEqual(own)
  }
  await ended
  expect(count).toBeGreaterThan(3)
  expect(await bytes()).toBe(alone)
})
