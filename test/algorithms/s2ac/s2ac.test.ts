import { beforeAll, describe, expect, test } from '@jest/globals'
import { s2ac } from '../../../src/algorithms/s2ac/s2ac.ts'
import type { S2acOptions } from '../../../src/algorithms/s2ac/settings.ts'
import {
  choose,
  drawParticles,
  restoreSteinPolicy,
  type SteinPolicy,
  type SteinRoom,
  type SteinShape,
  steinAgents,
  steinNetworks,
  steinRoom,
} from '../../../src/algorithms/s2ac/stein-policy.ts'
import { createSteinSampler, steinSteps } from '../../../src/algorithms/s2ac/stein-sampler.ts'
import { RunError } from '../../../src/core/errors.ts'
import { compileCore } from '../../../src/core/module.ts'
import { Draw, Purpose, splitSeed } from '../../../src/core/random.ts'
import { environmentSpec } from '../../../src/envs/registry.ts'
import { startTfjs } from '../../../src/nn/tfjs.ts'
import type { DrawingAgents } from '../../../src/rl/agents.ts'
import type { PerStateBandwidth } from '../../../src/svgd/per-state.ts'
import {
  expectFollowed,
  expectSame,
  fill,
  gaussianReference,
  meanOf,
  qLossReference,
  qsReference,
  randomise,
  rowsOf,
  single,
  slopeReference,
  slopesOf,
} from '../../helpers/gradient-step.ts'
import { momentsOf, oneStep, softOptimum } from '../../helpers/one-step.ts'
import { mlpReference } from '../../reference/mlp.ts'
import { directionAtReference, traceReference } from '../../reference/per-state.ts'
import { normalCdf, numbersOf } from '../../reference/statistics.ts'

const core = await compileCore()
beforeAll(() => startTfjs({ core }))

const LOG_2PI = Math.log(2 * Math.PI)

/** B sets of K particles from N(0, start²), moved towards a density with the given score. */
function moved(
  {
    A = 1,
    K = 128,
    B = 4,
    L = 600,
    stepSize = 0.025,
    stretch = Number.POSITIVE_INFINITY,
    start = 0.8,
    bandwidth = 1 as PerStateBandwidth,
    /** Quantiles of the start instead of random numbers; the driven ones lie between the driving ones. */
    isSpread = false,
  },
  score: (x: number) => number,
) {
  const { normal } = numbersOf(5)
  const draw = (shift: number) =>
    Float32Array.from({ length: B * K * A }, (_, i) => start * (isSpread ? quantile(((i % K) + shift) / K) : normal()))
  const [driving, driven] = [draw(0.25), draw(0.75)]
  const logDensity = Float32Array.from({ length: B * K }, (_, i) => {
    const z = Array.from(driven.subarray(i * A, (i + 1) * A), (u) => u / start)
    return z.reduce((sum, x) => sum - 0.5 * x * x - Math.log(start) - 0.5 * LOG_2PI, 0)
  })
  const sampler = createSteinSampler(core, { states: B, fixed: K, width: A })
  const steps = {
    steps: L,
    stepSize,
    stretch,
    bandwidth,
    score: (out: Float32Array, x: Float32Array) => void out.set(x.map(score)),
  }
  const begun = { driving: driving.slice(), driven: driven.slice(), logDensity: logDensity.slice() }
  steinSteps(sampler, { driving, driven, logDensity }, steps)
  return { sampler, driven, logDensity, begun, entropy: -logDensity.reduce((sum, x) => sum + x, 0) / logDensity.length }
}

/** The u below which a share p of N(0, 1) lies. */
function quantile(p: number): number {
  let [low, high] = [-6, 6]
  for (let k = 0; k < 40; k++) {
    const middle = (low + high) / 2
    if (normalCdf(middle) < p) low = middle
    else high = middle
  }
  return low
}

