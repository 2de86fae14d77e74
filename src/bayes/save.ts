import { encodeTensors } from '../core/safetensors.ts'
import { columnsOf, type Draws, requireDraws } from './draws.ts'

/** Whatever holds draws: a fit, or a thinned one. */
export interface Drawn {
  readonly draws: Draws
}

/**
 * The draws as CSV (RFC 4180): a column for every number, a line for every particle. Labels with commas stand in
 * quotes.
 */
export function drawsToCsv(drawn: Drawn): string {
  const draws = drawn?.draws
  requireDraws('drawsToCsv', draws)
  const columns = columnsOf(draws)
  const heads = columns.map(({ label }) => (/[",\r\n]/.test(label) ? `"${label.replaceAll('"', '""')}"` : label))
  const n = columns[0]?.values.length ?? 0
  const lines = Array.from({ length: n }, (_, i) => columns.map(({ values }) => values[i]).join(','))
  return `${[heads.join(','), ...lines].join('\n')}\n`
}

/** Nested lists of numbers. */
export type Nested = readonly (number | Nested)[]

/**
 * The draws as ArviZ takes them, once its lists are arrays (from_dict asks lists for a shape):
 *
 *     posterior = {name: numpy.asarray(values) for name, values in json.load(file)['posterior'].items()}
 *     arviz.from_dict({'posterior': posterior})
 *
 * Particles are the draws of one chain, so every array is [1, n, …shape].
 */
export function drawsToArviz(drawn: Drawn): { readonly posterior: Readonly<Record<string, Nested>> } {
  const draws = drawn?.draws
  requireDraws('drawsToArviz', draws)
  const arrays = Object.entries(draws).map(([name, { shape, data }]) => {
    const size = shape.reduce((product, length) => product * length, 1)
    return [name, nested([...data], [1, data.length / size, ...shape])]
  })
  return { posterior: Object.fromEntries(arrays) }
}

function nested(values: readonly number[], shape: readonly number[]): Nested {
  if (shape.length === 1) return values
  const width = values.length / shape[0]
  return Array.from({ length: shape[0] }, (_, k) => nested(values.slice(k * width, (k + 1) * width), shape.slice(1)))
}

/** The draws as a safetensors file: a tensor [n, …shape] for each name. */
export function drawsToSafetensors(drawn: Drawn): Uint8Array {
  const draws = drawn?.draws
  requireDraws('drawsToSafetensors', draws)
  const tensors = Object.entries(draws).map(([name, { shape, data }]) => {
    const size = shape.reduce((product, length) => product * length, 1)
    return [name, { shape: [data.length / size, ...shape], data: Float32Array.from(data) }]
  })
  return encodeTensors({ tensors: Object.fromEntries(tensors), metadata: {} })
}
