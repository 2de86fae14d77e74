import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import loadMujoco from '@mujoco/mujoco'
import { checkEnvironment } from '../../src/envs/check.ts'
import { ant } from '../../src/envs/mujoco/ant.ts'
import { halfCheetah } from '../../src/envs/mujoco/half-cheetah.ts'
import { hopper } from '../../src/envs/mujoco/hopper.ts'
import { humanoid } from '../../src/envs/mujoco/humanoid.ts'
import { invertedDoublePendulum } from '../../src/envs/mujoco/inverted-double-pendulum.ts'
import { invertedPendulum } from '../../src/envs/mujoco/inverted-pendulum.ts'
import { pusher } from '../../src/envs/mujoco/pusher.ts'
import { reacher } from '../../src/envs/mujoco/reacher.ts'
import { swimmer } from '../../src/envs/mujoco/swimmer.ts'
import { walker2d } from '../../src/envs/mujoco/walker2d.ts'
import { isMujocoId, type MujocoId, type MujocoOptions, mujoco, mujocoIds } from '../../src/envs/mujoco.ts'
import { drawSvg } from '../../src/envs/render.ts'
import type { Box } from '../../src/envs/spaces.ts'

interface Recorded {
  qpos: number[]
  qvel: number[]
  start: { obs: number[]; info: Record<string, number> }
  action: number[]
  qposNext: number[]
  qvelNext: number[]
  contacts: number
  obs: number[]
  reward: number
  terminated: boolean
  info: Record<string, number>
}
interface Golden {
  id: MujocoId
  limit: number
  threshold: number | null
  model: { fields: Record<string, number[]>; options: Record<string, number[]> }
  cases: { options: MujocoOptions; observations: number; low: number[]; high: number[]; steps: Recorded[] }[]
}

const golden = mujocoIds.map((id): Golden => {
  return JSON.parse(readFileSync(new URL(`../golden/mujoco-${id}.json`, import.meta.url), 'utf8'))
})
const globals = () => Object.getOwnPropertyNames(globalThis)
const globalsBefore = globals()
const engine = await loadMujoco()
const addedGlobals = globals().filter((name) => !globalsBefore.includes(name))

/** Largest difference, relative where numbers are above 1. */
function distance(a: ArrayLike<number>, b: readonly number[]): number {
  expect(a).toHaveLength(b.length)
  return b.reduce((worst, y, i) => Math.max(worst, Math.abs(a[i] - y) / Math.max(1, Math.abs(y))), 0)
}

/** The numbers of an info, in the order of their names. */
const numbersOf = (info: object) =>
  Object.entries(info)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, value]) => value as number | number[])

/** Both were computed by MuJoCo 3.14, compiled for two machines: C libraries differ in the last bit of sin and cos. */
const TOLERANCE = 1e-11

describe.each(golden)('$id, one step at a time from the states of Gymnasium', ({ id, cases, limit, threshold }) => {
  test.each(cases)('with $options', async ({ options, observations, low, high, steps }) => {
    const spec = await mujoco(id, options)
    expect(spec.maxEpisodeSteps).toBe(limit)
    expect(spec.rewardThreshold ?? null).toBe(threshold)
    expect(spec.observationSpace.low).toEqual(Array(observations).fill(-Infinity))
    const { kind, ...bounds } = spec.actionSpace as Box
    expect([kind, bounds.low.map(Math.fround), bounds.high.map(Math.fround)]).toEqual(['box', low, high])
    const env = spec.create()
    for (const recorded of steps) {
      const start = env.start(recorded.qpos, recorded.qvel)
      expect(distance(start.obs, recorded.start.obs)).toBeLessThan(TOLERANCE)
      expect(distance(numbersOf(start.info), numbersOf(recorded.start.info))).toBeLessThan(TOLERANCE)
      const step = env.step(recorded.action)
      expect(distance(env.qpos, recorded.qposNext)).toBeLessThan(TOLERANCE)
      expect(distance(env.qvel, recorded.qvelNext)).toBeLessThan(TOLERANCE)
      expect(distance(step.obs, recorded.obs)).toBeLessThan(TOLERANCE)
      expect(distance([step.reward], [recorded.reward])).toBeLessThan(TOLERANCE)
      expect(step.terminated).toBe(recorded.terminated)
      expect(step.truncated).toBe(false)
      expect(Object.keys(step.info).sort()).toEqual(Object.keys(recorded.info).sort())
      expect(distance(numbersOf(step.info), numbersOf(recorded.info))).toBeLessThan(TOLERANCE)
    }
    env.close()
  })
})

