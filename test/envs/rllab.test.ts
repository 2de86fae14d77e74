import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { createArena } from '../../src/core/arena.ts'
import { f32, f64, u8 } from '../../src/core/layout.ts'
import { compileCore } from '../../src/core/module.ts'
import { make } from '../../src/envs/make.ts'
import { environmentSpec } from '../../src/envs/registry.ts'
import { box2dCartPole, box2dDoublePendulum } from '../reference/box2d.ts'
import {
  acceleration,
  cartPole,
  doublePendulum,
  energy,
  frame,
  type Mechanism,
  pin,
  type RigidBody,
  rail,
  rungeKutta,
} from '../reference/rigid.ts'

const cartPoles = ['RllabCartpole', 'CartpoleSwingup']
const ids = [...cartPoles, 'DoublePendulum']
const physics = ['box2d', 'exact']
/** m; half the height of the cart. */
const RAIL = Math.sqrt(3) / 4

/** Numbers in ±1 that follow from a seed (Lehmer). */
function source(seed: number) {
  let x = seed
  return () => {
    x = (x * 48271) % 2147483647
    return Math.fround((2 * x) / 2147483647 - 1)
  }
}

const controls: Record<string, () => () => number> = {
  'no control': () => () => 0,
  'constant control': () => () => Math.fround(0.3),
  'random control': () => source(77),
}

const worst = (a: ArrayLike<number>, b: readonly number[]) => Math.max(...b.map((x, k) => Math.abs(x - a[k])))

/** What the library's row should hold, from planck. */
const places = {
  cartPole({ cart, pole }: ReturnType<typeof box2dCartPole>) {
    const [c, p] = [cart(), pole()]
    return [c.x, c.vx, p.angle, p.w, p.centreX, p.centreY, p.vx, p.vy, c.y]
  },
  doublePendulum({ link1, link2 }: ReturnType<typeof box2dDoublePendulum>) {
    const [a, b] = [link1(), link2()]
    return [a.angle, a.w, b.angle, b.w, ...[a, b].flatMap(({ centreX, centreY, vx, vy }) => [centreX, centreY, vx, vy])]
  },
}

interface Recorded {
  readonly start: [number, number, number, number]
  readonly actions: readonly number[]
  readonly states: Readonly<Record<string, readonly number[]>>
  readonly rewards: readonly number[]
  readonly terminated: boolean
}

describe('box2d: against rllab itself on Box2D, which computes in float32', () => {
  const { tasks: golden }: { tasks: Record<string, Recorded[]> } = JSON.parse(
    readFileSync(new URL('../golden/rllab.json', import.meta.url), 'utf8'),
  )

  test.each([
    ['RllabCartpole', 2e-6, 2e-5, 2e-5, 1e-6],
    ['CartpoleSwingup', 2e-6, 2e-5, 3e-4, 1e-5],
    ['DoublePendulum', 2e-5, 3e-4, 0.1, 2e-3],
  ])('%s, random control: %p, %p and %p over 1, 20 and 100 steps', async (id, one, twenty, hundred, reward) => {
    const env = await make(id)
    const largest = { 1: 0, 20: 0, 100: 0, reward: 0 }
    expect(golden[id]).toHaveLength(12)
    for (const { start, actions, states, rewards, terminated } of golden[id]) {
      const [cart, pendulum] = [box2dCartPole(), box2dDoublePendulum()]
      cart.reset(...start)
      pendulum.reset(...start)
      env.reset({ seed: 0 })
      env.state.set(id === 'DoublePendulum' ? places.doublePendulum(pendulum) : places.cartPole(cart))
      actions.forEach((action, k) => {
        const step = env.step([action])
        expect(step.terminated).toBe(terminated && k === actions.length - 1)
        largest.reward = Math.max(largest.reward, Math.abs(step.reward - rewards[k]))
        const theirs = states[k + 1]
        if (!theirs) return
        for (const limit of [1, 20, 100] as const)
          if (k < limit) largest[limit] = Math.max(largest[limit], worst(env.state, theirs))
      })
    }
    expect(largest[1]).toBeLessThan(one)
    expect(largest[20]).toBeLessThan(twenty)
    expect(largest[100]).toBeLessThan(hundred)
    expect(largest.reward).toBeLessThan(reward)
  })
})