describe('the closed-form density of a Stein sampler', () => {
  // From quantiles of the start: drawn at random 512 particles have an entropy that is off by 0.06 nats in a typical
  // draw.
  const spread = { K: 128, B: 1, isSpread: true }

  test.each([0.5, 0.8])('has the entropy of the Gaussian of deviation %d within 0.03 nats', (deviation) => {
    const options = { ...spread, bandwidth: 4 * deviation * deviation, L: 600, stepSize: 0.025 }
    const { entropy } = moved(options, (x) => -x / deviation ** 2)
    const exact = Math.log(deviation) + 0.5 * (LOG_2PI + 1)
    expect(Math.abs(entropy - exact)).toBeLessThan(0.03)
  })

  test('has the entropy of a mixture of two Gaussians within 0.05 nats', () => {
    const [s, m] = [0.5, 1.2]
    const weigh = (x: number) => 1 / (1 + Math.exp((-2 * m * x) / s ** 2))
    const score = (x: number) => -(x + m - 2 * m * weigh(x)) / s ** 2
    const { entropy } = moved({ ...spread, start: 1.3, stepSize: 0.02, L: 1500 }, score)
    let exact = 0
    for (let x = -5; x < 5; x += 1e-3) {
      const p = [m, -m].reduce(
        (sum, c) => sum + (0.5 * Math.exp(-(((x - c) / s) ** 2) / 2)) / (s * Math.sqrt(2 * Math.PI)),
        0,
      )
      exact -= p * Math.log(p) * 1e-3
    }
    expect(Math.abs(entropy - exact)).toBeLessThan(0.05)
  })

  test('is that of the map of a driven particle, by finite differences of a float64 twin', () => {
    const [K, L, stepSize, h] = [6, 4, 0.01, 1.5]
    const score = (x: number) => -3 * (x - 0.4)
    const { begun, driven, logDensity } = moved({ K, B: 1, L, stepSize, bandwidth: h }, score)
    const field = (x: readonly number[], u: number) =>
      x.reduce((sum, y) => sum + Math.exp(-((u - y) ** 2) / h) * (score(y) + (2 / h) * (u - y)), 0) / x.length
    const map = (u: number) => {
      let x = [...begun.driving]
      for (let l = 0; l < L; l++) {
        u += stepSize * field(x, u)
        x = x.map((y) => y + stepSize * field(x, y))
      }
      return u
    }
    for (let i = 0; i < K; i++) {
      const u = begun.driven[i]
      expect(Math.abs(map(u) - driven[i])).toBeLessThan(1e-5)
      const slope = (map(u + 1e-5) - map(u - 1e-5)) / 2e-5
      // To first order in ε: the square of a step's divergence is left.
      expect(Math.abs(logDensity[i] - begun.logDensity[i] + Math.log(slope))).toBeLessThan(3e-3)
    }
  })
})

