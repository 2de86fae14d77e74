import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from '@jest/globals'

const root = fileURLToPath(new URL('../..', import.meta.url))
const small = { algorithm: 'ppo', iterations: 3, environments: 2, steps: 32, hidden: [8], seed: 0 }

/** What the process tells that trains until its policy earns `goal`. */
function solve(goal: number, settings: object = small) {
  const began = Date.now()
  const task = { began, env: 'CartPole-v1', settings, checkEvery: 64, episodes: 5, goal }
  const { stdout, stderr } = spawnSync('node', ['bench/solve/steinrl.js', JSON.stringify(task)], {
    ...{ cwd: root, encoding: 'utf8' as const },
  })
  if (!stdout) throw new Error(stderr)
  return { ...JSON.parse(stdout), elapsed: (Date.now() - began) / 1000 }
}

test('it ends with the first evaluation that reaches the goal, and its clock stands still meanwhile', () => {
  const { isSolved, transitions, seconds, evaluating, elapsed, meanReturn } = solve(8)
  expect([isSolved, transitions]).toEqual([true, 64])
  expect(meanReturn).toBeGreaterThanOrEqual(8)
  expect(seconds).toBeGreaterThan(0)
  expect(evaluating).toBeGreaterThan(0)
  expect(seconds + evaluating).toBeLessThanOrEqual(elapsed)
})

test('what does not reach it is not solved; of a population the one that is chosen is not chosen by evaluation', () => {
  expect(solve(501)).toMatchObject({ isSolved: false, transitions: 192 })
  expect(solve(8, { ...small, algorithm: 'svpg', particles: 3 })).toMatchObject({ isSolved: true, transitions: 192 })
})

test('a number of seeds that is none is refused', () => {
  const words = ['--import', 'tsx', 'bench/run.ts', 'solve', '--seeds', 'few']
  const { status, stderr } = spawnSync(process.execPath, words, { cwd: root, encoding: 'utf8' })
  expect([status, stderr]).toEqual([1, expect.stringContaining('--seeds must be a whole number from 1, got few.')])
})