describe('box2d: against planck, the port of Box2D, open loop from rllab’s own resets', () => {
  const EPISODES = 20

  /** Largest difference of any number of the state over the first 1, 20 and 100 steps of some episodes. */
  async function differences(id: string, control: () => number) {
    const isPendulum = id === 'DoublePendulum'
    const env = await make(id, { constants: isPendulum ? {} : { positionLimit: 1e9 } })
    const largest = { 1: 0, 20: 0, 100: 0 }
    for (let seed = 0; seed < EPISODES; seed++) {
      env.reset({ seed })
      const [a, b, c, d] = env.state
      const [cart, pendulum] = [box2dCartPole(), box2dDoublePendulum()]
      cart.reset(a, b, c, d)
      pendulum.reset(a, b, c, d)
      for (let t = 1; t <= 100; t++) {
        const action = control()
        env.step(action)
        if (isPendulum) for (let k = 0; k < 2; k++) pendulum.frame(50 * action)
        else cart.step(10 * action)
        const difference = worst(env.state, isPendulum ? places.doublePendulum(pendulum) : places.cartPole(cart))
        for (const limit of [1, 20, 100] as const) if (t <= limit) largest[limit] = Math.max(largest[limit], difference)
      }
    }
    return largest
  }

  test.each(Object.keys(controls))('swing-up, %s: 10⁻⁷ over 100 steps', async (name) => {
    const largest = await differences('CartpoleSwingup', controls[name]())
    // Box2D's eight rounds of impulses stop 10⁻⁸ short of the solution.
    expect(largest[100]).toBeLessThan(2e-7)
  })

  test.each([
    ['no control', 1e-7, 1e-7, 1e-7],
    // Velocities reach 50 rad/s; errors grow with the chaos of a driven double pendulum.
    ['constant control', 1e-6, 1e-4, 2e-3],
    ['random control', 5e-6, 1e-4, 2e-2],
  ])('double pendulum, %s: %p, %p and %p over 1, 20 and 100 steps', async (name, one, twenty, hundred) => {
    const largest = await differences('DoublePendulum', controls[name]())
    expect(largest[1]).toBeLessThan(one)
    expect(largest[20]).toBeLessThan(twenty)
    expect(largest[100]).toBeLessThan(hundred)
  })

  test('the same energy is lost: a pole let go 0.1 rad off upright, at rest', async () => {
    const env = await make('CartpoleSwingup')
    const scene = box2dCartPole()
    env.reset({ seed: 0 })
    scene.reset(0, 0, 0.1, 0)
    env.state.set(places.cartPole(scene))
    const of = (state: ArrayLike<number>) => energy(cartPole(), [state[0], state[2]], [state[1], state[3]])
    const before = of(env.state)
    for (let t = 0; t < 60; t++) {
      env.step(0)
      scene.step(0)
    }
    expect(before).toBeCloseTo(0.4975, 3)
    expect(of(env.state)).toBeLessThan(0)
    expect(of(env.state)).toBeCloseTo(of(places.cartPole(scene)), 7)
  })

  test('a double pendulum let go at 2 and 1 rad loses as much as planck’s', async () => {
    const env = await make('DoublePendulum')
    const scene = box2dDoublePendulum()
    env.reset({ seed: 0 })
    scene.reset(2, 0, 1, 0)
    env.state.set(places.doublePendulum(scene))
    const of = (state: ArrayLike<number>) => energy(doublePendulum(), [state[0], state[2]], [state[1], state[3]])
    for (let t = 0; t < 100; t++) {
      env.step(0)
      scene.frame(0)
      scene.frame(0)
    }
    expect(of(env.state)).toBeCloseTo(of(places.doublePendulum(scene)), 3)
  })

  test.each([RAIL, -0.1])('the first step pulls the pole after the cart, to a rail at %p m', async (railHeight) => {
    const env = await make('CartpoleSwingup', { constants: { railHeight } })
    const scene = box2dCartPole(railHeight)
    scene.reset(0.5, 0, 3, 0)
    env.reset({ seed: 0 })
    env.state.set(places.cartPole(scene))
    env.step(0)
    scene.step(0)
    expect(Math.abs(env.state[2] - 3)).toBeGreaterThan(0.3)
    expect(worst(env.state, places.cartPole(scene))).toBeLessThan(1e-7)
    expect(env.state[8]).toBe(railHeight)
  })
})

