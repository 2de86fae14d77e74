import type { EnvironmentSpec } from '../../src/envs/contract.ts'
import { sizeOf } from '../../src/envs/spaces.ts'

/**
 * Classic control in plain JavaScript on typed arrays, float64 as in the core, many rows a call. One monomorphic loop a
 * task, constants read once; sines and cosines are the engine's.
 */
type Constants = Readonly<Record<string, number>>
type Step = (
  state: Float64Array,
  action: Float32Array,
  reward: Float64Array,
  terminated: Uint8Array,
  rows: number,
  c: Constants,
) => void

interface Physics {
  readonly step: Step
  observe(out: Float32Array, state: Float64Array, from: number, to: number): void
  reset(state: Float64Array, row: number, c: Constants, uniform: () => number): void
}

const stepCartPole: Step = (state, action, reward, terminated, rows, c) => {
  const { gravity, cartMass, poleMass, halfLength, force: push, timeStep, positionLimit, angleLimit } = c
  const totalMass = poleMass + cartMass
  const poleMoment = poleMass * halfLength
  for (let r = 0, s = 0; r < rows; r++, s += 4) {
    const xDot = state[s + 1]
    const theta = state[s + 2]
    const thetaDot = state[s + 3]
    const force = action[r] === 1 ? push : -push
    const cos = Math.cos(theta)
    const sin = Math.sin(theta)
    const temp = (force + poleMoment * (thetaDot * thetaDot) * sin) / totalMass
    const thetaAcc = (gravity * sin - cos * temp) / (halfLength * (4 / 3 - (poleMass * (cos * cos)) / totalMass))
    const x = state[s] + timeStep * xDot
    const angle = theta + timeStep * thetaDot
    state[s] = x
    state[s + 1] = xDot + timeStep * (temp - (poleMoment * thetaAcc * cos) / totalMass)
    state[s + 2] = angle
    state[s + 3] = thetaDot + timeStep * thetaAcc
    reward[r] = 1
    terminated[r] = x < -positionLimit || x > positionLimit || angle < -angleLimit || angle > angleLimit ? 1 : 0
  }
}

const stepMountainCar: Step = (state, action, reward, terminated, rows, c) => {
  const { force, gravity, minPosition, maxPosition, speedLimit, goalPosition, goalVelocity } = c
  for (let r = 0, s = 0; r < rows; r++, s += 2) {
    let v = state[s + 1] + ((action[r] - 1) * force + Math.cos(3 * state[s]) * -gravity)
    v = Math.min(Math.max(v, -speedLimit), speedLimit)
    let x = state[s] + v
    x = Math.min(Math.max(x, minPosition), maxPosition)
    if (x === minPosition && v < 0) v = 0
    state[s] = x
    state[s + 1] = v
    reward[r] = -1
    terminated[r] = x >= goalPosition && v >= goalVelocity ? 1 : 0
  }
}

const stepMountainCarContinuous: Step = (state, action, reward, terminated, rows, c) => {
  const { power, gravity, forceLimit, minPosition, maxPosition, speedLimit, goalPosition, goalVelocity } = c
  const { goalReward, actionCost } = c
  for (let r = 0, s = 0; r < rows; r++, s += 2) {
    const a = action[r]
    const force = Math.min(Math.max(a, -forceLimit), forceLimit)
    let v = state[s + 1] + (force * power - gravity * Math.cos(3 * state[s]))
    v = Math.min(Math.max(v, -speedLimit), speedLimit)
    let x = state[s] + v
    x = Math.min(Math.max(x, minPosition), maxPosition)
    if (x === minPosition && v < 0) v = 0
    const ended = x >= goalPosition && v >= goalVelocity
    state[s] = Math.fround(x)
    state[s + 1] = Math.fround(v)
    reward[r] = (ended ? goalReward : 0) - a * a * actionCost
    terminated[r] = ended ? 1 : 0
  }
}

