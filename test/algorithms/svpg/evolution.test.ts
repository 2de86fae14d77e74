import { describe, expect, test } from '@jest/globals'
import { evolve } from '../../../src/algorithms/svpg/evolution.ts'
import type { SvpgOptions } from '../../../src/algorithms/svpg/settings.ts'
import { svpg } from '../../../src/algorithms/svpg/svpg.ts'
import { createArena } from '../../../src/core/arena.ts'
import { f32 } from '../../../src/core/layout.ts'
import { compileCore } from '../../../src/core/module.ts'
import { splitSeed } from '../../../src/core/random.ts'
import type { EnvironmentSpec } from '../../../src/envs/contract.ts'
import { box, discrete } from '../../../src/envs/spaces.ts'
import { steinFields } from '../../../src/svgd/fields.ts'
import { rbf } from '../../../src/svgd/kernels.ts'

const core = await compileCore()
const d = 6
const D = 8

/** Particles i = (i, i, …) after a step of evolution. */
async function evolved(fitness: (number | null)[], { seed = 1, iteration = 0 } = {}) {
  const n = fitness.length
  const arena = await createArena(core, { ...steinFields(n, d, { kernel: rbf() }), noise: f32(D) })
  const { theta, noise } = arena.view
  theta.forEach((_, k) => {
    theta[k] = k % D < d ? Math.floor(k / D) : 0
  })
  const replaced = evolve(arena, d, fitness, noise, splitSeed(seed), iteration)
  return { replaced, rows: fitness.map((_, i) => [...theta.subarray(i * D, (i + 1) * D)]) }
}

describe('the worst quarter', () => {
  test('become copies of the best, moved by at most 0.005, and the others stay', async () => {
    const { replaced, rows } = await evolved([5, 1, 7, 6, 2, 9, 8, 3])
    expect(replaced).toEqual([4, 1])
    rows.forEach((row, i) => {
      const from = i === 4 ? 5 : i === 1 ? 2 + 4 : i
      const moved = row.slice(0, d).map((value) => value - from)
      expect(Math.max(...moved.map(Math.abs))).toBeLessThanOrEqual(replaced.includes(i) ? 0.0050001 : 0)
      expect(new Set(moved).size).toBe(replaced.includes(i) ? d : 1)
      // The padding of a row stays dead.
      expect(row.slice(d)).toEqual([0, 0])
    })
  })

  test('the noise is uniform on both sides of 0', async () => {
    const all: number[] = []
    for (let iteration = 0; iteration < 200; iteration++) {
      const { rows } = await evolved([3, 2, 1, 0], { iteration })
      all.push(...rows[3].slice(0, d))
    }
    const mean = all.reduce((a, b) => a + b) / all.length
    const square = all.reduce((a, b) => a + b * b, 0) / all.length
    expect(Math.abs(mean)).toBeLessThan((4 * 0.005) / Math.sqrt(3 * all.length))
    expect(square / (0.005 ** 2 / 3)).toBeCloseTo(1, 0.8)
    expect(Math.min(...all)).toBeLessThan(-0.0049)
    expect(Math.max(...all)).toBeGreaterThan(0.0049)
  })

  test('the same seed and iteration give the same bits, others do not', async () => {
    const rows = async (at: object) => (await evolved([4, 3, 2, 1], at)).rows
    expect(await rows({})).toEqual(await rows({}))
    expect(await rows({ seed: 2 })).not.toEqual(await rows({}))
    expect(await rows({ iteration: 1 })).not.toEqual(await rows({}))
  })

  test('of equal ones the later go', async () => {
    expect((await evolved([1, 1, 1, 1, 1])).replaced).toEqual([4])
  })

  test('a particle whose return is not known is neither replaced nor copied', async () => {
    const { replaced, rows } = await evolved([null, 2, 5, 1, 3, null])
    expect(replaced).toEqual([3])
    expect(rows[3][0]).toBeCloseTo(2, 1)
    expect((await evolved([null, 1, 2, 3])).replaced).toEqual([])
    expect((await evolved([1, 2, 3])).replaced).toEqual([])
  })
})

/** Episodes of 30 steps, the more often action 1 the better. */
const long: EnvironmentSpec = {
  id: 'Long',
  observationSpace: box([-1], [1]),
  actionSpace: discrete(2),
  maxEpisodeSteps: 30,
  create: () => ({
    reset: ({ seed }) => ({ obs: [(seed % 100) / 100], info: {} }),
    step: (action: number) => ({ obs: [0.5], reward: action, terminated: false, truncated: false, info: {} }),
  }),
}

const small: SvpgOptions = { env: long, particles: 4, environments: 2, steps: 16, hidden: [3], seed: 7 }

describe('in a population', () => {
  test('by the last return of each particle, known once its first episode has ended', async () => {
    const state = await svpg.init({ ...small, evolutionEvery: 1 })
    const infos = []
    for (let k = 0; k < 3; k++) infos.push(await svpg.step(state))
    const [first, second, third] = infos
    expect(first.particles.map(({ meanReturn }) => meanReturn)).toEqual([null, null, null, null])
    expect(first.replaced).toEqual([])
    const returns = second.particles.map(({ meanReturn }) => meanReturn as number)
    expect(second.replaced).toEqual([returns.lastIndexOf(Math.min(...returns))])
    // Nothing is known of the copy, and three are no four.
    expect(third.replaced).toEqual([])
    const [copy] = second.replaced
    expect(state.returns).toEqual(returns.map((value, i) => (i === copy ? null : value)))
  })

  test('in every evolutionEvery-th iteration, with dead tails of the rows', async () => {
    const state = await svpg.init({ ...small, steps: 48, evolutionEvery: 2 })
    expect(state.policy.size % 4).not.toBe(0)
    const replaced = []
    for (let k = 0; k < 4; k++) replaced.push((await svpg.step(state)).replaced.length)
    expect(replaced).toEqual([0, 1, 0, 1])
    const width = state.arena.view.theta.length / 4
    state.arena.view.theta.forEach((value, k) => {
      if (k % width >= state.policy.size) expect(value).toBe(0)
    })
  })

  test('never by default', async () => {
    const state = await svpg.init({ ...small, steps: 48 })
    for (let k = 0; k < 3; k++) expect((await svpg.step(state)).replaced).toEqual([])
  })
})