interface CartPoleCase {
  name: string
  constants: Record<string, number>
  twin: Parameters<typeof cartPole>[0]
  force: number
  dt: number
  railHeight: number
  rounds: number
}

interface PendulumCase {
  name: string
  constants: Record<string, number>
  twin: Parameters<typeof doublePendulum>[0]
  torque: number
  dt: number
  frames: number
  rounds: number
}

/** Constants of the library, and what the twins make of them. */
const cartPoleCases: CartPoleCase[] = [
  { name: 'rllab’s constants', constants: {}, twin: {}, force: 10, dt: 0.05, railHeight: RAIL, rounds: 3 },
  {
    name: 'others',
    constants: {
      gravity: 4,
      density: 2,
      cartWidth: 0.6,
      cartHeight: 0.9,
      poleWidth: 0.2,
      poleLength: 1.7,
      railHeight: 0.2,
      force: 30,
      timeStep: 0.03,
      positionIterations: 4,
    },
    twin: { gravity: 4, density: 2, width: 0.6, height: 0.9, poleWidth: 0.2, length: 1.7 },
    force: 30,
    dt: 0.03,
    railHeight: 0.2,
    rounds: 4,
  },
]
const pendulumCases: PendulumCase[] = [
  { name: 'rllab’s constants', constants: {}, twin: {}, torque: 50, dt: 0.01, frames: 2, rounds: 20 },
  {
    name: 'others',
    constants: {
      gravity: 4,
      density: 2,
      linkWidth: 0.2,
      linkLength: 1.7,
      torque: 30,
      timeStep: 0.015,
      frames: 3,
      positionIterations: 2,
    },
    twin: { gravity: 4, density: 2, width: 0.2, length: 1.7 },
    torque: 30,
    dt: 0.015,
    frames: 3,
    rounds: 2,
  },
]

