import { beforeAll, describe, expect, test } from '@jest/globals'
import '@tensorflow/tfjs-backend-cpu'
import { Purpose } from '../../src/core/random.ts'
import { categorical, distributionOf, gaussian, squashedGaussian } from '../../src/nn/distributions.ts'
import { type HeadName, headNames } from '../../src/nn/policy.ts'
import { startTfjs, tf } from '../../src/nn/tfjs.ts'
import { categoricalReference, gaussianReference, slopes, squashedReference } from '../reference/distributions.ts'
import { logSoftmaxReference } from '../reference/mlp.ts'
import { correlation, kolmogorov, meanOf, normalCdf, numbersOf } from '../reference/statistics.ts'
import { actionsOf, directPopulation, logProbsOf, type Policies, rowsOf } from './population.ts'

beforeAll(() => startTfjs())

const continuous = ['gaussian', 'squashed-gaussian'] as const

/** A policy that gives every row the same parameters; the squashed one never rounds to ±1. */
async function constantPolicy(name: HeadName, A: number, rows: number): Promise<Policies> {
  const population = await directPopulation({ name, actions: A }, 2, rows)
  const { view, thetaOf, policy } = population
  const mean = [0.3, -0.8, 0.1, 0.6, -0.2, 0.4, 0]
  const logStd = [-0.5, 0.2, -1.5, 0, -0.2, -3, 0.1]
  const outputs = [...mean.slice(0, A), ...(name === 'squashed-gaussian' ? logStd.slice(0, A) : [])]
  for (let r = 0; r < rows; r++) view.observation.set(outputs, r * outputs.length)
  if (name === 'gaussian') for (const i of [0, 1]) thetaOf(i).set(logStd.slice(0, A), policy.net.size)
  return population
}

const parametersOf = ({ policy, view, thetaOf }: Policies) => {
  const A = policy.head.actions
  const first = [...view.observation.subarray(0, policy.net.widths[0])]
  if (policy.head.name === 'squashed-gaussian') return squashedReference.parametersOf(first)
  return { mean: first, logStd: [...thetaOf(0).subarray(policy.net.size, policy.net.size + A)] }
}

/** ε of every action: [rows × A]. */
function noiseOf(population: Policies, actions: Float32Array): number[][] {
  const { mean, logStd } = parametersOf(population)
  return rowsOf(actions, mean.length).map((row) => {
    const u = population.policy.head.name === 'gaussian' ? row : row.map(Math.atanh)
    return u.map((value, k) => (value - mean[k]) / Math.exp(logStd[k]))
  })
}

const column = (rows: readonly number[][], k: number) => Float32Array.from(rows, (row) => row[k])

describe.each([1, 3, 4, 5, 7])('%d dimensions', (A) => {
  test.each(continuous)(
    '%s: a draw is that of the numbers of (seed, purpose, stream, environment, step)',
    async (name) => {
      const rows = 6
      const population = await constantPolicy(name, A, rows)
      const { ops, at, view } = population
      const actions = actionsOf(population, { stream: 9, step: 11, seed: [5, 6] })
      for (let r = 0; r < rows; r++) {
        ops.fillNormal(at.noise, A, 5, 6, Purpose.action, 9, r, 11)
        const noise = [...view.noise.subarray(0, A)]
        const p = parametersOf(population)
        const exact = (name === 'gaussian' ? gaussianReference : squashedReference).sample(p, noise)
        exact.forEach((value, k) => void expect(actions[r * A + k]).toBeCloseTo(value, 6))
      }
    },
  )
})

