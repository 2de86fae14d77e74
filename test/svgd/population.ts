import { createArena } from '../../src/core/arena.ts'
import { padded } from '../../src/core/layout.ts'
import { compileCore } from '../../src/core/module.ts'
import { steinDirection } from '../../src/svgd/direction.ts'
import { type SteinInfo, steinFields, type Variant } from '../../src/svgd/fields.ts'
import { type Kernel, rbf } from '../../src/svgd/kernels.ts'

const module = await compileCore()

export interface Result {
  info: SteinInfo
  kernel: number[][]
  drive: number[][]
  repulsion: number[][]
  phi: number[][]
  dead: number[]
}

/** The direction of particles X with scores G as plain arrays. */
export async function directionOf(
  X: number[][],
  G: number[][],
  kernel: Kernel = rbf(),
  variant: Variant = {},
): Promise<Result> {
  const n = X.length
  const d = X[0].length
  const arena = await createArena(module, steinFields(n, d, { kernel }))
  const { view } = arena
  const D = view.theta.length / n
  X.forEach((x, i) => void view.theta.set(x, i * D))
  G.forEach((g, i) => void view.score.set(g, i * D))
  const rows = (array: Float32Array, width: number, stride: number) =>
    Array.from({ length: n }, (_, i) => [...array.subarray(i * stride, i * stride + width)])
  const direction = (changes: Variant) => {
    const info = steinDirection(arena, { particles: n, dimension: d }, kernel, { ...variant, ...changes })
    return { info, phi: rows(view.direction, d, D) }
  }
  const { phi: drive } = direction({ repulsion: 0 })
  const { phi: repulsion } = direction({ drive: 0 })
  return {
    ...direction({}),
    kernel: rows(view.kernel, n, padded(n)),
    drive,
    repulsion,
    dead: X.flatMap((_, i) => [...view.direction.subarray(i * D + d, (i + 1) * D)]),
  }
}

/** Largest |a − b|. */
export function largestError(a: number[][], b: number[][]): number {
  const flat = b.flat()
  return Math.max(...a.flat().map((value, i) => Math.abs(value - flat[i])))
}

/** Largest |a − b| over the largest |b|. */
export function relativeError(a: number[][], b: number[][]): number {
  return largestError(a, b) / (Math.max(...b.flat().map(Math.abs)) || 1)
}