describe('one step against the twins', () => {
  const random = source(5)
  const bodiesOf = (rows: readonly (readonly number[])[], { masses, inertias }: Mechanism): RigidBody[] =>
    rows.map(([x, y, angle, vx, vy, w], i) => ({ x, y, angle, vx, vy, w, mass: masses[i], inertia: inertias[i] }))

  test.each(cartPoles.flatMap((id) => cartPoleCases.map((more) => ({ id, ...more }))))(
    '$id, box2d, $name: joints up to 0.5 m apart, turns beyond π/2',
    async ({ id, constants, twin, force, dt, railHeight, rounds }) => {
      const env = await make(id, { constants })
      const { height = Math.sqrt(3) / 2, length = 1, gravity = 10 } = twin ?? {}
      const joints = [pin(0, [0, height / 2], 1, [0, -length / 2]), rail(0, railHeight)]
      for (let trial = 0; trial < 300; trial++) {
        const off = trial % 3 ? 0.5 : 0.005
        env.reset({ seed: trial })
        const [x, theta] = [2 * random(), 4 * random()]
        const y = trial % 2 ? railHeight : railHeight + 0.5 * random()
        const cart = [x, y, 0, 2 * random(), 0, 0]
        const pole = [
          x - (length / 2) * Math.sin(theta) + off * random(),
          // of every fourth the rail alone is off
          (trial % 4 ? railHeight : y) + height / 2 + (length / 2) * Math.cos(theta) + off * random(),
          theta,
          2 * random(),
          2 * random(),
          (trial % 5 ? 70 : 400) * random(),
        ]
        env.state.set([x, cart[3], theta, pole[5], pole[0], pole[1], pole[3], pole[4], y])
        const action = Math.fround(1.5 * random())
        env.step(action)
        const bodies = bodiesOf([cart, pole], cartPole(twin))
        const forces = [force * Math.max(-1, Math.min(1, action)), 0, 0, 0, 0, 0]
        frame(bodies, joints, forces, { dt, gravity, rounds })
        const [c, p] = bodies
        expect(worst(env.state, [c.x, c.vx, p.angle, p.w, p.x, p.y, p.vx, p.vy, c.y])).toBeLessThan(1e-10)
      }
    },
  )

  test.each(pendulumCases)(
    'DoublePendulum, box2d, $name: joints up to 0.3 m apart, turns beyond π/2',
    async ({ constants, twin, torque, dt, frames, rounds }) => {
      const env = await make('DoublePendulum', { constants })
      const { length = 1, gravity = 10 } = twin ?? {}
      const mechanism = doublePendulum(twin)
      const joints = [pin(0, [0, -length / 2], 1, [0, length / 2]), pin(-1, [0, 0], 0, [0, length / 2])]
      for (let trial = 0; trial < 300; trial++) {
        env.reset({ seed: trial })
        const off = trial % 3 ? 0.01 : 0.3
        const q = [4 * random(), 4 * random()]
        const at = mechanism.place(q).map((v, k) => (k % 3 === 2 ? v : v + off * random()))
        const [a, b] = [at.slice(0, 3), at.slice(3)].map((place) => [
          ...place,
          5 * random(),
          5 * random(),
          (trial % 5 ? 20 : 300) * random(),
        ])
        env.state.set([a[2], a[5], b[2], b[5], a[0], a[1], a[3], a[4], b[0], b[1], b[3], b[4]])
        const action = random()
        env.step(action)
        const bodies = bodiesOf([a, b], mechanism)
        const forces = [0, 0, -torque * action, 0, 0, torque * action]
        for (let k = 0; k < frames; k++) frame(bodies, joints, forces, { dt, gravity, rounds })
        const [c, d] = bodies
        const expected = [c.angle, c.w, d.angle, d.w, c.x, c.y, c.vx, c.vy, d.x, d.y, d.vx, d.vy]
        // Corrections use sines to 10⁻¹², and the next frame starts from them with up to 200 rad/s.
        expect(worst(env.state, expected)).toBeLessThan(1e-8)
      }
    },
  )

  /** One semi-implicit Euler step with accelerations from d'Alembert's principle. */
  async function exactStep(id: string, mechanism: Mechanism, dt: number, constants: object, force: readonly number[]) {
    const env = await make(id, { constants: { ...constants, physics: 'exact' } })
    for (let trial = 0; trial < 100; trial++) {
      env.reset({ seed: trial })
      const q = [2 * random(), 4 * random()]
      const qDot = [3 * random(), 8 * random()]
      env.state.set([q[0], qDot[0], q[1], qDot[1]])
      const action = random()
      env.step(action)
      const rate = acceleration(
        mechanism,
        q,
        qDot,
        force.map((f) => f * action),
      )
      const qDotNext = qDot.map((v, k) => v + dt * rate[k])
      const qNext = q.map((x, k) => x + dt * qDotNext[k])
      expect(worst(env.state, [qNext[0], qDotNext[0], qNext[1], qDotNext[1]])).toBeLessThan(1e-6)
    }
  }

  test.each(cartPoles.flatMap((id) => cartPoleCases.map((more) => ({ id, ...more }))))(
    '$id, exact, $name',
    ({ id, constants, twin, force, dt }) => exactStep(id, cartPole(twin), dt, constants, [force, 0]),
  )

  test.each(pendulumCases)('DoublePendulum, exact, $name', ({ constants, twin, torque, dt }) =>
    exactStep('DoublePendulum', doublePendulum(twin), dt, { ...constants, frames: 1 }, [-torque, torque]),
  )
})

