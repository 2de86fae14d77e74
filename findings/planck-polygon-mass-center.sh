#!/usr/bin/env bash
# planck 1.4.2, the port of Box2D to JavaScript: Polygon.computeMass gives a centre of mass that is wrong in y, unless
# the centroid lies as far to the right of the corners' mean as above it: (0.833, 0.833) for a polygon whose centroid is
# (0.833, 1.083), which the same shape says of itself. Rectangles are right, so boxes never show it. A body of another
# shape, a lander's hull for one, turns about another point than in Box2D; setMassData with one's own sums mends it.
# Guess before the run: the centre of mass of a uniform polygon is its centroid. Exits with 1 when that has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes > /dev/null
npm install --silent --no-audit --no-fund planck@1.4.2
cat > show.mjs <<'JS'
import { Polygon, Vec2 } from 'planck'
import { readFileSync } from 'node:fs'

console.log('planck', JSON.parse(readFileSync('node_modules/planck/package.json', 'utf8')).version)
const shapes = {
  'a corner cut, above x = y': [[0, 0], [2, 0], [2, 1], [0, 3]],
  'the same 5 to the right': [[5, 0], [7, 0], [7, 1], [5, 3]],
  'a rectangle on x = y': [[0, 0], [2, 0], [2, 2], [0, 2]],
}
let wrong = 0
for (const [name, corners] of Object.entries(shapes)) {
  const shape = new Polygon(corners.map(([x, y]) => new Vec2(x, y)))
  const mass = { mass: 0, center: new Vec2(0, 0), I: 0 }
  shape.computeMass(mass, 1)
  const [{ x, y }, own] = [mass.center, shape.m_centroid]
  // By the shoelace formula.
  let [area, cx, cy] = [0, 0, 0]
  corners.forEach(([a, b], k) => {
    const [c, d] = corners[(k + 1) % corners.length]
    const cross = a * d - c * b
    area += cross / 2
    cx += ((a + c) * cross) / 6
    cy += ((b + d) * cross) / 6
  })
  const shown = (u, v) => `(${u.toFixed(4)}, ${v.toFixed(4)})`
  console.log(`${name}: centre of mass ${shown(x, y)}, m_centroid ${shown(own.x, own.y)}, exact ${shown(cx / area, cy / area)}`)
  if (Math.abs(y - cy / area) > 1e-3) wrong++
}
process.exit(wrong > 0 ? 0 : 1)
JS
node show.mjs
