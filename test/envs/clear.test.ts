import { expect, test } from '@jest/globals'
import { areClear, type ListedContact } from '../../src/envs/box2d/clear.ts'

const SIDE = 0.2
const corners = [
  { x: -SIDE, y: -SIDE },
  { x: SIDE, y: -SIDE },
  { x: SIDE, y: SIDE },
  { x: -SIDE, y: SIDE },
]
const none = { x: 0, y: 0 }
const upright = { s: 0, c: 1 }

/** A square whose centre moves from height `from` to `to` over the ground, and turns by `turn` to upright. */
const square = (from: number, to: number, turn = 0, next: ListedContact | null = null) =>
  ({
    m_fixtureA: {
      m_shape: { m_type: 'edge', m_vertex1: { x: -1, y: 0 }, m_vertex2: { x: 3, y: 0 } },
      m_body: { m_xf: { p: none, q: upright }, isStatic: () => true },
    },
    m_fixtureB: {
      m_shape: { m_type: 'polygon', m_vertices: corners },
      m_body: {
        m_xf: { p: { x: 0, y: to }, q: upright },
        m_sweep: { c: { x: 0, y: to }, c0: { x: 0.5, y: from }, localCenter: none, a: 0, a0: turn },
        isStatic: () => false,
      },
    },
    m_next: next,
  }) as unknown as ListedContact

test.each([
  ['stays above', 0.3, 0.25, 0, true],
  ['stays below', -0.3, -0.25, 0, true],
  ['ends at the ground', 0.5, 0.21, 0, false],
  ['begins at the ground', 0.21, 0.5, 0, false],
  ['falls through', 0.5, -0.5, 0, false],
  ['rises through', -0.5, 0.5, 0, false],
  ['may reach the ground by a corner as it turns', 0.25, 0.25, 0.5, false],
  ['is too high for its corners', 0.5, 0.5, 0.5, true],
])('a body that %s', (_, from, to, turn, clear) => {
  expect(areClear(square(from, to, turn))).toBe(clear)
})

test('all contacts have to be clear', () => {
  expect(areClear(null)).toBe(true)
  expect(areClear(square(0.3, 0.3, 0, square(0.3, 0.3)))).toBe(true)
  expect(areClear(square(0.3, 0.3, 0, square(0.3, 0.1)))).toBe(false)
})