describe('exact: smaller time steps', () => {
  /** The state after a second from a start, with a control, and the largest loss or gain of energy on the way. */
  async function second(id: string, timeStep: number, action: number) {
    const isPendulum = id === 'DoublePendulum'
    const constants = { physics: 'exact', timeStep, ...(isPendulum ? { frames: 1 } : {}) }
    const env = await make(id, { constants })
    const mechanism = isPendulum ? doublePendulum() : cartPole()
    const start = { q: [0.3, 2], qDot: [0.5, -1] }
    const of = ([a, b, c, d]: ArrayLike<number> & Iterable<number>) => energy(mechanism, [a, c], [b, d])
    let state = [0.3, 0.5, 2, -1]
    const before = of(state)
    let drift = 0
    for (let t = 0; t < Math.round(1 / timeStep); t++) {
      if (t % 400 === 0) env.reset({ seed: 0 })
      env.state.set(state)
      env.step(action)
      state = [...env.state.subarray(0, 4)]
      drift = Math.max(drift, Math.abs(of(state) - before))
    }
    const force = isPendulum ? [-50 * action, 50 * action] : [10 * action, 0]
    const { q, qDot } = rungeKutta(mechanism, start, force, 1, 400)
    return { drift, error: worst(state, [q[0], qDot[0], q[1], qDot[1]]) }
  }

  test.each(['CartpoleSwingup', 'DoublePendulum'])('%s: energy is kept and the limit is Runge-Kutta’s', async (id) => {
    const free = [await second(id, 1 / 400, 0), await second(id, 1 / 1600, 0)]
    expect(free[1].drift / free[0].drift).toBeLessThan(0.3)
    expect(free[1].drift).toBeLessThan(0.02)
    const driven = [await second(id, 1 / 400, 0.0625), await second(id, 1 / 1600, 0.0625)]
    // first order: a quarter of the step, a quarter of the error
    expect(driven[1].error / driven[0].error).toBeGreaterThan(0.2)
    expect(driven[1].error / driven[0].error).toBeLessThan(0.3)
    expect(driven[1].error).toBeLessThan(0.02)
  })
})

describe('rewards and ends', () => {
  test.each(physics)('RllabCartpole, %s: 10 - (1 - cos θ) - 10⁻⁵ F² while it stands, then 0', async (choice) => {
    const env = await make('RllabCartpole', { constants: { physics: choice } })
    env.reset({ seed: 3 })
    for (const action of [0.5, -3]) {
      const { reward, terminated } = env.step(action)
      const force = 10 * Math.max(-1, action)
      expect(reward).toBeCloseTo(10 - (1 - Math.cos(env.state[2])) - 1e-5 * force ** 2, 9)
      expect(terminated).toBe(false)
    }
    for (const [x, theta] of [
      [2.6, 0],
      [-2.6, 0],
      [0, 0.3],
      [0, -0.3],
    ]) {
      env.reset({ seed: 3 })
      const height = 2 * RAIL
      env.state.set([x, 0, theta, 0, x - 0.5 * Math.sin(theta), height + 0.5 * Math.cos(theta), 0, 0, RAIL])
      expect(env.step(0)).toMatchObject({ reward: 0, terminated: true, truncated: false })
    }
  })

  test.each(physics)('CartpoleSwingup, %s: cos θ, and -100 for leaving the track', async (choice) => {
    const env = await make('CartpoleSwingup', { constants: { physics: choice } })
    env.reset({ seed: 3 })
    const { reward, terminated } = env.step(0.5)
    expect(reward).toBeCloseTo(Math.cos(env.state[2]), 9)
    expect(terminated).toBe(false)
    for (const side of [1, -1]) {
      env.reset({ seed: 3 })
      env.state.set([side * 2.99, side * 10, 0, 0, side * 2.99, 2 * RAIL + 0.5, side * 10, 0, RAIL])
      expect(env.step(side)).toMatchObject({ reward: -100, terminated: true, truncated: false })
    }
  })

  test.each(physics)('DoublePendulum, %s: minus the distance of the tip, which rllab mirrors', async (choice) => {
    for (const [tip, sign] of [
      ['rllab', -1],
      ['corrected', 1],
    ] as const) {
      const env = await make('DoublePendulum', { constants: { physics: choice, tip } })
      env.reset({ seed: 8 })
      for (let t = 0; t < 20; t++) {
        const { reward, terminated } = env.step(0.02)
        const [a, , b] = env.state
        const [x, y] = [Math.sin(a) + sign * Math.sin(b), -Math.cos(a) - Math.cos(b)]
        // Box2D's joints are up to 5 mm apart.
        expect(Math.abs(reward + Math.hypot(x, y - 2))).toBeLessThan(choice === 'exact' ? 1e-12 : 6e-3)
        expect(terminated).toBe(false)
      }
      // The two tips differ clearly by then.
      expect(Math.abs(Math.sin(env.state[2]))).toBeGreaterThan(0.05)
    }
  })

  test.each(ids)('%s observes its state as rllab does, and is truncated after 500 steps', async (id) => {
    const env = await make(id)
    const { obs } = env.reset({ seed: 1 })
    const [a, b, c, d] = env.state
    const expected = id === 'DoublePendulum' ? [Math.sin(a), Math.cos(a), b, Math.sin(c), Math.cos(c), d] : [a, b, c, d]
    expect(worst(obs, expected)).toBeLessThan(1e-6)
    expect(env.spec.observationSpace.low).toHaveLength(expected.length)
    const start = [...env.state]
    for (let t = 1; t <= 500; t++) {
      env.state.set(start)
      expect(env.step(0)).toMatchObject({ terminated: false, truncated: t === 500 })
    }
  })

  test.each(ids)('%s holds actions within ± 1', async (id) => {
    const env = await make(id)
    const stepped = (action: number) => {
      env.reset({ seed: 4 })
      env.step(action)
      return [...env.state]
    }
    expect(stepped(7)).toEqual(stepped(1))
    expect(stepped(-7)).toEqual(stepped(-1))
    expect(stepped(0.5)).not.toEqual(stepped(1))
    expect(env.spec.actionSpace).toEqual({ kind: 'box', low: [-1], high: [1] })
  })
})

