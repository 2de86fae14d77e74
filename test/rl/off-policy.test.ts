import { beforeEach, describe, expect, test } from '@jest/globals'
import { createArena } from '../../src/core/arena.ts'
import { f32 } from '../../src/core/layout.ts'
import { compileCore } from '../../src/core/module.ts'
import { startMeans } from '../../src/core/statistics.ts'
import type { EnvironmentSpec } from '../../src/envs/contract.ts'
import { environmentSpec } from '../../src/envs/registry.ts'
import { box } from '../../src/envs/spaces.ts'
import { HeadKind } from '../../src/nn/policy.ts'
import { boundInto, episodesOf, interact, type OffPolicy, prepare } from '../../src/rl/off-policy.ts'
import { numbersOf } from '../reference/statistics.ts'

const core = await compileCore()
const arena = await createArena(core, {
  uniform: f32(4096),
  action: f32(300),
  out: f32(300),
  low: f32(3),
  high: f32(3),
})

/** Episodes end after three steps, cut after two and so on in turns. Observations count; a reward is the action. */
const turns: EnvironmentSpec = {
  id: 'Turns-v0',
  observationSpace: box([0], [1000]),
  actionSpace: box([2], [6]),
  maxEpisodeSteps: 50,
  create() {
    let [episode, t] = [-1, 0]
    return {
      reset() {
        episode++
        t = 0
        return { obs: [100 * episode], info: {} }
      },
      step(action) {
        t++
        const reward = (action as ArrayLike<number>)[0]
        const isCut = episode % 2 === 1
        return {
          obs: [100 * episode + t],
          reward,
          terminated: !isCut && t === 3,
          truncated: isCut && t === 2,
          info: {},
        }
      },
    }
  },
}

const settings = {
  ...{ environments: 2, steps: 7, warmup: 6, gradientSteps: 2, batchSize: 4, replaySize: 100, discount: 0.9 },
  ...{
    learningRate: 1e-3,
    learningRateSchedule: 'constant' as const,
    hidden: [4],
    activation: 'tanh' as const,
    seed: 3,
  },
}

type Settings = typeof settings

const openLoop = async (given: Settings, iterations?: number): Promise<OffPolicy> =>
  (await prepare('test', { env: turns, core, iterations }, () => given)).loop()

/** One iteration; returns the means of what `learn` gives. */
async function iterate<Name extends string>(
  loop: OffPolicy,
  given: Settings,
  learn: (loop: OffPolicy) => Record<Name, number>,
  names: readonly Name[],
  act: (loop: OffPolicy) => void = () => {},
) {
  const learned = startMeans(...names)
  for await (const turn of interact(loop, given, arena)) {
    if (turn === 'act') act(loop)
    else learned.add(learn(loop))
  }
  return learned.means()
}

describe('the loop', () => {
  let loop: OffPolicy
  let calls: string[]
  let means: Record<'count' | 'rows', number | null>

  beforeEach(async () => {
    loop = await openLoop(settings)
    calls = []
    const learn = ({ replay, updates, batch }: OffPolicy) => {
      calls.push(`learn ${updates}`)
      return { count: replay.count, rows: batch.rows }
    }
    means = await iterate(loop, settings, learn, ['count', 'rows'], ({ action, steps }) => {
      calls.push(`act ${steps}`)
      action.set([0.5, -1])
    })
  })

  test('stores what each environment showed, did and became, across ends and cuts', () => {
    const { replay } = loop
    expect(replay.count).toBe(14)
    const of = (values: Float32Array, row: number) => Array.from({ length: 7 }, (_, t) => values[2 * t + row])
    for (const row of [0, 1]) {
      expect(of(replay.observation, row)).toEqual([0, 1, 2, 100, 101, 200, 201])
      expect(of(replay.nextObservation, row)).toEqual([1, 2, 3, 101, 102, 201, 202])
      expect(of(replay.terminated, row)).toEqual([0, 0, 1, 0, 0, 0, 0])
      // Actions as the policy gave them, rewards of those that were moved to the box.
      const actions = of(replay.action, row)
      of(replay.reward, row).forEach((reward, t) => void expect(reward).toBeCloseTo(4 + 2 * actions[t], 5))
      expect(actions.slice(3)).toEqual(Array(4).fill(row === 0 ? 0.5 : -1))
    }
    expect([...loop.observation]).toEqual([202, 202])
  })

  test('acts at random up to its start and learns from there, so often after each step', () => {
    const learned = (first: number) => [`learn ${first}`, `learn ${first + 1}`]
    expect(calls).toEqual([...learned(0), ...[3, 4, 5, 6].flatMap((t) => [`act ${t}`, ...learned(2 * (t - 2))])])
    expect([loop.steps, loop.updates]).toEqual([7, 10])
    // Means over gradient steps, two each at 6, 8, 10, 12 and 14 transitions.
    expect(means).toEqual({ count: 10, rows: 4 })
  })

  test('tells the episodes and their mean return', () => {
    const { reward } = loop.replay
    const [ended, cut] = [
      [0, 1, 2],
      [3, 4],
    ].map((steps) => steps.map((t) => reward[2 * t] + reward[2 * t + 1]).reduce((sum, x) => sum + x, 0))
    const { episodes, meanReturn } = episodesOf(loop)
    expect(episodes).toBe(4)
    expect(meanReturn).toBeCloseTo((ended + cut) / 4, 5)
  })

  test('the rows of a gradient step change with it', async () => {
    const rows = new Set<string>()
    const learn = ({ batch }: OffPolicy) => {
      rows.add([...batch.observation].join())
      return { one: 1 }
    }
    expect(await iterate(loop, settings, learn, ['one'])).toEqual({ one: 1 })
    expect(rows.size).toBeGreaterThan(12)
  })
})

