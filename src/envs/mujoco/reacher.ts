import { body, capsule, element, hinge, model, motor, plane, slide } from './mjcf.ts'
import { between, type Robot, sumOfSquares, type TaskOptions } from './robot.ts'

export interface ReacherOptions extends TaskOptions {
  /** Cost of a distance of 1 m. */
  readonly rewardDistWeight: number
  /** Cost of |action|² = 1. */
  readonly rewardControlWeight: number
}

const touch = { contype: 0, friction: [1, 0.1, 0.1] }
const apart = { conaffinity: 0, ...touch }
const wall = (name: string, fromto: readonly number[]) => capsule({ name, fromto, size: 0.02, ...apart })
const arm = (name: string) => capsule({ name, fromto: [0, 0, 0, 0.1, 0, 0], size: 0.01, ...touch })
const joint = (name: string, range: readonly number[] = []) =>
  hinge({ name, axis: [0, 0, 1], armature: 1, damping: 1, ...(range.length && { range }) })
const ball = (name: string, size: number, attributes: object) =>
  element('geom', { name, type: 'sphere', size, ...attributes })
const targetSlide = (name: string, axis: readonly number[], ref: number) =>
  slide({ name, axis, ref, range: [-0.27, 0.27] })

const Z = 0.01
const D = 0.3

const arena = [
  plane({ name: 'ground', size: [1, 1, 10], ...apart }),
  wall('sideS', [-D, -D, Z, D, -D, Z]),
  wall('sideE', [D, -D, Z, D, D, Z]),
  wall('sideN', [-D, D, Z, D, D, Z]),
  wall('sideW', [-D, -D, Z, -D, D, Z]),
  element('geom', { name: 'root', type: 'cylinder', fromto: [0, 0, 0, 0, 0, 0.02], size: 0.011, ...apart }),
].join('')

const robot = [
  body(
    'body0',
    [0, 0, Z],
    arm('link0'),
    joint('joint0'),
    body(
      'body1',
      [0.1, 0, 0],
      joint('joint1', [-3, 3]),
      arm('link1'),
      body('fingertip', [0.11, 0, 0], ball('fingertip', 0.01, touch)),
    ),
  ),
  body(
    'target',
    [0.1, -0.1, Z],
    targetSlide('target_x', [1, 0, 0], 0.1),
    targetSlide('target_y', [0, 1, 0], -0.1),
    ball('target', 0.009, apart),
  ),
].join('')

/** The target is within this distance of the shoulder, in m. */
const REACH = 0.2

/**
 * An arm of two links in the plane reaches for a target.
 *
 *     state: qpos [angles of both joints, x and y of the target], qvel their velocities
 *     observation: cosines and sines of the angles, target, velocities of the joints, from the target to the fingertip
 *     reward: −rewardDistWeight |fingertip − target| − rewardControlWeight |action|², never ends
 *     starts at angles within ± 0.1, velocities within ± 0.005, the target uniform in a disc
 *
 * Source: Gymnasium 1.4 Reacher-v5.
 */
export const reacher: Robot<ReacherOptions> = {
  id: 'Reacher-v5',
  limit: 50,
  rewardThreshold: -3.75,
  defaults: { frameSkip: 2, rewardDistWeight: 1, rewardControlWeight: 1 },
  xml: model(
    { compiler: { angle: 'radian' }, option: { timestep: 0.01, integrator: 'RK4', gravity: [0, 0, -9.81] } },
    arena,
    robot,
    [motor('joint0', 200), motor('joint1', 200)],
  ),
  seenFrom: 'above',
  goal: 'target',
  velocityNoise: 'uniform',
  named: 4,
  observe(simulation) {
    const { qpos, qvel, trig } = simulation
    const angles = [qpos[0], qpos[1]]
    const [x, y] = between(simulation, 'fingertip', 'target')
    const target = qpos.subarray(2)
    return Float64Array.of(...angles.map(trig.cos), ...angles.map(trig.sin), ...target, qvel[0], qvel[1], x, y)
  },
  info: () => ({}),
  outcome(simulation, { rewardDistWeight, rewardControlWeight }, action) {
    const distance = Math.sqrt(sumOfSquares(between(simulation, 'fingertip', 'target')))
    const [rewardDist, rewardCtrl] = [-distance * rewardDistWeight, -sumOfSquares(action) * rewardControlWeight]
    return { reward: rewardDist + rewardCtrl, terminated: false, info: { rewardDist, rewardCtrl } }
  },
  begin({ restQpos, restQvel }, draw) {
    const qpos = restQpos.map((x, i, { length }) => x + 0.1 * draw(length, 0)[i])
    const qvel = restQvel.map((v, i, { length }) => (i < length - 2 ? v + 0.005 * draw(length, 1)[i] : 0))
    for (let attempt = 2; ; attempt++) {
      const goal = draw(2, attempt).map((u) => REACH * u)
      if (sumOfSquares(goal) >= REACH * REACH) continue
      qpos.set(goal, qpos.length - 2)
      return { qpos, qvel }
    }
  },
}
