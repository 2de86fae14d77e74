import { describe, expect, test } from '@jest/globals'
import type { SvpgOptions } from '../../../src/algorithms/svpg/settings.ts'
import { type SvpgState, svpg } from '../../../src/algorithms/svpg/svpg.ts'
import { createArena } from '../../../src/core/arena.ts'
import { compileCore } from '../../../src/core/module.ts'
import { rowAt } from '../../../src/core/rows.ts'
import type { EnvironmentSpec } from '../../../src/envs/contract.ts'
import { box, discrete } from '../../../src/envs/spaces.ts'
import { tf } from '../../../src/nn/tfjs.ts'
import { steinDirection } from '../../../src/svgd/direction.ts'
import { steinFields } from '../../../src/svgd/fields.ts'
import { rbf, sliced } from '../../../src/svgd/kernels.ts'
import { selfPushReference } from '../../reference/interaction.ts'
import {
  blocksReference,
  directionReference,
  matern32Reference,
  rbfReference,
  scaledImqReference,
} from '../../reference/kernels.ts'
import { medianReference, steinDirectionReference } from '../../reference/svgd.ts'
import { reach } from '../../rl/fixtures/reach.ts'

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
    return { state, theta, gradient, info, direction: rowsOf(state, state.arena.view.direction) }
  }
  const over = (gradient: number[][], temperature: number) => gradient.map((row) => row.map((g) => g / temperature))

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

  test('a Gaussian prior around a policy adds −(θ − mean)/σ² to the score, not divided by α', async () => {
    const priorMean = Float32Array.from({ length: 58 }, (_, k) => Math.cos(k))
    const { theta, gradient, info, direction } = await moved({ temperature: 5, prior: 0.5, priorMean })
    const score = gradient.map((row, i) => row.map((g, k) => g / 5 - (theta[i][k] - priorMean[k]) / 0.25))
    expectRows(direction, steinDirectionReference(theta, score, info?.bandwidth as number).phi)
  })

  test('a narrow prior keeps the population at its mean', async () => {
    const priorMean = Float32Array.from({ length: 58 }, (_, k) => Math.cos(k))
    const options = { prior: 1e-3, priorMean, learningRate: 0.05, steps: 1, environments: 1, particles: 2 }
    const rows = async (changed: Partial<SvpgOptions>) => {
      const state = await trained({ ...options, ...changed }, 150)
      return rowsOf(state, state.arena.view.theta)
    }
    for (const row of await rows({}))
      expect(Math.max(...row.map((x, k) => Math.abs(x - priorMean[k])))).toBeLessThan(0.05)
    for (const row of await rows({ priorMean: undefined })) expect(Math.max(...row.map(Math.abs))).toBeLessThan(0.05)
  })

  test.each([0, 0.5, 2])('repulsion %p multiplies the repulsion and nothing else', async (repulsion) => {
    const { theta, gradient, info, direction } = await moved({ repulsion })
    const { drive, repulsion: plain } = steinDirectionReference(theta, over(gradient, 10), info?.bandwidth as number)
    expectRows(
      direction,
      drive.map((row, i) => row.map((value, k) => value + repulsion * plain[i][k])),
    )
  })

  test('kernel matern32, whose bandwidth is ℓ²', async () => {
    const { theta, gradient, info, direction } = await moved({ kernel: 'matern32', temperature: 2 })
    const kernel = matern32Reference(info?.bandwidth as number)
    expectRows(direction, directionReference(theta, over(gradient, 2), kernel).phi)
  })

  test.each([undefined, 0.4])('kernel imq on the scale of the bandwidth, %p', async (bandwidth) => {
    const { theta, gradient, info, direction } = await moved({ kernel: 'imq', bandwidth, temperature: 2 })
    const h = bandwidth ?? bandwidthOf(theta)
    expect(info?.bandwidth).toBeCloseTo(h, 3)
    expectRows(direction, directionReference(theta, over(gradient, 2), scaledImqReference(h, -0.5)).phi)
  })

  test("kernel sliced is SVGD's, whose slices are of this move and seed", async () => {
    const { theta, gradient, direction } = await moved({ kernel: 'sliced', temperature: 2, hidden: [4] })
    const [n, d] = [theta.length, theta[0].length]
    const at = async (seed: number, iteration: number) => {
      const kernel = sliced(rbf({ bandwidth: 'svpg-code' }), { seed })
      const arena = await createArena(await compileCore(), steinFields(n, d, { kernel }))
      theta.forEach((row, i) => void rowAt(arena.view.theta, n, d, i).set(row))
      over(gradient, 2).forEach((row, i) => void rowAt(arena.view.score, n, d, i).set(row))
      steinDirection(arena, { particles: n, dimension: d, iteration }, kernel)
      return theta.map((_, i) => [...rowAt(arena.view.direction, n, d, i)])
    }
    expectRows(direction, await at(small.seed, 3))
    for (const [seed, move] of [
      [small.seed, 2],
      [small.seed + 1, 3],
    ])
      expect(
        Math.max(...(await at(seed, move)).flat().map((x, k) => Math.abs(x - direction.flat()[k]))),
      ).toBeGreaterThan(0.1 * Math.max(...direction.flat().map(Math.abs)))
  })

  /** med(d²) over all entries / 2 log(n+1), for each block of columns. */
  const bandwidthOf = (block: readonly (readonly number[])[]) => {
    const all = block.flatMap((x) => block.map((y) => x.reduce((sum, value, k) => sum + (value - y[k]) ** 2, 0)))
    return medianReference(all) / (2 * Math.log(block.length + 1))
  }

  test.each<[string, Partial<SvpgOptions>, number[]]>([
    ['CartPole-v1', { hidden: [8, 5] }, [40, 45, 12]],
    // The standard deviations of the actions go with the last layer.
    ['Reach', { env: reach, hidden: [8] }, [24, 20]],
  ])('perLayer on %s gives each layer a direction of its own', async (_, options, widths) => {
    const { state, theta, gradient, info, direction } = await moved({ ...options, perLayer: true, temperature: 3 })
    expect(widths.reduce((a, b) => a + b)).toBe(state.policy.size)
    const { phi } = blocksReference(theta, over(gradient, 3), widths, (block) => rbfReference(bandwidthOf(block)))
    expect(info?.bandwidths).toHaveLength(widths.length)
    // Each layer on its own scale: the smallest one would hide behind the largest.
    let from = 0
    for (const width of widths) {
      const columns = (rows: number[][]) => rows.map((row) => row.slice(from, from + width))
      const largest = Math.max(...columns(phi).flat().map(Math.abs))
      columns(direction).forEach((row, i) => {
        row.forEach((value, k) => void expect(Math.abs(value - columns(phi)[i][k])).toBeLessThan(2e-4 * largest))
      })
      from += width
    }
  })

  test.each<[string, Partial<SvpgOptions>, number]>([
    ['given', { exploration: 0.3 }, 0.3],
    ['that goes down over the run', { iterations: 12 }, 0.75],
  ])('a kernel on behaviour weighs exploration against the rest, by a share %s', async (_, options, share) => {
    const kernel = 'js'
    const { state, gradient, direction } = await moved({ ...options, kernel, temperature: 3, repulsion: 1.5 })
    const k = rowsOf({ particles: 4, policy: { size: 4 } } as SvpgState, state.behaviour?.kernel as Float32Array)
    const { exploration } = state
    expectRows(
      direction,
      gradient.map((row, i) => {
        const total = k[i].reduce((sum, value) => sum + value, 0)
        return row.map((_, c) => {
          const drive = k[i].reduce((sum, value, j) => sum + (value * gradient[j][c]) / 3, 0)
          return ((1 - share) * drive + 1.5 * share * exploration[i][c]) / total
        })
      }),
    )
    for (const row of exploration) expect(Math.max(...row.map(Math.abs))).toBeGreaterThan(0)
  })

  test('no-sharing: its own score over n, and the repulsion of all', async () => {
    const { theta, gradient, info, direction } = await moved({
      interaction: 'no-sharing',
      temperature: 2,
      repulsion: 1.5,
    })
    const { repulsion } = steinDirectionReference(theta, over(gradient, 2), info?.bandwidth as number)
    expectRows(
      direction,
      repulsion.map((row, i) => row.map((value, k) => gradient[i][k] / 2 / 4 + 1.5 * value)),
    )
    const norms = gradient.map((row) => Math.hypot(...row) / 2 / 4)
    expect(info?.drive).toBeCloseTo(norms.reduce((sum, norm) => sum + norm, 0) / 4, 5)
    expect(info?.sharing).toBe(0)
  })

  test('self-push: its own score over n, and a push from the origin', async () => {
    const { theta, gradient, info, direction } = await moved({
      interaction: 'self-push',
      temperature: 2,
      repulsion: 1.5,
    })
    expect(info).toBeNull()
    expectRows(direction, selfPushReference(theta, over(gradient, 2), 1.5))
  })

  test('self-push is close to the repulsion of particles in many dimensions', async () => {
    const push = async (interaction: 'no-sharing' | 'self-push') => {
      const state = await svpg.init({ ...small, particles: 8, hidden: [64, 64], interaction })
      state.arena.view.score.fill(0)
      svpg.move(state)
      return rowsOf(state, state.arena.view.direction)
    }
    const [mutual, own] = [await push('no-sharing'), await push('self-push')]
    const dot = (a: number[], b: number[]) => a.reduce((sum, value, k) => sum + value * b[k], 0)
    mutual.forEach((row, i) => {
      const [lengthOf, lengthOwn] = [row, own[i]].map((x) => Math.sqrt(dot(x, x)))
      // What is missing are the directions of the others: cos² = (n − 1)/n.
      expect(dot(row, own[i]) / lengthOf / lengthOwn).toBeCloseTo(Math.sqrt(7 / 8), 1)
      expect(lengthOf / lengthOwn).toBeGreaterThan(0.7)
      expect(lengthOf / lengthOwn).toBeLessThan(1.4)
    })
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
    expect(info?.bandwidth).toBeCloseTo(bandwidthOf(theta), 3)
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
  test.each<[string, Partial<SvpgOptions>]>([
    ['stein', {}],
    ['independent', { interaction: 'independent' }],
    ['joint', { interaction: 'joint' }],
    ['a2c', { estimator: 'a2c', criticHidden: [32] }],
    ['a2c of five steps', { estimator: 'a2c', nSteps: 5, baseline: 'linear' }],
    ['ppo', { estimator: 'ppo', criticHidden: [32], epochs: 2, minibatches: 2, learningRate: 0.01 }],
  ])('%s improves on CartPole', async (_, options) => {
    const learner = { hidden: [32], environments: 8, steps: 128, learningRate: 0.02 }
    const state = await svpg.init({ ...small, ...learner, ...options })
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

test.each([
  [false, [1, 1, 2, 1]],
  [true, [1, 1, 1, 1]],
])('wholeEpisodes %p: episodes of 3 steps that end in rollouts of 4', async (wholeEpisodes, expected) => {
  const env: EnvironmentSpec = {
    ...{ id: 'Clock', observationSpace: box([0], [9]), actionSpace: discrete(2), maxEpisodeSteps: 3 },
    create() {
      let time = 0
      return {
        reset() {
          time = 0
          return { obs: [time], info: {} }
        },
        step: () => ({ obs: [++time], reward: time, terminated: false, truncated: false, info: {} }),
      }
    },
  }
  const sizes = { env, steps: 4, environments: 3, particles: 2, baseline: 'none' } as const
  const state = await svpg.init({ ...small, ...sizes, wholeEpisodes })
  for (const count of expected) {
    const { particles } = await svpg.step(state)
    expect(particles.map(({ episodes, meanReturn }) => [episodes, meanReturn])).toEqual(Array(2).fill([3 * count, 6]))
  }
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
      'interaction must be one of stein, independent, joint, determinant, no-sharing, self-push, got "none".',
    ],
    [{ temperature: 0 }, 'temperature must be a finite number above 0, got 0.'],
    [
      { temperatureSchedule: 'linear', temperatureIterations: 3, iterations: 4 },
      'The temperature schedule has 3 iterations and is shorter than the run of 4.',
    ],
    [{ prior: 1, priorMean: new Float32Array(57) }, 'priorMean must have the 58 parameters of the policy, got 57.'],
    [
      { priorMean: new Float32Array(58) },
      'A priorMean needs a Gaussian prior: set prior to its standard deviation, got "flat".',
    ],
    [{ repulsion: -1 }, 'repulsion must be a finite number of at least 0, got -1.'],
    [
      { kernel: 'linear' as 'rbf' },
      'kernel must be one of rbf, matern32, imq, sliced, function, js, symmetric-kl, got "linear".',
    ],
    [{ perLayer: 'yes' as unknown as boolean }, 'perLayer must be true or false, got "yes".'],
    [{ perLayer: true, kernel: 'sliced' }, 'blockwise takes kernels on the particles themselves, got sliced rbf.'],
    [{ perLayer: true, bandwidth: 'per-dimension' }, 'blockwise takes kernels on the particles themselves, got rbf.'],
    [{ evolutionEvery: -1 }, 'evolutionEvery must be a whole number from 0 to 1000000000, got -1.'],
    [
      { estimator: 'a2c', baseline: 'none' },
      'a2c needs the baseline linear, linear-rllab or value, which know values, got "none".',
    ],
    [
      { wholeEpisodes: true, steps: 499 },
      'With wholeEpisodes steps must be at least the time limit of CartPole-v1, 500, got 499.',
    ],
    [{ env: 'Pong' }, 'Unknown environment "Pong"; there are CartPole-v1'],
  ])('%j', async (options, message) => {
    await expect(svpg.init({ ...small, ...options })).rejects.toThrow(message)
  })
})