describe('the step that a Stein sampler takes', () => {
  const steep = (x: number) => -400 * (x - 0.4)
  const adaptive = { K: 10, B: 20, start: 0.1, bandwidth: 's2ac' as const, stretch: 0.5, stepSize: 0.1 }

  test.each([1, 3])(
    'stretches no part of %d-dimensional space by more than it may, and tells the density of its map',
    (A) => {
      // One step from given particles, and the map of the driven ones by finite differences with the same driving ones.
      const { begun, driven, logDensity, sampler } = moved({ ...adaptive, A, L: 1 }, steep)
      const { K, B } = adaptive
      const h = sampler.arena.view.bandwidths
      for (let b = 0; b < B; b++) {
        const block = <T extends Float32Array>(values: T, i: number) =>
          Array.from(values.subarray((b * K + i) * A, (b * K + i + 1) * A))
        const x = Array.from({ length: K }, (_, j) => block(begun.driving, j))
        const squares = x.flatMap((y) => x.map((z) => y.reduce((sum, v, c) => sum + (v - z[c]) ** 2, 0)))
        expect(h[b]).toBeCloseTo(squares.reduce((sum, d) => sum + d, 0) / K ** 2 / (2 * Math.log(K + 1)), 5)
        const state = { fixed: x, score: x.map((y) => y.map(steep)) }
        const epsilon = sampler.taken[b]
        for (let i = 0; i < K; i++) {
          const at = block(begun.driven, i)
          const field = (y: number[]) => directionAtReference(y, state, h[b])
          const slopes = at.map((_, c) => {
            const shifted = (by: number) => field(at.map((v, e) => (e === c ? v + by : v)))
            const [up, down] = [shifted(1e-6), shifted(-1e-6)]
            return up.map((v, e) => (epsilon * (v - down[e])) / 2e-6)
          })
          expect(Math.sqrt(slopes.flat().reduce((sum, v) => sum + v * v, 0))).toBeLessThan(0.5 * Math.sqrt(A))
          const trace = slopes.reduce((sum, row, c) => sum + row[c], 0)
          expect(logDensity[b * K + i] - begun.logDensity[b * K + i]).toBeCloseTo(-trace, 4)
          field(at).forEach((v, c) => {
            expect(block(driven, i)[c]).toBeCloseTo(at[c] + epsilon * v, 4)
          })
        }
      }
    },
  )

  test('is short where particles begin close together, however flat the density', () => {
    const { sampler } = moved({ ...adaptive, start: 0.01, L: 1, stepSize: 1 }, () => 0)
    sampler.taken.forEach((epsilon, b) => {
      expect(epsilon / (0.25 * sampler.arena.view.bandwidths[b])).toBeCloseTo(1, 6)
    })
  })

  test('is as long as was asked for where the field is gentle', () => {
    const { sampler } = moved({ ...adaptive, start: 1, L: 1, stepSize: 0.01 }, (x) => -x)
    for (const epsilon of sampler.taken) expect(epsilon).toBe(0.01)
  })

  test('does the same in units a thousand times smaller', () => {
    const free = { ...adaptive, L: 5, stepSize: 1e9 }
    const large = moved({ ...free, start: 100 }, (x) => -x / 400)
    const small = moved({ ...free, start: 0.1 }, (x) => -x / 4e-4)
    for (let i = 0; i < large.driven.length; i++) {
      expect(Math.abs(large.driven[i] - 1000 * small.driven[i])).toBeLessThan(0.1)
      const change = (all: typeof large) => all.logDensity[i] - all.begun.logDensity[i]
      expect(Math.abs(change(large) - change(small))).toBeLessThan(2e-3)
    }
  })

  test('holds particles together in a narrow density, where a given step throws them out', () => {
    const far = (stretch: number) => Math.max(...moved({ ...adaptive, L: 20, stretch }, steep).driven.map(Math.abs))
    expect(far(0.5)).toBeLessThan(1)
    expect(() => far(Number.POSITIVE_INFINITY)).toThrow('Q or its gradient by the actions is not finite.')
  })
})

test('a driven particle has no part in the field, not even in its bandwidth', () => {
  const moves = (shift: number) => {
    const sampler = createSteinSampler(core, { states: 1, fixed: 4, width: 1 })
    const driving = Float32Array.of(-1, -0.2, 0.3, 1)
    const driven = Float32Array.of(0.5, 0.1, -0.6, shift)
    const score = (out: Float32Array, x: Float32Array) => void out.set(x.map((v) => -v))
    const sets = { driving, driven, logDensity: new Float32Array(4) }
    steinSteps(sampler, sets, { steps: 3, stepSize: 0.1, stretch: 0.5, bandwidth: 's2ac', score })
    return [...driven.slice(0, 3), ...sets.logDensity.slice(0, 3), ...driving]
  }
  expect(moves(7)).toEqual(moves(0))
})