test('nothing is learned before a batch is there, and the means are then null', async () => {
  const few = { ...settings, steps: 2, warmup: 0, batchSize: 5 }
  const loop = await openLoop(few)
  const again = () => iterate(loop, few, () => ({ loss: 1 }), ['loss'])
  expect(await again()).toEqual({ loss: null })
  expect(await again()).toEqual({ loss: 1 })
})

test('actions before the start are uniform in [−1, 1], others in every step', async () => {
  const many = { ...settings, environments: 500, steps: 8, warmup: 100_000, replaySize: 4000 }
  const loop = await openLoop(many)
  await iterate(loop, many, () => ({}), [])
  const { action } = loop.replay
  expect(new Set(action).size).toBeGreaterThan(3990)
  // 5 standard errors of a mean of 4000: 1/√3 · 5/√4000 and √(4/45) · 5/√4000.
  expect(Math.abs(action.reduce((sum, a) => sum + a, 0) / 4000)).toBeLessThan(0.046)
  expect(Math.abs(action.reduce((sum, a) => sum + a * a, 0) / 4000 - 1 / 3)).toBeLessThan(0.024)
})

test('of a run whose length is known no more is kept than its transitions, or a batch', async () => {
  const capacity = async (iterations: number | undefined, batch = 4) =>
    (await openLoop({ ...settings, batchSize: batch }, iterations)).replay.capacity
  expect(await capacity(3)).toBe(42)
  expect(await capacity(20)).toBe(100)
  expect(await capacity(undefined)).toBe(100)
  expect(await capacity(1, 30)).toBe(30)
})

describe('actions in [−1, 1] moved to the box', () => {
  /** A box of three numbers, and 100 rows of actions. */
  function both(low: number[], high: number[], action: Float32Array) {
    const { ops, at, view } = arena
    view.low.set(low)
    view.high.set(high)
    view.action.set(action)
    ops.boundRows(at.out, at.action, 100, 3, at.low, at.high, HeadKind['squashed-gaussian'])
    const out = new Float32Array(300)
    boundInto(out, action, { ...turns, actionSpace: box(low, high) })
    const bits = (values: Float32Array) => [...new Uint32Array(values.slice().buffer)]
    return { ours: bits(out), theirs: bits(view.out), out }
  }

  test('gives the bits of the op of the core, whatever the bounds', () => {
    const { normal, between } = numbersOf(17)
    for (let k = 0; k < 50; k++) {
      const size = 10 ** between(-6, 6)
      const low = [0, 1, 2].map(() => size * normal())
      const high = low.map((x) => x + size * between(0, 3))
      const action = Float32Array.from({ length: 300 }, () => between(-1, 1))
      action.set([-1, 1, 0, 1, -1, -0, 1 - 2 ** -24])
      const { ours, theirs, out } = both(low, high, action)
      expect(ours).toEqual(theirs)
      out.forEach((x, i) => {
        expect(x).toBeGreaterThanOrEqual(Math.fround(low[i % 3]))
        expect(x).toBeLessThanOrEqual(Math.fround(high[i % 3]))
      })
    }
  })

  test('also where a bound is infinite or their difference overflows', () => {
    const action = Float32Array.from({ length: 300 }, (_, k) => (k % 21) / 10 - 1)
    const { ours, theirs } = both([0, Number.NEGATIVE_INFINITY, -3e38], [Number.POSITIVE_INFINITY, 1, 3e38], action)
    expect(ours).toEqual(theirs)
  })

  test('known ones', () => {
    const { out } = both([-2, 1, 0], [4, 2, 8], new Float32Array(300).fill(0.5))
    expect([...out.subarray(0, 3)]).toEqual([2.5, 1.75, 6])
  })

  test('numbers of actions stay as they are', () => {
    const out = new Float32Array(2)
    boundInto(out, Float32Array.of(1, 0), environmentSpec('CartPole-v1'))
    expect([...out]).toEqual([1, 0])
  })
})