describe('reset', () => {
  const N = 4000
  const starts = async (id: string) => {
    const env = await make(id)
    return Array.from({ length: N }, (_, seed) => {
      env.reset({ seed })
      return [...env.state]
    })
  }
  /** Kolmogorov and Smirnov's distance; 1.95/√n is exceeded once in a thousand times. */
  const distance = (values: number[], cdf: (x: number) => number) =>
    Math.max(...values.sort((a, b) => a - b).map((x, i) => Math.abs(cdf(x) - (i + 0.5) / values.length)))

  test.each([
    ['RllabCartpole', [-0.12, -0.2, -0.01, -0.2], [0.12, 0.2, 0.01, 0.2]],
    ['CartpoleSwingup', [-1, -2, Math.PI - 1, -3], [1, 2, Math.PI + 1, 3]],
  ])('%s is uniform, and the pole stays at the place of the model', async (id, low, high) => {
    const states = await starts(id)
    low.forEach((from, k) => {
      const d = distance(
        states.map((state) => state[k]),
        (x) => (x - from) / (high[k] - from),
      )
      expect(d).toBeLessThan(1.95 / Math.sqrt(N))
    })
    for (const [, , theta, , x, y, vx, vy, height] of states.slice(0, 20)) {
      expect([x, y]).toEqual([
        expect.closeTo(-0.5 * Math.sin(theta), 14),
        expect.closeTo(Math.sqrt(3) / 2 + 0.5 * Math.cos(theta), 14),
      ])
      expect([vx, vy, height]).toEqual([0, 0, expect.closeTo(Math.sqrt(3) / 4, 14)])
    }
  })

  test('DoublePendulum is normal, and both links hang from where the model has their ends', async () => {
    const states = await starts('DoublePendulum')
    // Zelen & Severo's approximation of the normal distribution: 10⁻⁵ here
    const normal = (x: number) => {
      const t = 1 / (1 + 0.33267 * Math.abs(x))
      const tail =
        (Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)) * (0.4361836 * t - 0.1201676 * t * t + 0.937298 * t ** 3)
      return x > 0 ? 1 - tail : tail
    }
    for (const [k, deviation] of [0.1, 0.01, 0.1, 0.01].entries()) {
      const values = states.map((state) => state[k] / deviation)
      expect(distance(values, normal)).toBeLessThan(1.95 / Math.sqrt(N))
    }
    for (const [a, b] of [
      [0, 1],
      [0, 2],
      [0, 3],
      [1, 2],
      [1, 3],
      [2, 3],
    ]) {
      const scale = [0.1, 0.01, 0.1, 0.01]
      const sum = states.reduce((total, state) => total + (state[a] / scale[a]) * (state[b] / scale[b]), 0)
      expect(Math.abs(sum / N)).toBeLessThan(4 / Math.sqrt(N))
    }
    for (const [a, , b, , x1, y1, vx1, vy1, x2, y2, vx2, vy2] of states.slice(0, 20)) {
      const expected = [0.5 * Math.sin(a), -0.5 * Math.cos(a), 0.5 * Math.sin(b), -1 - 0.5 * Math.cos(b)]
      expect(worst([x1, y1, x2, y2], expected)).toBeLessThan(1e-14)
      expect([vx1, vy1, vx2, vy2]).toEqual([0, 0, 0, 0])
    }
  })
})