describe.each(continuous)('draws of %s', (name) => {
  const rows = 20_000
  const A = 5

  test('every dimension has the distribution and the moments of its mean and deviation', async () => {
    const population = await constantPolicy(name, A, rows)
    const noise = noiseOf(population, actionsOf(population))
    for (let k = 0; k < A; k++) {
      const sample = column(noise, k)
      // 1.95 is exceeded once in a thousand times.
      expect(kolmogorov(sample, normalCdf)).toBeLessThan(1.95)
      const [first, second] = [meanOf(sample), meanOf(sample.map((value) => value * value))]
      expect(Math.abs(first.mean)).toBeLessThan(4 * first.error)
      expect(Math.abs(second.mean - 1)).toBeLessThan(4 * second.error)
    }
  })

  test('dimensions, environments, steps, streams, purposes and seeds are independent', async () => {
    const population = await constantPolicy(name, A, rows)
    const first = noiseOf(population, actionsOf(population))
    const others = [
      { step: 1 },
      { stream: 1 },
      { purpose: Purpose.evaluate },
      { seed: [2, 0] as [number, number] },
      { seed: [1, 1] as [number, number] },
      { environments: Array.from({ length: rows }, (_, r) => r + 1) },
    ].map((drawing) => noiseOf(population, actionsOf(population, drawing)))
    const apart = [
      ...[0, 1, 2, 3].map((k) => correlation(column(first, k), column(first, k + 1))),
      correlation(column(first, 0), column(first, 4)),
      ...others.map((other) => correlation(column(first, 0), column(other, 0))),
      ...others.map((other) => correlation(column(first, 0), column(other, 1))),
    ]
    for (const value of apart) expect(Math.abs(value)).toBeLessThan(4)
  })

  test('greedy actions are the mode and need no randomness', async () => {
    const population = await constantPolicy(name, A, 3)
    const mode = (name === 'gaussian' ? gaussianReference : squashedReference).mode(parametersOf(population))
    const actions = actionsOf(population, { greedy: true })
    rowsOf(actions, A).forEach((row) => {
      row.forEach((value, k) => void expect(value).toBeCloseTo(mode[k], 6))
    })
    expect(actionsOf(population, { greedy: true, step: 8, stream: 3, seed: [9, 9] })).toEqual(actions)
  })
})

test('draws of a squashed Gaussian stay within [−1, 1] however far out', async () => {
  const population = await directPopulation({ name: 'squashed-gaussian', actions: 2 }, 1, 1000)
  const { normal } = numbersOf(1)
  population.view.observation.set(Array.from({ length: 4000 }, () => 30 * normal()))
  const actions = actionsOf(population)
  expect(actions.every((a) => a >= -1 && a <= 1)).toBe(true)
  expect(new Set(actions.filter((a) => Math.abs(a) === 1)).size).toBe(2)
  expect(logProbsOf(population).every(Number.isFinite)).toBe(true)
})

describe.each(headNames)('%s', (name) => {
  test('an action depends on its environment and not on its row or its neighbours', async () => {
    const population = await constantPolicy(name, 3, 64)
    const all = rowsOf(actionsOf(population, { step: 3 }), name === 'categorical' ? 1 : 3)
    const environments = all.map((_, r) => (r * 29) % 64)
    const moved = rowsOf(actionsOf(population, { step: 3, environments }), all[0].length)
    expect(moved).toEqual(environments.map((e) => all[e]))
    expect(new Set(all.map(String)).size).toBeGreaterThan(2)
  })
})