test('the data hold contacts, actions beyond the bounds, healthy steps and both ways to fall', () => {
  for (const { id, cases } of golden) {
    const steps = cases.flatMap((entry) => entry.steps)
    expect(steps.some(({ action }) => action.some((x, k) => Math.abs(x) > cases[0].high[k]))).toBe(true)
    if (id.includes('Pendulum')) expect(new Set(steps.map(({ terminated }) => terminated)).size).toBe(2)
    if (!['Swimmer-v5', 'Reacher-v5'].includes(id) && !id.includes('Pendulum'))
      expect(steps.some(({ contacts }) => contacts > 0)).toBe(true)
    if (id === 'Ant-v5') expect(steps.some(({ info }) => info.rewardContact < 0)).toBe(true)
    if (id === 'Humanoid-v5') {
      expect(new Set(steps.map(({ info }) => info.rewardContact)).size).toBeGreaterThan(2)
      expect(steps.some(({ info }) => info.rewardContact === -0.5)).toBe(true)
    }
    if (!('terminateWhenUnhealthy' in (robots[id].defaults as object))) continue
    expect(new Set(steps.map(({ terminated }) => terminated)).size).toBe(2)
    // Unhealthy, and yet not ended.
    expect(steps.some(({ terminated, info }) => !terminated && info.rewardSurvive === 0)).toBe(true)
  }
})

const robots = {
  'Swimmer-v5': swimmer,
  'HalfCheetah-v5': halfCheetah,
  'Hopper-v5': hopper,
  'Walker2d-v5': walker2d,
  'Ant-v5': ant,
  'Humanoid-v5': humanoid,
  'InvertedPendulum-v5': invertedPendulum,
  'InvertedDoublePendulum-v5': invertedDoublePendulum,
  'Reacher-v5': reacher,
  'Pusher-v5': pusher,
}

describe.each(golden)('the model of $id, compiled, is that of Gymnasium', ({ id, model: { fields, options } }) => {
  const model = engine.MjModel.from_xml_string(robots[id].xml) as unknown as Record<string, unknown>
  const opt = model.opt as Record<string, unknown>
  // The package cannot read arrays of booleans; a joint or an actuator is limited when it has a range.
  const flags: Record<string, string> = { jnt_limited: 'jnt_range', actuator_ctrllimited: 'actuator_ctrlrange' }

  test.each(Object.entries(fields))('%s', (name, values) => {
    if (!flags[name]) expect(distance(model[name] as Float64Array, values)).toBeLessThan(1e-12)
    else {
      const range = model[flags[name]] as Float64Array
      expect(values.map((_, i) => Number(range[2 * i] < range[2 * i + 1]))).toEqual(values)
    }
  })

  test.each(Object.entries(options))('option %s', (name, values) => {
    const value = opt[name]
    expect(typeof value === 'object' ? [...(value as Float64Array)] : [value]).toEqual(values)
  })
})

