import type { Vector } from './engine.ts'
import type { MovingBody } from './inside.ts'

// After a step planck searches each contact of a body with the ground for a time of impact within it, by repeated
// distances. Where a body stays clear of the ground's line in all of the step, there is none.

interface Shape {
  readonly m_type: string
  /** Of an edge. */
  readonly m_vertex1?: Vector
  readonly m_vertex2?: Vector
  /** Of a polygon. */
  readonly m_vertices?: readonly Vector[]
}

interface Placed {
  readonly m_shape: Shape
  readonly m_body: MovingBody & { readonly m_xf: { readonly p: Vector; readonly q: { readonly s: number; c: number } } }
}

/** A contact in planck's list of them. */
export interface ListedContact {
  readonly m_fixtureA: Placed
  readonly m_fixtureB: Placed
  readonly m_next: ListedContact | null
}

/** m; planck takes bodies that are nearer than 0.00625 for touching. */
const CLEARANCE = 0.02

/** Whether no body of the contacts meets an edge of the ground between begin and end of a step. */
export function areClear(first: ListedContact | null): boolean {
  for (let contact = first; contact; contact = contact.m_next)
    if (!isClear(contact.m_fixtureA, contact.m_fixtureB)) return false
  return true
}

/**
 * A corner r from the centre c, which a step moves by Δc and turns by Δa, is never further from where it ends than
 * the part of its way that c makes, in a straight line, and r |Δa|.
 */
function isClear({ m_shape: edge, m_body: ground }: Placed, { m_shape: shape, m_body: body }: Placed): boolean {
  if (edge.m_type !== 'edge' || shape.m_type !== 'polygon' || !ground.isStatic()) return false
  const { m_vertex1: from, m_vertex2: to } = edge
  const { m_vertices: corners } = shape
  if (!from || !to || !corners) return false
  const [{ p: origin, q: turn }, { p, q }] = [ground.m_xf, body.m_xf]
  const { c, c0, localCenter, a, a0 } = body.m_sweep
  const [alongX, alongY] = [to.x - from.x, to.y - from.y]
  const length = Math.sqrt(alongX * alongX + alongY * alongY)
  const normalX = -(turn.c * alongY + turn.s * alongX) / length
  const normalY = (turn.c * alongX - turn.s * alongY) / length
  const startX = p.x - origin.x - (turn.c * from.x - turn.s * from.y)
  const startY = p.y - origin.y - (turn.s * from.x + turn.c * from.y)
  const base = normalX * startX + normalY * startY
  let [least, most, reach] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0]
  for (let k = 0; k < corners.length; k++) {
    const { x, y } = corners[k]
    const height = base + normalX * (q.c * x - q.s * y) + normalY * (q.s * x + q.c * y)
    least = Math.min(least, height)
    most = Math.max(most, height)
    const [fromX, fromY] = [x - localCenter.x, y - localCenter.y]
    reach = Math.max(reach, fromX * fromX + fromY * fromY)
  }
  const back = normalX * (c0.x - c.x) + normalY * (c0.y - c.y)
  const room = CLEARANCE + Math.sqrt(reach) * Math.abs(a - a0)
  return least + Math.min(0, back) > room || -most - Math.max(0, back) > room
}
