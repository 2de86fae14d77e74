import { policyGradientInto } from '../../compile/policy-gradient.ts'
import { createArena } from '../../core/arena.ts'
import { RunError, UsageError } from '../../core/errors.ts'
import { deriveSeed } from '../../core/generator.ts'
import { f32, padded } from '../../core/layout.ts'
import type { CoreModule } from '../../core/module.ts'
import { Draw, joinSeed, Purpose, type Seed, splitSeed } from '../../core/random.ts'
import { joined, mean, rowAt } from '../../core/rows.ts'
import { countSchema } from '../../core/schemas.ts'
import { arraysPart, fieldsPart, partsOf, type StatePart } from '../../core/state.ts'
import { forward } from '../../nn/forward.ts'
import { squaredError } from '../../nn/losses.ts'
import { initialiseInto, valueNetwork } from '../../nn/network.ts'
import { policyFields, policyOf, writePolicy } from '../../nn/policy.ts'
import { tf } from '../../nn/tfjs.ts'
import { adam, optimizerFields } from '../../optim/optimizers.ts'
import {
  descend,
  initialiseTrainable,
  parametersOf,
  trainable,
  trainableFields,
  trainablePart,
} from '../../rl/trainable.ts'
import type { BandwidthRule } from '../../svgd/bandwidth-rules.ts'
import { steinDirection } from '../../svgd/direction.ts'
import { type SteinInfo, steinFields } from '../../svgd/fields.ts'
import { rbf } from '../../svgd/kernels.ts'

/** Hidden layers of each particle's critic V(x), its steps in an iteration, and the last moves that it learns from. */
const CRITIC_HIDDEN = [32, 32]
const CRITIC_STEPS = 10
const CRITIC_MOVES = 100

export interface RandomiserSettings {
  /** d */
  readonly dimensions: number
  /** n */
  readonly particles: number
  /** Moves of a particle in an iteration. */
  readonly moves: number
  /** The largest move in each dimension of the unit cube. */
  readonly maxMove: number
  /** Moves after which a particle's point is drawn anew. */
  readonly horizon: number
  readonly hidden: readonly number[]
  readonly learningRate: number
  readonly criticLearningRate: number
  readonly discount: number
  /** α */
  readonly temperature: number
  readonly repulsion: number
  readonly bandwidth: BandwidthRule
}

export type Randomiser = Awaited<ReturnType<typeof createRandomiser>>

/** One move of a particle. */
export interface Move {
  /** [d] where it was and where it went, in the unit cube. */
  readonly from: Float32Array
  readonly to: Float32Array
  /** [d] the share of the largest move; beyond ±1 it is clipped. */
  readonly action: Float32Array
  /** Whether the point is drawn anew after it. */
  readonly isLast: boolean
}

/** Policies over points of the unit cube, at points drawn uniformly. */
export async function createRandomiser(core: CoreModule, settings: RandomiserSettings, run: Seed) {
  const { dimensions: d, particles: n, hidden } = settings
  const policy = policyOf({ observations: d, hidden, head: { name: 'gaussian', actions: d } })
  const kernel = rbf({ bandwidth: settings.bandwidth })
  const optimizer = adam({ learningRate: settings.learningRate })
  const valueNet = valueNetwork(d, CRITIC_HIDDEN)
  const arena = await createArena(core, {
    ...steinFields(n, policy.size, { kernel }),
    ...optimizerFields(n, policy.size, optimizer),
    ...policyFields(policy, 1),
    observation: f32(padded(d)),
    action: f32(padded(d)),
    ...trainableFields('critic', valueNet, n),
  })
  writePolicy(arena, policy, padded(policy.size))
  // A seed of its own, so that its particles and the agent share no random number.
  const seed = splitSeed(deriveSeed(joinSeed([run.lo, run.hi]), Purpose.particles, 0, 0, 0))
  const randomiser = {
    settings,
    policy,
    arena,
    kernel,
    optimizer,
    seed,
    /** V(x) of each particle, outside the kernel. */
    critics: trainable(arena, 'critic', valueNet, n),
    /** [n] its last moves, the oldest first, and what they were rewarded. */
    memory: Array.from({ length: n }, (): readonly Rewarded[] => []),
    /** [n][d] where each particle is. */
    points: Array.from({ length: n }, (): Float32Array => new Float32Array(d)),
    /** Moves of each particle so far, and steps of the optimizer. */
    moved: 0,
    steps: 0,
  }
  for (let i = 0; i < n; i++) {
    initialiseInto(parameters(randomiser, 'theta', i), policy.net, arena.ops, seed, i)
  }
  initialiseTrainable(randomiser.critics, seed, 0, { purpose: Purpose.critic })
  return randomiser
}

/** Row i of theta or of the scores, without the padding. */
function parameters(
  { arena, policy, settings }: Pick<Randomiser, 'arena' | 'policy' | 'settings'>,
  name: 'theta' | 'score',
  i: number,
) {
  return rowAt(arena.view[name], settings.particles, policy.size, i)
}

