import { expect, test } from '@jest/globals'
import { bestVisits, planeOf } from '../../src/experiments/visits.ts'

/** Points along (1, 2, 0) with a little of (2, −1, 0), and a constant third coordinate. */
const rowsAlong = (count: number, shift = 0) =>
  Array.from({ length: count }, (_, k) => {
    const a = k - (count - 1) / 2 + shift
    const b = (k % 3) - 1
    return [a + 0.2 * b, 2 * a - 0.1 * b, 7]
  })

test('the best four by greedy return, then by sampled, with rows spread evenly', () => {
  const visits = Array.from({ length: 6 }, (_, i) => Array.from({ length: 2000 }, (_, k) => [i, k]))
  const evaluation = { episodes: 1, greedy: [5, 9, 9, 1, 7, 6], sampled: [0, 1, 2, 0, 0, 0] }
  const { policies, variant, seed } = bestVisits('stein', 3, visits, evaluation)
  expect({ variant, seed }).toEqual({ variant: 'stein', seed: 3 })
  expect(policies.map(({ particle }) => particle)).toEqual([2, 1, 4, 5])
  expect(policies.map(({ greedy }) => greedy)).toEqual([9, 9, 7, 6])
  for (const { particle, rows } of policies) {
    expect(rows).toHaveLength(500)
    expect(rows[0]).toEqual([particle, 2])
    expect(rows[499]).toEqual([particle, 1998])
  }
})

const runOf = (rows: number[][]) => ({ variant: 'v', seed: 0, policies: [{ particle: 0, greedy: 1, rows }] })

test('the first axis is that of the largest variance; what does not vary is left out', async () => {
  const rows = rowsAlong(301)
  const plane = await planeOf([runOf(rows)])
  if (!plane) throw new Error('no plane')
  expect(plane.explained[0]).toBeGreaterThan(0.99)
  expect(plane.explained[0] + plane.explained[1]).toBeCloseTo(1, 10)
  const points = plane.project(rows)
  // Standardised, both coordinates are nearly equal: the first axis is their sum over √2.
  const scale = (column: number) => {
    const mean = rows.reduce((sum, row) => sum + row[column], 0) / rows.length
    const square = rows.reduce((sum, row) => sum + (row[column] - mean) ** 2, 0) / (rows.length - 1)
    return (row: number[]) => (row[column] - mean) / Math.sqrt(square)
  }
  const [x, y] = [scale(0), scale(1)]
  rows.forEach((row, k) => {
    expect(Math.abs(points[k][0])).toBeCloseTo(Math.abs(x(row) + y(row)) / Math.SQRT2, 8)
  })
  for (const [a, b] of points) {
    expect(a).toBeGreaterThan(plane.x[0])
    expect(a).toBeLessThan(plane.x[1])
    expect(b).toBeGreaterThan(plane.y[0])
    expect(b).toBeLessThan(plane.y[1])
  }
})

test('the plane is that of all runs together', async () => {
  const near = rowsAlong(100)
  const far = rowsAlong(100, 500)
  const plane = await planeOf([runOf(near), runOf(far)])
  const centre = (rows: number[][]) => (plane?.project(rows) ?? []).reduce((sum, [a]) => sum + a, 0) / rows.length
  expect(Math.abs(centre(near) - centre(far))).toBeGreaterThan(1)
  expect(centre(near)).toBeCloseTo(-centre(far), 8)
})

test('a single coordinate has one axis, and without variance there is no plane', async () => {
  const plane = await planeOf([runOf([[1], [2], [4]])])
  expect(plane?.project([[1]])[0][1]).toBe(0)
  expect(
    await planeOf([
      runOf([
        [1, 1],
        [1, 1],
        [1, 1],
      ]),
    ]),
  ).toBeNull()
  expect(await planeOf([])).toBeNull()
})
