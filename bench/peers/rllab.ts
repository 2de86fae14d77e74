/**
 * CartpoleSwingup and DoublePendulum with `physics: 'box2d'` as one would write them in plain TypeScript: the same
 * equations on the same rows, one row at a time, with the engine's Math.sin and Math.cos and the default constants.
 */
export type StepRows = (
  state: Float64Array,
  action: Float32Array,
  reward: Float64Array,
  terminated: Uint8Array,
  rows: number,
) => void

const SLOP = 0.005
const ANGULAR_SLOP = (2 * Math.PI) / 180
const clip = (x: number, limit: number) => Math.max(-limit, Math.min(limit, x))

/** State rows of 9 as in assembly/envs/cart-and-pole.ts. */
export const stepCartpoleSwingup: StepRows = (state, action, reward, terminated, rows) => {
  const dt = 0.05
  const [cartMass, mass, half, top] = [1, 0.1, 0.5, Math.sqrt(3) / 4]
  const inertia = (mass * 1.01) / 12
  const cartInertia = (cartMass * 25) / 144
  for (let r = 0, at = 0; r < rows; r++, at += 9) {
    let theta = state[at + 2]
    let sin = Math.sin(theta)
    let cos = Math.cos(theta)
    const vx = state[at + 6]
    const vy = state[at + 7] - 10 * dt
    const momentum = cartMass * state[at + 1] + 10 * dt * clip(action[r], 1) + mass * vx
    const angular = inertia * state[at + 3] - mass * half * (cos * vx + sin * vy)
    const coupling = mass * half * cos
    const whole = inertia + mass * half * half
    const determinant = (cartMass + mass) * whole - coupling * coupling
    const xDot = (whole * momentum + coupling * angular) / determinant
    const allowed = ((cartMass + mass) * angular + coupling * momentum) / determinant
    const thetaDot = clip(allowed, Math.PI / 2 / dt)
    state[at + 1] = xDot
    state[at + 3] = thetaDot
    state[at + 6] = xDot - half * cos * allowed
    state[at + 7] = -half * sin * allowed

    let x = state[at] + dt * xDot
    let y = state[at + 8]
    let poleX = state[at + 4] + dt * state[at + 6]
    let poleY = state[at + 5] + dt * state[at + 7]
    theta += dt * thetaDot
    for (let round = 0; round < 3; round++) {
      sin = Math.sin(theta)
      cos = Math.cos(theta)
      const [rx, ry] = [half * sin, -half * cos]
      const gapX = poleX + rx - x
      const gapY = poleY + ry - y - top
      const k11 = 1 / cartMass + 1 / mass + (top * top) / cartInertia + (ry * ry) / inertia
      const k12 = (-rx * ry) / inertia
      const k22 = 1 / cartMass + 1 / mass + (rx * rx) / inertia
      const scale = -1 / (k11 * k22 - k12 * k12)
      const px = scale * (k22 * gapX - k12 * gapY)
      const py = scale * (k11 * gapY - k12 * gapX)
      x -= px / cartMass
      poleX += px / mass
      poleY += py / mass
      theta += (rx * py - ry * px) / inertia
      const lift = y - py / cartMass - top
      y = top
      const isClosed = gapX * gapX + gapY * gapY <= SLOP * SLOP && Math.abs(lift) <= SLOP
      if (isClosed && Math.abs((top * px) / cartInertia) <= ANGULAR_SLOP) break
    }
    state[at] = x
    state[at + 2] = theta
    state[at + 4] = poleX
    state[at + 5] = poleY
    state[at + 8] = y
    const ended = Math.abs(x) > 3
    reward[r] = ended ? -100 : Math.cos(theta)
    terminated[r] = ended ? 1 : 0
  }
}