/** The particles, where they are, and what their critics learn from next. */
export function randomiserPart(randomiser: Randomiser): StatePart {
  const { arena, settings, critics } = randomiser
  const { theta, moment1, moment2 } = arena.view
  const { particles: n, dimensions: d } = settings
  const ends = ['from', 'to', 'action'] as const
  return partsOf({
    particles: arraysPart({ theta, moment1, moment2 }),
    counters: fieldsPart(randomiser, { moved: countSchema, steps: countSchema }),
    critics: trainablePart(critics),
    moves: {
      save(to) {
        const moves = randomiser.memory.flat()
        to.array('points', joined(randomiser.points))
        for (const end of ends) to.array(end, joined(moves.map((move) => move[end])))
        to.array(
          'last',
          Uint8Array.from(moves, ({ isLast }) => (isLast ? 1 : 0)),
        )
        to.array(
          'reward',
          Float64Array.from(moves, ({ reward }) => reward),
        )
      },
      load(from) {
        const points = from.array('points', new Float32Array(0), n * d)
        const reward = from.array('reward', new Float64Array(0), 'any')
        const last = from.array('last', new Uint8Array(0), reward.length)
        const [begin, end, action] = ends.map((name) => from.array(name, new Float32Array(0), reward.length * d))
        if (reward.length % n !== 0 || reward.length > n * CRITIC_MOVES)
          throw new UsageError(`it has ${reward.length} moves of ${n} particles, each of at most ${CRITIC_MOVES}.`)
        const row = (values: Float32Array, k: number) => values.slice(k * d, (k + 1) * d)
        const move = (k: number): Rewarded => ({
          ...{ from: row(begin, k), to: row(end, k), action: row(action, k) },
          ...{ isLast: last[k] === 1, reward: reward[k] },
        })
        const each = reward.length / n
        return () => {
          randomiser.points = Array.from({ length: n }, (_, i) => row(points, i))
          randomiser.memory = Array.from({ length: n }, (_, i) =>
            Array.from({ length: each }, (_, m) => move(i * each + m)),
          )
        }
      },
    },
  })
}

/** [d] uniform in the unit cube: the k-th draw of a particle. */
export function uniformPoint(
  { arena: { ops, at, view }, settings, seed }: Randomiser,
  particle: number,
  k: number,
): Float32Array {
  ops.fillUniform(
    at.observation,
    settings.dimensions,
    seed.lo,
    seed.hi,
    Purpose.particles,
    particle,
    Draw.randomisation.points,
    k,
  )
  return view.observation.slice(0, settings.dimensions)
}

/**
 * [n][moves] the next moves of every particle: x ← clip(x + maxMove clip(a, −1, 1), 0, 1), a ~ π_i(·|x), drawn anew
 * after `horizon` moves.
 */
export function propose(randomiser: Randomiser): Move[][] {
  const { settings, points } = randomiser
  const all = points.map((_, i) =>
    Array.from({ length: settings.moves }, (_, m) => moveOnce(randomiser, i, randomiser.moved + m)),
  )
  randomiser.moved += settings.moves
  return all
}

function moveOnce(randomiser: Randomiser, i: number, k: number): Move {
  const { arena, settings, points, seed } = randomiser
  const { ops, at, view } = arena
  const { dimensions: d, horizon, maxMove } = settings
  if (k % horizon === 0) points[i] = uniformPoint(randomiser, i, k / horizon)
  const from = points[i].slice()
  view.observation.set(centred(from))
  // biome-ignore format: one op, one line
  ops.act(at.policy, i, at.observation, 1, at.action, 0, 0, Purpose.action, i, k, seed.lo, seed.hi)
  const action = view.action.slice(0, d)
  const to = from.map((x, c) => clipped(x + maxMove * clipped(action[c], -1, 1), 0, 1))
  points[i] = to
  return { from, to, action, isLast: (k + 1) % horizon === 0 }
}

const clipped = (x: number, low: number, high: number) => Math.min(Math.max(x, low), high)

/** What a policy sees of a point: its coordinates from −1 to 1. */
const centred = (point: Float32Array) => point.map((x) => 2 * x - 1)

const inputRows = (points: readonly Float32Array[]) => joined(points.map(centred))

type Rewarded = Move & { readonly reward: number }

/**
 * One step of SVPG on the rewards [n][moves] of the moves. With the advantages A by each particle's own critic, of mean
 * 0 and deviation 1 over all particles,
 *
 *     φ(θ_i) = 1/n Σ_j [ k(θ_j, θ_i) ∇J(θ_j)/α + ∇_{θ_j} k(θ_j, θ_i) ],   J(θ_j) = mean_m log π_j(a_m|x_m) A_m
 *
 * and one step of Adam along it. The kernel is on the policies' parameters alone.
 */
