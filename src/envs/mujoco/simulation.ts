import { show, UsageError } from '../../core/errors.ts'
import type { Data, Engine, Model } from './engine.ts'
import { type Part, partsOf } from './parts.ts'

/** mjtObj of a body. */
const BODY = 1

/** One robot in motion. Arrays are views of MuJoCo's memory: copy what is to be kept. */
export interface Simulation {
  readonly facts: ModelFacts
  /** [nq] positions of the joints, m and rad. */
  readonly qpos: Float64Array
  /** [nv] their velocities. */
  readonly qvel: Float64Array
  /** [nbody, 3] positions of the bodies. */
  readonly xpos: Float64Array
  /** [nbody, 6] torque and force of contacts on each body, if `advance` was asked for them. */
  readonly cfrcExt: Float64Array
  /** [nbody, 3] centres of mass of the bodies. */
  readonly xipos: Float64Array
  /** [ngeom, 3] centres of shapes, and how they are turned, [ngeom, 9]. */
  readonly geomXpos: Float64Array
  readonly geomXmat: Float64Array
  /** [nsite, 3] places of sites. */
  readonly siteXpos: Float64Array
  /** [nbody, 10] mass and inertia of each body about the centre of mass of its tree. */
  readonly cinert: Float64Array
  /** [nbody, 6] angular and linear velocities of the bodies. */
  readonly cvel: Float64Array
  /** [nv] forces of the motors, and of constraints, on the joints. */
  readonly actuatorForces: Float64Array
  readonly constraintForces: Float64Array
  /** [ntendon] lengths of tendons and their velocities. */
  readonly tendonLength: Float64Array
  readonly tendonVelocity: Float64Array
  /** Sine and cosine of the core: the same bits in every engine. */
  readonly trig: Trig
  /** [nq] positions at rest. */
  readonly restQpos: Float64Array
  /** [nv] */
  readonly restQvel: Float64Array
  /** The number of a body given by name or number. Throws a UsageError if there is none. */
  bodyNumber(body: string | number): number
  /** Goes on from this state as if nothing had been before: time, warm start of the solver and forces are zero. */
  start(qpos: ArrayLike<number>, qvel: ArrayLike<number>): void
  /** Lets `frames` steps of the physics pass under an action. */
  advance(action: ArrayLike<number>, frames: number, contactForces: boolean): void
  /** Frees its memory. */
  close(): void
}

/** Sine and cosine. */
export interface Trig {
  sin(x: number): number
  cos(x: number): number
}

/** Numbers that follow from a model. */
export interface ModelFacts {
  readonly nq: number
  readonly nv: number
  readonly bodies: number
  /** [nbody] kg */
  readonly masses: readonly number[]
  /** Its shapes, for pictures. */
  readonly parts: readonly Part[]
  /** s, one step of the physics. */
  readonly timeStep: number
  /** Bounds of an action. */
  readonly low: readonly number[]
  readonly high: readonly number[]
}

function factsOf(model: Model): ModelFacts {
  const { nq, nv, nu, nbody, opt } = model
  const timeStep = opt.timestep
  opt.delete()
  const range = model.actuator_ctrlrange
  const bounded = (i: number) => range[2 * i] < range[2 * i + 1]
  const bounds = (end: 0 | 1, infinity: number) =>
    Array.from({ length: nu }, (_, i) => (bounded(i) ? range[2 * i + end] : infinity))
  const low = bounds(0, Number.NEGATIVE_INFINITY)
  const masses = Array.from(model.body_mass)
  return {
    nq,
    nv,
    bodies: nbody,
    masses,
    parts: partsOf(model),
    timeStep,
    low,
    high: bounds(1, Number.POSITIVE_INFINITY),
  }
}

/**
 * A model compiled when it is first needed and freed when nobody needs it any more.
 *
 * @throws UsageError from `take` when MuJoCo cannot read the model
 */
export function sharedModel(engine: Engine, id: string, xml: string) {
  let model: Model | null = null
  let users = 0
  return {
    take(): Model {
      model ??= compile(engine, id, xml)
      users++
      return model
    },
    giveBack() {
      if (--users > 0) return
      model?.delete()
      model = null
    },
  }
}

type SharedModel = ReturnType<typeof sharedModel>

function compile(engine: Engine, id: string, xml: string): Model {
  try {
    return engine.MjModel.from_xml_string(xml)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new UsageError(`${id}: MuJoCo cannot read the model: ${reason.replace(/\s+/g, ' ').trim()}.`)
  }
}

export function simulate(engine: Engine, shared: SharedModel, trig: Trig): Simulation {
  const { model, facts, data } = open(engine, shared)
  let views = viewsOf(data)
  // The engine's memory grows when other environments are made, which empties every view.
  const live = () => {
    if (views.qpos.length === 0) views = viewsOf(data)
    return views
  }
  const simulation: Omit<Simulation, keyof Views> = {
    facts,
    trig,
    restQpos: views.qpos.slice(),
    restQvel: views.qvel.slice(),
    bodyNumber(body) {
      const number = typeof body === 'string' ? engine.mj_name2id(model, BODY, body) : body
      if (number >= 0 && number < facts.bodies) return number
      throw new UsageError(`The model has ${facts.bodies} bodies, from 0; there is no body ${show(body)}.`)
    },
    start(qpos, qvel) {
      engine.mj_resetData(model, data)
      live().qpos.set(qpos)
      live().qvel.set(qvel)
      engine.mj_forward(model, data)
    },
    advance(action, frames, contactForces) {
      live().ctrl.set(action)
      for (let frame = 0; frame < frames; frame++) engine.mj_step(model, data)
      // MuJoCo leaves forces of contact out unless a sensor asks for them.
      if (contactForces) engine.mj_rnePostConstraint(model, data)
    },
    close() {
      data.delete()
      shared.giveBack()
    },
  }
  for (const name of Object.keys(views) as (keyof Views)[])
    Object.defineProperty(simulation, name, { get: () => live()[name], enumerable: true })
  return simulation as Simulation
}

/** A model and the state of one robot; where there is no memory for it, the model is given back. */
function open(engine: Engine, shared: SharedModel) {
  const model = shared.take()
  try {
    return { model, facts: factsOf(model), data: new engine.MjData(model) }
  } catch (error) {
    shared.giveBack()
    throw error
  }
}

const viewsOf = (data: Data) => ({
  qpos: data.qpos,
  qvel: data.qvel,
  ctrl: data.ctrl,
  xpos: data.xpos,
  xipos: data.xipos,
  geomXpos: data.geom_xpos,
  geomXmat: data.geom_xmat,
  siteXpos: data.site_xpos,
  cinert: data.cinert,
  cvel: data.cvel,
  cfrcExt: data.cfrc_ext,
  actuatorForces: data.qfrc_actuator,
  constraintForces: data.qfrc_constraint,
  tendonLength: data.ten_length,
  tendonVelocity: data.ten_velocity,
})

type Views = ReturnType<typeof viewsOf>
