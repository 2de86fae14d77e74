import { describe, expect, test } from '@jest/globals'
import { createArena, f32 } from '../../src/core/arena.ts'
import { compileCore } from '../../src/core/module.ts'
import { splitSeed } from '../../src/core/random.ts'
import { cartPole } from '../../src/envs/cartpole.ts'
import type { EnvironmentSpec } from '../../src/envs/contract.ts'
import { make } from '../../src/envs/make.ts'
import { initialiseInto, mlp } from '../../src/nn/network.ts'
import { policyFields, writePolicy } from '../../src/nn/policy.ts'
import { batchFields } from '../../src/rl/batch.ts'
import { environmentFields } from '../../src/rl/environments.ts'
import { evaluatePopulation } from '../../src/rl/evaluate.ts'
import { rollout, seedFields, startEnvironments, type Task } from '../../src/rl/rollout.ts'

const module = await compileCore()
const net = mlp([4, 12, 2])
const D = net.size + 2
const n = 3
const E = 5
const T = 40
const seed = splitSeed(11)

/** CartPole through the interface that a user's environment has: the physics is the same, the loop is TypeScript. */
async function cartPoleInTypeScript(count: number, maxEpisodeSteps = 500): Promise<EnvironmentSpec> {
  const made = await Promise.all(Array.from({ length: count }, () => make('CartPole-v1')))
  return { ...cartPole, maxEpisodeSteps, core: undefined, create: () => made.pop() as NonNullable<(typeof made)[0]> }
}

async function running(spec: EnvironmentSpec, steps = T) {
  const arena = await createArena(module, {
    theta: f32(n, D),
    ...policyFields(net, E),
    ...environmentFields(spec, n, E),
    ...batchFields(n, steps, E, 4, 1),
    ...seedFields(),
  })
  for (let i = 0; i < n; i++) initialiseInto(arena.view.theta.subarray(i * D, (i + 1) * D), net, arena.ops, seed, i, 1)
  writePolicy(arena, net, D)
  const instances = spec.create ? Array.from({ length: n * E }, spec.create) : []
  const task: Task = { spec, particles: n, environments: E, steps, seed, instances }
  startEnvironments(arena, task)
  return { arena, task }
}

const rows = ['observation', 'nextObservation', 'action', 'reward', 'terminated', 'truncated', 'time'] as const
const carried = ['current', 'elapsed', 'episode', 'episodeReturn', 'finished', 'finishedReturn'] as const

test('the fused rollout and the TypeScript loop give the same bits, over several rollouts', async () => {
  const fused = await running({ ...cartPole, maxEpisodeSteps: 30 })
  const typed = await running(await cartPoleInTypeScript(n * E, 30))
  for (let k = 0; k < 3; k++) {
    rollout(fused.arena, fused.task, 0, n, k * T)
    rollout(typed.arena, typed.task, 0, n, k * T)
    for (const name of [...rows, ...carried])
      expect([name, ...typed.arena.view[name]]).toEqual([name, ...fused.arena.view[name]])
  }
  expect(fused.arena.view.terminated.includes(1)).toBe(true)
  expect(fused.arena.view.truncated.includes(1)).toBe(true)
})

test('a particle gives the same rows alone, in any order, or with the others', async () => {
  const together = await running(cartPole)
  const apart = await running(cartPole)
  rollout(together.arena, together.task, 0, n, 0)
  for (const i of [2, 0, 1]) rollout(apart.arena, apart.task, i, i + 1, 0)
  for (const name of rows) expect([name, ...apart.arena.view[name]]).toEqual([name, ...together.arena.view[name]])
})

describe('the rows of a rollout', () => {
  const limit = 25
  const collected = running({ ...cartPole, maxEpisodeSteps: limit }, 200).then((run) => {
    rollout(run.arena, run.task, 0, n, 0)
    return run.arena.view
  })

  /** Calls fn with each row and the row of the same environment one step later. */
  async function eachRow(fn: (view: Awaited<typeof collected>, row: number, later: number) => void) {
    const view = await collected
    for (let i = 0; i < n; i++) {
      for (let t = 0; t < 199; t++) {
        for (let e = 0; e < E; e++) fn(view, (i * 200 + t) * E + e, (i * 200 + t + 1) * E + e)
      }
    }
  }
  const observation = (array: Float32Array, row: number) => [...array.subarray(4 * row, 4 * row + 4)]

  test('inside an episode the next observation is the observation of the next row', () =>
    eachRow((view, row, later) => {
      if (view.terminated[row] || view.truncated[row]) return
      expect(observation(view.nextObservation, row)).toEqual(observation(view.observation, later))
      expect(view.time[later]).toBe(view.time[row] + 1)
    }))

  test('at an end the final observation is kept and a new episode begins', () =>
    eachRow((view, row, later) => {
      if (!view.terminated[row] && !view.truncated[row]) return
      expect(observation(view.nextObservation, row)).not.toEqual(observation(view.observation, later))
      expect(observation(view.observation, later).every((x) => Math.abs(x) < 0.05)).toBe(true)
      expect(view.time[later]).toBe(0)
    }))

  test('terminated where the pole fell, truncated where time ran out, and only there', () =>
    eachRow((view, row) => {
      const [x, , angle] = observation(view.nextObservation, row)
      expect(view.terminated[row]).toBe(Math.abs(x) > 2.4 || Math.abs(angle) > (12 * 2 * Math.PI) / 360 ? 1 : 0)
      expect(view.truncated[row]).toBe(view.time[row] === limit - 1 ? 1 : 0)
    }))

  test('statistics count the episodes that ended and their returns', async () => {
    const view = await collected
    for (let i = 0; i < n; i++) {
      let ends = 0
      let lengths = 0
      for (let row = i * 200 * E; row < (i + 1) * 200 * E; row++) {
        if (!view.terminated[row] && !view.truncated[row]) continue
        ends++
        lengths += view.time[row] + 1
      }
      expect([view.finished[i], view.finishedReturn[i]]).toEqual([ends, lengths])
    }
  })

  test('episodes of different environments start differently', async () => {
    const view = await collected
    const starts = new Set<string>()
    let count = 0
    view.time.forEach((time, row) => {
      if (time !== 0) return
      count++
      starts.add(observation(view.observation, row).join())
    })
    expect(starts.size).toBe(count)
  })
})

describe('evaluation', () => {
  const population = async (spec: EnvironmentSpec) => {
    const { arena } = await running(cartPole)
    const results = []
    for await (const result of evaluatePopulation({
      spec,
      net,
      theta: arena.view.theta,
      particles: n,
      episodes: 20,
      seed: 3,
    })) {
      results.push(result)
    }
    return results
  }

  test('the fused form and the TypeScript loop agree exactly', async () => {
    expect(await population(cartPole)).toEqual(await population(await cartPoleInTypeScript(2 * n)))
  })

  test('every particle is evaluated greedily and sampled', async () => {
    const results = await population(cartPole)
    expect(results.map(({ particle, greedy }) => `${particle}${greedy ? 'g' : 's'}`)).toEqual([
      '0g',
      '1g',
      '2g',
      '0s',
      '1s',
      '2s',
    ])
    // A policy with random weights keeps the pole up for some 10 to 100 steps.
    expect(results.every(({ meanReturn }) => meanReturn > 7 && meanReturn < 250)).toBe(true)
  })
})
