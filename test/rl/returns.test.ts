import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { createArena } from '../../src/core/arena.ts'
import { compileCore } from '../../src/core/module.ts'
import { advantageFields, weighAdvantages } from '../../src/rl/advantages.ts'
import { type Baseline, type EstimatorOptions, estimatorOf } from '../../src/rl/estimator.ts'
import { batchFields } from '../../src/rl/rollout-layout.ts'
import { fitReference, valueReference } from '../reference/linear-baseline.ts'
import { lambdaReturnsReference, type Rollout, returnsReference, stepReturnsReference } from '../reference/returns.ts'

/** One environment's rollout. */
interface Steps {
  T: number
  gamma: number
  rewards: number[]
  values: number[]
  next_values: number[]
  terminated: number[]
  truncated: number[]
}

interface Golden extends Steps {
  note: string
  lambda_: number
  returns_plain: number[]
  returns_bootstrapped: number[]
  advantages: number[]
  value_targets: number[]
}
const golden: { cases: Golden[] } = JSON.parse(readFileSync(new URL('../golden/returns.json', import.meta.url), 'utf8'))
const module = await compileCore()

async function arenaFor(T: number, E: number, O = 1, baseline: Baseline = 'none') {
  return createArena(module, { ...batchFields(T, E, O, 1), ...advantageFields(T * E, O, baseline) })
}

/** A value function is asked for by the baseline 'value' only. */
const noValues = () => {
  throw new Error('no values are needed')
}

/** Several cases of one length side by side, as the environments of one particle. */
async function arenaWith(cases: Steps[]) {
  const E = cases.length
  const { T } = cases[0]
  const arena = await arenaFor(T, E)
  const { view } = arena
  cases.forEach((c, e) => {
    for (let t = 0; t < T; t++) {
      view.reward[t * E + e] = c.rewards[t]
      view.value[t * E + e] = c.values[t]
      view.nextValue[t * E + e] = c.next_values[t]
      view.terminated[t * E + e] = c.terminated[t]
      view.truncated[t * E + e] = c.truncated[t]
    }
  })
  const column = (array: Float64Array | Uint8Array, e: number) => Array.from({ length: T }, (_, t) => array[t * E + e])
  return {
    arena,
    columns: () => cases.map((_, e) => ({ target: column(view.target, e), valid: column(view.valid, e) })),
  }
}

async function returnsOf(cases: Steps[], bootstrap: boolean) {
  const { arena, columns } = await arenaWith(cases)
  const { T, gamma } = cases[0]
  const { ops, at } = arena
  const nextValue = bootstrap ? at.nextValue : 0
  // biome-ignore format: one op, one line
  ops.returnsToGo(at.target, at.valid, at.reward, at.terminated, at.truncated, nextValue, T, cases.length, gamma)
  return columns()
}

async function lambdaReturnsOf(cases: Steps[], lambda: number) {
  const { arena, columns } = await arenaWith(cases)
  const { T, gamma } = cases[0]
  const { ops, at } = arena
  // biome-ignore format: one op, one line
  ops.lambdaReturns(at.target, at.reward, at.value, at.nextValue, at.terminated, at.truncated, T, cases.length, gamma, lambda)
  return columns().map(({ target }) => target)
}

