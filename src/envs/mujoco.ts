import { platform } from '#platform'
import { createArenaSync } from '../core/arena.ts'
import { show, UsageError } from '../core/errors.ts'
import { f32 } from '../core/layout.ts'
import { type CoreModule, type CoreSource, compileCore } from '../core/module.ts'
import { Purpose, splitSeed } from '../core/random.ts'
import { isCount, isNumber, isRecord, requireThat } from '../core/require.ts'
import { decodeText } from '../core/text.ts'
import type { Environment, EnvironmentSpec, Reset, Step } from './contract.ts'
import { ant } from './mujoco/ant.ts'
import { type Engine, type EngineImport, importPackage, startEngine } from './mujoco/engine.ts'
import { halfCheetah } from './mujoco/half-cheetah.ts'
import { hopper } from './mujoco/hopper.ts'
import { humanoid } from './mujoco/humanoid.ts'
import { invertedDoublePendulum } from './mujoco/inverted-double-pendulum.ts'
import { invertedPendulum } from './mujoco/inverted-pendulum.ts'
import { pusher } from './mujoco/pusher.ts'
import { reacher } from './mujoco/reacher.ts'
import {
  type Draw,
  type NoiseOptions,
  type Robot,
  type RobotOptions,
  sumOfSquares,
  type TaskOptions,
} from './mujoco/robot.ts'
import { placesOf, sceneOf } from './mujoco/scene.ts'
import { type ModelFacts, type Simulation, sharedModel, simulate, type Trig } from './mujoco/simulation.ts'
import { swimmer } from './mujoco/swimmer.ts'
import { walker2d } from './mujoco/walker2d.ts'
import { type Allowed, changedFrom, settle } from './settle.ts'
import { type Action, box } from './spaces.ts'

const robots = {
  'Swimmer-v5': swimmer,
  'HalfCheetah-v5': halfCheetah,
  'Hopper-v5': hopper,
  'Walker2d-v5': walker2d,
  'Ant-v5': ant,
  'Humanoid-v5': humanoid,
  'InvertedPendulum-v5': invertedPendulum,
  'InvertedDoublePendulum-v5': invertedDoublePendulum,
  'Reacher-v5': reacher,
  'Pusher-v5': pusher,
} as const

/** The MuJoCo tasks by their names in Gymnasium. */
export type MujocoId = keyof typeof robots

/** The tasks that `mujoco` makes. */
export const mujocoIds = Object.keys(robots) as readonly MujocoId[]

/** Whether a name is that of one of the MuJoCo tasks. */
export const isMujocoId = (id: string): id is MujocoId => typeof id === 'string' && Object.hasOwn(robots, id)

/** Gymnasium's options of the task, and where model, physics and random numbers come from. */
export type MujocoOptions<Id extends MujocoId = MujocoId> = Partial<(typeof robots)[Id]['defaults']> & {
  /** Another model for the same rules: MJCF text, or the path of a file that holds it. Default: the task's own. */
  readonly xml?: string
  /** Imports MuJoCo's WASM. Default: the package @mujoco/mujoco. */
  readonly load?: EngineImport
  /** The core, for random numbers. Default: the steinrl.wasm of this package. */
  readonly core?: CoreSource
}

/** A robot whose state can be read and set, and which must be closed: JavaScript does not collect MuJoCo's memory. */
export interface MujocoEnvironment extends Environment {
  reset(options: { seed: number }): Reset & { readonly obs: Float64Array }
  step(action: Action): Step & { readonly obs: Float64Array }
  /** [nq] positions of the joints, m and rad, as they are now: copy what is to be kept. */
  readonly qpos: Float64Array
  /** [nv] their velocities. */
  readonly qvel: Float64Array
  /** Starts an episode in the given state. */
  start(qpos: ArrayLike<number>, qvel: ArrayLike<number>): Reset & { readonly obs: Float64Array }
  /** Frees its memory; it cannot be used afterwards. */
  close(): void
}

/** A MuJoCo task as mujoco() describes it. */
export interface MujocoSpec extends EnvironmentSpec {
  readonly create: () => MujocoEnvironment
}

/**
 * A MuJoCo task with Gymnasium's rules of version 5:
 *
 *     const cheetah = await mujoco('HalfCheetah-v5', { ctrlCostWeight: 0.05 })
 *     const env = cheetah.create()
 *     let { obs } = env.reset({ seed: 7 })
 *     const step = env.step([0, 0, 0, 0, 0, 0])
 *     env.close()
 *
 * @throws UsageError for an unknown id or option, a value that is not allowed, a model that cannot be read, or when the
 *   package
 *   @mujoco/mujoco is not installed
 */
