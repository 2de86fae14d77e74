import { show, shown, UsageError } from '../core/errors.ts'
import { f32, f64, padded, type Views } from '../core/layout.ts'
import type { Ops, Pointer } from '../core/ops.ts'
import { refuseUnknown } from '../core/options.ts'
import { wholePower } from '../core/power.ts'
import { isRecord } from '../core/require.ts'
import { check, decay, nonNegativeFloat32, positiveFloat32 } from '../core/schemas.ts'

/** The moments that an optimizer keeps for n rows of d coordinates; empty where it keeps none. */
export function optimizerFields(n: number, d: number, { keeps }: Pick<Optimizer, 'keeps'>) {
  const D = padded(d)
  const rows = (...moments: Moment[]) => f32(moments.some((moment) => keeps.includes(moment)) ? n : 0, D)
  const way = f32(keeps.includes('way') ? D : 0)
  return {
    /** [n, D] running mean of the direction. */
    moment1: rows('mean'),
    /** [n, D] running mean of its square, or the root of that. */
    moment2: rows('square', 'root mean square'),
    /** [D] running mean of the particles' mean. */
    pathCentre: way,
    /** [D] root of the running variance of the particles' mean. */
    pathSpread: way,
    /** [D] standard deviation of the particles before the first step. */
    startSpread: way,
    /** [5, n, D] of coin(): where x began, Σ φ, Σ |φ|, the largest |φ| and the reward. */
    bets: f64(keeps.includes('bets') ? 5 : 0, n, padded(d)),
  }
}

/** What an optimizer may keep: running moments of the direction, its square and the population's mean, or bets. */
export type Moment = 'mean' | 'square' | 'root mean square' | 'way' | 'bets'

/** What sgd, adam and adagrad read and write: θ, the direction, and their own moments. */
export interface MomentArena {
  readonly ops: Ops
  readonly at: Readonly<Record<'theta' | 'direction' | 'moment1' | 'moment2', Pointer>>
  readonly view: { readonly theta: Float32Array }
}

/** All that an optimizer may see: the particles, where they are to go, and its own moments. */
export interface OptimizerArena extends MomentArena {
  readonly view: Views<ReturnType<typeof optimizerFields>> & Readonly<Record<'theta' | 'direction', Float32Array>>
}

/** Moves theta along direction in place. `t` counts steps from 1. */
export interface Optimizer<A extends MomentArena = OptimizerArena> {
  readonly name: string
  /** ε, where a step is x + ε φ and nothing else. */
  readonly rate?: number
  /** Which running moments it needs memory for. */
  readonly keeps: readonly Moment[]
  step(arena: A, t: number): void
}

const MOMENTS: readonly unknown[] = ['mean', 'square', 'root mean square', 'way', 'bets'] satisfies Moment[]

/**
 * Refuses what is no optimizer.
 *
 * @throws UsageError for another kind of value, and for moments that there are not
 */
export function requireOptimizer(optimizer: unknown): asserts optimizer is Optimizer {
  if (!isRecord(optimizer) || typeof optimizer.step !== 'function' || typeof optimizer.name !== 'string')
    throw new UsageError(`optimizer must be an optimizer such as adam({ learningRate: 0.1 }), got ${shown(optimizer)}.`)
  const { keeps, rate, name } = optimizer
  if (!Array.isArray(keeps) || !keeps.every((moment) => MOMENTS.includes(moment)))
    throw new UsageError(`What ${name} keeps must be a list of ${MOMENTS.join(', ')}, got ${show(keeps)}.`)
  if (rate !== undefined) check(positiveFloat32(`The rate of ${name}`), rate)
}

/** x ← x + rate φ. */
export function sgd(options: { learningRate: number }): Optimizer<MomentArena> {
  refuseUnknown('sgd', options, ['learningRate'])
  const rate = check(positiveFloat32('learningRate'), options?.learningRate)
  return {
    name: 'sgd',
    rate,
    keeps: [],
    step: ({ ops, at, view }) => ops.ascend(at.theta, at.direction, view.theta.length, rate),
  }
}

/** Rate and memories of adam(). */
export interface AdamOptions {
  learningRate: number
  /** Decay of the mean; default 0.9. */
  beta1?: number
  /** Decay of the mean square; default 0.999. */
  beta2?: number
  /** Added to the root; default 1e-8. */
  epsilon?: number
}

