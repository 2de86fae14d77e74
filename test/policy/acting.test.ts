import { describe, expect, test } from '@jest/globals'
import type { EnvironmentSpec } from '../../src/envs/contract.ts'
import { make } from '../../src/envs/make.ts'
import { box, discrete } from '../../src/envs/spaces.ts'
import { normaliseObservation } from '../../src/envs/wrappers/observations.ts'
import { deviation, frozen, runningStatistics } from '../../src/envs/wrappers/statistics.ts'
import { wrap } from '../../src/envs/wrappers/wrap.ts'
import { activations } from '../../src/nn/network.ts'
import { type HeadName, headNames } from '../../src/nn/policy.ts'
import { loadPolicy } from '../../src/policy/policy.ts'
import type { ActOptions, AgentAction, Who } from '../../src/policy/request.ts'
import { evaluatePopulation } from '../../src/rl/evaluate.ts'
import { categoricalReference } from '../reference/distributions.ts'
import { logSoftmaxReference, mlpReference } from '../reference/mlp.ts'
import { boxOf, core, loaded, observationsOf, populationOf, shapeOf } from './exported.ts'

const listOf = (action: AgentAction): number[] => (typeof action === 'number' ? [action] : [...action])

/** What a task saw and what it was given, step by step. */
interface Seen {
  obs: Float32Array
  action: number[]
}

/** A task of which every episode takes five steps and is remembered. */
function remembering(head: HeadName, episodes: Seen[][]): EnvironmentSpec {
  const { low, high } = boxOf(3)
  return {
    id: 'Remembering-v0',
    observationSpace: box([-9, -9, -9], [9, 9, 9]),
    actionSpace: head === 'categorical' ? discrete(4) : box(low, high),
    maxEpisodeSteps: 5,
    create: () => {
      let obs: Float32Array = new Float32Array(3)
      return {
        reset({ seed }: { seed: number }) {
          obs = observationsOf(1, 3, seed)
          episodes.push([])
          return { obs, info: {} }
        },
        step(action) {
          const given = typeof action === 'number' ? [action] : Array.from(action)
          episodes.at(-1)?.push({ obs, action: given })
          obs = obs.map((x, k) => x * 0.9 + given[k % given.length])
          return { obs, reward: 0, terminated: false, truncated: false, info: {} }
        },
      }
    },
  }
}