describe('reset', () => {
  const starts = async (id: MujocoId, options = {}) => {
    const env = (await mujoco(id, options)).create()
    const rows = Array.from({ length: 2000 }, (_, seed) => {
      env.reset({ seed })
      return { qpos: [...env.qpos], qvel: [...env.qvel] }
    })
    env.close()
    return rows
  }
  const column = (rows: number[][], k: number) => rows.map((row) => row[k])
  const mean = (xs: number[]) => xs.reduce((sum, x) => sum + x, 0) / xs.length
  const spread = (xs: number[]) => Math.sqrt(mean(xs.map((x) => (x - mean(xs)) ** 2)))
  /** Kolmogorov-Smirnov distance from uniform within ± scale; 1.63/√n is exceeded once in a hundred times. */
  const fromUniform = (xs: number[], scale: number) =>
    Math.max(...[...xs].sort((a, b) => a - b).map((x, i) => Math.abs((x / scale + 1) / 2 - (i + 0.5) / xs.length))) *
    Math.sqrt(xs.length)

  test('positions are uniform around rest', async () => {
    const rows = await starts('Hopper-v5')
    const rest = [0, 1.25, 0, 0, 0, 0]
    for (let k = 0; k < 6; k++) {
      const noise = column(
        rows.map(({ qpos }) => qpos),
        k,
      ).map((x) => x - rest[k])
      expect(Math.max(...noise.map(Math.abs))).toBeLessThanOrEqual(5e-3)
      expect(fromUniform(noise, 5e-3)).toBeLessThan(1.9)
    }
  })

  test('velocities are uniform, or normal for HalfCheetah, Ant and the double pendulum', async () => {
    for (const id of mujocoIds) {
      const { defaults } = robots[id]
      if (!('resetNoiseScale' in defaults)) continue
      const scale = defaults.resetNoiseScale
      const normal = ['HalfCheetah-v5', 'Ant-v5', 'InvertedDoublePendulum-v5'].includes(id)
      const noise = (await starts(id)).map(({ qvel }) => qvel.at(-1) as number)
      if (normal) {
        expect(spread(noise)).toBeGreaterThan(0.095)
        expect(spread(noise)).toBeLessThan(0.105)
        expect(noise.filter((x) => Math.abs(x) > 0.1).length / noise.length).toBeCloseTo(0.317, 1)
      } else expect(fromUniform(noise, scale)).toBeLessThan(1.9)
    }
  })

  test('Reacher: the target is uniform in a disc of 0.2 m; Pusher: the object is not near the goal', async () => {
    const reached = await starts('Reacher-v5')
    const radii = reached.map(({ qpos }) => Math.hypot(qpos[2], qpos[3]))
    expect(Math.max(...radii)).toBeLessThan(0.2)
    expect(fromUniform(radii.map((r) => 2 * (r / 0.2) ** 2 - 1), 1)).toBeLessThan(1.9) // biome-ignore format: one line
    for (const k of [0, 1]) expect(fromUniform(reached.map(({ qpos }) => qpos[k]), 0.1)).toBeLessThan(1.9) // biome-ignore format: one line
    expect(reached.every(({ qvel }) => qvel[2] === 0 && qvel[3] === 0)).toBe(true)
    const pushed = await starts('Pusher-v5')
    for (const { qpos, qvel } of pushed.slice(0, 500)) {
      const [a, b] = [qpos[7], qpos[8]]
      expect(a >= -0.3 && a <= 0 && Math.abs(b) <= 0.2 && Math.hypot(a, b) > 0.17).toBe(true)
      expect([...qpos.slice(0, 7), ...qpos.slice(9), ...qvel.slice(7)].every((x) => x === 0)).toBe(true)
    }
    expect(fromUniform(pushed.map(({ qvel }) => qvel[0]), 5e-3)).toBeLessThan(1.9) // biome-ignore format: one line
  })

  test('positions and velocities are independent', async () => {
    const rows = await starts('Swimmer-v5')
    const correlation = (a: number, b: number) => mean(rows.map(({ qpos, qvel }) => qpos[a] * qvel[b])) / (0.01 / 3)
    for (let k = 0; k < 5; k++) expect(Math.abs(correlation(k, k))).toBeLessThan(4 / Math.sqrt(rows.length))
  })

  test('resetNoiseScale scales the noise, 0 starts at rest', async () => {
    const still = (await mujoco('Ant-v5', { resetNoiseScale: 0 })).create()
    still.reset({ seed: 1 })
    expect([...still.qpos]).toEqual([0, 0, 0.75, 1, ...Array(11).fill(0)])
    expect([...still.qvel]).toEqual(Array(14).fill(0))
    const wild = (await mujoco('Swimmer-v5', { resetNoiseScale: 1 })).create()
    const tame = (await mujoco('Swimmer-v5')).create()
    wild.reset({ seed: 1 })
    tame.reset({ seed: 1 })
    expect(
      distance(
        tame.qpos,
        [...wild.qpos].map((x) => x / 10),
      ),
    ).toBeLessThan(1e-15)
    for (const env of [still, wild, tame]) env.close()
  })

  test('an episode is a function of its seed, whatever was before', async () => {
    const cheetah = await mujoco('HalfCheetah-v5')
    const episode = (env: ReturnType<typeof cheetah.create>, seed: number) => {
      const seen = [...env.reset({ seed }).obs]
      for (let t = 0; t < 30; t++) {
        const { obs, reward } = env.step([0, 1, 2, 3, 4, 5].map((k) => ((t * 7 + k * 3) % 11) / 5 - 1))
        seen.push(...obs, reward)
      }
      return seen
    }
    const first = cheetah.create()
    const second = cheetah.create()
    const expected = episode(first, 2 ** 53 - 1)
    episode(second, 3)
    expect(episode(second, 2 ** 53 - 1)).toEqual(expected)
    expect(episode(second, 2 ** 40)).not.toEqual(expected)
    first.close()
    second.close()
  })
})