/**
 * Adam (Kingma & Ba 2015, algorithm 1) as ascent along the direction:
 *
 *     m ← β₁ m + (1−β₁) φ    v ← β₂ v + (1−β₂) φ²    x ← x + rate · (m/(1−β₁ᵗ)) / (√(v/(1−β₂ᵗ)) + ε)
 */
export function adam(options: AdamOptions): Optimizer<MomentArena> {
  refuseUnknown('adam', options, ['learningRate', 'beta1', 'beta2', 'epsilon'])
  const rate = check(positiveFloat32('learningRate'), options?.learningRate)
  const beta1 = check(decay('beta1'), options.beta1 ?? 0.9)
  const beta2 = check(decay('beta2'), options.beta2 ?? 0.999)
  const epsilon = check(positiveFloat32('epsilon'), options.epsilon ?? 1e-8)
  return {
    name: 'adam',
    keeps: ['mean', 'square'],
    step({ ops, at, view }, t) {
      const c1 = 1 - wholePower(beta1, t)
      const c2 = 1 - wholePower(beta2, t)
      const count = view.theta.length
      ops.adam(at.theta, at.moment1, at.moment2, at.direction, count, rate, beta1, beta2, epsilon, c1, c2)
    },
  }
}

/** Rate and memory of adagrad(). */
export interface AdagradOptions {
  learningRate: number
  /** Decay of the mean square; default 0.9. */
  momentum?: number
  /** Added to the root; default 1e-6. */
  epsilon?: number
}

/**
 * "Adagrad with momentum" of the SVGD authors' code, which forgets as RMSProp does:
 *
 *     v ← φ² in the first step, then μ v + (1−μ) φ²    x ← x + rate · φ / (ε + √v)
 *
 * Source: DartML/Stein-Variational-Gradient-Descent, python/svgd.py.
 */
export function adagrad(options: AdagradOptions): Optimizer<MomentArena> {
  refuseUnknown('adagrad', options, ['learningRate', 'momentum', 'epsilon'])
  const rate = check(positiveFloat32('learningRate'), options?.learningRate)
  const momentum = check(decay('momentum'), options.momentum ?? 0.9)
  const epsilon = check(positiveFloat32('epsilon'), options.epsilon ?? 1e-6)
  return {
    name: 'adagrad',
    keeps: ['square'],
    step({ ops, at, view }, t) {
      ops.adagrad(at.theta, at.moment2, at.direction, view.theta.length, rate, t === 1 ? 0 : momentum, epsilon)
    },
  }
}

/** How slowly coin() begins. */
export interface CoinOptions {
  /** α, at least 0; default 0. For networks the paper takes 100, so that the first bets stay small. */
  slowness?: number
}

/**
 * No learning rate at all: every coordinate bets on a coin whose outcomes are its directions, and the stake grows with
 * what was won. The first stake is 1 in the unit of x, and grows from there.
 *
 *     L ← max(L, |φ|)    G ← G + |φ|    R ← max(R + (x − x₀) φ, 0)    S ← S + φ
 *     x ← x₀ + S / max(G + L, α L) · (1 + R / L)
 *
 * Sums are float64. Source: Sharrock & Nemeth 2023 (arXiv 2301.11294), the adaptive coin SVGD; α: Orabona & Tommasi
 * 2017 (arXiv 1705.07795), algorithm 2.
 *
 * @throws UsageError for α below 0
 */
export function coin(options: CoinOptions = {}): Optimizer {
  refuseUnknown('coin', options, ['slowness'])
  const alpha = check(nonNegativeFloat32('slowness'), options.slowness ?? 0)
  return {
    name: 'coin',
    keeps: ['bets'],
    step({ view: { theta, direction, bets } }, t) {
      const [start, sum, sizes, largest, reward] = [0, 1, 2, 3, 4].map((part) =>
        bets.subarray(part * theta.length, (part + 1) * theta.length),
      )
      if (t === 1) {
        bets.fill(0)
        start.set(theta)
      }
      for (let at = 0; at < theta.length; at++) {
        const outcome = direction[at]
        const size = Math.abs(outcome)
        largest[at] = Math.max(largest[at], size)
        sizes[at] += size
        reward[at] = Math.max(reward[at] + (theta[at] - start[at]) * outcome, 0)
        sum[at] += outcome
        // Until the first outcome there is nothing to bet on.
        if (largest[at] === 0) continue
        const share = sum[at] / Math.max(sizes[at] + largest[at], alpha * largest[at])
        theta[at] = start[at] + share * (1 + reward[at] / largest[at])
      }
    },
  }
}
