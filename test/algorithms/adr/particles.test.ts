import { describe, expect, test } from '@jest/globals'
import {
  createRandomiser,
  learn,
  type Move,
  propose,
  type Randomiser,
  type RandomiserSettings,
  uniformPoint,
} from '../../../src/algorithms/adr/particles.ts'
import { compileCore } from '../../../src/core/module.ts'
import { mean } from '../../../src/core/rows.ts'
import { startTfjs } from '../../../src/nn/tfjs.ts'
import { kolmogorov } from '../../reference/statistics.ts'
import { medianReference, steinDirectionReference } from '../../reference/svgd.ts'

const core = await compileCore()
await startTfjs({ core })

const settings: RandomiserSettings = {
  ...{ dimensions: 2, particles: 6, moves: 2, maxMove: 0.05, horizon: 25, hidden: [16] },
  ...{
    learningRate: 3e-3,
    criticLearningRate: 3e-3,
    discount: 0.9,
    temperature: 10,
    repulsion: 1,
    bandwidth: 'dartml',
  },
}
const randomiserOf = (changes: Partial<RandomiserSettings> = {}, seed = 1) =>
  createRandomiser(core, { ...settings, ...changes }, { lo: seed, hi: 0 })

/** [n][D] rows of an array of the randomiser's arena. */
const rowsOf = ({ arena, policy, settings }: Randomiser, name: 'theta' | 'score' | 'direction') => {
  const D = arena.view[name].length / settings.particles
  return Array.from({ length: settings.particles }, (_, i) => [
    ...arena.view[name].subarray(i * D, i * D + policy.size),
  ])
}

describe('particles over the parameters', () => {
  test('follow the Stein direction of their policy gradients over α', async () => {
    const randomiser = await randomiserOf()
    const before = rowsOf(randomiser, 'theta')
    const moves = propose(randomiser)
    const info = learn(
      randomiser,
      moves,
      moves.map((row) => row.map(({ to }) => to[0])),
    )
    const scores = rowsOf(randomiser, 'score')
    const d2 = before.flatMap((x) => before.map((y) => x.reduce((sum, v, k) => sum + (v - y[k]) ** 2, 0)))
    const h = medianReference(d2) / Math.log(before.length + 1)
    expect(info.bandwidth).toBeCloseTo(h, 4)
    const twin = steinDirectionReference(before, scores, h)
    const largest = Math.max(...twin.phi.flat().map(Math.abs))
    rowsOf(randomiser, 'direction').forEach((row, i) => {
      row.forEach((value, k) => void expect(Math.abs(value - twin.phi[i][k])).toBeLessThan(2e-5 * largest))
    })
    // Away from each other, which the authors' code has the wrong way round: along x_i less the mean of the others.
    twin.repulsion.forEach((push, i) => {
      const centre = before[0].map((_, k) => mean(before.map((x) => x[k])))
      expect(push.reduce((sum, value, k) => sum + value * (before[i][k] - centre[k]), 0)).toBeGreaterThan(0)
    })
    expect(info.repulsion).toBeCloseTo(
      mean(twin.repulsion.map((row) => Math.sqrt(row.reduce((sum, value) => sum + value * value, 0)))),
      5,
    )
  })

  test('the scores are the gradient of mean log π A, divided by α', async () => {
    const [cold, hot] = [await randomiserOf({ temperature: 1 }), await randomiserOf({ temperature: 10 })]
    for (const randomiser of [cold, hot]) {
      const moves = propose(randomiser)
      learn(
        randomiser,
        moves,
        moves.map((row) => row.map(({ to }) => to[0])),
      )
    }
    const largest = Math.max(...rowsOf(cold, 'score').flat().map(Math.abs))
    rowsOf(cold, 'score').forEach((row, i) => {
      row.forEach((g, k) => void expect(Math.abs(g - 10 * rowsOf(hot, 'score')[i][k])).toBeLessThan(1e-5 * largest))
    })
  })

  test('a move is at most maxMove in each dimension and stays in the cube, and points are drawn anew', async () => {
    const randomiser = await randomiserOf({ maxMove: 0.05, horizon: 4, moves: 3 })
    const seen = Array.from({ length: 40 }, () => propose(randomiser))
    const paths = randomiser.points.map((_, i) => seen.flatMap((moves) => moves[i]))
    const starts = paths.flatMap((path) => path.filter((_, k) => k % 4 === 0).map(({ from }) => from.join()))
    expect(new Set(starts).size).toBe(6 * 30)
    for (const path of paths)
      path.forEach((move, k) => {
        move.to.forEach((x, c) => {
          expect(Math.abs(x - move.from[c])).toBeLessThan(0.05 + 1e-6)
          expect(x >= 0 && x <= 1).toBe(true)
        })
        expect(move.isLast).toBe(k % 4 === 3)
        if (k > 0) expect(move.from.join() === path[k - 1].to.join()).toBe(k % 4 !== 0)
      })
  })

  /** Mean first coordinate over the last cycles, mean action in it, and how far apart the policies are. */
  async function followed(changes: Partial<RandomiserSettings>, reward: (to: Float32Array) => number, rounds = 100) {
    const randomiser = await randomiserOf({ learningRate: 6e-3, ...changes })
    let distance = 0
    const late: Move[] = []
    for (let t = 0; t < rounds; t++) {
      const moves = propose(randomiser)
      const rewards = moves.map((row) => row.map(({ to }) => reward(to)))
      distance = learn(randomiser, moves, rewards).meanDistance
      if (t >= rounds - 25) late.push(...moves.flat())
    }
    return { action: mean(late.map(({ action }) => action[0])), where: mean(late.map(({ to }) => to[0])), distance }
  }

  /** What a discriminator would pay for being far from a reference at 0. */
  const pays = ([x]: Float32Array) => Math.log(1 / (1 + Math.exp(-4 * (x - 0.5)))) + Math.log(2)

  test('go to the end of the range that is rewarded, and away from it when it is punished', async () => {
    const up = await followed({}, pays)
    const down = await followed({}, (to) => -pays(to))
    expect(up.action).toBeGreaterThan(0.5)
    expect(up.where).toBeGreaterThan(0.6)
    expect(down.action).toBeLessThan(-0.5)
    expect(down.where).toBeLessThan(0.4)
  })

  test('stay apart: the more the stronger the repulsion', async () => {
    const attracted = await followed({ repulsion: 0 }, pays, 60)
    const apart = await followed({}, pays, 60)
    expect(apart.distance).toBeGreaterThan(1.2 * attracted.distance)
  })

  test('uniform randomisation covers the cube and follows no reward', async () => {
    const randomiser = await randomiserOf()
    const points = Array.from({ length: 20 }, (_, i) =>
      Array.from({ length: 50 }, (_, k) => uniformPoint(randomiser, i, k)),
    ).flat()
    for (const c of [0, 1])
      expect(
        kolmogorov(
          Float32Array.from(points, (point) => point[c]),
          (x) => x,
        ),
      ).toBeLessThan(1.95)
    const both = Float32Array.from(points, ([x, y]) => (x + y) % 1)
    expect(kolmogorov(both, (x) => x)).toBeLessThan(1.95)
  })
})