const stepPendulum: Step = (state, action, reward, terminated, rows, c) => {
  const { gravity, mass, length, timeStep, speedLimit, torqueLimit, speedCost, torqueCost } = c
  const fall = (3 * gravity) / (2 * length)
  const lift = 3 / (mass * length * length)
  const turn = 2 * Math.PI
  for (let r = 0, s = 0; r < rows; r++, s += 2) {
    const a = action[r]
    const u = Math.min(Math.max(a, -torqueLimit), torqueLimit)
    const theta = state[s]
    const thetaDot = state[s + 1]
    const angle = theta - turn * Math.round(theta / turn)
    reward[r] = -(angle * angle + speedCost * (thetaDot * thetaDot) + torqueCost * (u * u))
    let speed = thetaDot + (fall * Math.sin(theta) + lift * u) * timeStep
    speed = Math.min(Math.max(speed, -speedLimit), speedLimit)
    state[s] = theta + speed * timeStep
    state[s + 1] = speed
    terminated[r] = 0
  }
}

const stepAcrobot: Step = (state, action, reward, terminated, rows, c) => {
  const { gravity: g, length: l1, mass1: m1, mass2: m2, centre1: lc1, centre2: lc2, inertia } = c
  const { torque, timeStep, speedLimit1, speedLimit2, goalHeight } = c
  const coupling = m2 * l1 * lc2
  for (let r = 0, s = 0; r < rows; r++, s += 4) {
    const push = (action[r] - 1) * torque
    let [t1, t2, w1, w2] = [state[s], state[s + 1], state[s + 2], state[s + 3]]
    let sum1 = 0
    let sum2 = 0
    let sumDot1 = 0
    let sumDot2 = 0
    for (let stage = 0; stage < 4; stage++) {
      const cos2 = Math.cos(t2)
      const sin2 = Math.sin(t2)
      const d1 = m1 * lc1 * lc1 + m2 * (l1 * l1 + lc2 * lc2 + 2 * l1 * lc2 * cos2) + inertia + inertia
      const d2 = m2 * (lc2 * lc2 + l1 * lc2 * cos2) + inertia
      const phi2 = m2 * lc2 * g * Math.cos(t1 + t2 - Math.PI / 2)
      const weight = (m1 * lc1 + m2 * l1) * g * Math.cos(t1 - Math.PI / 2)
      const phi1 = -coupling * w2 * w2 * sin2 - 2 * coupling * w2 * w1 * sin2 + weight + phi2
      const a2 =
        (push + (d2 / d1) * phi1 - coupling * w1 * w1 * sin2 - phi2) / (m2 * lc2 * lc2 + inertia - (d2 * d2) / d1)
      const a1 = -(d2 * a2 + phi1) / d1
      const times = stage === 1 || stage === 2 ? 2 : 1
      sum1 += times * w1
      sum2 += times * w2
      sumDot1 += times * a1
      sumDot2 += times * a2
      const ahead = stage < 2 ? timeStep / 2 : timeStep
      t1 = state[s] + ahead * w1
      t2 = state[s + 1] + ahead * w2
      w1 = state[s + 2] + ahead * a1
      w2 = state[s + 3] + ahead * a2
    }
    const sixth = timeStep / 6
    t1 = wrapped(state[s] + sixth * sum1)
    t2 = wrapped(state[s + 1] + sixth * sum2)
    w1 = state[s + 2] + sixth * sumDot1
    w2 = state[s + 3] + sixth * sumDot2
    state[s] = t1
    state[s + 1] = t2
    state[s + 2] = Math.min(Math.max(w1, -speedLimit1), speedLimit1)
    state[s + 3] = Math.min(Math.max(w2, -speedLimit2), speedLimit2)
    const ended = -Math.cos(t1) - Math.cos(t2 + t1) > goalHeight
    reward[r] = ended ? 0 : -1
    terminated[r] = ended ? 1 : 0
  }
}

function wrapped(theta: number): number {
  let x = theta
  while (x > Math.PI) x -= 2 * Math.PI
  while (x < -Math.PI) x += 2 * Math.PI
  return x
}