describe('against float64 twins', () => {
  const settings = {
    ...single,
    ...{ temperature: 0.4, rewardScale: 2, particles: 4, svgdSteps: 1, bandwidth: 1.5, polyak: 0.25 },
  }

  async function prepared(options: Partial<S2acOptions>) {
    const state = await s2ac.init({ ...settings, ...options })
    const { critics, actor, loop } = state
    fill(loop.replay, 30, 1)
    const size = 2 * critics.q.net.size
    randomise(critics.q.view.theta, size, 2)
    randomise(actor.view.theta, actor.net.size, 4, 0.4)
    const target = randomise(critics.target.view, size, 3)
    // A copy of the policy as it is.
    return {
      state,
      target,
      policy: restoreSteinPolicy(s2ac.save(state), s2ac.save(state).shape as SteinShape, state.spec),
    }
  }

  /** μ and σ of the start. */
  function startReference({ actor }: Pick<SteinPolicy, 'actor'>, theta: ArrayLike<number>, s: readonly number[]) {
    const outputs = mlpReference(actor, theta, s)
    const kept = (x: number) => Math.exp(Math.min(Math.max(x, Math.log(0.05)), Math.log(1.5)))
    return { mean: outputs.slice(0, 2), deviation: outputs.slice(2).map(kept) }
  }

  const draw = { seed: splitSeed(8), purpose: Purpose.noise, particle: 0, step: 3, use: Draw.stein.current }

  test.each<[string, Partial<S2acOptions>]>([
    ['a step as asked for', { stepSize: 0.05, stretch: 10 }],
    ['a bounded step', { stepSize: 10, stretch: 0.3 }],
    ['from N(0, 1)', { start: 'fixed', stepSize: 10, stretch: 0.3 }],
  ])('particles and their log π after one step: %s', async (_, options) => {
    const { policy } = await prepared(options)
    const { stepSize, stretch, temperature, start } = policy.shape
    const room = steinRoom()
    const states = [
      [0.5, -1],
      [2, 0.3],
      [-0.4, -0.2],
    ]
    const { u, logProb } = drawParticles(core, room, policy, Float32Array.from(states.flat()), draw)
    const { ops, at, view } = room.noise as NonNullable<SteinRoom['noise']>
    const noise = [2, 3].map((use) => {
      ops.fillNormal(at.noise, 24, draw.seed.lo, draw.seed.hi, draw.purpose, 0, use, draw.step)
      return rowsOf(view.noise.slice(0, 24), 2)
    })
    const q = Float64Array.from(policy.criticThetas[0])
    const h = 1.5
    states.forEach((s, b) => {
      const learned = startReference(policy, policy.theta, s)
      const { mean, deviation } = start === 'fixed' ? { mean: [0, 0], deviation: [1, 1] } : learned
      const [driven, driving] = noise.map((rows) =>
        rows.slice(4 * b, 4 * b + 4).map((e) => e.map((x, c) => mean[c] + deviation[c] * x)),
      )
      const target = (x: Float64Array) =>
        Math.min(...qsReference(policy.q, q, s, Array.from(x, Math.tanh))) / temperature + slopeReference([...x])
      const field = { fixed: driving, score: driving.map((x) => slopesOf(target, x)), updated: driven }
      const steepest = Math.sqrt(2 / (Math.E * h)) * meanOf(field.score.map((one) => Math.hypot(...one))) + 2 / h
      const epsilon = Math.min(stepSize, stretch / steepest)
      const trace = traceReference(field, h)
      driven.forEach((x, i) => {
        const phi = directionAtReference(x, field, h)
        const end = x.map((value, c) => value + epsilon * phi[c])
        const logDensity = gaussianReference(x, mean, deviation) - epsilon * trace[i]
        end.forEach((value, c) => void expect(u[(4 * b + i) * 2 + c]).toBeCloseTo(value, 4))
        expect(Math.abs(logProb[4 * b + i] - logDensity + slopeReference(end))).toBeLessThan(1e-4)
      })
    })
  })

  test.each<[string, SteinShape['selection'], (values: number[]) => number]>([
    ['mean (the smaller target − α log π)', 'random', meanOf],
    [
      'α log mean exp((the smaller target)/α)/π',
      'importance',
      (values) => 0.4 * Math.log(meanOf(values.map((value) => Math.exp(value / 0.4)))),
    ],
  ])(
    'one gradient step: Q towards r + γ (1 − d) %s, the start towards particles',
    async (_, selection, valueOfState) => {
      const { state, target, policy } = await prepared({ svgdSteps: 3, selection })
      const info = await s2ac.step(state)
      const { critics, actor, loop } = state
      const { reward, terminated, observation, nextObservation } = loop.batch
      const particlesAt = (
        observations: Float32Array,
        one: SteinPolicy,
        use: number,
        purpose: number = Purpose.noise,
      ) => {
        const at = { seed: loop.seed, purpose, particle: 0, step: 0, use }
        const { u, logProb } = drawParticles(core, steinRoom(), one, observations, at)
        return { u: rowsOf(u, 2), logProb: [...logProb] }
      }
      const { net } = critics.q
      const next = particlesAt(nextObservation, policy, Draw.stein.next)
      const y = rowsOf(nextObservation, 2).map((s, b) => {
        const values = [0, 1, 2, 3].map((k) => {
          const q = Math.min(...qsReference(net, target, s, next.u[4 * b + k].map(Math.tanh)))
          return q - 0.4 * next.logProb[4 * b + k]
        })
        return 2 * reward[b] + 0.8 * (1 - terminated[b]) * valueOfState(values)
      })
      const q = Float64Array.from(policy.criticThetas[0])
      const loss = (theta: Float64Array) => qLossReference(net, theta, loop.batch, y)
      expect((info.qLoss as number) / loss(q)).toBeCloseTo(1, 4)
      expectSame(
        critics.q.view.direction,
        slopesOf((theta) => -loss(theta), q),
      )
      expectFollowed(critics.target.view, target, critics.q.view.theta, 0.25)
      const now = particlesAt(observation, { ...policy, criticThetas: [critics.q.view.theta] }, Draw.stein.current)
      expect(info.entropy).toBeCloseTo(-meanOf(now.logProb), 5)
      const states = rowsOf(observation, 2)
      const likelihood = (theta: Float64Array) =>
        meanOf(
          now.u.map((u, k) => {
            const { mean, deviation } = startReference(policy, theta, states[Math.floor(k / 4)])
            return gaussianReference(u, mean, deviation)
          }),
        )
      expectSame(actor.view.direction, slopesOf(likelihood, policy.theta))
      // The step before it was that of one of the particles.
      const acted = particlesAt(Float32Array.of(0.3, -0.7), policy, Draw.stein.next, Purpose.action)
      expect(acted.u.map((u) => [...Float32Array.from(u, Math.tanh)])).toContainEqual([
        expect.closeTo(loop.action[0], 6),
        expect.closeTo(loop.action[1], 6),
      ])
    },
  )

  test('of particles it takes one at random, the best, or one by the softmax of Q/α or of Q/α − log π', async () => {
    const { policy } = await prepared({})
    const states = Float32Array.from([0.5, -1, 2, 0.3])
    const room = steinRoom()
    const particles = drawParticles(core, room, policy, states, draw)
    const q = Float64Array.from(policy.criticThetas[0])
    const actions = rowsOf(particles.u, 2).map((u) => u.map(Math.tanh))
    const worth = actions.map((a, k) =>
      Math.min(...qsReference(policy.q, q, [...particles.states.slice(2 * k, 2 * k + 2)], a)),
    )
    for (const row of [0, 1]) {
      const own = worth.slice(4 * row, 4 * row + 4)
      const total = own.reduce((sum, value) => sum + Math.exp(value / 0.4), 0)
      const taken = (selection: SteinShape['selection'], uniform: number) => {
        const action = rowsOf(
          choose(policy, particles, selection, () => uniform),
          2,
        )[row]
        return actions.slice(4 * row, 4 * row + 4).findIndex((a) => Math.abs(a[0] - action[0]) < 1e-6)
      }
      expect(taken('max-q', 0.1)).toBe(own.indexOf(Math.max(...own)))
      expect([0, 0.26, 0.51, 0.99].map((uniform) => taken('random', uniform))).toEqual([0, 1, 2, 3])
      const logProb = particles.logProb.subarray(4 * row, 4 * row + 4)
      const laws = {
        'softmax-q': total,
        importance: own.reduce((sum, v, k) => sum + Math.exp(v / 0.4 - logProb[k]), 0),
      }
      for (const [name, whole] of Object.entries(laws)) {
        let below = 0
        own.forEach((value, k) => {
          const share = Math.exp(value / 0.4 - (name === 'importance' ? logProb[k] : 0)) / whole
          expect(taken(name as SteinShape['selection'], below + share / 2)).toBe(k)
          below += share
        })
      }
    }
  })
})

