#!/usr/bin/env bash
# planck 1.5.0, the port of Box2D to JavaScript: FrictionJoint holds its linear impulse of before and of after in one
# object, so their difference, which it applies, is always 0. What friction there is comes from warm starting, which
# repeats the sum of it a step later: a body that slides is braked by the right force, but it is never caught and swings
# to and fro for good, at up to maxForce / mass * time step. Without warm starting there is no friction at all. Box2D
# 2.3.10 brings the same body to rest within the step that the force allows, with and without. The angular part, and
# MotorJoint, which copies the impulse, are right.
# Guess before the run: a body of 1 kg and 3 m/s rests after 0.6 s of 5 N, as Box2D's does. Exits with 1 when that has
# come true.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes > /dev/null
npm install --silent --no-audit --no-fund planck@1.5.0 2> /dev/null
cat > show.mjs <<'JS'
import { readFileSync } from 'node:fs'
import { Box, FrictionJoint, Vec2, World } from 'planck'

const { version } = JSON.parse(readFileSync('node_modules/planck/package.json', 'utf8'))
console.log('planck', version, 'Node', process.version)

/** The speeds of two seconds: a body of 1 kg on a floor that holds it with 5 N and 5 N m. */
function speeds(isWarm, velocity, spin) {
  const world = new World(new Vec2(0, 0))
  world.setWarmStarting(isWarm)
  const floor = world.createBody()
  const body = world.createBody({ type: 'dynamic', linearVelocity: velocity, angularVelocity: spin })
  body.createFixture({ shape: new Box(0.5, 0.5), density: 1 })
  world.createJoint(new FrictionJoint({ maxForce: 5, maxTorque: 5 }, floor, body, new Vec2(0, 0)))
  return Array.from({ length: 120 }, () => {
    world.step(1 / 60, 8, 3)
    return { linear: body.getLinearVelocity().x, angular: body.getAngularVelocity() }
  })
}

const largest = (states, key) => Math.max(...states.slice(60).map((state) => Math.abs(state[key])))
const found = {}
for (const isWarm of [true, false]) {
  const name = `warm starting ${isWarm ? 'on' : 'off'}`
  const sliding = speeds(isWarm, new Vec2(3, 0), 0)
  const [linear, angular] = [largest(sliding, 'linear'), largest(speeds(isWarm, new Vec2(0, 0), 3), 'angular')]
  found[name] = { linear, angular }
  const shown = [0, 29, 35, 59, 119].map((k) => `${sliding[k].linear.toFixed(4)} at ${((k + 1) / 60).toFixed(2)} s`)
  console.log(`${name}: m/s ${shown.join(', ')}`)
  console.log(`  at most in the second second: ${linear.toFixed(4)} m/s (0), ${angular.toFixed(4)} 1/s turning (0)`)
}
const [on, off] = Object.values(found)
const isSo = on.linear > 0.02 && off.linear === 3 && on.angular < 1e-6 && off.angular < 1e-6
process.exit(isSo ? 0 : 1)
JS
node show.mjs