describe('draws of classes', () => {
  const logits = [0.5, -1, 2, 0, -3, 1]

  const withLogits = async (rows: number, row: readonly number[] = logits) => {
    const population = await directPopulation({ name: 'categorical', actions: row.length }, 1, rows)
    for (let r = 0; r < rows; r++) population.view.observation.set(row, r * row.length)
    return population
  }

  test('have the probabilities softmax(logits)', async () => {
    const rows = 40_000
    const actions = actionsOf(await withLogits(rows))
    const statistic = logSoftmaxReference(logits).reduce((sum, logProb, c) => {
      const expected = rows * Math.exp(logProb)
      return sum + (actions.filter((a) => a === c).length - expected) ** 2 / expected
    }, 0)
    // Pearson's statistic with 5 degrees of freedom exceeds 20.5 once in a thousand times.
    expect(statistic).toBeLessThan(20.5)
  })

  test('invert the uniform numbers of (seed, purpose, stream, environment, step)', async () => {
    const rows = 2000
    const population = await withLogits(rows)
    const { ops, at, view } = population
    const actions = actionsOf(population, { stream: 4, step: 7, seed: [3, 2] })
    for (let r = 0; r < rows; r++) {
      ops.fillUniform(at.noise, 1, 3, 2, Purpose.action, 4, r, 7)
      expect(actions[r]).toBe(categoricalReference.sample(logits, view.noise[0]))
    }
  })

  test('rows, steps and streams are independent', async () => {
    const population = await withLogits(20_000)
    const first = actionsOf(population)
    expect(Math.abs(correlation(first.slice(1), first.slice(0, -1)))).toBeLessThan(4)
    for (const other of [{ step: 1 }, { stream: 1 }, { seed: [2, 0] as [number, number] }])
      expect(Math.abs(correlation(first, actionsOf(population, other)))).toBeLessThan(4)
  })

  test('never fall on a class of no weight, at either end', async () => {
    const actions = actionsOf(await withLogits(5000, [-200, 0, 0, -200]))
    expect([...new Set(actions)].sort()).toEqual([1, 2])
  })

  test.each([
    [5836116, 0, 1],
    [17787757, 1 - 2 ** -24, 2],
  ])('nor where the uniform number is the smallest or the largest: step %d', async (step, uniform, expected) => {
    const population = await withLogits(1, [-200, 0, 0, -200])
    const { ops, at, view } = population
    ops.fillUniform(at.noise, 1, 1, 0, Purpose.action, 0, 0, step)
    expect(view.noise[0]).toBe(uniform)
    expect([...actionsOf(population, { step })]).toEqual([expected])
  })

  test.each([[[1, 3, 3, 2]], [[5, 5, 5]], [[-2]]])('greedy takes the first of the largest: %p', async (row) => {
    expect(actionsOf(await withLogits(1, row), { greedy: true })[0]).toBe(row.indexOf(Math.max(...row)))
  })
})

describe.each(['wasm', 'cpu'])('draws in tfjs on %s are those of the ops, given the same numbers', (backend) => {
  const rows = 500
  const A = 5

  async function compared(
    name: HeadName,
    run: (outputs: tf.Tensor2D, noise: tf.Tensor2D, policies: Policies) => tf.Tensor,
  ) {
    const population = await constantPolicy(name, A, rows)
    const { ops, at, view, policy } = population
    const actions = actionsOf(population)
    const width = actions.length / rows
    const fill = name === 'categorical' ? ops.fillUniform : ops.fillNormal
    const noise = Array.from({ length: rows }, (_, r) => {
      fill(at.noise, width, 1, 0, Purpose.action, 0, r, 0)
      return [...view.noise.subarray(0, width)]
    })
    await tf.setBackend(backend)
    const theirs = tf.tidy(() => {
      const outputs = tf.tensor2d(view.observation, [rows, policy.net.widths[0]])
      return run(outputs, tf.tensor2d(noise), population).dataSync()
    })
    await tf.setBackend('wasm')
    return { actions, theirs }
  }

  test('categorical', async () => {
    const { actions, theirs } = await compared('categorical', (logits, uniform) => categorical.sample(logits, uniform))
    expect([...theirs]).toEqual([...actions])
  })

  test('gaussian', async () => {
    const { actions, theirs } = await compared('gaussian', (mean, noise, { policy, thetaOf }) => {
      const logStd = tf.reshape(tf.tensor1d(thetaOf(0).slice(policy.net.size)), [1, A]) as tf.Tensor2D
      return gaussian.sample({ mean, logStd }, noise)
    })
    actions.forEach((a, i) => void expect(theirs[i]).toBeCloseTo(a, 5))
  })

  test('squashed-gaussian', async () => {
    const { actions, theirs } = await compared('squashed-gaussian', (outputs, noise) => {
      const { action } = squashedGaussian.sample(squashedGaussian.parametersOf(outputs), noise)
      return action
    })
    actions.forEach((a, i) => void expect(theirs[i]).toBeCloseTo(a, 6))
  })

  test('a class without weight is not drawn by the largest and the smallest uniform number', async () => {
    await tf.setBackend(backend)
    const drawn = tf.tidy(() => {
      const logits = tf.tensor2d([-200, 0, 0.1, -200, -200, 0, 0.1, -200], [2, 4])
      return categorical.sample(logits, tf.tensor2d([0, 1 - 2 ** -24], [2, 1])).dataSync()
    })
    await tf.setBackend('wasm')
    expect([...drawn]).toEqual([1, 2])
  })

  test('modes', async () => {
    await tf.setBackend(backend)
    const modes = tf.tidy(() => {
      const rows = tf.tensor2d([1, 3, 3, 2, -1, -2], [2, 3])
      const parameters = { mean: rows, logStd: rows }
      return [categorical.mode(rows), gaussian.mode(parameters), squashedGaussian.mode(parameters)].map((m) =>
        m.arraySync(),
      )
    })
    await tf.setBackend('wasm')
    expect(modes[0]).toEqual([[1], [0]])
    expect(modes[1]).toEqual([
      [1, 3, 3],
      [2, -1, -2],
    ])
    modes[2].flat().forEach((value, i) => void expect(value).toBeCloseTo(Math.tanh([1, 3, 3, 2, -1, -2][i]), 6))
  })
})