describe.each(headNames)('%s', (name) => {
  const population = populationOf(shapeOf(name))
  const { policy, theta, particles: n } = population
  const rows = observationsOf(150, 3)
  const row = (r: number) => rows.subarray(3 * r, 3 * r + 3)
  const outputs = (i: number, x: Float32Array) => {
    return mlpReference(policy.net, theta.subarray(i * policy.size, (i + 1) * policy.size), [...x])
  }

  test('acts with the bits of the evaluation of the training, greedily and drawn', async () => {
    const episodes: Seen[][] = []
    const spec = remembering(name, episodes)
    const played: { particle: number; greedy: boolean }[] = []
    const seed = 2 ** 40 + 7
    for await (const result of evaluatePopulation({ spec, policy, theta, particles: n, episodes: 3, seed }))
      played.push(result)
    const actor = await loaded(population)
    expect(episodes).toHaveLength(played.length * 3)
    const kinds = new Set<string>()
    episodes.forEach((steps, k) => {
      const { particle, greedy } = played[Math.floor(k / 3)]
      expect(steps).toHaveLength(5)
      steps.forEach(({ obs, action }, step) => {
        expect(listOf(actor.act(obs, { particle, greedy, seed, episode: k % 3, step }))).toEqual(action)
        kinds.add(action.join())
      })
    })
    expect(kinds.size).toBeGreaterThan(3)
  })

  test('is the mode of the float64 twin, within the bounds', async () => {
    const actor = await loaded(population)
    for (let r = 0; r < 20; r++) {
      const values = outputs(1, row(r))
      const modes = {
        categorical: [categoricalReference.mode(values)],
        gaussian: values,
        'squashed-gaussian': values.map(Math.tanh),
      }
      const action = listOf(actor.act(row(r), { particle: 1 }))
      const { low, high } = boxOf(3)
      expect(action).toHaveLength(actor.description.policy.head.name === 'categorical' ? 1 : 3)
      action.forEach((given, k) => {
        const value = modes[name][k]
        const moved = name === 'squashed-gaussian' ? low[k] + 0.5 * (value + 1) * (high[k] - low[k]) : value
        const kept = name === 'categorical' ? value : Math.min(Math.max(moved, low[k]), high[k])
        expect(Math.abs(given - kept)).toBeLessThan(5e-6)
      })
    }
  })

  test('rows together are rows alone, however many', async () => {
    const actor = await loaded(population)
    const whos: Who[] = ['best', 3, 'per-episode', 'per-call', 'mean']
    for (const particle of whos) {
      for (const greedy of [true, false]) {
        const options = { particle, greedy, seed: 5, step: 2 }
        const together = actor.actRows(rows, { ...options, episode: 10 })
        const alone = Array.from({ length: 150 }, (_, r) => listOf(actor.act(row(r), { ...options, episode: 10 + r })))
        expect([...together]).toEqual(alone.flat())
        const listed = actor.actRows(rows, { ...options, episode: Array.from({ length: 150 }, (_, r) => 159 - r) })
        const last = listOf(actor.act(row(149), { ...options, episode: 10 }))
        expect([...listed.slice(-last.length)]).toEqual(last)
      }
    }
  })

  test('best is the particle that the description names', async () => {
    const actor = await loaded(population)
    const drawn: ActOptions = { greedy: false, step: 3 }
    expect(actor.act(row(0), drawn)).toEqual(actor.act(row(0), { ...drawn, particle: 2 }))
    expect(actor.actRows(rows)).not.toEqual(actor.actRows(rows, { particle: 3 }))
  })

  test('Thompson sampling: one particle an episode, or one a call, evenly', async () => {
    const actor = await loaded(population)
    // Which particles act as drawn in all of some observations.
    const matching = (options: ActOptions) => {
      const action = (particle: Who) =>
        actor.actRows(rows, { ...options, particle, episode: Array(150).fill(options.episode) })
      const drawn = action(options.particle as Who)
      return Array.from({ length: n }, (_, i) => i).filter((i) => action(i).every((value, k) => value === drawn[k]))
    }
    const counts = new Array(n).fill(0)
    for (let episode = 0; episode < 200; episode++) {
      const [particle, ...others] = matching({ particle: 'per-episode', seed: 1, episode, step: 0 })
      expect(others).toEqual([])
      counts[particle]++
      if (episode < 20) expect(matching({ particle: 'per-episode', seed: 1, episode, step: 7 })).toEqual([particle])
    }
    // 40 ± 4.5 standard deviations of 5.7
    for (const count of counts) expect(Math.abs(count - 40)).toBeLessThan(26)
    const calls = Array.from(
      { length: 40 },
      (_, step) => matching({ particle: 'per-call', seed: 1, episode: 4, step })[0],
    )
    expect(new Set(calls).size).toBe(n)
    const seeds = Array.from({ length: 40 }, (_, seed) => matching({ particle: 'per-episode', seed, episode: 4 })[0])
    expect(new Set(seeds).size).toBe(n)
  })

  test('mean: of the distributions over classes, of the actions otherwise', async () => {
    const actor = await loaded(population)
    for (const greedy of [true, false]) {
      const options = { greedy, seed: 3, step: 1 }
      const together = actor.actRows(rows, { ...options, particle: 'mean' })
      if (name === 'categorical') {
        for (let r = 0; r < 150; r++) {
          const each = Array.from({ length: n }, (_, i) => logSoftmaxReference(outputs(i, row(r))).map(Math.exp))
          const mean = each[0].map((_, c) => each.reduce((sum, p) => sum + p[c], 0) / n)
          const [first, second] = [...mean].sort((a, b) => b - a)
          if (greedy && first - second > 1e-5) expect(together[r]).toBe(mean.indexOf(first))
        }
      } else {
        const each = Array.from({ length: n }, (_, particle) => actor.actRows(rows, { ...options, particle }))
        together.forEach((value, k) => {
          const mean = each.reduce((sum, actions) => sum + actions[k], 0) / n
          expect(Math.abs(value - mean)).toBeLessThan(2e-6)
        })
        expect(new Set(together).size).toBeGreaterThan(100)
      }
    }
  })
})