/** State rows of 16 as in assembly/envs/double-pendulum.ts. */
export const stepDoublePendulum: StepRows = (state, action, reward, terminated, rows) => {
  const dt = 0.01
  const half = 0.5
  const maxSpeed = Math.PI / 2 / dt
  const ratio = (12 * half) / 1.01
  const kappa = ratio * half
  const i = 1 / kappa
  for (let r = 0, at = 0; r < rows; r++, at += 16) {
    let [theta1, w1, theta2, w2] = [state[at], state[at + 1], state[at + 2], state[at + 3]]
    let [x1, y1, vx1, vy1] = [state[at + 4], state[at + 5], state[at + 6], state[at + 7]]
    let [x2, y2, vx2, vy2] = [state[at + 8], state[at + 9], state[at + 10], state[at + 11]]
    const kick = (50 * dt * clip(action[r], 1)) / (0.5 * half * half)
    let [sin1, cos1, sin2, cos2] = [Math.sin(theta1), Math.cos(theta1), Math.sin(theta2), Math.cos(theta2)]
    for (let frame = 0; frame < 2; frame++) {
      vy1 -= 10 * dt
      vy2 -= 10 * dt
      const momentum1 = i * w1 + (cos1 * (vx1 + 2 * vx2) + sin1 * (vy1 + 2 * vy2)) / half - kick
      const momentum2 = i * w2 + (cos2 * vx2 + sin2 * vy2) / half + kick
      const coupling = 2 * (cos1 * cos2 + sin1 * sin2)
      const inverse = 1 / ((5 + i) * (1 + i) - coupling * coupling)
      w1 = inverse * ((1 + i) * momentum1 - coupling * momentum2)
      w2 = inverse * ((5 + i) * momentum2 - coupling * momentum1)
      vx1 = half * w1 * cos1
      vy1 = half * w1 * sin1
      vx2 = 2 * vx1 + half * w2 * cos2
      vy2 = 2 * vy1 + half * w2 * sin2
      w1 = clip(w1, maxSpeed)
      w2 = clip(w2, maxSpeed)
      x1 += dt * vx1
      y1 += dt * vy1
      x2 += dt * vx2
      y2 += dt * vy2
      theta1 += dt * w1
      theta2 += dt * w2
      sin1 = Math.sin(theta1)
      cos1 = Math.cos(theta1)
      sin2 = Math.sin(theta2)
      cos2 = Math.cos(theta2)
      for (let round = 0; round < 20; round++) {
        const gapX = x2 - x1 - half * (sin1 + sin2)
        const gapY = y2 - y1 + half * (cos1 + cos2)
        const k11 = 2 + kappa * (cos1 * cos1 + cos2 * cos2)
        const k12 = kappa * (sin1 * cos1 + sin2 * cos2)
        const k22 = 4 + 2 * kappa - k11
        const scale = 1 / (k11 * k22 - k12 * k12)
        const qx = scale * (k22 * gapX - k12 * gapY)
        const qy = scale * (k11 * gapY - k12 * gapX)
        x1 += qx
        y1 += qy
        x2 -= qx
        y2 -= qy
        theta1 += ratio * (cos1 * qx + sin1 * qy)
        theta2 += ratio * (cos2 * qx + sin2 * qy)
        sin1 = Math.sin(theta1)
        cos1 = Math.cos(theta1)
        const upX = x1 - half * sin1
        const upY = y1 + half * cos1
        const normal = cos1 * upX + sin1 * upY
        const kept = (kappa / (1 + kappa)) * normal
        x1 += kept * cos1 - upX
        y1 += kept * sin1 - upY
        theta1 += (ratio / (1 + kappa)) * normal
        sin1 = Math.sin(theta1)
        cos1 = Math.cos(theta1)
        sin2 = Math.sin(theta2)
        cos2 = Math.cos(theta2)
        if (gapX * gapX + gapY * gapY <= SLOP * SLOP && upX * upX + upY * upY <= SLOP * SLOP) break
      }
    }
    state[at] = theta1
    state[at + 1] = w1
    state[at + 2] = theta2
    state[at + 3] = w2
    state[at + 4] = x1
    state[at + 5] = y1
    state[at + 6] = vx1
    state[at + 7] = vy1
    state[at + 8] = x2
    state[at + 9] = y2
    state[at + 10] = vx2
    state[at + 11] = vy2
    const tipX = x2 - half * sin2 - sin2
    const tipY = y2 + half * cos2 - cos2 - 2
    reward[r] = -Math.sqrt(tipX * tipX + tipY * tipY)
    terminated[r] = 0
  }
}
