/** Philox4x32-10 (Salmon et al. 2011) word by word in BigInt: the twin of assembly/random.ts. */
export type Words = [number, number, number, number]

const MASK = 0xffffffffn

export function philoxReference(counter: readonly number[], key: readonly number[]): Words {
  let [c0, c1, c2, c3] = counter.map((v) => BigInt(v) & MASK)
  let [k0, k1] = key.map((v) => BigInt(v) & MASK)
  for (let round = 0; round < 10; round++) {
    const p0 = c0 * 0xd2511f53n
    const p1 = c2 * 0xcd9e8d57n
    ;[c0, c1, c2, c3] = [(p1 >> 32n) ^ c1 ^ k0, p1 & MASK, (p0 >> 32n) ^ c3 ^ k1, p0 & MASK]
    k0 = (k0 + 0x9e3779b9n) & MASK
    k1 = (k1 + 0xbb67ae85n) & MASK
  }
  return [Number(c0), Number(c1), Number(c2), Number(c3)]
}

/** Who draws: everything a value depends on but its index. */
export interface Draw {
  seedLo: number
  seedHi: number
  purpose: number
  particle: number
  environment: number
  step: number
}

export function blockReference(draw: Draw, block: number): Words {
  const last = (BigInt(draw.purpose) | (BigInt(draw.particle) << 8n)) & MASK
  return philoxReference([block, draw.step, draw.environment, Number(last)], [draw.seedLo, draw.seedHi])
}

export const uniformReference = (word: number): number => Math.floor(word / 256) / 2 ** 24

/** The four normals of a block, in float64. */
export function normalReference([w0, w1, w2, w3]: Words): Words {
  const r0 = Math.sqrt(-2 * Math.log(uniformReference(w0) + 2 ** -24))
  const r1 = Math.sqrt(-2 * Math.log(uniformReference(w1) + 2 ** -24))
  const a0 = 2 * Math.PI * uniformReference(w2)
  const a1 = 2 * Math.PI * uniformReference(w3)
  return [r0 * Math.cos(a0), r1 * Math.cos(a1), r0 * Math.sin(a0), r1 * Math.sin(a1)]
}
