import { platform } from '#platform'
import { decodeTensors, encodeTensors, type Tensor } from '../core/safetensors.ts'
import type { Visited } from '../rl/evaluator.ts'
import { fileOf, reading, writing } from '../train/run-directory.ts'

const { files } = platform

/** Rollouts whose rows are kept: one alone shows too few. */
const ROLLOUTS = 16

/** Where each particle has been in its last rollouts. */
export interface Visits {
  /** Call after every iteration with the rows of each particle. */
  add(visited: readonly (Visited | null)[]): void
  /** [n, rows, O] the observations; null when there are none. */
  tensor(observationSize: number): Tensor | null
}

export function collectVisits(): Visits {
  const kept: (readonly (Visited | null)[])[] = []
  return {
    add(visited) {
      kept.push(visited)
      if (kept.length > ROLLOUTS) kept.shift()
    },
    tensor(O) {
      const particles = kept[0]?.length ?? 0
      const rows = Array.from({ length: particles }, (_, i) => kept.flatMap((all) => [...(all[i]?.observation ?? [])]))
      const size = rows[0]?.length ?? 0
      if (size === 0 || rows.some(({ length }) => length !== size)) return null
      return { shape: [particles, size / O, O], data: Float32Array.from(rows.flat()) }
    },
  }
}

export async function saveVisits(path: string, observations: Tensor): Promise<void> {
  const file = encodeTensors({ tensors: { observations }, metadata: {} })
  await writing(path, () => files.write(fileOf(path, 'visited'), file))
}

/** [n][rows][O]; null when the run has kept none. */
export async function readVisits(path: string): Promise<number[][][] | null> {
  const file = fileOf(path, 'visited')
  if (!(await files.exists(file))) return null
  const { observations } = await reading(file, (bytes) => decodeTensors(bytes).tensors)
  const [n, rows, O] = observations.shape
  const row = (k: number) => [...observations.data.subarray(k * O, (k + 1) * O)]
  return Array.from({ length: n }, (_, i) => Array.from({ length: rows }, (_, r) => row(i * rows + r)))
}