test('classes drawn from the mean come as often as its probabilities', async () => {
  const population = populationOf(shapeOf('categorical'))
  const { policy, theta, particles: n } = population
  const actor = await loaded(population)
  const x = observationsOf(1, 3)
  const mean = new Array(4).fill(0)
  for (let i = 0; i < n; i++) {
    const logits = mlpReference(policy.net, theta.subarray(i * policy.size, (i + 1) * policy.size), [...x])
    logSoftmaxReference(logits).forEach((value, c) => {
      mean[c] += Math.exp(value) / n
    })
  }
  const draws = 20_000
  const counts = new Array(4).fill(0)
  for (let step = 0; step < draws; step++) counts[Number(actor.act(x, { particle: 'mean', greedy: false, step }))]++
  const chi2 = counts.reduce((sum, count, c) => sum + (count - draws * mean[c]) ** 2 / (draws * mean[c]), 0)
  // The 0.999 quantile of 3 degrees of freedom.
  expect(chi2).toBeLessThan(16.3)
  expect(Math.min(...mean)).toBeGreaterThan(0.01)
})

test.each(activations)('%s layers, no hidden layer and wide ones', async (activation) => {
  for (const hidden of [[], [130, 70]]) {
    const population = populationOf(shapeOf('gaussian', { activation, hidden }), { particles: 2, best: 1 })
    const { policy, theta } = population
    const actor = await loaded({ ...population, bounds: { low: [null, null, null], high: [null, null, null] } })
    const x = observationsOf(1, 3)
    const exact = mlpReference(policy.net, theta.subarray(policy.size), [...x])
    const scale = Math.max(1, ...exact.map(Math.abs))
    listOf(actor.act(x)).forEach((value, k) => {
      expect(Math.abs(value - exact[k])).toBeLessThan(1e-5 * scale)
    })
  }
})

test('networks whose activations are many act in fewer rows at once, with the same bits', async () => {
  const population = populationOf(shapeOf('categorical', { hidden: [10_000] }), { particles: 1, best: 0 })
  const actor = await loaded(population)
  const rows = observationsOf(60, 3)
  const alone = Array.from({ length: 60 }, (_, r) => actor.act(rows.subarray(3 * r, 3 * r + 3)))
  expect([...actor.actRows(rows)]).toEqual(alone)
})

test('observations are normalised as by the wrapper in training', async () => {
  const statistics = runningStatistics()
  // Gymnasium's rule rounds to float32 in between.
  const rule = 'stable-baselines3'
  const task = await wrap('Pendulum-v1', normaliseObservation({ rule, statistics, clip: 1.5 }))
  const env = await make(task)
  env.reset({ seed: 1 })
  for (let step = 0; step < 100; step++) env.step([1])
  const population = populationOf(shapeOf('gaussian'))
  const plain = await loaded(population)
  const actor = await loaded({
    ...population,
    normalisation: {
      mean: statistics.mean,
      deviation: [0, 1, 2].map((k) => deviation(statistics, k, 1e-8)),
      clip: 1.5,
    },
  })
  const inner = await make('Pendulum-v1')
  const outer = await make(
    await wrap('Pendulum-v1', normaliseObservation({ rule, statistics: frozen(statistics), clip: 1.5 })),
  )
  let raw = inner.reset({ seed: 4 }).obs
  let seen = outer.reset({ seed: 4 }).obs
  for (let step = 0; step < 50; step++) {
    expect(actor.act(raw)).toEqual(plain.act(seen))
    raw = inner.step([2]).obs
    seen = outer.step([2]).obs
  }
  expect(actor.act(raw)).not.toEqual(plain.act(raw))
})