/** Q(s, a) = −3 |a|² of both networks, interpolated between 33 places of a coordinate: what a step costs. */
function bowl(selection: SteinShape['selection']): SteinPolicy {
  const spec = environmentSpec('MultiGoal-v0')
  const hidden = [64]
  const nets = steinNetworks(spec, { hidden, activation: 'relu' })
  const one = new Float32Array(nets.q.size)
  const [first, last] = nets.q.layers
  for (let k = 0; k < 64; k++) {
    const [c, place] = [k >> 5, -1 + (k % 32) / 16]
    one[first.weight + (2 + c) * 64 + k] = 1
    one[first.bias + k] = -place
    one[last.weight + k] = place === -1 ? 6 - 3 / 16 : -6 / 16
  }
  one[last.bias] = -6
  const steps = { svgdSteps: 5, stepSize: 1, stretch: 1, bandwidth: 's2ac' as const, start: 'fixed' as const }
  const shape: SteinShape = { hidden, activation: 'relu', qs: 2, particles: 16, selection, temperature: 1, ...steps }
  return { shape, ...nets, theta: new Float32Array(nets.actor.size), criticThetas: [Float32Array.of(...one, ...one)] }
}

describe('in the plane, where five steps from N(0, 1) leave particles too wide', () => {
  const agents = (selection: SteinShape['selection']) =>
    steinAgents(core, environmentSpec('MultiGoal-v0'), bowl(selection))
  /** Of both components, of 4,000 actions. */
  const deviation = (selection: SteinShape['selection']) =>
    momentsOf(agents(selection).actRows(new Float32Array(8000), { greedy: false, seed: 3 })).deviation

  test('Q is the bowl', () => {
    for (const a of [
      [0.5, -0.25],
      [1, 0],
      [-1, 0.75],
    ]) {
      const q = Float64Array.from(bowl('random').criticThetas[0])
      for (const value of qsReference(bowl('random').q, q, [3, -2], a))
        expect(value).toBeCloseTo(-3 * (a[0] ** 2 + a[1] ** 2), 5)
    }
  })

  test('those taken at random are, and those taken by importance have the deviation of exp(Q/α)', () => {
    const exact = softOptimum((a) => -3 * a * a, 1).deviation
    expect(exact).toBeCloseTo(0.388, 3)
    expect(deviation('random')).toBeGreaterThan(0.55)
    expect(Math.abs(deviation('importance') - exact)).toBeLessThan(0.02)
  })

  test('the mean of their weights is exp of the soft value', () => {
    const exact = 2 * softOptimum((a) => -3 * a * a, 1).value
    const policy = bowl('importance')
    const numbers = { seed: splitSeed(8), purpose: Purpose.noise, particle: 0, step: 3, use: Draw.stein.next }
    const { u, logProb } = drawParticles(core, steinRoom(), policy, new Float32Array(2000), numbers)
    const gains = rowsOf(u, 2).map((x, i) => -3 * x.reduce((sum, v) => sum + Math.tanh(v) ** 2, 0) - logProb[i])
    expect(Math.abs(Math.log(meanOf(gains.map(Math.exp))) - exact)).toBeLessThan(0.06)
    // Of a policy that takes any particle the value is far below.
    expect(meanOf(gains)).toBeLessThan(exact - 0.6)
  })
})

