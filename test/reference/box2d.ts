import { type Body, Box, Polygon, PrismaticJoint, RevoluteJoint, Vec2, World } from 'planck'

/**
 * What Box2D holds of a body: origin and centre (m), angle (rad), velocity of the centre (m/s), angular velocity
 * (rad/s).
 */
export interface BodyState {
  readonly x: number
  readonly y: number
  readonly centreX: number
  readonly centreY: number
  readonly angle: number
  readonly vx: number
  readonly vy: number
  readonly w: number
}

/**
 * rllab's models in planck, the port of Box2D 2.3 to doubles, as its XML files build them with pybox2d's defaults:
 * gravity (0, -10), warm starting, no damping, 8 velocity and 3 position iterations unless said otherwise. Nothing
 * collides.
 */
const world = () => new World({ gravity: Vec2(0, -10), allowSleep: false, warmStarting: true })
const quiet = { filterGroupIndex: -1, friction: 0 }

/** The state of a body; planck holds the angle it is given within ± π, so what it took off is added. */
const stateOf = (body: Body, turns = 0): BodyState => {
  const { x, y } = body.getPosition()
  const centre = body.getWorldCenter()
  const v = body.getLinearVelocity()
  return {
    x,
    y,
    centreX: centre.x,
    centreY: centre.y,
    angle: body.getAngle() + turns,
    vx: v.x,
    vy: v.y,
    w: body.getAngularVelocity(),
  }
}

/** A rectangle of half width 0.05 whose middle line runs from the origin to (0, to). */
const rod = (to: number) => new Polygon([Vec2(0.05, 0), Vec2(0.05, to), Vec2(-0.05, to), Vec2(-0.05, 0)])

/** Cart and pole. The prismatic joint holds the cart's centre at the height of the track's. */
export function box2dCartPole(railHeight = 1.5 / Math.sqrt(12)) {
  const height = 3 / Math.sqrt(12)
  const scene = world()
  const cart = scene.createBody({ type: 'dynamic', position: Vec2(0, height / 2) })
  cart.createFixture({ shape: new Box(2 / Math.sqrt(12), height / 2), density: 1, friction: 0 })
  const pole = scene.createBody({ type: 'dynamic', position: Vec2(0, height) })
  pole.createFixture({ shape: rod(1), density: 1, ...quiet })
  const track = scene.createBody({ type: 'static', position: Vec2(0, railHeight) })
  track.createFixture({ shape: new Box(100, 0.1), ...quiet })
  scene.createJoint(new RevoluteJoint({}, cart, pole, Vec2(0, height)))
  scene.createJoint(
    new PrismaticJoint({
      bodyA: track,
      bodyB: cart,
      localAnchorA: Vec2(0, 0),
      localAnchorB: Vec2(0, 0),
      localAxisA: Vec2(1, 0),
      referenceAngle: 0,
    }),
  )
  let turns = 0
  return {
    cart: () => stateOf(cart),
    pole: () => stateOf(pole, turns),
    /** rllab's reset: the pole stays where the model put it, and its centre at rest. */
    reset(x: number, xDot: number, theta: number, thetaDot: number) {
      cart.setTransform(Vec2(x, height / 2), 0)
      cart.setLinearVelocity(Vec2(xDot, 0))
      cart.setAngularVelocity(0)
      pole.setTransform(Vec2(0, height), theta)
      turns = theta - pole.getAngle()
      pole.setLinearVelocity(Vec2(0, 0))
      pole.setAngularVelocity(thetaDot)
    },
    /** One frame of 0.05 s with a force (N) on the cart. */
    step(force: number) {
      cart.applyForce(Vec2(force, 0), cart.getWorldPoint(Vec2(0, 0)), true)
      scene.step(0.05, 8, 3)
    },
  }
}

/** Two links; the torque is a motor that can never reach its speed. 20 iterations of both kinds. */
export function box2dDoublePendulum() {
  const scene = world()
  const link1 = scene.createBody({ type: 'dynamic', position: Vec2(0, 0) })
  link1.createFixture({ shape: rod(-1), density: 5, ...quiet })
  const link2 = scene.createBody({ type: 'dynamic', position: Vec2(0, -1) })
  link2.createFixture({ shape: rod(-1), density: 5, ...quiet })
  const track = scene.createBody({ type: 'static', position: Vec2(0, -0.1) })
  track.createFixture({ shape: new Box(100, 0.1), ...quiet })
  scene.createJoint(new RevoluteJoint({}, track, link1, Vec2(0, 0)))
  const motor = scene.createJoint(new RevoluteJoint({}, link1, link2, Vec2(0, -1))) as RevoluteJoint
  return {
    link1: () => stateOf(link1),
    link2: () => stateOf(link2),
    /** rllab's reset: both links turn about where the model put their upper ends; their centres are at rest. */
    reset(theta1: number, w1: number, theta2: number, w2: number) {
      link1.setTransform(Vec2(0, 0), theta1)
      link1.setLinearVelocity(Vec2(0, 0))
      link1.setAngularVelocity(w1)
      link2.setTransform(Vec2(0, -1), theta2)
      link2.setLinearVelocity(Vec2(0, 0))
      link2.setAngularVelocity(w2)
    },
    /** One frame of 0.01 s with a torque (N m) between the links. */
    frame(torque: number) {
      motor.enableMotor(true)
      motor.setMotorSpeed(torque > 0 ? 1e5 : -1e5)
      motor.setMaxMotorTorque(Math.abs(torque))
      scene.step(0.01, 20, 20)
    },
  }
}
