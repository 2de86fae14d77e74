import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { createArenaSync } from '../../src/core/arena.ts'
import { f64 } from '../../src/core/layout.ts'
import { compileCore } from '../../src/core/module.ts'
import { importPlanck, type Planck, startPlanck } from '../../src/envs/box2d/engine.ts'
import { lunarLander, lunarLanderContinuous } from '../../src/envs/box2d/lunar-lander.ts'
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
const { ops } = createArenaSync(await compileCore(), { unused: f64(1) })
const native = [Math.sin, Math.cos]
const planck = await startPlanck(importPlanck, ops)
const rules = { 'LunarLander-v3': lunarLander, 'LunarLanderContinuous-v3': lunarLanderContinuous }

const distance = (a: ArrayLike<number>, b: readonly number[]) => {
  expect(a).toHaveLength(b.length)
  return Math.max(...b.map((y, i) => Math.abs(a[i] - y)))
}

/** Box2D computes in float32, whose grain grows from step to step; measured: 1.6e-7, 3.1e-6, 7.4e-4. */
const TOLERANCE: Record<number, number> = { 1: 1e-6, 20: 1e-5, 100: 3e-3 }

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
    const task = rules[id]
    const episode = task.start({ planck, ops }, { ...task.defaults, ...options }, { uniform: next, integer: next })
    expect(distance(episode.obs, start)).toBeLessThan(1e-6)
    let steps = 0
    let sum = 0
    for (const action of actions) {
      const step = episode.step(action)
      steps++
      sum += step.reward
      if (TOLERANCE[steps] && obs[steps]) expect(distance(step.obs, obs[steps])).toBeLessThan(TOLERANCE[steps])
      if (steps <= 50) expect(Math.abs(step.reward - rewards[steps - 1])).toBeLessThan(1e-3)
      if (step.terminated) break
    }
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
    const step = env.step(id === 'LunarLander-v3' ? (7 * t) % 4 : [((t % 5) - 2) / 2, ((t % 7) - 3) / 3])
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

test("the library's joint gives the bits of planck's own", () => {
  class Plain extends planck.RevoluteJoint {
    constructor(definition: ConstructorParameters<Planck['RevoluteJoint']>[0]) {
      super(definition)
      // What the library puts into the joint stays without effect.
      const own = (planck.RevoluteJoint.prototype as unknown as Record<string, unknown>).solveVelocityConstraints
      Object.defineProperty(this, 'solveVelocityConstraints', { get: () => own, set: () => {} })
    }
  }
  const [{ draws, actions }] = golden.tasks['LunarLander-v3'][0].episodes
  const places = [planck, { ...planck, RevoluteJoint: Plain }].map((engine) => {
    let drawn = 0
    const next = () => draws[drawn++]
    const episode = lunarLander.start({ planck: engine, ops }, lunarLander.defaults, { uniform: next, integer: next })
    return actions.slice(0, 200).map((action) => [...Array.from(episode.step(action).obs), ...episode.shown()])
  })
  expect(places[1]).toEqual(places[0])
})

test.each(box2dIds)('%s keeps the contract, draws itself and can be moved in the middle of an episode', async (id) => {
  const spec = await box2d(id, { gravity: -5 })
  await checkEnvironment(spec, { episodes: 1, steps: 100 })
  expect(canBeMoved(spec)).toBe(true)
  const task = describeTask(spec)
  expect(task).toEqual({ id, constants: { gravity: -5 }, maxEpisodeSteps: 1000 })
  expect(describeTask(await taskFrom(task))).toEqual(task)
  const env = await make(spec)
  env.reset({ seed: 1 })
  expect(drawSvg(env.render())).toMatch(/<polygon.*<polygon/s)
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
