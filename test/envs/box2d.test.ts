import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { generator, uniform, uniformInteger } from '../../src/core/generator.ts'
import { compileCore } from '../../src/core/module.ts'
import { bipedalWalker, bipedalWalkerHardcore } from '../../src/envs/box2d/bipedal-walker.ts'
import { importPlanck, type Planck, startPlanck } from '../../src/envs/box2d/engine.ts'
import { lunarLander, lunarLanderContinuous } from '../../src/envs/box2d/lunar-lander.ts'
import { roundsIn } from '../../src/envs/box2d/rounds.ts'
import type { Task } from '../../src/envs/box2d/task.ts'
import { LENGTH, STEP, terrainOf } from '../../src/envs/box2d/terrain.ts'
import { type Box2dId, box2d, box2dIds, isBox2dId } from '../../src/envs/box2d.ts'
import { describeTask, taskFrom } from '../../src/envs/description.ts'
import { canBeMoved } from '../../src/envs/instance-states.ts'
import { creatorOf } from '../../src/envs/instances.ts'
import { checkEnvironment, drawSvg, make, train } from '../../src/index.ts'

interface Recorded {
  draws: number[]
  start: number[]
  actions: (number | number[])[]
  rewards: number[]
  obs: Record<string, number[]>
  terminated: boolean
}
interface Case {
  options: Record<string, number | boolean>
  limit: number
  threshold: number
  low: number[]
  high: number[]
  episodes: Recorded[]
}
const golden: { tasks: Record<Box2dId, Case[]> } = JSON.parse(
  readFileSync(new URL('../golden/gymnasium-box2d.json', import.meta.url), 'utf8'),
)
const rounds = roundsIn(await compileCore())
const { ops } = rounds.arena
const native = [Math.sin, Math.cos]
const planck = await startPlanck(importPlanck, ops)
const rules = {
  'LunarLander-v3': lunarLander,
  'LunarLanderContinuous-v3': lunarLanderContinuous,
  'BipedalWalker-v3': bipedalWalker,
  'BipedalWalkerHardcore-v3': bipedalWalkerHardcore,
}

const distance = (a: ArrayLike<number>, b: readonly number[]) => {
  expect(a).toHaveLength(b.length)
  return Math.max(...b.map((y, i) => Math.abs(a[i] - y)))
}

/**
 * Box2D computes in float32, whose grain grows from step to step; measured: 1.6e-7, 3.1e-6, 7.4e-4 for landers, 3.2e-5,
 * 5.3e-4 for walkers, whose walk is chaotic: after 100 steps they are apart by 0.3.
 */
const TOLERANCE: Record<'lander' | 'walker', Record<number, number>> = {
  lander: { 1: 1e-6, 20: 1e-5, 100: 3e-3 },
  walker: { 1: 1e-4, 20: 2e-3 },
}
/** Steps after which a walk is compared no more. */
const CHAOS = 110

const isWalker = (id: Box2dId) => id.startsWith('Bipedal')

const cases = box2dIds.flatMap((id) => golden.tasks[id].map((recorded) => ({ id, ...recorded })))

describe.each(cases)('$id with $options, open loop from the ground and draws of Gymnasium', (recorded) => {
  const { id, options, limit, threshold, low, high, episodes } = recorded

  test('its spaces, limit and threshold', async () => {
    const spec = await box2d(id, options)
    expect(spec.observationSpace).toEqual({ kind: 'box', low: low.map((x) => x + 0), high })
    expect([spec.maxEpisodeSteps, spec.rewardThreshold]).toEqual([limit, threshold])
  })

  test.each(episodes)('an episode', ({ draws, start, actions, rewards, obs, terminated }) => {
    let drawn = 0
    const next = () => draws[drawn++]
    const task = rules[id] as unknown as Task<object>
    const tolerance = TOLERANCE[isWalker(id) ? 'walker' : 'lander']
    const episode = task.start(
      { planck, ops, rounds },
      { ...task.defaults, ...options },
      { uniform: next, integer: next },
    )
    expect(distance(episode.obs, start)).toBeLessThan(isWalker(id) ? 3e-6 : 1e-6)
    let steps = 0
    let sum = 0
    for (const action of actions) {
      const step = episode.step(action)
      steps++
      sum += step.reward
      if (tolerance[steps] && obs[steps]) expect(distance(step.obs, obs[steps])).toBeLessThan(tolerance[steps])
      if (steps <= 50) expect(Math.abs(step.reward - rewards[steps - 1])).toBeLessThan(isWalker(id) ? 5e-3 : 1e-3)
      if (step.terminated) break
    }
    expect(drawn).toBe(draws.length)
    if (isWalker(id) && actions.length > CHAOS) return
    expect([steps, drawn, terminated]).toEqual([actions.length, draws.length, true])
    const whole = rewards.reduce((a, b) => a + b, 0)
    expect(Math.abs(sum - whole)).toBeLessThan(0.3)
  })
})

