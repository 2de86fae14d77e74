import type { Vector } from './engine.ts'

// planck's bodies, joints and contacts from the inside, within a step.

interface Moved {
  x: number
  y: number
}

export interface MovingBody {
  readonly m_sweep: { readonly c: Moved; readonly c0: Moved; readonly localCenter: Vector; a: number; a0: number }
  readonly m_linearVelocity: Moved
  readonly m_force: Vector
  readonly m_gravityScale: number
  readonly m_invMass: number
  readonly m_invI: number
  readonly m_torque: number
  readonly c_position: { readonly c: Moved; a: number }
  readonly c_velocity: { readonly v: Moved; w: number }
  m_angularVelocity: number
  m_sleepTime: number
  isDynamic(): boolean
  isStatic(): boolean
  setAwake(awake: boolean): void
  synchronizeTransform(): void
}

interface Turning {
  readonly x: number
  readonly y: number
  readonly z: number
}

/** A joint that turns. */
export interface IslandJoint {
  readonly m_bodyA: MovingBody
  readonly m_bodyB: MovingBody
  readonly m_invMassA: number
  readonly m_invMassB: number
  readonly m_invIA: number
  readonly m_invIB: number
  readonly m_rA: Vector
  readonly m_rB: Vector
  /** Columns of a symmetric matrix. */
  readonly m_mass: Readonly<Record<'ex' | 'ey' | 'ez', Turning>>
  readonly m_motorMass: number
  readonly m_motorSpeed: number
  readonly m_maxMotorTorque: number
  readonly m_limitState: number
  readonly m_impulse: { x: number; y: number; z: number }
  m_motorImpulse: number
  initVelocityConstraints(step: TimeStep): void
  /** Whether it holds well enough. */
  solvePositionConstraints(step: TimeStep): boolean
}

interface ContactPoint {
  readonly rA: Vector
  readonly rB: Vector
  readonly normalMass: number
  readonly tangentMass: number
  readonly velocityBias: number
  normalImpulse: number
  tangentImpulse: number
}

/** Columns of a matrix. */
type Matrix = Readonly<Record<'ex' | 'ey', Vector>>

export interface IslandContact {
  readonly m_fixtureA: { readonly m_body: MovingBody }
  readonly m_fixtureB: { readonly m_body: MovingBody }
  readonly v_invMassA: number
  readonly v_invMassB: number
  readonly v_invIA: number
  readonly v_invIB: number
  readonly v_normal: Vector
  readonly v_friction: number
  readonly v_tangentSpeed: number
  readonly v_K: Matrix
  readonly v_normalMass: Matrix
  readonly v_points: readonly ContactPoint[]
  readonly v_pointCount: number
  initConstraint(step: TimeStep): void
  initVelocityConstraint(step: TimeStep): void
  warmStartConstraint(step: TimeStep): void
  storeConstraintImpulses(step: TimeStep): void
  /** The greatest depth, as a negative number, m. */
  solvePositionConstraint(step: TimeStep): number
  /** The same, where only two bodies may move. */
  solvePositionConstraintTOI(step: TimeStep, a: MovingBody, b: MovingBody): number
}

export interface TimeStep {
  readonly dt: number
  readonly velocityIterations: number
  readonly positionIterations: number
}

/** Bodies that hang together by joints and contacts, as planck's solver has collected them. */
export interface Island {
  readonly m_bodies: MovingBody[]
  readonly m_joints: IslandJoint[]
  readonly m_contacts: IslandContact[]
}
