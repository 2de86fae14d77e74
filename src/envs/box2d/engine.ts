import { importUnseen } from '../../../dist/inline/import.js'
import { UsageError } from '../../core/errors.ts'
import type { Ops } from '../../core/ops.ts'

/** A place or a direction, m. */
export interface Vector {
  readonly x: number
  readonly y: number
}

/** What is used of a body. */
export interface Body {
  /** Where its origin is. */
  getPosition(): Vector
  getAngle(): number
  /** Of its centre of mass, m/s. */
  getLinearVelocity(): Vector
  getAngularVelocity(): number
  isAwake(): boolean
  createFixture(definition: FixtureDefinition): void
  /** kg, m, and kg m² about its origin. */
  setMassData(data: { mass: number; center: Vector; I: number }): void
  /** Forces act in the next step. */
  applyForceToCenter(force: Vector, wake: boolean): void
  applyTorque(torque: number, wake: boolean): void
  applyLinearImpulse(impulse: Vector, point: Vector, wake: boolean): void
  /** Its angle, which planck makes of sine and cosine when a body is created. */
  readonly m_sweep: { a: number; a0: number }
}

interface FixtureDefinition {
  readonly shape: object
  readonly density: number
  readonly friction: number
  readonly filterCategoryBits?: number
  readonly filterMaskBits?: number
}

interface Fixture {
  getBody(): Body
  getFilterCategoryBits(): number
}

interface Contact {
  getFixtureA(): Fixture
  getFixtureB(): Fixture
}

/** What is used of a joint that turns. */
export interface Joint {
  getJointAngle(): number
  getJointSpeed(): number
  setMotorSpeed(speed: number): void
  setMaxMotorTorque(torque: number): void
}

interface JointDefinition {
  readonly bodyA: Body
  readonly bodyB: Body
  readonly localAnchorA: Vector
  readonly localAnchorB: Vector
  readonly referenceAngle: number
  readonly enableMotor: boolean
  readonly enableLimit: boolean
  readonly maxMotorTorque: number
  readonly motorSpeed: number
  readonly lowerAngle: number
  readonly upperAngle: number
}

/** What is used of a world. */
export interface World {
  createBody(definition: { type: 'static' | 'dynamic'; position?: Vector; angle?: number }): Body
  createJoint(joint: Joint): void
  on(event: 'begin-contact' | 'end-contact', listener: (contact: Contact) => void): void
  step(seconds: number, velocityIterations: number, positionIterations: number): void
  rayCast(
    from: Vector,
    to: Vector,
    report: (fixture: Fixture, point: Vector, normal: Vector, fraction: number) => number,
  ): void
}

/** What is used of the package planck, stated here so that the library's types do not need it. */
export interface Planck {
  readonly World: new (definition: { gravity: Vector }) => World
  readonly Edge: new (from: Vector, to: Vector) => object
  readonly Polygon: new (corners: readonly Vector[]) => object
  readonly Box: new (halfWidth: number, halfHeight: number) => object
  readonly RevoluteJoint: new (definition: JointDefinition) => Joint
  readonly Rot: { neo(angle: number): Rotation }
}

/** Sine and cosine of an angle. */
export interface Rotation {
  readonly s: number
  readonly c: number
  setAngle(angle: number): void
}

/** Imports the package planck, or another build with its interface. */
export type PlanckImport = () => Promise<unknown>

/** Bundlers do not see it: they would stop where the package is not installed. */
export const importPlanck: PlanckImport = () => importUnseen('planck')

/** Packages by where they come from, loaded one after the other. */
const packages = new Map<PlanckImport, Promise<Planck>>()

/**
 * planck, loaded at the first call. A failure is not kept: the next call tries again.
 *
 * @throws UsageError when the import fails, or gives something else than planck 1.4 with this library's sines
 */
export function startPlanck(load: PlanckImport, ops: Ops): Promise<Planck> {
  const before = [...packages.values()].at(-1) ?? Promise.resolve()
  const started = packages.get(load) ?? before.catch(() => {}).then(() => start(load, ops))
  packages.set(load, started)
  started.catch(() => packages.delete(load))
  return started
}

async function start(load: PlanckImport, ops: Ops): Promise<Planck> {
  const planck = (await withSines(ops, load)) as Planck
  const parts = ['World', 'Edge', 'Polygon', 'RevoluteJoint', 'Rot'] as const
  if (!parts.every((name) => typeof planck?.[name] === 'function'))
    throw new UsageError('What load gave is not planck 1.4, the port of Box2D: npm install planck@1.4.')
  for (let k = 1; k <= 500; k++) {
    const { s, c } = planck.Rot.neo(0.37 * k)
    if (s !== ops.sin64(0.37 * k) || c !== ops.cos64(0.37 * k)) throw earlier()
  }
  return planck
}

const earlier = () =>
  new UsageError(
    "planck was loaded before by something else, with the engine's own sines, which are not the same everywhere: make " +
      'the task before planck is imported elsewhere, or give it a copy of its own by load.',
  )

/**
 * Engines differ in the last bit of sines, and planck takes those that Math has while it is loaded. So while it is
 * loaded, and no longer, Math has those of the core, which are the same everywhere.
 */
async function withSines(ops: Ops, load: PlanckImport): Promise<unknown> {
  const { sin, cos } = Math
  Object.assign(Math, { sin: ops.sin64, cos: ops.cos64 })
  try {
    return await load()
  } catch (cause) {
    throw new UsageError(
      'planck, the port of Box2D, is not installed, or cannot be imported: npm install planck@1.4; a bundled page ' +
        "passes load: () => import('planck').",
      { cause },
    )
  } finally {
    Object.assign(Math, { sin, cos })
  }
}
