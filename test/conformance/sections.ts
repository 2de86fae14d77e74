import type { CoreSource } from 'steinrl/svgd'

/** SHA-256 of what was computed, by section and name. */
export type Results = Record<string, Record<string, string>>

/** Computes and hands over, by name, the arrays whose bytes are compared. */
export type Section = (
  core: CoreSource | undefined,
  put: (name: string, ...arrays: ArrayBufferView[]) => void,
) => Promise<void>

/** Runs the sections one after the other. */
export async function runSections(sections: Readonly<Record<string, Section>>, core?: CoreSource): Promise<Results> {
  const results: Results = {}
  for (const [section, run] of Object.entries(sections)) {
    const found: [name: string, bytes: Uint8Array<ArrayBuffer>][] = []
    await run(core, (name, ...arrays) => found.push([name, joined(arrays)]))
    results[section] = {}
    for (const [name, bytes] of found) {
      if (name in results[section]) throw new Error(`${section} has two results named ${name}.`)
      results[section][name] = await sha256(bytes)
    }
  }
  return results
}

function joined(arrays: readonly ArrayBufferView[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(arrays.reduce((sum, { byteLength }) => sum + byteLength, 0))
  let end = 0
  for (const { buffer, byteOffset, byteLength } of arrays) {
    bytes.set(new Uint8Array(buffer, byteOffset, byteLength), end)
    end += byteLength
  }
  return bytes
}

export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', bytes)
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Numbers from low up to high by Marsaglia's xorshift32: whole-number arithmetic, the same in every engine. */
export function numbers(count: number, seed: number, low = -1, high = 1): number[] {
  let word = (seed * 2654435761 + 1) >>> 0 || 1
  return Array.from({ length: count }, () => {
    word ^= word << 13
    word ^= word >>> 17
    word ^= word << 5
    return low + (high - low) * ((word >>> 0) / 4294967296)
  })
}