describe('rows', () => {
  /**
   * States, rewards and ends after some steps of the first `rows` of 9 environments; `order` says which row is which.
   */
  async function run(id: string, choice: string, rows: number, order = (r: number) => r) {
    const spec = environmentSpec(id).configure?.({ physics: choice })
    if (!spec?.core) throw new Error(id)
    const { kind, stateSize, constants } = spec.core
    const { ops, at, view } = await createArena(await compileCore(), {
      state: f64(rows, stateSize),
      constants: f64(Object.keys(constants).length),
      action: f32(rows),
      reward: f64(rows),
      terminated: u8(rows),
      behind: u8(16),
    })
    view.constants.set(Object.values(constants))
    view.behind.fill(7)
    for (let r = 0; r < rows; r++) ops.resetEnvironment(kind, at.state + 8 * stateSize * r, at.constants, order(r), 0)
    for (let t = 0; t < 40; t++) {
      for (let r = 0; r < rows; r++) view.action[r] = source(1000 * order(r) + t + 1)()
      ops.stepEnvironment(kind, at.state, at.constants, at.action, at.reward, at.terminated, rows)
    }
    expect([...view.behind]).toEqual(Array(16).fill(7))
    return Array.from({ length: rows }, (_, r) => [
      ...view.state.subarray(r * stateSize, (r + 1) * stateSize),
      view.reward[r],
      view.terminated[r],
    ])
  }

  test.each(ids.flatMap((id) => physics.map((choice) => [id, choice])))(
    '%s, %s: the same bits in any place',
    async (id, choice) => {
      const all = await run(id, choice, 133)
      for (const rows of [1, 2, 3, 64, 65]) expect(await run(id, choice, rows)).toEqual(all.slice(0, rows))
      const reversed = await run(id, choice, 133, (r) => 132 - r)
      expect(reversed.reverse()).toEqual(all)
    },
  )
})

describe('constants', () => {
  test('by name and by word, derived ones follow', async () => {
    const stepped = async (id: string, constants: Record<string, number | string>) => {
      const env = await make(id, { constants })
      env.reset({ seed: 2 })
      env.step(1)
      return [...env.state.subarray(0, 4)]
    }
    for (const choice of physics) {
      const base = await stepped('CartpoleSwingup', { physics: choice })
      for (const name of [
        'gravity',
        'density',
        'cartWidth',
        'cartHeight',
        'poleWidth',
        'poleLength',
        'force',
        'timeStep',
      ])
        expect(await stepped('CartpoleSwingup', { physics: choice, [name]: 0.7 })).not.toEqual(base)
      const hanging = await stepped('DoublePendulum', { physics: choice })
      for (const name of [
        'gravity',
        'density',
        'linkWidth',
        'linkLength',
        'torque',
        'timeStep',
        'frames',
        'resetAngle',
      ])
        expect(await stepped('DoublePendulum', { physics: choice, [name]: 3 })).not.toEqual(hanging)
    }
    expect(await stepped('CartpoleSwingup', { physics: 'exact' })).not.toEqual(await stepped('CartpoleSwingup', {}))
    await expect(make('CartpoleSwingup', { constants: { physics: 'mujoco' } })).rejects.toThrow(
      'CartpoleSwingup: physics must be one of box2d, exact, got "mujoco".',
    )
    await expect(make('DoublePendulum', { constants: { tip: 'left' } })).rejects.toThrow(
      'DoublePendulum: tip must be one of rllab, corrected, got "left".',
    )
  })
})
