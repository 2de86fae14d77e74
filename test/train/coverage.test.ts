import { expect, test } from '@jest/globals'
import { cellsOf } from '../../src/envs/grid.ts'
import { countCoverage } from '../../src/train/coverage.ts'
import { train } from '../../src/train/train.ts'

test('coverage counts the cells of all particles, so far and in an iteration', () => {
  const count = countCoverage()
  const visited = (...cells: number[][]) => cells.map((of) => ({ cells: Int32Array.from(of) }))
  expect(count(visited([1, 2], [2, 3]))).toEqual({ coverage: 3, coverageNow: 3 })
  expect(count(visited([3], [4]))).toEqual({ coverage: 4, coverageNow: 2 })
  expect(countCoverage()([{}])).toEqual({})
})

test('training in the maze tells its coverage, the same with workers; other tasks tell none', async () => {
  const small = { particles: 2, environments: 2, steps: 20, hidden: [4], iterations: 3 }
  const covered = async (env: string, workers: number) => {
    const numbers = []
    for await (const { metrics } of train({ ...small, env, workers })) {
      expect('coverage' in metrics).toBe(env === 'PointMaze-v0')
      numbers.push([metrics.coverage, metrics.coverageNow])
    }
    return numbers
  }
  const here = await covered('PointMaze-v0', 0)
  expect(await covered('PointMaze-v0', 2)).toEqual(here)
  // At least the cell of the start, and no more cells than there are transitions.
  for (const [all, now] of here)
    expect([1 <= Number(now), Number(now) <= Number(all), Number(now) <= 80]).not.toContain(false)
  expect(here[2][0]).toBeGreaterThan(Number(here[0][0]))
  await covered('CartPole-v1', 0)
})

test('all rows of a rollout count, not those alone that are shown', async () => {
  for await (const { metrics, state } of train({ env: 'PointMaze-v0', particles: 1, iterations: 1, hidden: [4] })) {
    const shown = cellsOf(
      state.task.spec.grid as NonNullable<typeof state.task.spec.grid>,
      state.visited[0].observation,
      2,
    )
    expect(metrics.coverageNow).toBeGreaterThan(shown.length)
  }
})