function observeState(out: Float32Array, state: Float64Array, from: number, to: number): void {
  for (let i = from; i < to; i++) out[i] = state[i]
}

const observeWhole = (size: number): Physics['observe'] => {
  return (out, state, from, to) => observeState(out, state, from * size, to * size)
}

const observePendulum: Physics['observe'] = (out, state, from, to) => {
  for (let r = from; r < to; r++) {
    out[3 * r] = Math.cos(state[2 * r])
    out[3 * r + 1] = Math.sin(state[2 * r])
    out[3 * r + 2] = state[2 * r + 1]
  }
}

const observeAcrobot: Physics['observe'] = (out, state, from, to) => {
  for (let r = from, s = 4 * from, o = 6 * from; r < to; r++, s += 4, o += 6) {
    out[o] = Math.cos(state[s])
    out[o + 1] = Math.sin(state[s])
    out[o + 2] = Math.cos(state[s + 1])
    out[o + 3] = Math.sin(state[s + 1])
    out[o + 4] = state[s + 2]
    out[o + 5] = state[s + 3]
  }
}

const resetAround: Physics['reset'] = (state, row, c, uniform) => {
  for (let k = 0; k < 4; k++) state[4 * row + k] = (2 * uniform() - 1) * c.resetRange
}

const resetCar: Physics['reset'] = (state, row, c, uniform) => {
  state[2 * row] = c.resetLow + (c.resetHigh - c.resetLow) * uniform()
  state[2 * row + 1] = 0
}

const resetPendulum: Physics['reset'] = (state, row, c, uniform) => {
  state[2 * row] = (2 * uniform() - 1) * c.resetAngle
  state[2 * row + 1] = (2 * uniform() - 1) * c.resetSpeed
}

const tasks: Readonly<Record<string, Physics>> = {
  'CartPole-v1': { step: stepCartPole, observe: observeWhole(4), reset: resetAround },
  'MountainCar-v0': { step: stepMountainCar, observe: observeWhole(2), reset: resetCar },
  'MountainCarContinuous-v0': { step: stepMountainCarContinuous, observe: observeWhole(2), reset: resetCar },
  'Pendulum-v1': { step: stepPendulum, observe: observePendulum, reset: resetPendulum },
  'Acrobot-v1': { step: stepAcrobot, observe: observeAcrobot, reset: resetAround },
}

/**
 * N rows of a task with its time limit, episode returns and Gymnasium's next-step resets; undefined for a task not
 * written here.
 */
export function plainJavaScript(spec: EnvironmentSpec, N: number) {
  const physics = Object.hasOwn(tasks, spec.id) ? tasks[spec.id] : undefined
  const { core, maxEpisodeSteps } = spec
  if (!physics || !core) return undefined
  const state = new Float64Array(N * core.stateSize)
  const observation = new Float32Array(N * sizeOf(spec.observationSpace))
  const reward = new Float64Array(N)
  const terminated = new Uint8Array(N)
  const truncated = new Uint8Array(N)
  const elapsed = new Int32Array(N)
  const episodeReturn = new Float64Array(N)
  const ended = new Uint8Array(N)
  const reset = (row: number) => {
    physics.reset(state, row, core.constants, Math.random)
    physics.observe(observation, state, row, row + 1)
    elapsed[row] = 0
    episodeReturn[row] = 0
    ended[row] = 0
    reward[row] = 0
    terminated[row] = 0
    truncated[row] = 0
  }
  for (let row = 0; row < N; row++) reset(row)
  return {
    state,
    observation,
    reward,
    terminated,
    step(action: Float32Array): void {
      physics.step(state, action, reward, terminated, N, core.constants)
      physics.observe(observation, state, 0, N)
      for (let row = 0; row < N; row++) {
        if (ended[row]) reset(row)
        else {
          episodeReturn[row] += reward[row]
          truncated[row] = ++elapsed[row] >= maxEpisodeSteps ? 1 : 0
          ended[row] = truncated[row] | terminated[row]
        }
      }
    },
  }
}