async function stepReturnsOf(cases: Steps[], n: number) {
  const { arena, columns } = await arenaWith(cases)
  const { T, gamma } = cases[0]
  const { ops, at } = arena
  ops.stepReturns(at.target, at.reward, at.nextValue, at.terminated, at.truncated, T, cases.length, gamma, n)
  return columns().map(({ target }) => target)
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

describe('golden advantages and value targets', () => {
  test.each(golden.cases)('$note (T = $T, γ = $gamma, λ = $lambda_)', async (c) => {
    const [target] = await lambdaReturnsOf([c], c.lambda_)
    close(target, c.value_targets)
    close(
      target.map((g, t) => g - c.values[t]),
      c.advantages,
    )
    // λ = 1 is the whole return, λ = 0 looks one step ahead.
    close((await lambdaReturnsOf([c], 1))[0], c.returns_bootstrapped)
    close((await lambdaReturnsOf([c], 0))[0], (await stepReturnsOf([c], 1))[0])
    close((await stepReturnsOf([c], c.T))[0], c.returns_bootstrapped)
  })

  test('environments side by side do not touch each other', async () => {
    const same = golden.cases.filter(({ T, gamma }) => T === 64 && gamma === 0.9)
    const results = await lambdaReturnsOf(same, same[0].lambda_)
    for (const [e, c] of same.entries()) close(results[e], (await lambdaReturnsOf([c], same[0].lambda_))[0])
    expect(results[0]).not.toEqual(results[1])
  })
})

describe('against float64 twins that sum what the definitions say', () => {
  /** Both flags can be set: then the task ended. */
  const rollouts = fc.integer({ min: 1, max: 20 }).chain((T) => {
    const numbers = fc.array(fc.double({ min: -10, max: 10, noNaN: true }), { minLength: T, maxLength: T })
    const flags = fc.array(fc.constantFrom(0, 0, 0, 1), { minLength: T, maxLength: T })
    return fc.record({
      ...{
        T: fc.constant(T),
        rewards: numbers,
        values: numbers,
        next_values: numbers,
        terminated: flags,
        truncated: flags,
      },
      ...{ gamma: fc.constantFrom(0, 0.5, 0.99, 1), lambda_: fc.constantFrom(0, 0.3, 0.95, 1) },
    })
  })
  const twinOf = (c: Steps): Rollout => ({
    ...{ reward: c.rewards, value: c.values, nextValue: c.next_values, discount: c.gamma },
    ends: c.rewards.map((_, t) => (c.terminated[t] ? 'terminated' : c.truncated[t] ? 'truncated' : null)),
  })
  test('returns of n steps', () =>
    fc.assert(
      fc.asyncProperty(rollouts, fc.integer({ min: 1, max: 25 }), async (c, n) => {
        const rollout = twinOf(c)
        const [target] = await stepReturnsOf([c], n)
        close(target, stepReturnsReference(rollout, n))
        if (n >= c.T) close(target, returnsReference(rollout))
      }),
      { numRuns: 200 },
    ))

  test('λ-returns', () =>
    fc.assert(
      fc.asyncProperty(rollouts, async (c) => {
        const rollout = twinOf(c)
        const [target] = await lambdaReturnsOf([c], c.lambda_)
        close(target, lambdaReturnsReference(rollout, c.lambda_))
        // λ = 1 and n ≥ T are the same returns where V(s_{t+1}) is the value of the next row.
        const next_values = c.next_values.map((v, t) => (rollout.ends[t] === null ? (c.values[t + 1] ?? v) : v))
        const consistent = { ...c, next_values }
        close((await lambdaReturnsOf([consistent], 1))[0], (await stepReturnsOf([consistent], c.T))[0])
      }),
      { numRuns: 200 },
    ))

  test('terminated, truncated and cut are three things', async () => {
    const c = {
      T: 2,
      gamma: 0.5,
      rewards: [1, 1],
      values: [3, 4],
      next_values: [8, 16],
      terminated: [0, 0],
      truncated: [0, 0],
    }
    const of = async (changed: Partial<Steps>) => {
      const [byLambda] = await lambdaReturnsOf([{ ...c, ...changed }], 0.5)
      const [bySteps] = await stepReturnsOf([{ ...c, ...changed }], 2)
      return { byLambda, bySteps }
    }
    // A_1 = 1 + 8 − 4 = 5 where the rollout cuts; A_0 = 1 + 4 − 3 + ¼ A_1 unless an episode ends in between.
    expect(await of({})).toEqual({ byLambda: [6.25, 9], bySteps: [5.5, 9] })
    expect(await of({ terminated: [1, 0] })).toEqual({ byLambda: [1, 9], bySteps: [1, 9] })
    expect(await of({ truncated: [1, 0] })).toEqual({ byLambda: [5, 9], bySteps: [5, 9] })
    expect(await of({ terminated: [1, 0], truncated: [1, 0] })).toEqual({ byLambda: [1, 9], bySteps: [1, 9] })
    expect(await of({ truncated: [0, 1] })).toEqual({ byLambda: [6.25, 9], bySteps: [5.5, 9] })
    expect(await of({ terminated: [0, 1] })).toEqual({ byLambda: [4.25, 1], bySteps: [1.5, 1] })
  })
})

describe('advantage weights', () => {
  const options: EstimatorOptions = { baseline: 'none', discount: 1, standardise: false }

  async function weights(rewards: number[], terminated: number[], changed: EstimatorOptions) {
    const arena = await arenaFor(rewards.length, 1)
    arena.view.reward.set(rewards)
    arena.view.terminated.set(terminated)
    weighAdvantages(arena, rewards.length, 1, estimatorOf({ ...options, ...changed }), noValues)
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

  test('whole episodes: those count that had the time to reach the limit, whether they took it or not', async () => {
    const arena = await arenaFor(5, 2)
    const { view } = arena
    view.reward.fill(1)
    // Beginnings at 0, 2 and 3 in the first environment, where all end by themselves; at 0 and 3 in the second.
    view.time.set([0, 0, 1, 1, 0, 2, 0, 0, 1, 1])
    view.terminated.set([0, 0, 1, 0, 1, 1, 0, 0, 1, 1])
    const estimator = estimatorOf(options)
    weighAdvantages(arena, 5, 2, estimator, noValues)
    expect([...view.valid]).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 1, 1])
    weighAdvantages(arena, 5, 2, estimator, noValues, 3)
    expect([...view.valid]).toEqual([1, 1, 1, 1, 1, 1, 0, 0, 0, 0])
    expect([...view.weight]).toEqual([2, 3, 1, 2, 1, 1, 0, 0, 0, 0].map((g) => Math.fround(g / 6)))
  })

  test('no valid row at all: no weight, no NaN', async () => {
    expect(await weights([1, 1], [0, 0], { standardise: true })).toEqual([0, 0])
  })
})

