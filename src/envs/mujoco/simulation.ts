import { show, UsageError } from '../../core/errors.ts'
import type { Data, Engine, Model } from './engine.ts'

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

/** Numbers that follow from a model. */
export interface ModelFacts {
  readonly nq: number
  readonly nv: number
  readonly bodies: number
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
  return { nq, nv, bodies: nbody, timeStep, low, high: bounds(1, Number.POSITIVE_INFINITY) }
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

export function simulate(engine: Engine, shared: SharedModel): Simulation {
  const { model, facts, data } = open(engine, shared)
  let views = viewsOf(data)
  // The engine's memory grows when other environments are made, which empties every view.
  const live = () => {
    if (views.qpos.length === 0) views = viewsOf(data)
    return views
  }
  return {
    facts,
    get qpos() {
      return live().qpos
    },
    get qvel() {
      return live().qvel
    },
    get xpos() {
      return live().xpos
    },
    get cfrcExt() {
      return live().cfrcExt
    },
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
  cfrcExt: data.cfrc_ext,
})