/** Everything an episode of random actions shows, as text. */
async function play(id: Box2dId, seed: number) {
  const env = await make(id)
  const rows: number[][] = [[...env.reset({ seed }).obs]]
  for (let t = 0, over = false; !over; t++) {
    const throttles = [((t % 5) - 2) / 2, ((t % 7) - 3) / 3]
    const step = env.step(
      id === 'LunarLander-v3' ? (7 * t) % 4 : isWalker(id) ? [...throttles, ...throttles] : throttles,
    )
    rows.push([...step.obs, step.reward])
    over = step.terminated || step.truncated
  }
  env.close()
  return JSON.stringify(rows)
}

test.each(box2dIds)('%s: the same bits from the same seed, whatever was played before', async (id) => {
  const first = await play(id, 3)
  expect(await play(id, 4)).not.toBe(first)
  expect(await play(id, 3)).toBe(first)
})

test('sines are those of the core, and Math has its own again', () => {
  expect([Math.sin, Math.cos]).toEqual(native)
  for (let x = -50; x < 50; x += 0.1) expect(planck.Rot.neo(x)).toMatchObject({ s: ops.sin64(x), c: ops.cos64(x) })
})

/** What the library puts in the place of planck's own methods stays without effect. */
function keepOwn(target: object, ...names: readonly string[]): void {
  for (const name of names) {
    const own = (target as Record<string, unknown>)[name]
    Object.defineProperty(target, name, { get: () => own, set: () => {} })
  }
}

/** planck whose worlds and joints take their steps themselves. */
const own = {
  ...planck,
  RevoluteJoint: class extends planck.RevoluteJoint {
    constructor(definition: ConstructorParameters<Planck['RevoluteJoint']>[0]) {
      super(definition)
      keepOwn(this, 'solveVelocityConstraints', 'solvePositionConstraints')
    }
  },
  World: class extends planck.World {
    constructor(definition: ConstructorParameters<Planck['World']>[0]) {
      super(definition)
      keepOwn((this as unknown as { m_solver: object }).m_solver, 'solveIsland')
    }
  },
}

test.each(cases.flatMap(({ id, options, episodes }) => episodes.map((episode, k) => ({ id, options, k, ...episode }))))(
  "$id with $options, episode $k: the library's steps give the bits of planck's own",
  (recorded) => {
    const { id, options, draws, actions } = recorded
    const task = rules[id] as unknown as Task<object>
    const places = [planck, own].map((engine) => {
      let drawn = 0
      const next = () => draws[drawn++]
      const draw = { uniform: next, integer: next }
      const episode = task.start({ planck: engine, ops, rounds }, { ...task.defaults, ...options }, draw)
      return actions.map((action) =>
        Array.from(Float64Array.of(...Array.from(episode.step(action).obs), ...episode.shown())),
      )
    })
    places[0].forEach((now, t) => {
      if (!now.every((x, k) => Object.is(x, places[1][t][k]))) throw new Error(`step ${t + 1}: other bits`)
    })
  },
)

/** A constant of each that is not as it is by default. */
const changedOf = (id: Box2dId) => (isWalker(id) ? { hardcore: id === 'BipedalWalker-v3' } : { gravity: -5 })

test.each(box2dIds)('%s keeps the contract, draws itself and can be moved in the middle of an episode', async (id) => {
  const constants = changedOf(id)
  const spec = await box2d(id, constants)
  await checkEnvironment(spec, { episodes: 1, steps: 100 })
  expect(canBeMoved(spec)).toBe(true)
  const task = describeTask(spec)
  expect(task).toEqual({ id, constants, maxEpisodeSteps: spec.maxEpisodeSteps })
  expect(describeTask(await taskFrom(task))).toEqual(task)
  const env = await make(spec)
  env.reset({ seed: 1 })
  expect(drawSvg(env.render())).toMatch(/<polygon.*<polygon/s)
})

test('the picture of a walker goes with it, as wide as it was', () => {
  const scene = (x: number) => bipedalWalker.scene(Float64Array.from({ length: 17 + LENGTH }, (_, k) => (k ? 0 : x)))
  const [left, bottom, width, height] = scene(10).view
  expect(scene(50).view).toEqual([left + 40, bottom, width, height])
  expect(width / height).toBe(600 / 400)
})

