// A network learns to draw from a density of which only the score is known: a mixture of two Gaussians and a banana,
// before and after training. Run it with: npx tsx examples/amortized.ts
import { mkdirSync, writeFileSync } from 'node:fs'
import { createAmortizedSVGD, drawSvg, generator, normal, type Point, steinDiscrepancy } from 'steinrl'
import { circle, line, text } from 'steinrl/render'
import { mlp } from 'steinrl/tools'

interface Target {
  name: string
  /** log p up to a constant. */
  log(x: Point): number
  score(x: Point): Point
  /** An exact sample from three standard normal numbers. */
  exact(a: number, b: number, c: number): Point
}

const modes = [
  { weight: 0.4, centre: [-1.8, -0.5] },
  { weight: 0.6, centre: [1.8, 0.8] },
]
const VARIANCE = 0.36
const densities = ([x, y]: Point) =>
  modes.map(({ weight, centre: [a, b] }) => weight * Math.exp(-((x - a) ** 2 + (y - b) ** 2) / (2 * VARIANCE)) + 1e-300)
const sum = (values: number[]) => values.reduce((total, value) => total + value, 0)

const mixture: Target = {
  name: 'mixture',
  log: (x) => Math.log(sum(densities(x))),
  score(x) {
    const p = densities(x)
    const pull = (c: number) => sum(modes.map(({ centre }, k) => (p[k] * (centre[c] - x[c])) / VARIANCE)) / sum(p)
    return [pull(0), pull(1)]
  },
  exact(a, b, c) {
    // 40 % of normal numbers lie below −0.2533.
    const [x, y] = modes[c < -0.2533 ? 0 : 1].centre
    return [x + Math.sqrt(VARIANCE) * a, y + Math.sqrt(VARIANCE) * b]
  },
}

/** x ~ N(0, 1), y ~ N(x²/2 − 1, 0.4²) */
const banana: Target = {
  name: 'banana',
  log: ([x, y]) => -(x ** 2) / 2 - (y - x ** 2 / 2 + 1) ** 2 / 0.32,
  score([x, y]) {
    const rest = (y - x ** 2 / 2 + 1) / 0.16
    return [-x + rest * x, -rest]
  },
  exact: (a, b) => [a, a ** 2 / 2 - 1 + 0.4 * b],
}

const pairs = (flat: Float32Array): Point[] =>
  Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i], flat[2 * i + 1]])

/** Maximum mean discrepancy under exp(−d²/2). */
function mmd(a: Point[], b: Point[]): number {
  const mean = (p: Point[], q: Point[]) =>
    sum(p.map(([x, y]) => sum(q.map(([u, v]) => Math.exp(-((x - u) ** 2 + (y - v) ** 2) / 2))))) / (p.length * q.length)
  return Math.sqrt(mean(a, a) + mean(b, b) - 2 * mean(a, b))
}

const g = generator(1)
const OUTLINES = [0.5, 0.1, 0.01]
const SHAPES = ['#9aa5b1', '#b8c0ca', '#d5dae0']

/** Where log p crosses a level in the cells of a grid: the ends of a piece of contour each. */
function contour(log: Target['log'], level: number): [Point, Point][] {
  const [STEP, REACH] = [0.08, 4]
  const pieces: [Point, Point][] = []
  for (let x = -REACH; x < REACH; x += STEP) {
    for (let y = -REACH; y < REACH; y += STEP) {
      const corners: Point[] = [
        [x, y],
        [x + STEP, y],
        [x + STEP, y + STEP],
        [x, y + STEP],
      ]
      const heights = corners.map((corner) => log(corner) - level)
      const crossings = corners.flatMap(([a, b], k): Point[] => {
        const [next, [c, d]] = [heights[(k + 1) % 4], corners[(k + 1) % 4]]
        if (heights[k] < 0 === next < 0) return []
        const t = heights[k] / (heights[k] - next)
        return [[a + t * (c - a), b + t * (d - b)]]
      })
      for (let k = 0; k + 1 < crossings.length; k += 2) pieces.push([crossings[k], crossings[k + 1]])
    }
  }
  return pieces
}

/** One panel: contours at shares of the highest density, samples on top. */
function panel({ log }: Target, samples: Point[], title: string, [right, up]: Point) {
  const peak = Math.max(...samples.map(log), log([0, -1]), ...modes.map(({ centre: [a, b] }) => log([a, b])))
  const outlines = OUTLINES.flatMap((share, k) =>
    contour(log, peak + Math.log(share)).map(([[a, b], [c, d]]) =>
      line(SHAPES[k], 0.04, [a + right, b + up], [c + right, d + up]),
    ),
  )
  const inside = samples.filter(([x, y]) => Math.abs(x) < 3.8 && Math.abs(y) < 3.5)
  const dots = inside.map(([x, y]) => circle('#0072b2', [x + right, y + up], 0.045))
  return [...outlines, ...dots, text('#33404d', [right, up + 3.4], 0.36, title)]
}

const shapes = []
for (const [row, target] of [mixture, banana].entries()) {
  const { init, step, sample } = createAmortizedSVGD({
    network: mlp([4, 64, 64, 2]),
    dimension: 2,
    score(out, [x, y]) {
      out.set(target.score([x, y]))
    },
    particles: 200,
    learningRate: 5e-3,
  })
  const state = await init()
  const exact = Array.from({ length: 500 }, () => target.exact(normal(g), normal(g), normal(g)))
  for (const [column, when] of ['before', 'after'].entries()) {
    if (when === 'after') for (let t = 0; t < 1000; t++) step(state)
    const particles = sample(state, 500)
    const points = pairs(particles)
    const scores = points.flatMap((x) => [...target.score(x)])
    const { discrepancy } = await steinDiscrepancy({ particles, scores, dimension: 2 })
    const left = points.filter(([x]) => x < 0).length / points.length
    console.log(
      `${target.name} ${when}: KSD ${discrepancy.toFixed(3)}, MMD ${mmd(points, exact).toFixed(3)}, share left of 0: ${left.toFixed(2)}`,
    )
    shapes.push(...panel(target, points, `${target.name}, ${when}`, [8 * column, -7 * row]))
  }
}
mkdirSync('runs', { recursive: true })
writeFileSync('runs/amortized.svg', drawSvg({ view: [-4, -10.5, 16, 14.5], shapes }, { width: 800 }))
console.log('Picture: runs/amortized.svg')