describe('what cannot be done is refused in a sentence', () => {
  const actor = loaded(populationOf(shapeOf('categorical')))

  test.each<[observation: unknown, options: object, message: string]>([
    [[1, 2], {}, 'An observation must be 3 numbers, got 2.'],
    [undefined, {}, 'An observation must be 3 numbers, got undefined.'],
    [[1, 2, 3, 4, 5, 6], {}, 'An observation must be 3 numbers, got 6.'],
    [[1, Number.NaN, 3], {}, 'Number 1 of an observation must be a finite float32 number, got NaN.'],
    [[1, 2, 1e39], {}, 'Number 2 of an observation must be a finite float32 number, got 1e+39.'],
    [[1, 2, '3'], {}, 'Number 2 of an observation must be a finite float32 number, got "3".'],
    [[1, 2, 3], { particle: 5 }, 'particle must be a number from 0 to 4, best, per-episode, per-call or mean, got 5.'],
    [[1, 2, 3], { particle: -1 }, 'got -1.'],
    [[1, 2, 3], { particle: 0.5 }, 'got 0.5.'],
    [[1, 2, 3], { particle: 'worst' }, 'got "worst".'],
    [[1, 2, 3], { greedy: 1 }, 'greedy must be true or false, got 1.'],
    [[1, 2, 3], { seed: -1 }, 'seed must be a whole number from 0 to 9007199254740991, got -1.'],
    [[1, 2, 3], { step: 2 ** 32 }, 'step must be a whole number from 0 to 4294967295, got 4294967296.'],
    [[1, 2, 3], { episode: 2 ** 31 }, 'episode must be a whole number'],
    [[1, 2, 3], { episode: 'one' }, 'episode must be a number or one for each of 1 rows, got 3 of them.'],
    [[1, 2, 3], { episode: null }, 'episode must be a number or one for each of 1 rows, got undefined of them.'],
    [[1, 2, 3], { episode: [Number.NaN] }, 'episode must be a whole number from 0 to 2147483647, got NaN.'],
  ])('%j %j', async (observation, options, message) => {
    const { act } = await actor
    expect(() => act(observation as number[], options)).toThrow(
      expect.objectContaining({ name: 'UsageError', message: expect.stringContaining(message) }),
    )
  })

  test('rows of another width, or none', async () => {
    const { actRows } = await actor
    for (const length of [0, 1, 7]) {
      expect(() => actRows(new Float32Array(length))).toThrow(
        `Observations must be rows of 3 numbers, got ${length} numbers.`,
      )
    }
    expect(() => actRows(new Float32Array(6), { episode: [1] })).toThrow('one for each of 2 rows, got 1 of them.')
  })

  test('the best of a population that nobody evaluated; of one there is no doubt', async () => {
    const unknown = await loaded(populationOf(shapeOf('categorical'), { best: null }))
    expect(() => unknown.act([1, 2, 3])).toThrow('No particle is known to be the best')
    expect(unknown.act([1, 2, 3], { particle: 'mean' })).toBeGreaterThanOrEqual(0)
    const single = await loaded(populationOf(shapeOf('categorical'), { best: null, particles: 1 }))
    expect(single.act([1, 2, 3])).toBe(single.act([1, 2, 3], { particle: 0 }))
  })
})

test('what was loaded does not change with the bytes it came from', async () => {
  const { encodePolicy } = await import('../../src/policy/description.ts')
  const { description, weights } = encodePolicy(populationOf(shapeOf('gaussian')))
  const actor = await loadPolicy({ description: JSON.stringify(description), weights, core })
  const before = actor.act([1, 2, 3])
  weights.fill(0)
  expect(actor.act([1, 2, 3])).toEqual(before)
})

test('an action that is not finite is not given', async () => {
  const population = populationOf(shapeOf('gaussian', { activation: 'linear' }))
  const actor = await loaded({ ...population, theta: population.theta.map((value) => value * 1e30) })
  expect(() => actor.act([1, 2, 3])).toThrow('The action is not finite')
})
