/** A density on the plane, known up to a factor. */
export interface Target {
  readonly title: string
  /** One line: what is hard about it. */
  readonly about: string
  /** log p(x, y), up to a constant. */
  logDensity(x: number, y: number): number
  /** Writes s = ∇ log p(x, y) into out [2]. */
  score(out: Float32Array, x: number, y: number): void
  /** The same as the body of a function of (out, [x, y]), for a program of one's own. */
  readonly code: string
}

/** A Gaussian with standard deviations along the axes. */
interface Component {
  readonly weight: number
  readonly at: readonly [x: number, y: number]
  readonly deviation: readonly [x: number, y: number]
}

const exponent = ({ at, deviation }: Component, x: number, y: number) =>
  -0.5 * (((x - at[0]) / deviation[0]) ** 2 + ((y - at[1]) / deviation[1]) ** 2)

/** log Σ_m w_m N(x; μ_m, diag σ_m²). */
function mixture(title: string, about: string, components: readonly Component[]): Target {
  const logs = components.map(({ weight, deviation }) => Math.log(weight / (deviation[0] * deviation[1])))
  const parts = (x: number, y: number) => {
    const terms = components.map((component, m) => logs[m] + exponent(component, x, y))
    const top = Math.max(...terms)
    const shares = terms.map((term) => Math.exp(term - top))
    return { top, shares, total: shares.reduce((sum, share) => sum + share, 0) }
  }
  return {
    title,
    about,
    logDensity(x, y) {
      const { top, total } = parts(x, y)
      return top + Math.log(total)
    },
    score(out, x, y) {
      const { shares, total } = parts(x, y)
      out[0] = 0
      out[1] = 0
      components.forEach(({ at, deviation }, m) => {
        out[0] -= ((shares[m] / total) * (x - at[0])) / deviation[0] ** 2
        out[1] -= ((shares[m] / total) * (y - at[1])) / deviation[1] ** 2
      })
    },
    code: `const hills = [
${components.map((component) => `  ${JSON.stringify(component)},\n`).join('')}]
const terms = hills.map(
  ({ weight, at, deviation: [a, b] }) =>
    Math.log(weight / (a * b)) - 0.5 * (((x - at[0]) / a) ** 2 + ((y - at[1]) / b) ** 2),
)
const top = Math.max(...terms)
const shares = terms.map((term) => Math.exp(term - top))
const total = shares.reduce((sum, share) => sum + share, 0)
out.fill(0)
hills.forEach(({ at, deviation }, m) => {
  for (const k of [0, 1]) out[k] -= ((shares[m] / total) * ([x, y][k] - at[k])) / deviation[k] ** 2
})`,
  }
}

const circleOf = (count: number, radius: number, deviation: number): Component[] =>
  Array.from({ length: count }, (_, m) => {
    const angle = (2 * Math.PI * m) / count + Math.PI / 2
    return { weight: 1, at: [radius * Math.cos(angle), radius * Math.sin(angle)], deviation: [deviation, deviation] }
  })

/** log p = −(r − R)² / 2σ² */
function ring(radius: number, deviation: number): Target {
  return {
    title: 'Ring',
    about: 'Probability on a circle: the mean of the density is where there is none of it.',
    logDensity: (x, y) => -0.5 * ((Math.hypot(x, y) - radius) / deviation) ** 2,
    score(out, x, y) {
      const r = Math.max(Math.hypot(x, y), 1e-9)
      const slope = -(r - radius) / (deviation * deviation)
      out[0] = (slope * x) / r
      out[1] = (slope * y) / r
    },
    code: `const r = Math.max(Math.hypot(x, y), 1e-9)
const slope = -(r - ${radius}) / ${deviation * deviation}
out[0] = (slope * x) / r
out[1] = (slope * y) / r`,
  }
}

/** y ~ N(f(x), σ²) around a curve, x ~ N(0, τ²). */
function along(
  title: string,
  about: string,
  curve: {
    readonly f: (x: number) => number
    readonly slope: (x: number) => number
    readonly deviation: number
    readonly width: number
    /** f(x) and its slope as code. */
    readonly code: readonly [f: string, slope: string]
  },
): Target {
  const { f, slope, deviation, width } = curve
  return {
    title,
    about,
    logDensity: (x, y) => -0.5 * ((x / width) ** 2 + ((y - f(x)) / deviation) ** 2),
    score(out, x, y) {
      const pull = (y - f(x)) / deviation ** 2
      out[0] = -x / width ** 2 + pull * slope(x)
      out[1] = -pull
    },
    code: `const pull = (y - (${curve.code[0]})) / ${deviation} ** 2
out[0] = -x / ${width} ** 2 + pull * (${curve.code[1]})
out[1] = -pull`,
  }
}

const RADIUS = 1.8
const THICKNESS = 0.22
const FADE = 0.6

