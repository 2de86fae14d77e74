import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { createArena } from '../../src/core/arena.ts'
import { compileCore } from '../../src/core/module.ts'
import { batchFields } from '../../src/rl/batch.ts'
import { type ReturnsOptions, returnsFields, weighAdvantages } from '../../src/rl/returns.ts'

interface Golden {
  note: string
  T: number
  gamma: number
  rewards: number[]
  next_values: number[]
  terminated: number[]
  truncated: number[]
  returns_plain: number[]
  returns_bootstrapped: number[]
}
const golden: { cases: Golden[] } = JSON.parse(readFileSync(new URL('../golden/returns.json', import.meta.url), 'utf8'))
const module = await compileCore()

async function arenaFor(T: number, E: number, O = 1) {
  return createArena(module, { ...batchFields(T, E, O, 1), ...returnsFields(T * E, O) })
}

/** Several cases of one length side by side, as the environments of one particle. */
async function returnsOf(cases: Golden[], bootstrap: boolean) {
  const E = cases.length
  const { T, gamma } = cases[0]
  const { ops, at, view } = await arenaFor(T, E)
  cases.forEach((c, e) => {
    for (let t = 0; t < T; t++) {
      view.reward[t * E + e] = c.rewards[t]
      view.nextValue[t * E + e] = c.next_values[t]
      view.terminated[t * E + e] = c.terminated[t]
      view.truncated[t * E + e] = c.truncated[t]
    }
  })
  ops.returnsToGo(
    at.target,
    at.valid,
    at.reward,
    at.terminated,
    at.truncated,
    bootstrap ? at.nextValue : 0,
    T,
    E,
    gamma,
  )
  const column = (array: Float64Array | Uint8Array, e: number) => Array.from({ length: T }, (_, t) => array[t * E + e])
  return cases.map((_, e) => ({ target: column(view.target, e), valid: column(view.valid, e) }))
}

const close = (a: number[], b: number[]) =>
  expect(Math.max(...a.map((value, t) => Math.abs(value - b[t])))).toBeLessThan(1e-12)

describe('golden returns', () => {
  test.each(golden.cases)('$note (T = $T, γ = $gamma)', async (c) => {
    const [plain] = await returnsOf([c], false)
    close(plain.target, c.returns_plain)
    const [bootstrapped] = await returnsOf([c], true)
    close(bootstrapped.target, c.returns_bootstrapped)
    expect(bootstrapped.valid.every((flag) => flag === 1)).toBe(true)
  })

  test('environments side by side do not touch each other', async () => {
    const same = golden.cases.filter(({ T, gamma }) => T === 64 && gamma === 0.9)
    expect(same.length).toBeGreaterThan(1)
    const results = await returnsOf(same, true)
    same.forEach((c, e) => void close(results[e].target, c.returns_bootstrapped))
  })
})

test('without values, the rows of an episode that is still running are left out', async () => {
  const c = { ...golden.cases[0], T: 5, gamma: 1, rewards: [1, 1, 1, 1, 1], next_values: [0, 0, 0, 0, 0] }
  const [open] = await returnsOf([{ ...c, terminated: [0, 1, 0, 0, 0], truncated: [0, 0, 0, 0, 0] }], false)
  expect(open.valid).toEqual([1, 1, 0, 0, 0])
  const [cut] = await returnsOf([{ ...c, terminated: [0, 0, 0, 0, 0], truncated: [0, 0, 0, 1, 0] }], false)
  expect(cut.valid).toEqual([1, 1, 1, 1, 0])
  expect(cut.target.slice(0, 4)).toEqual([4, 3, 2, 1])
})

