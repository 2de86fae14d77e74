import { expect } from '@jest/globals'
import { tf } from '../../src/nn/tfjs.ts'

/** Every number within `tolerance` of the expected one, in units of the largest of these. */
export function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number) {
  const scale = Math.max(...Array.from(expected, Math.abs))
  expect(scale).toBeGreaterThan(0)
  expect(actual).toHaveLength(expected.length)
  Array.from(expected, (value, k) => expect(Math.abs(actual[k] - value)).toBeLessThan(tolerance * scale))
}

/** Runs with tfjs on this backend. */
export async function on<T>(backend: string, run: () => T): Promise<T> {
  await tf.setBackend(backend)
  const result = run()
  await tf.setBackend('wasm')
  return result
}