describe('the contract', () => {
  test('ids', async () => {
    expect(mujocoIds).toEqual([
      ...['Swimmer-v5', 'HalfCheetah-v5', 'Hopper-v5', 'Walker2d-v5', 'Ant-v5', 'Humanoid-v5'],
      ...['InvertedPendulum-v5', 'InvertedDoublePendulum-v5', 'Reacher-v5', 'Pusher-v5'],
    ])
    expect(isMujocoId('Ant-v5')).toBe(true)
    expect(isMujocoId('Ant-v4')).toBe(false)
    expect(isMujocoId('toString')).toBe(false)
    await expect(mujoco('Ant-v4' as MujocoId)).rejects.toThrow(
      'Unknown MuJoCo task "Ant-v4"; there are Swimmer-v5, Half',
    )
  })

  test.each<[MujocoOptions<MujocoId> & Record<string, unknown>, string]>([
    [{ costWeight: 1 }, 'Hopper-v5 has no option "costWeight"; it has frameSkip, forwardRewardWeight'],
    [{ contactCostWeight: 1 }, 'Hopper-v5 has no option "contactCostWeight"'],
    [{ frameSkip: 0 }, 'Hopper-v5: frameSkip must be a whole number of at least 1, got 0.'],
    [{ frameSkip: 1.5 }, 'frameSkip must be a whole number of at least 1, got 1.5.'],
    [{ resetNoiseScale: -1 }, 'resetNoiseScale must be a finite number of at least 0, got -1.'],
    [{ ctrlCostWeight: Number.NaN }, 'ctrlCostWeight must be a finite number, got NaN.'],
    [{ healthyZRange: [2, 1] }, 'healthyZRange must be two numbers, the lesser first, got [2, 1].'],
    [{ healthyZRange: [Number.NaN, 1] }, 'healthyZRange must be two numbers, the lesser first, got [NaN, 1].'],
    [{ healthyZRange: ['0', 1] as never }, 'healthyZRange must be two numbers, the lesser first, got ["0",1].'],
    [{ terminateWhenUnhealthy: 1 as never }, 'terminateWhenUnhealthy must be true or false, got 1.'],
    [{ xml: 3 as never }, 'Hopper-v5: xml must be MJCF text or the path of a file, got 3.'],
    [{ xml: '/nowhere/robot.xml' }, 'Hopper-v5: there is no model file "/nowhere/robot.xml".'],
    [{ xml: '<mujoco><foo/></mujoco>' }, 'Hopper-v5: MuJoCo cannot read the model: MuJoCo Error: Loading error'],
    [{ xml: swimmerWith('<slide/>') }, 'Hopper-v5: MuJoCo cannot read the model'],
    [{ xml: '<mujoco/>' }, 'Hopper-v5: the model must have at least 3 positions, it has 0.'],
  ])('%p is refused', async (options, message) => {
    await expect(mujoco('Hopper-v5', options)).rejects.toThrow(message)
  })

  test('Ant follows a body by name or number, which must exist', async () => {
    await expect(mujoco('Ant-v5', { mainBody: 'tail' })).rejects.toThrow(
      'The model has 14 bodies, from 0; there is no body "tail".',
    )
    await expect(mujoco('Ant-v5', { mainBody: 14 })).rejects.toThrow('there is no body 14.')
    await expect(mujoco('Ant-v5', { mainBody: -1 })).rejects.toThrow(
      'mainBody must be the number or the name of a body',
    )
  })

  test('configure replaces options, words included', async () => {
    const spec = await mujoco('HalfCheetah-v5', { ctrlCostWeight: 0 })
    const shown = spec.configure?.({ excludeCurrentPositionsFromObservation: 'false', frameSkip: 1 })
    expect(shown?.observationSpace.low).toHaveLength(18)
    const env = shown?.create?.()
    env?.reset({ seed: 0 })
    expect(env?.step([1, 1, 1, 1, 1, 1]).info.rewardCtrl).toBeCloseTo(0, 15)
    env?.close?.()
    expect(() => spec.configure?.({ mass: 1 })).toThrow('HalfCheetah-v5 has no option "mass"')
  })

  test('without the package, the error says what to install, and a later call tries again', async () => {
    let attempts = 0
    const load = async () => {
      if (attempts++) return { default: loadMujoco }
      throw new Error("Cannot find package '@mujoco/mujoco'")
    }
    await expect(mujoco('Ant-v5', { load })).rejects.toThrow(
      /^MuJoCo is not installed, or cannot be imported: npm install @mujoco\/mujoco; a bundled page passes load: /,
    )
    expect((await mujoco('Ant-v5', { load })).id).toBe('Ant-v5')
    await mujoco('Swimmer-v5', { load })
    expect(attempts).toBe(2)
  })

  test('leaves no globals behind, of which its engine has some', async () => {
    expect(addedGlobals).toEqual(expect.arrayContaining(['buffer', 'allocate']))
    for (const name of addedGlobals) Reflect.deleteProperty(globalThis, name)
    const before = globals()
    const own = () => Object.defineProperty(globalThis, 'ofTheProgram', { get: () => 1, configurable: true })
    await mujoco('Ant-v5', { load: async () => ({ default: () => own() && loadMujoco() }) })
    expect(globals()).toEqual([...before, 'ofTheProgram'])
    Reflect.deleteProperty(globalThis, 'ofTheProgram')
  })

  test('refuses an engine of another major version', async () => {
    const load = async () => ({ default: async () => ({ ...engine, mj_versionString: () => '4.0.0' }) })
    await expect(mujoco('Ant-v5', { load })).rejects.toThrow(
      /^MuJoCo 4\.0\.0 moves robots otherwise than the version 3 .* npm install @mujoco\/mujoco@3\.14\.0\.$/,
    )
    const same = async () => ({ default: async () => ({ ...engine, mj_versionString: () => '3.20.1' }) })
    expect((await mujoco('Ant-v5', { load: same })).id).toBe('Ant-v5')
  })

  test('steps outside an episode, and wrong actions and states, are refused', async () => {
    const env = (await mujoco('Hopper-v5')).create()
    expect(() => env.step([0, 0, 0])).toThrow('Hopper-v5: call reset before step; there is no running episode.')
    env.reset({ seed: 0 })
    expect(() => env.step([0, 0])).toThrow('Hopper-v5: an action is 3 finite numbers, got [0, 0].')
    expect(() => env.step([0, 0, Number.NaN])).toThrow('an action is 3 finite numbers, got [0, 0, NaN].')
    expect(() => env.start([0], [0])).toThrow('Hopper-v5: a state is 6 positions and 6 velocities, got 1 and 1.')
    env.start([0, 0.3, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0])
    expect(env.step([0, 0, 0]).terminated).toBe(true)
    expect(() => env.step([0, 0, 0])).toThrow('call reset before step')
    env.close()
    env.close()
    expect(() => env.reset({ seed: 0 })).toThrow('Hopper-v5: this environment is closed.')
    expect(() => env.qpos).toThrow('Hopper-v5: this environment is closed.')
  })
})

