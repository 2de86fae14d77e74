import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from '@jest/globals'
import { generator, normal } from '../../src/core/generator.ts'
import {
  bootstrapIntervals,
  type Interval,
  interquartileMean,
  performanceProfile,
  probabilityOfImprovement,
  type RunScores,
} from '../../src/experiments/scores.ts'
import { hasModule, interpreter } from '../left-out.js'

interface Case {
  readonly x: RunScores
  readonly y: RunScores
  readonly thresholds: number[]
  readonly interquartileMean: number
  readonly interquartileMeanInterval: Interval
  readonly probability: number
  readonly probabilityInterval: Interval
  readonly profile: number[]
  readonly profileIntervals: Interval[]
}

const golden = (file: string) => fileURLToPath(new URL(`../golden/${file}`, import.meta.url))
const { cases } = JSON.parse(readFileSync(golden('rliable.json'), 'utf8')) as { cases: Case[] }

function expectAsRliable({ x, y, thresholds, ...theirs }: Case): void {
  expect(Math.abs(interquartileMean(x) - theirs.interquartileMean)).toBeLessThan(1e-12)
  expect(Math.abs(probabilityOfImprovement(x, y) - theirs.probability)).toBeLessThan(1e-12)
  performanceProfile(x, thresholds).forEach((share, k) => {
    expect(Math.abs(share - theirs.profile[k])).toBeLessThan(1e-12)
  })
  expectInterval(theirs.interquartileMeanInterval, [x], ([scores]) => interquartileMean(scores))
  expectInterval(theirs.probabilityInterval, [x, y], ([a, b]) => probabilityOfImprovement(a, b))
  theirs.profileIntervals.forEach((interval, k) => {
    expectInterval(interval, [x], ([scores]) => performanceProfile(scores, thresholds)[k])
  })
}

/** Three deviations of the share of rliable's 2000 replicates that are beyond an end where 2.5 % should be. */
const SLACK = 3 * Math.sqrt((0.025 * 0.975) / 2000)

/** The ends of rliable lie between ours of a wider interval and of a narrower one. */
function expectInterval(
  [low, high]: Interval,
  samples: readonly RunScores[],
  statistic: (samples: readonly RunScores[]) => number,
): void {
  const [wide, narrow] = [SLACK, -SLACK].map((slack) => {
    const options = { replicates: 4000, level: 0.95 + 2 * slack }
    return bootstrapIntervals(samples, (drawn) => [statistic(drawn)], options)[0]
  })
  const within = [wide[0], low, narrow[0], narrow[1], high, wide[1]]
  // Sums in another order.
  for (let k = 1; k < within.length; k++) if (k !== 3) expect(within[k] - within[k - 1]).toBeGreaterThan(-1e-12)
}

test.each(cases)('statistics of scores, case %#, are those of rliable', (recorded) => {
  expectAsRliable(recorded)
})

const withRliable = hasModule('rliable.library') ? test : test.skip

withRliable(
  'statistics of new scores are those of rliable',
  () => {
    const g = generator(Date.now())
    const draw = (tasks: number, runs: number) =>
      Array.from({ length: tasks }, () => Array.from({ length: runs }, () => normal(g)))
    const thresholds = [-1, 0, 1]
    const given = [
      { tasks_x: draw(1, 6), tasks_y: draw(1, 5), thresholds, replicates: 1 },
      { tasks_x: draw(3, 9), tasks_y: draw(3, 4), thresholds, replicates: 1 },
    ]
    const { stdout, stderr } = spawnSync(interpreter, [golden('record-rliable.py')], {
      input: JSON.stringify(given),
      encoding: 'utf8',
    })
    if (!stdout) throw new Error(stderr)
    for (const theirs of JSON.parse(stdout).cases as Case[]) {
      expect(interquartileMean(theirs.x)).toBeCloseTo(theirs.interquartileMean, 12)
      expect(probabilityOfImprovement(theirs.x, theirs.y)).toBeCloseTo(theirs.probability, 12)
      performanceProfile(theirs.x, thresholds).forEach((share, k) => {
        expect(share).toBeCloseTo(theirs.profile[k], 12)
      })
    }
  },
  120_000,
)

