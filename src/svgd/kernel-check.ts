import { show, shown, UsageError } from '../core/errors.ts'
import { areFinite, areNumbers, isFloat32, isRecord } from '../core/require.ts'
import { check, float32, nonNegativeFloat32, oneOf, positiveFloat32 } from '../core/schemas.ts'
import { bandwidthSchema } from './bandwidth-schema.ts'
import { type Kernel, TermKind } from './kernels.ts'

// A kernel is data, which a caller may have made in another way than by the functions of kernels.ts.

/**
 * Refuses what is no kernel.
 *
 * @throws UsageError for another kind of value, and for a term or coordinates that there are not
 */
export function requireKernel(name: string, kernel: unknown): asserts kernel is Kernel {
  if (!isRecord(kernel) || !Array.isArray(kernel.terms) || typeof kernel.name !== 'string')
    throw new UsageError(`${name} must be a kernel such as rbf(), got ${shown(kernel)}.`)
  const { terms, coordinates, given } = kernel
  if (given !== undefined && typeof given !== 'function')
    throw new UsageError(`What a ${name} is given by must be a function, as given() takes it, got ${show(given)}.`)
  if (!given && terms.length === 0) throw new UsageError(`${name} must have a term at least, as rbf() has, got none.`)
  terms.forEach((term, k) => void requireTerm(`Term ${k} of ${name}`, term))
  if (coordinates !== undefined && !areCoordinates(coordinates))
    throw new UsageError(
      `The coordinates of a ${name} must be those that blockwise() and its like give, got ${show(coordinates)}.`,
    )
}

function requireTerm(name: string, term: unknown): void {
  if (!isRecord(term)) throw new UsageError(`${name} must be { kind, weight, … }, got ${show(term)}.`)
  const { kind, weight, bandwidth, c, beta } = term
  check(oneOf(`The kind of ${name.toLowerCase()}`, Object.keys(TermKind)), kind)
  check(float32(`The weight of ${name.toLowerCase()}`), weight)
  if (bandwidth !== undefined && bandwidth !== 'adaptive' && typeof bandwidth !== 'function')
    check(bandwidthSchema, bandwidth)
  if (c !== undefined) check(kind === 'linear' ? nonNegativeFloat32('c') : positiveFloat32('c', 2), c)
  if (beta !== undefined) check(float32('beta'), beta)
  const hasScale = bandwidth !== undefined || (kind !== 'rbf' && kind !== 'matern32' && c !== undefined)
  if (!hasScale) throw new UsageError(`${name} is ${show(term)}; it needs a bandwidth${kind === 'imq' ? ' or c' : ''}.`)
}

const areBlocks = (blocks: unknown) =>
  Array.isArray(blocks) &&
  blocks.every((block) => isRecord(block) && areNumbers(block.moves) && areNumbers(block.beside))

function areCoordinates(coordinates: unknown): boolean {
  if (!isRecord(coordinates)) return false
  const { kind, widths, blocks, seed, map } = coordinates
  if (kind === 'blocks') return areFinite(widths)
  if (kind === 'graph') return areBlocks(blocks)
  if (kind === 'slices') return Number.isSafeInteger(seed)
  if (kind === 'metric') return isRecord(map) && [map.x, map.score, map.back].every(isFloat32)
  return kind === 'per-dimension'
}