/** Swimmer's model with something more in it. */
function swimmerWith(more: string): string {
  return swimmer.xml.replace('</mujoco>', `${more}</mujoco>`)
}

describe('a model of the user', () => {
  test('may be text or a file; an actuator without bounds has infinite ones', async () => {
    const xml = swimmer.xml.replace(' ctrlrange="-1 1"', '').replace('timestep="0.01"', 'timestep="0.002"')
    const folder = mkdtempSync(join(tmpdir(), 'steinrl-'))
    writeFileSync(join(folder, 'robot.xml'), xml)
    for (const given of [xml, `\n  ${xml}`, join(folder, 'robot.xml')]) {
      const spec = await mujoco('Swimmer-v5', { xml: given })
      expect(spec.actionSpace).toEqual({ kind: 'box', low: [-Infinity, -1], high: [Infinity, 1] })
      const env = spec.create()
      env.start([0, 0, 0, 0, 0], [1, 0, 0, 0, 0])
      const { info } = env.step([0, 0])
      // The velocity counts the time that passed in this model.
      expect(info.xVelocity).toBeGreaterThan(0.5)
      expect(info.xPosition).toBeCloseTo((info.xVelocity as number) * 0.008, 12)
      env.close()
    }
    rmSync(folder, { recursive: true })
  })
})