describe.each(headNames)('means over 50,000 draws of %s', (name) => {
  const rows = 50_000
  const A = 2

  const drawn = async () => {
    const population = await constantPolicy(name, A, rows)
    actionsOf(population)
    return population
  }

  const exactEntropy = (population: Policies) => {
    if (name === 'categorical') return categoricalReference.entropy(parametersOf(population).mean)
    return (name === 'gaussian' ? gaussianReference : squashedReference).entropy(parametersOf(population))
  }

  test('the entropy is the mean of −log π', async () => {
    const population = await drawn()
    const { mean, error } = meanOf(logProbsOf(population))
    expect(Math.abs(-mean - exactEntropy(population))).toBeLessThan(4 * error)
  })

  test('the mean of the entropies at the draws is the entropy', async () => {
    const population = await drawn()
    const { view, policy, thetaOf } = population
    const entropies = tf.tidy(() => {
      const outputs = tf.tensor2d(view.observation, [rows, policy.net.widths[0]])
      const action = tf.tensor2d(view.action, [rows, view.action.length / rows])
      return distributionOf(policy, outputs, tf.tensor1d(thetaOf(0)))
        .entropy(action)
        .dataSync() as Float32Array
    })
    const { mean, error } = meanOf(entropies)
    expect(Math.abs(mean - exactEntropy(population))).toBeLessThan(4 * error + 1e-6)
  })

  /** Gradient rows by the outputs of each row. */
  function gradients({ view, policy, thetaOf }: Policies, what: 'logProb' | 'entropy'): number[][] {
    const [width, actions] = [policy.net.widths[0], view.action.length / rows]
    return tf.tidy(() => {
      const action = tf.tensor2d(view.action, [rows, actions])
      const total = (outputs: tf.Tensor) =>
        tf.sum(distributionOf(policy, outputs as tf.Tensor2D, tf.tensor1d(thetaOf(0)))[what](action))
      return (tf.grad(total)(tf.tensor2d(view.observation, [rows, width])) as tf.Tensor2D).arraySync()
    })
  }

  test('the score ∇ log π has mean 0', async () => {
    const population = await drawn()
    const rowsOfScores = gradients(population, 'logProb')
    for (let k = 0; k < rowsOfScores[0].length; k++) {
      const { mean, error } = meanOf(column(rowsOfScores, k))
      expect(Math.abs(mean)).toBeLessThan(4 * error)
    }
  })

  test('the gradient of the entropies has the gradient of the entropy as its mean', async () => {
    const population = await drawn()
    const rowsOfSlopes = gradients(population, 'entropy')
    const first = [...population.view.observation.subarray(0, rowsOfSlopes[0].length)]
    const entropyOf = (outputs: number[]) => {
      if (name === 'categorical') return categoricalReference.entropy(outputs)
      if (name === 'gaussian') return gaussianReference.entropy({ ...parametersOf(population), mean: outputs })
      return squashedReference.entropy(squashedReference.parametersOf(outputs))
    }
    slopes(entropyOf, first).forEach((slope, k) => {
      const { mean, error } = meanOf(column(rowsOfSlopes, k))
      expect(Math.abs(mean - slope)).toBeLessThan(4 * error + 1e-6)
    })
  })
})
