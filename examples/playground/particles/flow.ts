import {
  adam,
  type BandwidthName,
  createSVGD,
  generator,
  imq,
  type Kernel,
  normal,
  type Optimizer,
  rbf,
  type SvgdInfo,
  type SvgdState,
} from 'steinrl'
import { adagrad, linear, matern32, sgd } from 'steinrl/svgd'
import type { Settings } from './settings.ts'
import { targets } from './targets.ts'

export type Point = readonly [x: number, y: number]

/** What a step starts from, read-only for who draws it. */
export interface Moment {
  readonly count: number
  /** Particle i is at x[2 i], x[2 i + 1]. */
  readonly x: Float32Array
  /** [count × 2] the two terms of the Stein direction at x. */
  readonly drive: Float32Array
  readonly repulsion: Float32Array
  /** [count × count] k(x_j, x_i). */
  readonly kernel: Float32Array
  readonly info: SvgdInfo
}

/** Particles on a plane that follow a density. `moment` is null while there are none. */
export interface Flow {
  readonly moment: Moment | null
  /** Since the last start. */
  readonly steps: number
  /** One step along the direction of the moment, and the moment after it; nothing while a change is under way. */
  step(): void
  /** Starts again from these points. */
  restart(points: readonly Point[]): Promise<void>
  add(point: Point): Promise<void>
  /** Puts one particle elsewhere. */
  move(particle: number, point: Point): void
  /** Takes other settings for the steps to come; the particles stay where they are. */
  change(settings: Settings): Promise<void>
}

export function createFlow(core: WebAssembly.Module, initial: Settings): Flow {
  let settings = { ...initial }
  let method = methodFor(core, settings)
  let optimizer = optimizerFor(settings)
  let state: SvgdState | null = null
  let moment: Moment | null = null
  let steps = 0
  /** Steps since the optimizer's moments were empty. */
  let moves = 0
  let changes = 0
  let changing = Promise.resolve()

  /** The direction where the particles are now, without moving them. */
  const look = () => {
    moment = state && momentOf(state, method.step(state, { discrepancy: true }))
  }

  /** Room for other points or another kernel. Changes wait for each other, so that none is lost. */
  const rebuild = (points: () => readonly Point[]) => {
    changes++
    const rebuilt = changing.then(async () => {
      const now = points()
      const start = { particles: now.length, dimension: 2, initial: now.flat() }
      state = now.length === 0 ? null : await method.init(start)
      moves = 0
      look()
    })
    // A change that is refused does not stop those after it.
    changing = rebuilt.catch(() => {}).finally(() => changes--)
    return rebuilt
  }

  return {
    get moment() {
      return moment
    },
    get steps() {
      return steps
    },
    step() {
      if (!state || changes > 0) return
      steps++
      moves++
      optimizer.step(state.arena, moves)
      look()
    },
    restart(points) {
      steps = 0
      return rebuild(() => points)
    },
    add: (point) => rebuild(() => [...pointsOf(moment), point]),
    move(particle, [x, y]) {
      state?.rows[particle]?.x.set([x, y])
      look()
    },
    async change(next) {
      const changed = (['kernel', 'bandwidth', 'optimizer'] as const).some((name) => next[name] !== settings[name])
      settings = { ...next }
      method = methodFor(core, settings)
      optimizer = optimizerFor(settings)
      if (changed) await rebuild(() => pointsOf(moment))
      else if (changes === 0) look()
    },
  }
}

/** A method whose steps do not move, so that arrows show what the next step will do; the flow moves by itself. */
function methodFor(core: WebAssembly.Module, settings: Settings) {
  const { temperature, repulsion, target } = settings
  const { score } = targets[target]
  return createSVGD({
    score(out, x) {
      score(out, x[0], x[1])
      out[0] /= temperature
      out[1] /= temperature
    },
    kernel: kernelFor(settings),
    optimizer: { ...optimizerFor(settings), step() {} },
    repulsion,
    threads: 1,
    core,
  })
}

function kernelFor({ kernel, bandwidth: rule, h }: Settings): Kernel {
  const bandwidth = rule === 'fixed' ? h : (rule satisfies BandwidthName)
  if (kernel === 'rbf') return rbf({ bandwidth })
  if (kernel === 'matern32') return matern32({ bandwidth })
  return kernel === 'imq' ? imq({ c: Math.sqrt(h) }) : linear()
}

function optimizerFor({ optimizer, stepSize: learningRate }: Settings): Optimizer {
  if (optimizer === 'sgd') return sgd({ learningRate })
  return optimizer === 'adam' ? adam({ learningRate }) : adagrad({ learningRate })
}

/**
 * Both terms from the kernel matrix that the direction has left behind: drive_i = 1/n Σ_j k(x_j, x_i) s_j, and the
 * rest.
 */
function momentOf({ particles: n, population, arena }: SvgdState, info: SvgdInfo): Moment {
  const { stride } = population
  const { view } = arena
  const width = Math.sqrt(view.kernel.length)
  const x = new Float32Array(2 * n)
  const drive = new Float32Array(2 * n)
  const repulsion = new Float32Array(2 * n)
  const kernel = new Float32Array(n * n)
  for (let i = 0; i < n; i++) {
    kernel.set(view.kernel.subarray(i * width, i * width + n), i * n)
    for (let k = 0; k < 2; k++) {
      let sum = 0
      for (let j = 0; j < n; j++) sum += view.kernel[i * width + j] * view.score[j * stride + k]
      x[2 * i + k] = view.theta[i * stride + k]
      drive[2 * i + k] = sum / n
      repulsion[2 * i + k] = view.direction[i * stride + k] - sum / n
    }
  }
  return { count: n, x, drive, repulsion, kernel, info }
}

export const pointsOf = (moment: Moment | null): Point[] =>
  Array.from({ length: moment?.count ?? 0 }, (_, i) => [moment?.x[2 * i] ?? 0, moment?.x[2 * i + 1] ?? 0])

/** Where the particles of a start stand. Same settings, same places. */
export function startPoints({ start, count, seed }: Settings): Point[] {
  const random = generator(seed)
  const side = Math.ceil(Math.sqrt(count))
  const place = (i: number): Point => {
    const [a, b] = [normal(random), normal(random)]
    if (start === 'cloud') return [0.7 * a, 0.7 * b]
    if (start === 'corner') return [-3 + 0.15 * a, 2.8 + 0.15 * b]
    // A little noise: particles on a line would stay on it where the density is symmetric.
    if (start === 'line') return [count === 1 ? 0 : -3 + (6 * i) / (count - 1), 0.01 * b]
    const at = (k: number) => (side === 1 ? 0 : -2.7 + (5.4 * k) / (side - 1))
    return [at(i % side), at(Math.floor(i / side))]
  }
  return start === 'nowhere' ? [] : Array.from({ length: count }, (_, i) => place(i))
}