describe('advantage weights', () => {
  const options: ReturnsOptions = { baseline: 'none', discount: 1, standardise: false }

  async function weights(rewards: number[], terminated: number[], changed: Partial<ReturnsOptions>) {
    const arena = await arenaFor(rewards.length, 1)
    arena.view.reward.set(rewards)
    arena.view.terminated.set(terminated)
    weighAdvantages(arena, rewards.length, 1, { ...options, ...changed })
    return [...arena.view.weight]
  }

  test('none: the return over the number of valid rows', async () => {
    expect(await weights([1, 2, 4, 9], [0, 0, 1, 0], {})).toEqual([7, 6, 4, 0].map((g) => Math.fround(g / 3)))
  })

  test('mean: the valid rows sum to 0', async () => {
    const w = await weights([1, 2, 4, 9], [0, 0, 1, 0], { baseline: 'mean' })
    expect(w[0] + w[1] + w[2]).toBeCloseTo(0, 6)
    expect(w[0]).toBeCloseTo((7 - 17 / 3) / 3, 6)
    expect(w[3]).toBe(0)
  })

  test('standardised: mean 0 and standard deviation 1 over the valid rows', async () => {
    const w = (await weights([1, 2, 4, 9], [0, 0, 1, 0], { standardise: true })).slice(0, 3).map((x) => 3 * x)
    expect(w.reduce((a, b) => a + b)).toBeCloseTo(0, 6)
    expect(w.reduce((a, b) => a + b * b, 0) / 3).toBeCloseTo(1, 6)
  })

  test('no valid row at all: no weight, no NaN', async () => {
    expect(await weights([1, 1], [0, 0], { standardise: true })).toEqual([0, 0])
  })
})

describe('linear baseline', () => {
  /** Rows whose return is a linear function of the features, so that the fit must find it. */
  async function rows(count: number) {
    const arena = await arenaFor(count, 1, 2)
    const { view } = arena
    const truth = Array.from({ length: count }, (_, b) => {
      const o = [Math.sin(b), Math.cos(2 * b)]
      view.observation.set(o, 2 * b)
      view.time[b] = b % 50
      const tau = (b % 50) / 100
      const [p, q] = o.map(Math.fround)
      return 3 * p - 2 * q + p * p - 0.5 * q * q + 4 * tau - tau * tau + 2 * tau * tau * tau + 1
    })
    view.target.set(truth)
    view.valid.fill(1)
    return { arena, truth }
  }

  test('recovers a function of its features', async () => {
    const { arena, truth } = await rows(400)
    const { ops, at, view } = arena
    ops.baselineFit(at.valueWeights, at.observation, at.time, at.target, at.valid, 400, 2, 1e-12, at.fit)
    ops.baselineValues(at.value, at.valueWeights, at.observation, at.time, 0, 400, 2, at.fit)
    expect(Math.max(...truth.map((g, b) => Math.abs(g - view.value[b])))).toBeLessThan(1e-6)
  })

  test('rows that are not valid do not count', async () => {
    const { arena } = await rows(400)
    const { ops, at, view } = arena
    ops.baselineFit(at.valueWeights, at.observation, at.time, at.target, at.valid, 300, 2, 1e-6, at.fit)
    const expected = [...view.valueWeights]
    view.valid.fill(0, 300)
    view.target.fill(1e6, 300)
    view.valueWeights.fill(0)
    // Only the number of valid rows scales the ridge, so 400 rows of which 300 count give the same fit.
    ops.baselineFit(at.valueWeights, at.observation, at.time, at.target, at.valid, 400, 2, 1e-6, at.fit)
    expect([...view.valueWeights]).toEqual(expected)
    view.valid.fill(0)
    ops.baselineFit(at.valueWeights, at.observation, at.time, at.target, at.valid, 400, 2, 1e-6, at.fit)
    expect([...view.valueWeights]).toEqual(expected)
  })

  test('its advantages use the weights of the previous rollouts, then it is fitted to this one', async () => {
    const arena = await arenaFor(4, 1)
    const { view } = arena
    view.reward.fill(1)
    view.terminated[3] = 1
    const options: ReturnsOptions = { baseline: 'linear', discount: 1, standardise: false }
    weighAdvantages(arena, 4, 1, options)
    expect([...view.weight]).toEqual([1, 0.75, 0.5, 0.25])
    expect(view.valueWeights.some((w) => w !== 0)).toBe(true)
    weighAdvantages(arena, 4, 1, options)
    expect(Math.abs(view.weight[0])).toBeLessThan(1)
  })

  test('a rollout that cuts an episode is continued by the value of the next state', async () => {
    const arena = await arenaFor(2, 1)
    const { view } = arena
    const F = view.valueWeights.length
    view.valueWeights[F - 1] = 10 // V = 10 everywhere
    view.reward.set([1, 1])
    weighAdvantages(arena, 2, 1, { baseline: 'linear', discount: 0.5, standardise: false })
    expect([...view.target]).toEqual([1 + 0.5 * 6, 1 + 0.5 * 10])
  })
})