describe('memory', () => {
  test('a robot outlives the growth of the memory of MuJoCo', async () => {
    const load = async () => ({ default: loadMujoco })
    const spec = await mujoco('Swimmer-v5', { load })
    const env = spec.create()
    const other = (await mujoco('Swimmer-v5')).create()
    env.reset({ seed: 5 })
    other.reset({ seed: 5 })
    const before = env.qpos
    const crowd = []
    while (before.length > 0) crowd.push(spec.create())
    for (let t = 0; t < 5; t++) expect(env.step([1, -1]).obs).toEqual(other.step([1, -1]).obs)
    for (const each of [env, other, ...crowd]) each.close()
  })

  test('steps and closed environments leave nothing behind', async () => {
    const load = async () => ({ default: loadMujoco })
    const spec = await mujoco('HalfCheetah-v5', { load })
    const env = spec.create()
    env.reset({ seed: 0 })
    const size = () => env.qpos.buffer.byteLength
    const start = size()
    for (let t = 0; t < 3000; t++) env.step([0, 0, 0, 0, 0, 0])
    for (let k = 0; k < 300; k++) spec.create().close()
    expect(size()).toBe(start)
    env.close()
  })

  test('every object of MuJoCo is deleted once: environments share a model until the last is closed', async () => {
    let alive = 0
    const counted = <T extends { delete(): void }>(handle: T): T => {
      const free = handle.delete.bind(handle)
      alive++
      handle.delete = () => {
        alive--
        free()
      }
      return handle
    }
    const countedModel = (xml: string) => {
      const model = engine.MjModel.from_xml_string(xml)
      const option = () => counted(Reflect.get(Object.getPrototypeOf(model), 'opt', model))
      return counted(Object.defineProperty(model, 'opt', { get: option }))
    }
    const load = async () => ({
      default: async () => ({
        ...Object.fromEntries(
          (['mj_resetData', 'mj_forward', 'mj_step', 'mj_rnePostConstraint'] as const).map((op) => [op, engine[op]]),
        ),
        MjModel: { from_xml_string: countedModel },
        MjData: function make(model: never) {
          return counted(new engine.MjData(model))
        },
      }),
    })
    const spec = await mujoco('Ant-v5', { load })
    expect(alive).toBe(0)
    const environments = [spec.create(), spec.create(), spec.create()]
    expect(alive).toBe(4)
    for (const env of environments) {
      env.reset({ seed: 0 })
      env.step([0, 0, 0, 0, 0, 0, 0, 0])
      env.close()
    }
    expect(alive).toBe(0)
    const again = spec.create()
    expect(again.reset({ seed: 0 }).obs[0]).toBeCloseTo(0.75, 0)
    again.close()
    await expect(mujoco('Ant-v5', { load, xml: swimmer.xml, mainBody: 9 })).rejects.toThrow('no body 9')
    expect(alive).toBe(0)
  })
})