test('contacts are made in the order of Box2D, in which a walker goes where it goes there', async () => {
  const [{ draws, actions, obs }] = golden.tasks['BipedalWalker-v3'][1].episodes
  /** A world whose search for pairs cannot be replaced. */
  class Unsorted extends planck.World {
    constructor(definition: ConstructorParameters<Planck['World']>[0]) {
      super(definition)
      const phase = (this as unknown as { m_broadPhase: { updatePairs: unknown } }).m_broadPhase
      const own = phase.updatePairs
      Object.defineProperty(phase, 'updatePairs', { get: () => own, set: () => {} })
    }
  }
  const [sorted, unsorted] = [planck, { ...planck, World: Unsorted }].map((engine) => {
    let drawn = 0
    const next = () => draws[drawn++]
    const draw = { uniform: next, integer: next }
    const episode = bipedalWalker.start({ planck: engine, ops, rounds }, bipedalWalker.defaults, draw)
    return distance(episode.step(actions[0]).obs, obs[1])
  })
  expect(sorted).toBeLessThan(1e-4)
  expect(unsorted).toBeGreaterThan(0.01)
})

test('the ground of a hardcore way has stumps, stairs and pits, and a way without has none', () => {
  const kinds = new Set<number>()
  for (let seed = 0; seed < 20; seed++) {
    const random = generator(seed)
    const draws = {
      uniform: (low: number, high: number) => low + (high - low) * uniform(random),
      integer: (low: number, high: number) => low + uniformInteger(random, high - low),
    }
    const { heights, blocks } = terrainOf(draws, true, 3)
    expect(heights).toHaveLength(LENGTH)
    for (const [a, , c] of blocks) kinds.add(Math.round((c.y - a.y) / STEP))
    expect(terrainOf(draws, false, 3).blocks).toEqual([])
  }
  // Stumps of one and two, steps of stairs of one, walls of pits of four.
  expect([...kinds].sort()).toEqual([1, 2, 4])
})

test('it is trained by its name, with the same bits for one worker and two', async () => {
  const run = async (workers: number) => {
    const rows: unknown[] = []
    const settings = { particles: 2, environments: 2, steps: 40, iterations: 2, seed: 5 }
    for await (const { metrics } of train({ env: 'LunarLander-v3', ...settings, workers })) rows.push(metrics.loss)
    return rows
  }
  expect(await run(2)).toEqual(await run(1))
}, 120_000)

const instance = async (options = {}) => creatorOf(await box2d('LunarLander-v3', options))()

describe('bad input', () => {
  test.each([
    [{ gravity: -13 }, 'LunarLander-v3: gravity must be a number between -12 and 0, got -13.'],
    [{ gravity: 0 }, 'LunarLander-v3: gravity must be a number between -12 and 0, got 0.'],
    [{ enableWind: 3 }, 'LunarLander-v3: enableWind must be true or false, got 3.'],
    [{ windPower: Number.NaN }, 'LunarLander-v3: windPower must be a finite number, got NaN.'],
    [
      { wind: 1 },
      'LunarLander-v3 has no option "wind"; it has continuous, gravity, enableWind, windPower, turbulencePower.',
    ],
  ])('%j', async (options, message) => {
    await expect(box2d('LunarLander-v3', options as object)).rejects.toThrow(message)
  })

  test('ids, actions, steps before a reset and after the end', async () => {
    expect([isBox2dId('LunarLander-v3'), isBox2dId('LunarLander-v2')]).toEqual([true, false])
    await expect(box2d('LunarLander-v2' as Box2dId)).rejects.toThrow(
      /^Unknown Box2D task "LunarLander-v2"; there are Lunar/,
    )
    const env = await instance()
    expect(() => env.step(0)).toThrow('LunarLander-v3: call reset before step; there is no running episode.')
    env.reset({ seed: 0 })
    expect(() => env.step(4)).toThrow('LunarLander-v3: an action is a whole number from 0 to 3, got 4.')
    const both = await instance({ continuous: true })
    both.reset({ seed: 0 })
    expect(() => both.step([0, Number.NaN])).toThrow('LunarLander-v3: an action is 2 finite numbers, got [0, NaN].')
  })

  test('no planck, another package, and a planck with other sines', async () => {
    const from = (load: () => Promise<unknown>) => box2d('LunarLander-v3', { load })
    await expect(from(() => Promise.reject(new Error('no')))).rejects.toThrow(
      /^planck, the port of Box2D, is not installed, or cannot be imported: npm install planck@1.4;/,
    )
    await expect(from(() => Promise.resolve({}))).rejects.toThrow(/^What load gave is not planck 1.4/)
    const Rot = { neo: (x: number) => ({ s: Math.sin(x) + 1e-16, c: Math.cos(x) }) }
    await expect(from(() => Promise.resolve({ ...planck, Rot: Object.assign(() => {}, Rot) }))).rejects.toThrow(
      /^planck was loaded before by something else/,
    )
    expect([Math.sin, Math.cos]).toEqual(native)
  })
})