export async function mujoco<Id extends MujocoId>(id: Id, options: MujocoOptions<Id> = {}): Promise<MujocoSpec> {
  if (!isMujocoId(id)) throw new UsageError(`Unknown MuJoCo task ${show(id)}; there are ${mujocoIds.join(', ')}.`)
  // Each robot's rules read its own options, which `settle` makes from its own defaults.
  const robot = robots[id] as unknown as Robot
  requireThat(isRecord(options), 'mujoco', 'its options as an object', options)
  const { xml, load = importPackage, core, ...given } = options
  const settled = settleRobot(robot, robot.defaults, given)
  const text = xml === undefined ? robot.xml : await modelText(id, xml)
  const [engine, module] = await Promise.all([startEngine(load), compileCore(core)])
  return specOf({ robot, engine, module, xml: text, options: settled })
}

interface RobotTask {
  readonly robot: Robot
  readonly engine: Engine
  readonly module: CoreModule
  readonly xml: string
  readonly options: TaskOptions
}

function specOf(task: RobotTask): MujocoSpec {
  const { robot, engine, module, xml, options } = task
  const { id, rewardThreshold, limit = 1000 } = robot
  const shared = sharedModel(engine, id, xml)
  const trig = trigOf(module)
  const { facts, size, render } = probe(robot, options, simulate(engine, shared, trig))
  const noise = noiseOf(module, robot, facts)
  const described = {
    id,
    observationSpace: box(Array(size).fill(Number.NEGATIVE_INFINITY), Array(size).fill(Number.POSITIVE_INFINITY)),
    actionSpace: box(facts.low, facts.high),
    maxEpisodeSteps: limit,
    rewardThreshold,
  }
  return {
    ...described,
    made: { from: described, by: { constants: changed(task) } },
    create: () => createEnvironment(robot, options, simulate(engine, shared, trig), noise),
    render,
    configure: (more) => specOf({ ...task, options: settleRobot(robot, options, more) }),
  }
}

/** What is not as it is by default, in the words of mujoco(). */
function changed({ robot, options, xml }: RobotTask): Record<string, unknown> {
  return { ...changedFrom(robot.defaults, options), ...(xml !== robot.xml && { xml }) }
}

/** What can be known of the task only from its model, which must fit the rules. */
function probe(robot: Robot, options: TaskOptions, simulation: Simulation) {
  try {
    const { facts } = simulation
    if (facts.nq < robot.named)
      throw new UsageError(`${robot.id}: the model must have at least ${robot.named} positions, it has ${facts.nq}.`)
    // Throws when the model lacks a body that the rules follow.
    robot.position?.(simulation, options)
    const size = robot.observe(simulation, options).length
    simulation.start(simulation.restQpos, simulation.restQvel)
    const goal = robot.goal === undefined ? null : simulation.bodyNumber(robot.goal)
    const look = { parts: facts.parts, rest: placesOf(simulation), above: robot.seenFrom === 'above', goal }
    return { facts, size, render: sceneOf(look) }
  } finally {
    simulation.close()
  }
}

const trigs = new WeakMap<CoreModule, Trig>()

/** Sine and cosine of a core, one memory for all tasks. */
function trigOf(module: CoreModule): Trig {
  const known = trigs.get(module)
  if (known) return known
  const { ops } = createArenaSync(module, { unused: f32(1) })
  const trig = { sin: ops.sin64, cos: ops.cos64 }
  trigs.set(module, trig)
  return trig
}

/** Noise on positions and velocities at the start of the episode of a seed, uniform in [−1, 1) or standard normal. */
type Noise = (seed: number) => {
  readonly positions: Float32Array
  readonly velocities: Float32Array
  readonly draw: Draw
}

function noiseOf(module: CoreModule, { velocityNoise }: Robot, { nq, nv }: ModelFacts): Noise {
  const { ops, at, view } = createArenaSync(module, { positions: f32(nq), velocities: f32(nv) })
  const fillVelocities = velocityNoise === 'uniform' ? ops.fillUniform : ops.fillNormal
  const centre = (values: Float32Array) => values.map((u) => 2 * u - 1)
  return (seed) => {
    const { lo, hi } = splitSeed(seed)
    // Two steps, so that positions and velocities share no number.
    ops.fillUniform(at.positions, nq, lo, hi, Purpose.reset, 0, 0, 0)
    fillVelocities(at.velocities, nv, lo, hi, Purpose.reset, 0, 0, 1)
    return {
      positions: centre(view.positions),
      velocities: velocityNoise === 'uniform' ? centre(view.velocities) : view.velocities,
      draw(count, k) {
        ops.fillUniform(at.positions, count, lo, hi, Purpose.reset, 0, 0, k)
        return centre(view.positions.subarray(0, count))
      },
    }
  }
}

