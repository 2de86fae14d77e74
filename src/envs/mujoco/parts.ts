import type { Model } from './engine.ts'

/** A shape of a model as a picture shows it: a ball, a rod with round ends, or the ground. */
export interface Part {
  readonly kind: 'ground' | 'ball' | 'rod'
  /** m */
  readonly radius: number
  /** Half of its length, m. */
  readonly half: number
  /** The number of its body; 0 does not move. */
  readonly body: number
}

/** mjtGeom. */
const [PLANE, CAPSULE, CYLINDER] = [0, 3, 5]

/** The shapes of a model; what is neither rod nor ground, such as a box of a model of one's own, is shown as a ball. */
export function partsOf({ ngeom, geom_type, geom_size, geom_bodyid }: Model): readonly Part[] {
  return Array.from({ length: ngeom }, (_, k) => {
    const type = geom_type[k]
    const kind = type === PLANE ? 'ground' : type === CAPSULE || type === CYLINDER ? 'rod' : 'ball'
    return { kind, radius: geom_size[3 * k], half: kind === 'rod' ? geom_size[3 * k + 1] : 0, body: geom_bodyid[k] }
  })
}
