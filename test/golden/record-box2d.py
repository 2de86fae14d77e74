"""Random steps of rllab's cart-pole and double pendulum in Box2D itself, into box2d.json beside this file.

pip install box2d==2.3.10; python record-box2d.py
"""
import json
import math
import pathlib
import random

from Box2D import b2World

OFFSET = 3 / math.sqrt(12)
quiet = {"groupIndex": -1, "friction": 0}
EPISODES, STEPS, SHOWN = 12, 100, (1, 5, 20, 50, 100)


def box(x, y):
    return [(-x, -y), (x, -y), (x, y), (-x, y)]


def rod(to):
    return sorted([(0.05, 0), (0.05, to), (-0.05, to), (-0.05, 0)])


def body(world, position, vertices, density, fixed=False, **fixture):
    make = world.CreateStaticBody if fixed else world.CreateDynamicBody
    made = make(position=position)
    made.CreatePolygonFixture(vertices=vertices, density=density, **fixture)
    return made


def cart_pole():
    world = b2World(gravity=(0, -10), doSleep=False)
    cart = body(world, (0, OFFSET / 2), box(2 / math.sqrt(12), OFFSET / 2), 1, friction=0)
    pole = body(world, (0, OFFSET), rod(1), 1, **quiet)
    track = body(world, (0, -0.1), box(100, 0.1), 0, fixed=True, **quiet)
    world.CreateRevoluteJoint(bodyA=cart, bodyB=pole, anchor=(0, OFFSET))
    world.CreatePrismaticJoint(bodyA=track, bodyB=cart, localAnchorA=(0, 0), localAnchorB=(0, 0), localAxisA=(1, 0))

    def reset(x, v, theta, w):
        cart.transform = ((x, OFFSET / 2), 0)
        cart.linearVelocity, cart.angularVelocity = (v, 0), 0
        pole.transform = ((0, OFFSET), theta)
        pole.linearVelocity, pole.angularVelocity = (0, 0), w

    def step(action):
        cart.ApplyForce((10 * action, 0), cart.GetWorldPoint((0, 0)), True)
        world.Step(0.05, 8, 3)
        world.ClearForces()

    return world, reset, step, lambda: [cart.position.x, cart.linearVelocity.x, pole.angle, pole.angularVelocity]


def double_pendulum():
    world = b2World(gravity=(0, -10), doSleep=False)
    link1 = body(world, (0, 0), rod(-1), 5, **quiet)
    link2 = body(world, (0, -1), rod(-1), 5, **quiet)
    track = body(world, (0, -0.1), box(100, 0.1), 0, fixed=True, **quiet)
    world.CreateRevoluteJoint(bodyA=track, bodyB=link1, anchor=(0, 0))
    motor = world.CreateRevoluteJoint(bodyA=link1, bodyB=link2, anchor=(0, -1))

    def reset(theta1, w1, theta2, w2):
        for link, position, theta, w in ((link1, (0, 0), theta1, w1), (link2, (0, -1), theta2, w2)):
            link.transform = (position, theta)
            link.linearVelocity, link.angularVelocity = (0, 0), w

    def step(action):
        torque = 50 * action
        for _ in range(2):
            motor.motorEnabled = True
            motor.motorSpeed = 1e5 if torque > 0 else -1e5
            motor.maxMotorTorque = abs(torque)
            world.Step(0.01, 20, 20)

    return world, reset, step, lambda: [link1.angle, link1.angularVelocity, link2.angle, link2.angularVelocity]


generator = random.Random(1)
cases = {}
for name, make, start in (
    ("CartpoleSwingup", cart_pole, lambda: [generator.uniform(-1, 1), generator.uniform(-2, 2), math.pi + generator.uniform(-1, 1), generator.uniform(-3, 3)]),
    ("DoublePendulum", double_pendulum, lambda: [generator.uniform(-0.5, 0.5) for _ in range(4)]),
):
    cases[name] = []
    for _ in range(EPISODES):
        world, reset, step, state = make()
        begin = start()
        reset(*begin)
        actions = [round(generator.uniform(-1, 1), 4) for _ in range(STEPS)]
        states = {}
        for t, action in enumerate(actions, 1):
            step(action)
            if t in SHOWN:
                states[t] = state()
        cases[name].append({"start": begin, "actions": actions, "states": states})
path = pathlib.Path(__file__).with_name("box2d.json")
path.write_text(json.dumps(cases) + "\n")
