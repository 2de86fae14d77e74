import { expect, test } from '@jest/globals'
import { type CellGrid, cellsOf } from '../../src/envs/grid.ts'
import { mazeCell, mazeCells, pointMaze, wallConstants } from '../../src/envs/point-maze.ts'

test('a row counts to the cell it lies in, one beyond the grid to the outermost, and each cell once', () => {
  const grid: CellGrid = { columns: [2, 0], low: [0, -1], high: [10, 1], cells: 4, reachable: 16 }
  // The third number has places 0 … 3, the first one 4 times that; the second number does not matter.
  const rows = [
    ...[-1, 9, 0], // 0 + 4 · 0
    ...[-1, 7, 9.9], // 3 + 4 · 0
    ...[0.1, 7, 5], // 2 + 4 · 2
    ...[0.2, 8, 5.1], // the same
    ...[99, 0, -99], // 0 + 4 · 3
  ]
  expect([...cellsOf(grid, Float32Array.from(rows), 3)]).toEqual([0, 3, 10, 12])
})

test('the cells of the maze are those of mazeCell, and as many can be reached as mazeCells finds', () => {
  const grid = pointMaze.grid as CellGrid
  for (const [x, y] of [
    [0.12, 0.93],
    [0.5, 0.5],
    [0.999, 0.001],
  ])
    expect([...cellsOf(grid, [x, y], 2)]).toEqual([mazeCell(x, y)])
  expect(grid.reachable).toBe(mazeCells(pointMaze.core?.constants ?? {}).length)
  const open = pointMaze.configure?.(wallConstants([]))
  expect(open?.grid?.reachable).toBe(400)
})