export function learn(
  randomiser: Randomiser,
  moves: readonly (readonly Move[])[],
  rewards: readonly (readonly number[])[],
): SteinInfo {
  const rewarded = moves.map((row, i) => row.map((move, m) => ({ ...move, reward: rewards[i][m] })))
  const advantages = standardised(advantagesOf(randomiser, rewarded))
  rewarded.forEach((row, i) => {
    scoreInto(randomiser, i, row, advantages[i])
  })
  const info = moveAlong(randomiser)
  randomiser.memory = randomiser.memory.map((past, i) => [...past, ...rewarded[i]].slice(-CRITIC_MOVES))
  trainCritics(randomiser)
  return info
}

/** ∇J of a particle to its row of the scores. */
function scoreInto(randomiser: Randomiser, i: number, moves: readonly Move[], advantages: Float64Array): void {
  const rows = {
    observation: inputRows(moves.map(({ from }) => from)),
    action: Float32Array.from(moves.flatMap(({ action }) => [...action])),
    weight: Float32Array.from(advantages, (a) => a / moves.length),
  }
  const [theta, score] = [parameters(randomiser, 'theta', i), parameters(randomiser, 'score', i)]
  policyGradientInto(score, randomiser.policy, theta, rows, { entropyBonus: 0, clip: null, floor: null })
}

function moveAlong(randomiser: Randomiser): SteinInfo {
  const { arena, policy, settings, kernel, optimizer } = randomiser
  const { ops, at, view } = arena
  const { particles: n, temperature, repulsion } = settings
  const count = view.theta.length
  ops.combineInto(at.score, 1 / temperature, at.score, 0, at.theta, count)
  const info = steinDirection(arena, { particles: n, dimension: policy.size }, kernel, { repulsion })
  randomiser.steps++
  optimizer.step(arena, randomiser.steps)
  const bad = ops.firstNonFinite(at.theta, count)
  if (bad >= 0)
    throw new RunError(`Particle ${Math.floor((bad * n) / count)} over the parameters is not finite after the step.`)
  return info
}

/**
 * [n][moves] returns less V of where the moves began: continued by V where the moves end, or the point is drawn anew.
 */
function advantagesOf(randomiser: Randomiser, moves: readonly (readonly Rewarded[])[]): Float64Array[] {
  const { discount } = randomiser.settings
  const value = valuesOf(randomiser, moves, 'from')
  const next = valuesOf(randomiser, moves, 'to')
  return moves.map((row, i) => {
    const out = new Float64Array(row.length)
    let target = 0
    for (let m = row.length - 1; m >= 0; m--) {
      const isCut = m === row.length - 1 || row[m].isLast
      target = row[m].reward + discount * (isCut ? next[i][m] : target)
      out[m] = target - value[i][m]
    }
    return out
  })
}

const inputsOf = (moves: readonly (readonly Move[])[], end: 'from' | 'to', d: number) =>
  tf.tensor3d(inputRows(moves.flatMap((row) => row.map((move) => move[end]))), [moves.length, moves[0].length, d])

/** Outputs [n, rows] of the critics, each for its own rows. */
const criticOutputs = ({ critics: { net, count } }: Randomiser, theta: tf.Tensor, x: tf.Tensor3D): tf.Tensor2D =>
  tf.squeeze(forward(net, tf.reshape(theta, [count, net.size]), x), [2])

/** [n][moves] V of where they began or ended. */
function valuesOf(randomiser: Randomiser, moves: readonly (readonly Move[])[], end: 'from' | 'to'): Float32Array[] {
  const { critics, settings } = randomiser
  const values = tf.tidy(() =>
    criticOutputs(randomiser, parametersOf(critics, critics.view.theta), inputsOf(moves, end, settings.dimensions)),
  )
  const flat = values.dataSync() as Float32Array
  values.dispose()
  const [rows] = moves.map(({ length }) => length)
  return moves.map((_, i) => flat.slice(i * rows, (i + 1) * rows))
}

/**
 * Steps of Adam down ½ mean (V(x) − r − γ V(x′))² of every critic on the last moves of its particle, V(x′) as it was
 * before.
 */
function trainCritics(randomiser: Randomiser): void {
  const { critics, settings, memory } = randomiser
  const next = valuesOf(randomiser, memory, 'to')
  const targets = memory.map((row, i) => row.map(({ reward }, m) => reward + settings.discount * next[i][m]))
  const [x, y] = [inputsOf(memory, 'from', settings.dimensions), tf.tensor2d(targets)]
  // n times the mean over all, the sum of each critic's own mean.
  const loss = (theta: tf.Tensor) =>
    tf.mul(settings.particles, squaredError(criticOutputs(randomiser, theta, x), y)) as tf.Scalar
  for (let t = 0; t < CRITIC_STEPS; t++) descend(critics, settings.criticLearningRate, loss)
  tf.dispose([x, y])
}

/** To mean 0 and deviation 1 over all; all 0 where nothing differs. */
function standardised(rows: readonly Float64Array[]): Float64Array[] {
  const all = rows.flatMap((row) => [...row])
  const centre = mean(all)
  const deviation = Math.sqrt(mean(all.map((x) => (x - centre) * (x - centre))))
  return rows.map((row) => row.map((x) => (x - centre) / (deviation + 1e-8)))
}
