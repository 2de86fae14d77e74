import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { generator, uniform } from '../../src/core/generator.ts'
import { type HeadName, type PolicyShape, policyOf } from '../../src/nn/policy.ts'
import { encodePolicy, type PopulationToExport } from '../../src/policy/description.ts'
import { loadPolicy } from '../../src/policy/policy.ts'

export const coreFile = fileURLToPath(new URL('../../dist/steinrl-policy.wasm', import.meta.url))
export const core = await WebAssembly.compile(await readFile(coreFile))

export const shapeOf = (name: HeadName, changes: Partial<PolicyShape> = {}): PolicyShape => ({
  observations: 3,
  hidden: [16, 5],
  activation: 'tanh',
  head: { name, actions: name === 'categorical' ? 4 : 3 },
  ...changes,
})

/** Three choices at once, of 2, 4 and 3 classes. */
export const choicesShape = (): PolicyShape =>
  shapeOf('categorical', { head: { name: 'categorical', actions: 9, factors: [2, 4, 3] } })

/** Policies with random parameters; continuous actions in different boxes. */
export function populationOf(
  shape: PolicyShape,
  { seed = 1, ...changes }: Partial<PopulationToExport> & { seed?: number } = {},
) {
  const policy = policyOf(shape)
  const particles = changes.particles ?? 5
  const numbers = generator(seed)
  const theta = Float32Array.from({ length: particles * policy.size }, () => 2 * uniform(numbers) - 1)
  const bounds = shape.head.name === 'categorical' ? null : boxOf(shape.head.actions)
  return { env: 'Test-v0', policy, theta, particles, best: 2, bounds, ...changes }
}

/** Another box in every dimension. */
export const boxOf = (A: number) => ({
  low: Array.from({ length: A }, (_, k) => -0.5 - k),
  high: Array.from({ length: A }, (_, k) => 0.75 + k),
})

export const loaded = (population: PopulationToExport) => loadPolicy({ ...encodePolicy(population), core })

/** [rows × O] */
export function observationsOf(rows: number, O: number, seed = 9): Float32Array {
  const numbers = generator(seed)
  return Float32Array.from({ length: rows * O }, () => 6 * uniform(numbers) - 3)
}