const small = {
  hidden: [24],
  batchSize: 24,
  warmup: 48,
  steps: 48,
  environments: 4,
  learningRate: 5e-3,
  polyak: 0.05,
  svgdSteps: 4,
}
const parabola = (a: number) => -8 * (a - 0.3) ** 2

async function trained(options: S2acOptions, iterations: number) {
  const state = await s2ac.init({ ...small, ...options, iterations })
  for (let t = 1; t < iterations; t++) await s2ac.step(state)
  const { entropy } = await s2ac.step(state)
  return Object.assign(state, { entropy })
}

function actionsOf(agents: DrawingAgents, rows: number, greedy = false): Float32Array {
  return agents.actRows(new Float32Array(rows).fill(1), { greedy, seed: 4 })
}

test('one step with a quadratic reward: actions have the mean and the spread of exp(r/α)', async () => {
  const temperature = 0.2
  const state = await trained({ env: oneStep(parabola), temperature }, 24)
  const actions = momentsOf(actionsOf(s2ac.agents(state), 2000))
  const exact = softOptimum(parabola, temperature)
  expect(Math.abs(actions.mean - exact.mean)).toBeLessThan(0.06)
  expect(Math.abs(actions.deviation / exact.deviation - 1)).toBeLessThan(0.15)
  for (const a of actionsOf(s2ac.agents(state), 20, true)) expect(Math.abs(a - 0.3)).toBeLessThan(0.2)
})

