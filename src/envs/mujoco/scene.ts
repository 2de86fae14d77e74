import { circle, line, type Point, polygon, type Scene, type Shape } from '../render.ts'
import { Colour, type State } from '../scenes.ts'
import type { Part } from './parts.ts'
import type { Simulation } from './simulation.ts'

/** Numbers of a part in a state: its centre, and from there to its end. */
const PLACE = 6

/** [parts × 6] where all parts are. */
export function placesOf({ facts: { parts }, geomXpos, geomXmat }: Simulation): Float64Array {
  const state = new Float64Array(parts.length * PLACE)
  parts.forEach(({ half }, k) => {
    for (let i = 0; i < 3; i++) {
      state[PLACE * k + i] = geomXpos[3 * k + i]
      // The third column of a turn is where its z axis points.
      state[PLACE * k + 3 + i] = half * geomXmat[9 * k + 3 * i + 2]
    }
  })
  return state
}

interface Look {
  readonly parts: readonly Part[]
  /** The places at rest, which tell how large the picture is. */
  readonly rest: State
  /** Whether it is seen from above, x and y, or from the side, x and z. */
  readonly above: boolean
  /** The number of the body that is to be reached. */
  readonly goal: number | null
}

/**
 * Draws the parts of a robot. The picture is as large as the robot at rest, and a bit, and goes with it, unless
 * something of the model stands still.
 */
export function sceneOf(look: Look): (state: State) => Scene {
  const { parts, rest } = look
  const size = boxOf(look, rest)
  const height = 1.6 * Math.max((size.right - size.left) / 1.5, size.top - size.bottom)
  const stands = parts.some(({ kind, body }) => kind !== 'ground' && body === 0)
  return (state) => {
    const { left, right, bottom, top } = stands ? size : boxOf(look, state)
    const x = (left + right - 1.5 * height) / 2
    const y = (look.above ? bottom + top - height : size.bottom + size.top - height) / 2
    const view = [x, y, 1.5 * height, height] as const
    return { view, shapes: parts.flatMap((_, k) => shapesOf(look, state, k, view)) }
  }
}

/** The ends of a part in the picture. */
function endsOf({ above }: Look, state: State, k: number): readonly [Point, Point] {
  const up = above ? 1 : 2
  const at = PLACE * k
  const [x, y, dx, dy] = [state[at], state[at + up], state[at + 3], state[at + 3 + up]]
  return [
    [x - dx, y - dy],
    [x + dx, y + dy],
  ]
}

/** What holds all parts but the ground. */
function boxOf(look: Look, state: State) {
  const box = { left: Infinity, right: -Infinity, bottom: Infinity, top: -Infinity }
  look.parts.forEach(({ kind, radius }, k) => {
    if (kind === 'ground') return
    for (const [x, y] of endsOf(look, state, k)) {
      box.left = Math.min(box.left, x - radius)
      box.right = Math.max(box.right, x + radius)
      box.bottom = Math.min(box.bottom, y - radius)
      box.top = Math.max(box.top, y + radius)
    }
  })
  return box
}

function shapesOf(look: Look, state: State, k: number, [left, bottom, width]: Scene['view']): readonly Shape[] {
  const { kind, radius, body } = look.parts[k]
  const [from, to] = endsOf(look, state, k)
  if (kind === 'ground') {
    const [, y] = from
    const right = left + width
    if (look.above || y <= bottom) return []
    return [polygon(Colour.ground, [left, bottom], [left, y], [right, y], [right, bottom])]
  }
  const moving = body === look.goal ? Colour.goal : body === 1 ? Colour.agent : Colour.limb
  const colour = body === 0 ? Colour.body : moving
  // A rod that is seen from its end is a disc.
  const seen = Math.abs(to[0] - from[0]) + Math.abs(to[1] - from[1]) > radius / 100
  return [kind === 'rod' && seen ? line(colour, 2 * radius, from, to) : circle(colour, from, radius)]
}