describe('linear baseline', () => {
  /** Observations of very different units, and targets that are no linear function of anything. */
  const observed = (b: number) => [1e-3 * Math.sin(b) + 5, 1e4 * Math.cos(2 * b + 1) ** 3, 7, 0.1 * ((b * b) % 11)]
  const target = (b: number) => 40 + 30 * Math.sin(0.3 * b) + 5 * Math.cos(2 * b)
  const rounded = (b: number) => observed(b).map(Math.fround)

  function fitTo(arena: Awaited<ReturnType<typeof arenaFor>>, first: number, rows: number): void {
    const { ops, at, view } = arena
    for (let b = 0; b < rows; b++) {
      view.observation.set(observed(first + b), 4 * b)
      view.target[b] = target(first + b)
    }
    ops.linearFit(at.linearModel, at.observation, at.target, rows, 4, at.fit)
  }

  test('is ridge regression on features of all observations so far', async () => {
    const rows = 200
    const arena = await arenaFor(rows, 1, 4, 'linear')
    const { ops, at, view } = arena
    for (const first of [0, rows, 2 * rows]) {
      fitTo(arena, first, rows)
      const seen = Array.from({ length: first + rows }, (_, b) => rounded(b))
      const model = fitReference(
        seen,
        Array.from({ length: rows }, (_, b) => target(first + b)),
      )
      ops.linearValues(at.value, at.linearModel, at.observation, rows, 4, at.fit)
      view.value.forEach((value, b) => {
        expect(Math.abs(value - valueReference(model, rounded(first + b)))).toBeLessThan(1e-6)
      })
    }
  })

  test('says nothing beyond its targets, whatever it is asked', async () => {
    const arena = await arenaFor(50, 1, 4, 'linear')
    const { ops, at, view } = arena
    fitTo(arena, 0, 50)
    const [low, high] = [Math.min(...view.target), Math.max(...view.target)]
    for (const far of [1e3, -1e6, 1e30, -3e38]) {
      view.observation.fill(far)
      ops.linearValues(at.value, at.linearModel, at.observation, 50, 4, at.fit)
      for (const value of view.value) {
        expect(value).toBeGreaterThanOrEqual(low)
        expect(value).toBeLessThanOrEqual(high)
      }
    }
  })

  test('the units of observations and rewards do not matter', async () => {
    const rows = 100
    const valuesIn = async (unit: number, money: number) => {
      const arena = await arenaFor(rows, 1, 1, 'linear')
      const { ops, at, view } = arena
      for (let b = 0; b < rows; b++) {
        view.observation[b] = unit * Math.sin(b)
        view.target[b] = money * target(b)
      }
      ops.linearFit(at.linearModel, at.observation, at.target, rows, 1, at.fit)
      ops.linearValues(at.value, at.linearModel, at.observation, rows, 1, at.fit)
      return view.value.map((value) => value / money)
    }
    const plain = await valuesIn(1, 1)
    const other = await valuesIn(2 ** 40, 2 ** -30)
    plain.forEach((value, b) => {
      expect(Math.abs(other[b] - value)).toBeLessThan(1e-9)
    })
  })

  test('many observations take memory and work in proportion to their number', async () => {
    const size = (O: number) => {
      const { linearModel, fit } = advantageFields(64, O, 'linear')
      return linearModel.shape[0] + fit.shape[0]
    }
    expect(size(20_000)).toBeLessThan(2.1 * size(10_000))
    // 2,001 features of 8 rows: their normal equations would take 10¹⁰ operations.
    const [rows, O] = [8, 1000]
    const { ops, at, view } = await arenaFor(rows, 1, O, 'linear')
    view.observation.forEach((_, k) => {
      view.observation[k] = Math.sin(k * k)
    })
    view.target.set([1, 5, 2, 4, 3, 6, 0, 9])
    ops.linearFit(at.linearModel, at.observation, at.target, rows, O, at.fit)
    ops.linearValues(at.value, at.linearModel, at.observation, rows, O, at.fit)
    view.value.forEach((value, b) => {
      expect(Math.abs(value - view.target[b])).toBeLessThan(0.1)
    })
  })

  test('its advantages use the fit to the previous rollout, then it is fitted to this one', async () => {
    const arena = await arenaFor(4, 1, 1, 'linear')
    const { view } = arena
    view.reward.fill(1)
    view.terminated[3] = 1
    view.observation.set([3, 1, 0, 2])
    const estimator = estimatorOf({ baseline: 'linear', discount: 1, standardise: false })
    weighAdvantages(arena, 4, 1, estimator, noValues)
    expect([...view.weight]).toEqual([1, 0.75, 0.5, 0.25])
    weighAdvantages(arena, 4, 1, estimator, noValues)
    expect(Math.max(...view.weight.map(Math.abs))).toBeLessThan(0.5)
  })

  test.each([
    ['constant', () => 0, 95],
    // Each rollout is beyond all that was seen before, and the fit is asked of what is beyond that.
    ['growing with time', (time: number) => time / 100, 40],
  ])(
    'rollouts in lockstep through a long episode, observations %s: values between 0 and r/(1 − γ)',
    async (_, observe, least) => {
      const [T, E] = [128, 4]
      const arena = await arenaFor(T, E, 1, 'linear')
      const { ops, at, view } = arena
      view.reward.fill(1)
      const estimator = estimatorOf({ baseline: 'linear', discount: 0.99 })
      for (let iteration = 0; iteration < 60; iteration++) {
        for (let row = 0; row < T * E; row++) {
          const time = iteration * T + Math.floor(row / E)
          view.observation[row] = observe(time)
          view.nextObservation[row] = observe(time + 1)
        }
        weighAdvantages(arena, T, E, estimator, noValues)
        const all = [...view.value, ...view.nextValue, ...view.target]
        expect(Math.min(...all)).toBeGreaterThanOrEqual(0)
        expect(Math.max(...all)).toBeLessThanOrEqual(100 + 1e-9)
      }
      ops.linearValues(at.value, at.linearModel, at.observation, T * E, 1, at.fit)
      expect(Math.min(...view.value)).toBeGreaterThan(least)
    },
  )

  test('that of rllab leaves these bounds at once', async () => {
    const [T, E] = [128, 4]
    const arena = await arenaFor(T, E, 1, 'linear-rllab')
    const { view } = arena
    view.reward.fill(1)
    const estimator = estimatorOf({ baseline: 'linear-rllab', discount: 0.99 })
    for (let iteration = 0; iteration < 8; iteration++) {
      for (let row = 0; row < T * E; row++) view.time[row] = iteration * T + Math.floor(row / E)
      weighAdvantages(arena, T, E, estimator, noValues)
    }
    expect(Math.max(...view.nextValue.map(Math.abs))).toBeGreaterThan(1e3)
  })
})