describe('pictures', () => {
  test.each(mujocoIds)('%s keeps the contract and draws itself', async (id) => {
    const spec = await mujoco(id)
    await checkEnvironment(spec, { episodes: 1, steps: 20 })
    const env = spec.create()
    env.reset({ seed: 1 })
    expect(drawSvg(spec.render?.(env.state ?? []) ?? { view: [0, 0, 0, 0], shapes: [] })).toMatch(
      /<(polyline|path|line)/,
    )
    env.close()
  })

  test('a pole stands where its angle says', async () => {
    const spec = await mujoco('InvertedPendulum-v5')
    const env = spec.create()
    const [x, angle] = [0.2, 0.3]
    env.start([x, angle], [0, 0])
    const shapes = spec.render?.(env.state ?? []).shapes ?? []
    const rods = shapes.flatMap((shape) => (shape.kind === 'line' ? [shape.points.flat()] : []))
    const pole = [x, 0, x + 0.6 * Math.sin(angle), 0.6 * Math.cos(angle)]
    const wanted = [[-1, 0, 1, 0], [x - 0.1, 0, x + 0.1, 0], pole]
    // MuJoCo turns some rods round.
    const sorted = ([a, b, c, d]: readonly number[]) => (a < c ? [a, b, c, d] : [c, d, a, b])
    rods.map(sorted).forEach((ends, k) => {
      for (const [i, value] of ends.entries()) expect(value).toBeCloseTo(wanted[k][i], 2)
    })
    expect(rods).toHaveLength(3)
    env.close()
  })

  test('a cheetah stays in the middle of its picture, seen from the side; a reacher is seen from above', async () => {
    const spec = await mujoco('HalfCheetah-v5')
    const env = spec.create()
    const viewAt = (x: number) => {
      env.start([x, ...Array(8).fill(0)], Array(9).fill(0))
      return spec.render?.(env.state ?? []).view ?? [0, 0, 0, 0]
    }
    const [left, ...others] = viewAt(0)
    const [moved, ...same] = viewAt(7)
    expect(moved - left).toBeCloseTo(7, 10)
    expect(same).toEqual(others)
    env.close()
    const reach = await mujoco('Reacher-v5')
    const arm = reach.create()
    arm.start([0, 0, 0.05, -0.15], [0, 0, 0, 0])
    const target = reach.render?.(arm.state ?? []).shapes.at(-1)
    if (target?.kind !== 'circle') throw new Error('The target is no circle.')
    expect(target.at[0]).toBeCloseTo(0.05, 10)
    expect(target.at[1]).toBeCloseTo(-0.15, 10)
    arm.close()
  })
})
