import { describe, expect, test } from '@jest/globals'
import { type SvpgOptions, type SvpgState, svpg } from '../../src/algorithms/svpg.ts'
import { tf } from '../../src/nn/tfjs.ts'
import { steinDirectionReference } from '../reference/svgd.ts'

const small = {
  env: 'CartPole-v1',
  particles: 4,
  environments: 4,
  steps: 32,
  hidden: [8],
  seed: 2,
} satisfies SvpgOptions

async function trained(options: Partial<SvpgOptions>, iterations = 3): Promise<SvpgState> {
  const state = await svpg.init({ ...small, ...options })
  for (let k = 0; k < iterations; k++) await svpg.step(state)
  return state
}

const rowsOf = ({ particles, policy }: SvpgState, array: Float32Array) => {
  const D = array.length / particles
  return Array.from({ length: particles }, (_, i) => [...array.subarray(i * D, i * D + policy.size)])
}
const thetaOf = (state: SvpgState) => [...state.arena.view.theta]

describe('same seed, same bits', () => {
  test('two runs end with the same bytes', async () => {
    expect(thetaOf(await trained({}))).toEqual(thetaOf(await trained({})))
  })

  test('another seed does not', async () => {
    expect(thetaOf(await trained({ seed: 3 }))).not.toEqual(thetaOf(await trained({})))
  })

  test('a seed beyond 32 bits is another seed', async () => {
    expect(thetaOf(await trained({ seed: 2 + 2 ** 32 }))).not.toEqual(thetaOf(await trained({})))
  })
})

describe('the move', () => {
  /** The direction that one step takes, and what it was made of. */
  async function moved(options: Partial<SvpgOptions>) {
    const state = await trained(options)
    await svpg.evaluate(state)
    const theta = rowsOf(state, state.arena.view.theta)
    const gradient = rowsOf(state, state.arena.view.score)
    const info = svpg.move(state)
    return { theta, gradient, info, direction: rowsOf(state, state.arena.view.direction) }
  }

  const expectRows = (actual: number[][], expected: number[][]) => {
    const largest = Math.max(...expected.flat().map(Math.abs))
    actual.flat().forEach((value, k) => void expect(Math.abs(value - expected.flat()[k])).toBeLessThan(1e-5 * largest))
  }

  test.each([1, 10, 250])('is the Stein direction of ∇J/α at α = %p', async (temperature) => {
    const { theta, gradient, info, direction } = await moved({ temperature })
    const score = gradient.map((row) => row.map((g) => g / temperature))
    expectRows(direction, steinDirectionReference(theta, score, info?.bandwidth as number).phi)
  })

  test('a Gaussian prior adds −θ/σ² to the score, not divided by α', async () => {
    const { theta, gradient, info, direction } = await moved({ temperature: 5, prior: 0.5 })
    const score = gradient.map((row, i) => row.map((g, k) => g / 5 - theta[i][k] / 0.25))
    expectRows(direction, steinDirectionReference(theta, score, info?.bandwidth as number).phi)
  })

  test('independent particles follow their own gradient, without kernel and without 1/n', async () => {
    const { gradient, info, direction } = await moved({ interaction: 'independent', temperature: 4 })
    expect(info).toBeNull()
    expectRows(
      direction,
      gradient.map((row) => row.map((g) => g / 4)),
    )
  })

  test('the default bandwidth is that of the author: med(d²) over all entries / 2 log(n+1)', async () => {
    const { theta, info } = await moved({})
    const all = theta.flatMap((x) => theta.map((y) => x.reduce((sum, value, k) => sum + (value - y[k]) ** 2, 0)))
    const sorted = all.sort((a, b) => a - b)
    const median = (sorted[7] + sorted[8]) / 2
    expect(info?.bandwidth).toBeCloseTo(median / (2 * Math.log(5)), 3)
  })
})

describe('interaction', () => {
  test('an independent particle is what it would be alone', async () => {
    const population = await trained({ interaction: 'independent' })
    const alone = await trained({ interaction: 'independent', particles: 1 })
    expect(rowsOf(population, population.arena.view.theta)[0]).toEqual(rowsOf(alone, alone.arena.view.theta)[0])
  })

  test('joint is one particle with the data of all', async () => {
    const joint = await trained({ interaction: 'joint' })
    const one = await trained({ interaction: 'independent', particles: 1, environments: 16 })
    expect(joint.particles).toBe(1)
    expect(thetaOf(joint)).toEqual(thetaOf(one))
  })

  test('stein with one particle is plain ascent', async () => {
    expect(thetaOf(await trained({ particles: 1 }))).toEqual(
      thetaOf(await trained({ particles: 1, interaction: 'independent' })),
    )
  })

  test('stein differs from independent', async () => {
    expect(thetaOf(await trained({}))).not.toEqual(thetaOf(await trained({ interaction: 'independent' })))
  })
})

describe('learning', () => {
  test.each(['stein', 'independent', 'joint'] as const)('%s improves on CartPole', async (interaction) => {
    const state = await svpg.init({
      ...small,
      interaction,
      hidden: [32],
      environments: 8,
      steps: 128,
      learningRate: 0.02,
    })
    const meanReturn = async () => {
      const { particles } = await svpg.step(state)
      const episodes = particles.reduce((sum, { episodes }) => sum + episodes, 0)
      return particles.reduce((sum, { episodes, meanReturn }) => sum + episodes * (meanReturn ?? 0), 0) / episodes
    }
    const before = await meanReturn()
    for (let k = 0; k < 18; k++) await svpg.step(state)
    expect(before).toBeLessThan(35)
    expect(await meanReturn()).toBeGreaterThan(3 * before)
  })
})

test('no tensor is left behind', async () => {
  const state = await trained({})
  const before = tf.memory().numTensors
  for (let k = 0; k < 5; k++) await svpg.step(state)
  expect(tf.memory().numTensors).toBe(before)
})

describe('bad input', () => {
  test.each<[Partial<SvpgOptions>, string]>([
    [{ particles: 0 }, 'particles must be a whole number from 1 to 10000, got 0.'],
    [{ temperature: Number.NaN }, 'temperature must be a finite number above 0, got NaN.'],
    [{ temperature: -1 }, 'temperature must be a finite number above 0, got -1.'],
    [{ prior: 0 }, 'prior must be a finite number above 0 or flat, got 0.'],
    [{ bandwidth: -2 }, 'bandwidth must be a finite number above 0 or one of svgd-paper,'],
    [{ discount: 1.01 }, 'discount must be a number from 0 to 1, got 1.01.'],
    [{ hidden: [4, 0] }, 'a hidden width must be a whole number from 1 to 4096, got 0.'],
    [
      { interaction: 'none' as 'stein' },
      'interaction must be one of stein, independent, joint, no-sharing, self-push, got "none".',
    ],
    [{ env: 'Pong' }, 'Unknown environment "Pong"; there are CartPole-v1'],
  ])('%j', async (options, message) => {
    await expect(svpg.init({ ...small, ...options })).rejects.toThrow(message)
  })
})
