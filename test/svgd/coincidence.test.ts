import { describe, expect, jest, test } from '@jest/globals'
import { platform } from '../../src/platform/node.ts'
import { rbf } from '../../src/svgd/kernels.ts'
import { createSVGD, svgd } from '../../src/svgd/svgd.ts'

/** What is warned of while `act` runs. */
async function warnings(act: () => Promise<unknown>): Promise<string[]> {
  const warn = jest.spyOn(platform, 'warn').mockImplementation(() => {})
  await act()
  const messages = warn.mock.calls.map(([message]) => message)
  warn.mockRestore()
  return messages
}

/** The score of N(mean, sd²) in every coordinate. */
const gaussian =
  (mean: number, sd = 1) =>
  (out: Float32Array, x: Float32Array) => {
    for (let k = 0; k < x.length; k++) out[k] = (mean - x[k]) / sd ** 2
  }

const spread = (n: number, d: number, around = 0, step = 1) =>
  Float32Array.from({ length: n * d }, (_, k) => around + step * (k % 7) + step * Math.floor(k / d))

describe('particles that start in the place of another one', () => {
  const settings = { score: gaussian(0), particles: 5, dimension: 2, iterations: 1 }

  test('all of them, and some of them', async () => {
    expect(await warnings(() => svgd({ ...settings, initial: new Float32Array(10).fill(3) }))).toEqual([
      'All 5 initial particles are the same point, and SVGD moves equal particles equally: they stay together. Give each a start of its own.',
    ])
    const some = Float32Array.from([1, 2, 3, 4, 1, 2, 1, 3, 1, 2])
    const begin = async () =>
      (await createSVGD({ score: gaussian(0) }).init({ particles: 5, dimension: 2, initial: some })).close()
    expect(await warnings(begin)).toEqual([
      '2 of 5 initial particles repeat another one, and SVGD moves equal particles equally: they stay together. Give each a start of its own.',
    ])
  })

  test('none, one alone, those that noise parts, and drawn ones are not told', async () => {
    const runs = [
      { ...settings, initial: spread(5, 2) },
      { ...settings, particles: 1, initial: new Float32Array(2) },
      { ...settings, noise: 1, initial: new Float32Array(10) },
      settings,
    ]
    for (const run of runs) expect(await warnings(() => svgd(run))).toEqual([])
  })
})

describe('particles that come together where float32 has no numbers between them', () => {
  test('a time in seconds since 1970 that is known to a second', async () => {
    const run = { score: gaussian(1.8e9), particles: 20, dimension: 1, iterations: 1000 }
    expect(await warnings(() => svgd({ ...run, initial: spread(20, 1, 1.8e9, 128) }))).toEqual([
      'All 20 particles have come together in coordinate 0, at 1.8000000e+9, where neighbouring numbers of float32 are 1.3e+2 apart: subtract a constant from it, or take a unit in which the target is wide.',
    ])
  })

  test('a target that float32 resolves, no step, a coordinate that starts in one place, and no repulsion are not told', async () => {
    const plane = (out: Float32Array, x: Float32Array) => {
      for (let k = 0; k < x.length; k += 2) [out[k], out[k + 1]] = [-x[k], 0]
    }
    const flat = spread(20, 2).map((x, k) => (k % 2 ? 5 : x))
    const run = { particles: 20, dimension: 2, iterations: 1000 }
    const runs = [
      { ...run, score: gaussian(1.8e9, 1e6), initial: spread(20, 2, 1.8e9, 1e5) },
      { ...run, score: gaussian(1.8e9), initial: spread(20, 2, 1.8e9, 128), iterations: 0 },
      { ...run, score: plane, initial: flat },
      { ...run, score: gaussian(1.8e9), initial: spread(20, 2, 1.8e9, 128), repulsion: 0 },
    ]
    for (const each of runs) expect(await warnings(() => svgd(each))).toEqual([])
  })
})

describe('particles whose squared distances float32 cannot hold', () => {
  const run = { score: gaussian(0, 1e-22), particles: 5, dimension: 2, iterations: 3, initial: spread(5, 2, 0, 1e-23) }

  test('are told of, as they do not repel each other', async () => {
    expect(await warnings(() => svgd(run))).toEqual([
      'All 5 particles are within 9.0e-23 of the first one, and the square of that is 0 in float32: they do not repel ' +
        'each other. Take a unit in which the target is wide.',
    ])
  })

  test('are not where the kernel divides first, nor where float32 holds the squares', async () => {
    expect(await warnings(() => svgd({ ...run, kernel: rbf({ bandwidth: 'per-dimension' }) }))).toEqual([])
    expect(await warnings(() => svgd({ ...run, repulsion: 0 }))).toEqual([])
    const wider = { ...run, score: gaussian(0, 1e-18), initial: spread(5, 2, 0, 1e-19) }
    expect(await warnings(() => svgd(wider))).toEqual([])
  })
})

test('a score that writes nothing is told, one that is 0 somewhere is not', async () => {
  const run = { particles: 3, dimension: 2, iterations: 3 }
  const nothing = () => {}
  const half = (out: Float32Array, x: Float32Array) => {
    out[1] = Math.min(x[1], 0)
  }
  expect(await warnings(() => svgd({ ...run, score: nothing }))).toEqual([
    'The scores of all 3 particles are 0 at the start, so they only repel each other. A score writes into out, as by out[0] = −x; out = [−x] writes nothing.',
  ])
  const atMode = { ...run, score: gaussian(0), noise: 1, initial: new Float32Array(6) }
  for (const other of [{ ...run, score: half }, atMode]) expect(await warnings(() => svgd(other))).toEqual([])
})
