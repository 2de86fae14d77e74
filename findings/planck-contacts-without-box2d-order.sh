#!/usr/bin/env bash
# planck 1.4.2, the port of Box2D to JavaScript, and Box2D 2.3.10 itself (PyPI box2d): Box2D sorts the pairs of shapes
# that came near each other before it makes contacts of them, planck takes them as its tree finds them. Contacts are
# solved one after the other, so where bodies overlap deeply the same world moves otherwise from its first step on:
# a walker that begins above its feet turned by 0.3 rad more in one step.
# Guess before the run: a port makes contacts in the order of the original. Exits with 1 when that has come true.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes > /dev/null
npm install --silent --no-audit --no-fund planck@1.4.2
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check box2d==2.3.10
# Four boxes side by side and three bodies of two boxes each that lie in them, numbered as they are made.
cat > show.mjs <<'JS'
import { Box, Vec2, World } from 'planck'

const world = new World({ gravity: new Vec2(0, -10) })
let count = 0
const add = (body, x) => body.createFixture({ shape: new Box(1, 1, new Vec2(x, 0)), density: 1, userData: count++ })
const ground = world.createBody()
for (let k = 0; k < 4; k++) add(ground, 1.5 * k)
for (let b = 0; b < 3; b++) {
  const body = world.createDynamicBody(new Vec2(1.5 * b + 0.3, 0.8))
  for (let k = 0; k < 2; k++) add(body, 0.7 * k)
}
const contacts = []
world.on('begin-contact', (c) => contacts.push(`${c.getFixtureA().getUserData()}-${c.getFixtureB().getUserData()}`))
world.step(0.02, 8, 3)
console.log(contacts.join(' '))
JS
cat > show.py <<'PY'
from Box2D import b2ContactListener, b2FixtureDef, b2PolygonShape, b2World

contacts = []


class Listener(b2ContactListener):
    def BeginContact(self, contact):
        contacts.append(f"{contact.fixtureA.userData}-{contact.fixtureB.userData}")


world = b2World(gravity=(0, -10), contactListener=Listener())
count = 0


def add(body, x):
    global count
    shape = b2PolygonShape(box=(1, 1, (x, 0), 0))
    body.CreateFixture(b2FixtureDef(shape=shape, density=1, userData=count))
    count += 1


ground = world.CreateStaticBody()
for k in range(4):
    add(ground, 1.5 * k)
for b in range(3):
    body = world.CreateDynamicBody(position=(1.5 * b + 0.3, 0.8))
    for k in range(2):
        add(body, 0.7 * k)
world.Step(0.02, 8, 3)
print(*contacts)
PY
original=$(venv/bin/python show.py)
port=$(node show.mjs)
echo "Box2D 2.3.10: $original"
echo "planck 1.4.2: $port"
[ "$original" != "$port" ]