describe('linear baseline of rllab', () => {
  /** Rows whose return is a linear function of the features, so that the fit must find it. */
  async function rows(count: number) {
    const arena = await arenaFor(count, 1, 2, 'linear-rllab')
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
    ops.rllabFit(at.valueWeights, at.observation, at.time, at.target, at.valid, 400, 2, 1e-12, at.fit)
    ops.rllabValues(at.value, at.valueWeights, at.observation, at.time, 0, 400, 2, at.fit)
    expect(Math.max(...truth.map((g, b) => Math.abs(g - view.value[b])))).toBeLessThan(1e-6)
  })

  test('has the values of rllab’s LinearFeatureBaseline, with its ridge', async () => {
    const { baseline } = JSON.parse(readFileSync(new URL('../golden/rllab.json', import.meta.url), 'utf8'))
    const { lengths, observations, returns, values }: Record<string, number[]> = baseline
    const arena = await arenaFor(125, 1, 2, 'linear-rllab')
    const { ops, at, view } = arena
    view.observation.set(observations)
    view.time.set(lengths.flatMap((length) => [...Array(length).keys()]))
    view.target.set(returns)
    view.valid.fill(1)
    // rllab's is one for all rows.
    const ridge = 1e-5 / values.length
    ops.rllabFit(at.valueWeights, at.observation, at.time, at.target, at.valid, values.length, 2, ridge, at.fit)
    ops.rllabValues(at.value, at.valueWeights, at.observation, at.time, 0, values.length, 2, at.fit)
    expect(values.length).toBe(125)
    expect(Math.max(...values.map((value, b) => Math.abs(value - view.value[b])))).toBeLessThan(1e-7)
  })

  test('rows that are not valid do not count', async () => {
    const { arena } = await rows(400)
    const { ops, at, view } = arena
    ops.rllabFit(at.valueWeights, at.observation, at.time, at.target, at.valid, 300, 2, 1e-6, at.fit)
    const expected = [...view.valueWeights]
    view.valid.fill(0, 300)
    view.target.fill(1e6, 300)
    view.valueWeights.fill(0)
    // Only the number of valid rows scales the ridge, so 400 rows of which 300 count give the same fit.
    ops.rllabFit(at.valueWeights, at.observation, at.time, at.target, at.valid, 400, 2, 1e-6, at.fit)
    expect([...view.valueWeights]).toEqual(expected)
    view.valid.fill(0)
    ops.rllabFit(at.valueWeights, at.observation, at.time, at.target, at.valid, 400, 2, 1e-6, at.fit)
    expect([...view.valueWeights]).toEqual(expected)
  })

  test('its advantages use the weights of the previous rollouts, then it is fitted to this one', async () => {
    const arena = await arenaFor(4, 1, 1, 'linear-rllab')
    const { view } = arena
    view.reward.fill(1)
    view.terminated[3] = 1
    const estimator = estimatorOf({ baseline: 'linear-rllab', discount: 1, standardise: false })
    weighAdvantages(arena, 4, 1, estimator, noValues)
    expect([...view.weight]).toEqual([1, 0.75, 0.5, 0.25])
    expect(view.valueWeights.some((w) => w !== 0)).toBe(true)
    weighAdvantages(arena, 4, 1, estimator, noValues)
    expect(Math.abs(view.weight[0])).toBeLessThan(1)
  })

  test('a rollout that cuts an episode is continued by the value of the next state', async () => {
    const arena = await arenaFor(2, 1, 1, 'linear-rllab')
    const { view } = arena
    const F = view.valueWeights.length
    view.valueWeights[F - 1] = 10 // V = 10 everywhere
    view.reward.set([1, 1])
    weighAdvantages(arena, 2, 1, estimatorOf({ baseline: 'linear-rllab', discount: 0.5, standardise: false }), noValues)
    expect([...view.target]).toEqual([1 + 0.5 * 6, 1 + 0.5 * 10])
  })
})