test('without a reward actions are uniform, and their entropy is log 2 or little less', async () => {
  const state = await trained({ env: oneStep(() => 0) }, 8)
  const actions = momentsOf(actionsOf(s2ac.agents(state), 2000))
  expect(Math.abs(actions.mean)).toBeLessThan(0.1)
  expect(Math.abs(actions.deviation - 1 / Math.sqrt(3))).toBeLessThan(0.06)
  // What the driving particles tell of the driven ones is missing; Q is not quite 0.
  expect(state.entropy).toBeLessThan(Math.LN2 + 0.02)
  expect(state.entropy).toBeGreaterThan(Math.LN2 - 0.25)
})

test('saved and restored it draws the same actions', async () => {
  const state = await trained({ env: oneStep(parabola), selection: 'softmax-q' }, 2)
  const again = await s2ac.restore(s2ac.save(state), state.spec)
  for (const greedy of [false, true])
    expect(actionsOf(again, 30, greedy)).toEqual(actionsOf(s2ac.agents(state), 30, greedy))
})

test('same seed, same bytes', async () => {
  const run = async () => (await trained({ env: 'MultiGoalMaxEntropy-v0', seed: 3 }, 2)).actor.view.theta
  expect(await run()).toEqual(await run())
})

test.each<[Partial<S2acOptions>, string]>([
  [
    { env: 'CartPole-v1' },
    's2ac needs continuous actions, and those of CartPole-v1 are discrete: take svpg, sac or sql.',
  ],
  [{ temperature: 0 }, 'temperature must be a finite number above 0, got 0.'],
  [{ stretch: 0 }, 'stretch must be a finite number above 0, got 0.'],
  [{ particles: 0 }, 'particles must be a whole number from 1 to 10000, got 0.'],
  [{ replaySize: 5 }, 'replaySize must hold at least a batch of 24 transitions, got 5.'],
  [{ selection: 'best' as 'random' }, 'selection must be one of random, max-q, softmax-q'],
])('refuses %j', async (options, message) => {
  await expect(s2ac.init({ env: 'Pendulum-v1', ...small, ...options })).rejects.toThrow(message)
})

test('Q that is not finite stops the run and leaves the start as it was', async () => {
  const state = await s2ac.init({ ...small, env: oneStep(parabola) })
  await s2ac.step(state)
  state.critics.q.view.theta.fill(Number.NaN)
  const before = state.actor.view.theta.slice()
  const failed = s2ac.step(state)
  await expect(failed).rejects.toThrow(RunError)
  await expect(failed).rejects.toThrow(/^Iteration 2: .*not finite\.$/)
  expect(state.actor.view.theta).toEqual(before)
})