describe('a bootstrap', () => {
  const scores = [[1, 2, 4, 8]]
  const mean = ([drawn]: readonly RunScores[]) => [drawn[0].reduce((sum, x) => sum + x, 0) / 4]

  test('gives the same bits by the same seed, and others by another', () => {
    const interval = bootstrapIntervals([scores], mean, { replicates: 100 })
    expect(bootstrapIntervals([scores], mean, { replicates: 100 })).toEqual(interval)
    expect(interval).toEqual([[1.3687500000000006, 6.762499999999996]])
    expect(bootstrapIntervals([scores], mean, { replicates: 100, seed: 1 })).not.toEqual(interval)
  })

  test('draws each task from its own runs', () => {
    const tasks = [[1, 2], [10, 20, 30], [500]]
    bootstrapIntervals(
      [tasks],
      ([drawn]) => {
        drawn.forEach((runs, t) => {
          expect(runs).toHaveLength(tasks[t].length)
          for (const x of runs) expect(tasks[t]).toContain(x)
        })
        return [0]
      },
      { replicates: 50 },
    )
    expect(tasks).toEqual([[1, 2], [10, 20, 30], [500]])
  })

  test('of all tasks’ runs is narrower than the range, and wider for a higher level', () => {
    const [[low, high]] = bootstrapIntervals([scores], mean)
    const [[lower, higher]] = bootstrapIntervals([scores], mean, { level: 0.99 })
    expect([lower <= low, low < 3.75, 3.75 < high, high <= higher]).toEqual([true, true, true, true])
    expect(higher - lower).toBeGreaterThan(high - low)
  })

  test('of the mean of ten normal scores covers it as often as its description says', () => {
    const g = generator(7)
    const covered = Array.from({ length: 600 }, (_, seed) => {
      const x = Array.from({ length: 10 }, () => normal(g))
      const mean = ([drawn]: readonly RunScores[]) => [drawn[0].reduce((sum, value) => sum + value, 0)]
      const [[low, high]] = bootstrapIntervals([[x]], mean, { replicates: 400, seed })
      return low <= 0 && 0 <= high
    })
    // Of 600: ± 0.011.
    expect(Math.abs(covered.filter(Boolean).length / 600 - 0.915)).toBeLessThan(0.035)
  })
})

test('of three runs the interquartile mean is the mean, of four that of the inner two', () => {
  expect(interquartileMean([[1, 2, 6]])).toBe(3)
  expect(interquartileMean([[100, 2, 4, -50]])).toBe(3)
})

test('a probability of improvement and its reverse make one', () => {
  const x = [[1, 2, 2, 5]]
  const y = [[2, 3]]
  expect(probabilityOfImprovement(x, y)).toBe((0.5 * 2 + 2) / 8)
  expect(probabilityOfImprovement(x, y) + probabilityOfImprovement(y, x)).toBe(1)
})

test.each<[() => unknown, string]>([
  [() => interquartileMean([]), 'Scores must be [tasks][runs] of a task or more, got none.'],
  [() => interquartileMean([[1], []]), 'Scores must have a run or more of each task, task 1 has none.'],
  [() => performanceProfile([[1, Number.NaN]], [0]), 'Scores must be finite numbers, got NaN for task 0.'],
  [() => probabilityOfImprovement([[1]], [[1], [2]]), 'must be of the same tasks, got 1 and 2 of them.'],
  [() => bootstrapIntervals([], () => [0]), 'A bootstrap needs a list of one sample or more, got [].'],
  [() => bootstrapIntervals([[[1]]], () => [0], { level: 1.5 }), 'level must be a number from 0 to 1, got 1.5.'],
  [() => bootstrapIntervals([[[1]]], () => [0], { replicates: 0 }), 'replicates must be a whole number from 1 to'],
])('%s is refused', (call, message) => {
  expect(call).toThrow(message)
})