describe('value baseline', () => {
  test.each<[string, EstimatorOptions, number[]]>([
    ['λ = 1', { lambda: 1 }, [1 + 0.5 * (2 + 0.5 * 8), 2 + 0.5 * 8]],
    ['λ = 0', { lambda: 0 }, [1 + 0.5 * 4, 2 + 0.5 * 8]],
    ['λ = 1/2', { lambda: 0.5 }, [1 + 0.5 * (0.5 * 4 + 0.5 * (2 + 0.5 * 8)), 2 + 0.5 * 8]],
    ['one step', { nSteps: 1 }, [1 + 0.5 * 4, 2 + 0.5 * 8]],
    ['two steps', { nSteps: 2 }, [1 + 0.5 * (2 + 0.5 * 8), 2 + 0.5 * 8]],
  ])('%s: values of the states are subtracted, those of the next states continue', async (_, options, targets) => {
    const arena = await arenaFor(2, 1)
    const { view } = arena
    view.reward.set([1, 2])
    view.observation.set([3, 4])
    view.nextObservation.set([4, 8])
    const estimator = estimatorOf({ estimator: 'a2c', discount: 0.5, standardise: false, ...options })
    weighAdvantages(arena, 2, 1, estimator, (out, observations) => out.set(observations))
    expect([...view.target]).toEqual(targets)
    expect([...view.weight]).toEqual([(targets[0] - 3) / 2, (targets[1] - 4) / 2])
    expect([...view.valid]).toEqual([1, 1])
  })
})