function createEnvironment(
  robot: Robot,
  options: TaskOptions,
  simulation: Simulation,
  noise: Noise,
): MujocoEnvironment {
  const { id } = robot
  const { facts } = simulation
  const actions = facts.low.length
  let state: 'closed' | 'idle' | 'running' = 'idle'

  const checkOpen = () => {
    if (state === 'closed') throw new UsageError(`${id}: this environment is closed.`)
  }
  const start = (qpos: ArrayLike<number>, qvel: ArrayLike<number>) => {
    simulation.start(qpos, qvel)
    state = 'running'
    return { obs: robot.observe(simulation, options), info: robot.info(simulation) }
  }
  return {
    get state() {
      checkOpen()
      return placesOf(simulation)
    },
    get qpos() {
      checkOpen()
      return simulation.qpos
    },
    get qvel() {
      checkOpen()
      return simulation.qvel
    },
    reset({ seed }) {
      checkOpen()
      const { positions, velocities, draw } = noise(seed)
      if (robot.begin) {
        const { qpos, qvel } = robot.begin(simulation, draw)
        return start(qpos, qvel)
      }
      const { resetNoiseScale } = options as NoiseOptions
      const perturbed = (rest: Float64Array, by: Float32Array) => rest.map((x, i) => x + resetNoiseScale * by[i])
      return start(perturbed(simulation.restQpos, positions), perturbed(simulation.restQvel, velocities))
    },
    start(qpos, qvel) {
      checkOpen()
      if (qpos.length !== facts.nq || qvel.length !== facts.nv)
        throw new UsageError(
          `${id}: a state is ${facts.nq} positions and ${facts.nv} velocities, got ${qpos.length} and ${qvel.length}.`,
        )
      return start(qpos, qvel)
    },
    step(action) {
      checkOpen()
      if (state === 'idle') throw new UsageError(`${id}: call reset before step; there is no running episode.`)
      const values = typeof action === 'number' ? [action] : Array.from(action)
      if (values.length !== actions || !values.every(Number.isFinite))
        throw new UsageError(`${id}: an action is ${actions} finite numbers, got ${show(values)}.`)
      const step = advance(robot, options, simulation, values)
      if (step.terminated) state = 'idle'
      return step
    },
    close() {
      if (state !== 'closed') simulation.close()
      state = 'closed'
    },
  }
}

/** One step of Gymnasium's rules. The cost counts the action as it is given; MuJoCo clips it to its bounds. */
function advance(robot: Robot, options: TaskOptions, simulation: Simulation, action: number[]) {
  const before = robot.position?.(simulation, options) ?? []
  simulation.advance(action, options.frameSkip, robot.contactForces ?? false)
  const obs = robot.observe(simulation, options)
  const outcome = robot.outcome?.(simulation, options, action)
  return { obs, truncated: false, ...(outcome ?? progress(robot, options as RobotOptions, simulation, before, action)) }
}

/** What a robot gets for its progress along x since it was at `before`. */
function progress(
  robot: Robot,
  options: RobotOptions,
  simulation: Simulation,
  before: readonly number[],
  action: number[],
) {
  const { frameSkip, forwardRewardWeight, ctrlCostWeight } = options
  const after = robot.position?.(simulation, options) ?? []
  const [xVelocity, yVelocity] = after.map((x, i) => (x - before[i]) / (simulation.facts.timeStep * frameSkip))

  const health = robot.health?.(simulation, options)
  const forward = forwardRewardWeight * xVelocity
  const control = ctrlCostWeight * sumOfSquares(action)
  const contact = robot.contactCost?.(simulation, options)
  return {
    reward: forward + (health?.reward ?? 0) - (control + (contact ?? 0)),
    terminated: health?.terminated ?? false,
    info: {
      ...robot.info(simulation),
      xVelocity,
      ...(yVelocity !== undefined && { yVelocity }),
      rewardForward: forward,
      rewardCtrl: -control,
      ...(contact !== undefined && { rewardContact: -contact }),
      ...(health && { rewardSurvive: health.reward }),
    },
  }
}

/** What options may be that are not just of the kind of their default. */
const allowed: Readonly<Record<string, Allowed>> = {
  frameSkip: { what: 'a whole number of at least 1', fits: (value) => isCount(value) && value !== 0 },
  resetNoiseScale: { what: 'a finite number of at least 0', fits: (value) => isNumber(value) && value >= 0 },
  mainBody: {
    what: 'the number or the name of a body',
    fits: (value) => isCount(value) || typeof value === 'string',
  },
}

const settleRobot = ({ id, defaults }: Robot, base: TaskOptions, given: Readonly<Record<string, unknown>>) =>
  settle({ id, defaults, allowed }, base, given, ['xml'])

/** MJCF given as text, or read from the file it names. */
async function modelText(id: string, xml: unknown): Promise<string> {
  if (typeof xml !== 'string')
    throw new UsageError(`${id}: xml must be MJCF text or the path of a file, got ${show(xml)}.`)
  if (xml.trimStart().startsWith('<')) return xml
  try {
    return decodeText(await platform.files.read(xml))
  } catch {
    throw new UsageError(`${id}: there is no model file ${show(xml)}.`)
  }
}