/** A ring that fades on one side: above (side 1) or below the axis it is whole. */
function crescent(x: number, y: number, side: number): number {
  return -0.5 * ((Math.hypot(x, y) - RADIUS) / THICKNESS) ** 2 - softplus((-side * y) / FADE) * 3
}

function crescentScore(x: number, y: number, side: number): [number, number] {
  const r = Math.max(Math.hypot(x, y), 1e-9)
  const slope = -(r - RADIUS) / THICKNESS ** 2
  const fade = ((3 * side) / FADE) * (1 / (1 + Math.exp((side * y) / FADE)))
  return [(slope * x) / r, (slope * y) / r + fade]
}

/** The half circle that is whole above the axis (side 1), and the one that is below it (side −1). */
const MOONS_CODE = `const softplus = (z) => Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)))
const moon = (u, v, side) => {
  const r = Math.max(Math.hypot(u, v), 1e-9)
  const slope = -(r - ${RADIUS}) / ${THICKNESS} ** 2
  const fade = ((3 * side) / ${FADE}) * (1 / (1 + Math.exp((side * v) / ${FADE})))
  const log = -0.5 * ((Math.hypot(u, v) - ${RADIUS}) / ${THICKNESS}) ** 2 - softplus((-side * v) / ${FADE}) * 3
  return { log, score: [(slope * u) / r, (slope * v) / r + fade] }
}
const upper = moon(x + 0.9, y - 0.5, 1)
const lower = moon(x - 0.9, y + 0.5, -1)
const share = 1 / (1 + Math.exp(lower.log - upper.log))
for (const k of [0, 1]) out[k] = share * upper.score[k] + (1 - share) * lower.score[k]`

const softplus = (z: number) => Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)))

/** Two half circles: the ring's two ends of the x axis. */
const moons: Target = {
  title: 'Two moons',
  about: 'Two curved modes: a walk between them leads through a valley.',
  logDensity: (x, y) =>
    crescent(x + 0.9, y - 0.5, 1) +
    Math.log1p(Math.exp(crescent(x - 0.9, y + 0.5, -1) - crescent(x + 0.9, y - 0.5, 1))),
  score(out, x, y) {
    const upper = crescent(x + 0.9, y - 0.5, 1)
    const lower = crescent(x - 0.9, y + 0.5, -1)
    const share = 1 / (1 + Math.exp(lower - upper))
    const a = crescentScore(x + 0.9, y - 0.5, 1)
    const b = crescentScore(x - 0.9, y + 0.5, -1)
    out[0] = share * a[0] + (1 - share) * b[0]
    out[1] = share * a[1] + (1 - share) * b[1]
  },
  code: MOONS_CODE,
}

/** y ~ N(0, 1.2²), x | y ~ N(0, e^y): Neal's funnel, turned and narrowed to fit the plane. */
const funnel: Target = {
  title: 'Funnel',
  about: 'Wide above, narrow below: no single step size or bandwidth suits both ends.',
  logDensity: (x, y) => -0.5 * ((y / 1.2) ** 2 + x * x * Math.exp(-y) + y),
  score(out, x, y) {
    out[0] = -x * Math.exp(-y)
    out[1] = -y / 1.44 + 0.5 * x * x * Math.exp(-y) - 0.5
  },
  code: `out[0] = -x * Math.exp(-y)
out[1] = -y / 1.44 + 0.5 * x * x * Math.exp(-y) - 0.5`,
}

/** The densities by name. A new one is an entry here. */
export const targets = {
  mixture: mixture('Three hills', 'A mixture with unequal weights: do the particles share out as the hills do?', [
    { weight: 0.5, at: [-1.7, -0.9], deviation: [0.75, 0.55] },
    { weight: 0.3, at: [1.6, -1.0], deviation: [0.5, 0.8] },
    { weight: 0.2, at: [0.3, 1.8], deviation: [0.9, 0.4] },
  ]),
  banana: along('Banana', 'A bent, narrow valley: moving straight ahead leaves it.', {
    f: (x) => 2.2 - 0.75 * x * x,
    slope: (x) => -1.5 * x,
    deviation: 0.35,
    width: 1.2,
    code: ['2.2 - 0.75 * x * x', '-1.5 * x'],
  }),
  ring: ring(2.2, 0.28),
  circle: mixture(
    'Eight islands',
    'Eight narrow modes: particles that start in one place have far to go.',
    circleOf(8, 2.5, 0.32),
  ),
  moons,
  wave: along('Wave', 'A winding ridge.', {
    f: (x) => 1.1 * Math.sin(1.7 * x),
    slope: (x) => 1.87 * Math.cos(1.7 * x),
    deviation: 0.3,
    width: 2,
    code: ['1.1 * Math.sin(1.7 * x)', '1.87 * Math.cos(1.7 * x)'],
  }),
  funnel,
  gaussian: mixture('Gaussian', 'The plain case: compare the spread of the particles with the bands.', [
    { weight: 1, at: [0, 0], deviation: [1.5, 0.8] },
  ]),
} as const satisfies Record<string, Target>

export type TargetName = keyof typeof targets
