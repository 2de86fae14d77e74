import { readFile } from 'node:fs/promises'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { blockReference, type Draw, normalReference, philoxReference, uniformReference } from './reference/philox.ts'
import { kolmogorov, normalCdf } from './reference/statistics.ts'

const bytes = await readFile(process.env.STEINRL_WASM ?? new URL('../dist/steinrl.wasm', import.meta.url))
const memory = new WebAssembly.Memory({ initial: 64 })
const { instance } = await WebAssembly.instantiate(bytes, { env: { memory } })

type Fill = (
  out: number,
  n: number,
  seedLo: number,
  seedHi: number,
  purpose: number,
  particle: number,
  environment: number,
  step: number,
) => void
const { philox, fillUniform, fillNormal, deriveSeed } = instance.exports as unknown as {
  philox: (out: number, ...counterAndKey: number[]) => void
  fillUniform: Fill
  fillNormal: Fill
  deriveSeed: (out: number, ...draw: number[]) => void
}

const OUT = 1024
const u32 = new Uint32Array(memory.buffer, OUT)
const f32 = new Float32Array(memory.buffer, OUT)
const draw: Draw = { seedLo: 42, seedHi: 7, purpose: 5, particle: 3, environment: 2, step: 1 }

const args = (d: Draw) => [d.seedLo, d.seedHi, d.purpose, d.particle, d.environment, d.step] as const
function fill(f: Fill, n: number, d: Draw = draw): Float32Array {
  f(OUT, n, ...args(d))
  return f32.slice(0, n)
}

const word = fc.integer({ min: 0, max: 0xffffffff })
const draws: fc.Arbitrary<Draw> = fc.record({
  seedLo: word,
  seedHi: word,
  purpose: fc.integer({ min: 0, max: 255 }),
  particle: fc.integer({ min: 0, max: 0xffffff }),
  environment: word,
  step: word,
})

describe('philox4x32-10', () => {
  const f = 0xffffffff
  // Random123's kat_vectors
  const known = [
    [[0, 0, 0, 0, 0, 0], '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
    [[f, f, f, f, f, f], '408f276d 41c83b0e a20bc7c6 6d5451fd'],
    [[0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0], 'd16cfe09 94fdcceb 5001e420 24126ea1'],
  ] as const
  test.each(known)('known answer %#', (input, expected) => {
    philox(OUT, ...input)
    const hex = (v: Iterable<number>) => [...v].map((w) => w.toString(16).padStart(8, '0')).join(' ')
    expect(hex(u32.slice(0, 4))).toBe(expected)
    expect(hex(philoxReference(input.slice(0, 4), input.slice(4)))).toBe(expected)
  })

  test('equals the BigInt twin', () => {
    fc.assert(
      fc.property(fc.array(word, { minLength: 6, maxLength: 6 }), (input) => {
        philox(OUT, ...input)
        expect([...u32.slice(0, 4)]).toEqual(philoxReference(input.slice(0, 4), input.slice(4)))
      }),
      { seed: 1, numRuns: 1000 },
    )
  })
})

const mean = (sample: ArrayLike<number>, f: (v: number, i: number) => number) => {
  let sum = 0
  for (let i = 0; i < sample.length; i++) sum += f(sample[i], i)
  return sum / sample.length
}

const N = 200_000

describe('uniform', () => {
  test('equals the twin bit for bit', () => {
    fc.assert(
      fc.property(draws, (d) => {
        const expected = [0, 1, 2].flatMap((block) => blockReference(d, block).map(uniformReference))
        expect([...fill(fillUniform, 12, d)]).toEqual(expected)
      }),
      { seed: 1 },
    )
  })

  test('lies in [0, 1) and is uniform', () => {
    const sample = fill(fillUniform, N)
    expect(sample.every((v) => v >= 0 && v < 1)).toBe(true)
    // five standard deviations of each mean
    expect(Math.abs(mean(sample, (v) => v) - 1 / 2)).toBeLessThan(5 * Math.sqrt(1 / 12 / N))
    expect(Math.abs(mean(sample, (v) => (v - 0.5) ** 2) - 1 / 12)).toBeLessThan(5 * Math.sqrt(1 / 180 / N))
    expect(kolmogorov(sample, (v) => v)).toBeLessThan(1.95)
  })
})

describe('normal', () => {
  test('equals the float64 twin', () => {
    fc.assert(
      fc.property(draws, (d) => {
        const got = fill(fillNormal, 12, d)
        const expected = [0, 1, 2].flatMap((block) => normalReference(blockReference(d, block)))
        // log, sqrt, sin or cos and the product: 1/2 + 1/2 + 1 + 1/2 + ... < 4 roundings of 2^-24, relative
        for (const [i, v] of expected.entries())
          expect(Math.abs(got[i] - v)).toBeLessThanOrEqual(2 ** -22 * Math.abs(v) + 1e-15)
      }),
      { seed: 1 },
    )
  })

  test('is standard normal', () => {
    const sample = fill(fillNormal, N)
    for (const [power, moment, variance] of [
      [1, 0, 1],
      [2, 1, 2],
      [3, 0, 15],
      [4, 3, 96],
    ]) {
      expect(Math.abs(mean(sample, (v) => v ** power) - moment)).toBeLessThan(5 * Math.sqrt(variance / N))
    }
    expect(kolmogorov(sample, normalCdf)).toBeLessThan(1.95)
    // the lanes of a block share radii and angles pairwise: neither values nor squares may be correlated
    for (const lag of [1, 2, 3, 4]) {
      const later = (i: number) => sample[(i + lag) % N]
      expect(Math.abs(mean(sample, (v, i) => v * later(i)))).toBeLessThan(5 / Math.sqrt(N))
      expect(Math.abs(mean(sample, (v, i) => (v * v - 1) * (later(i) ** 2 - 1)))).toBeLessThan(10 / Math.sqrt(N))
    }
  })
})

describe('a value depends on all of its counter and nothing else', () => {
  test.each([
    ['fillUniform', fillUniform],
    ['fillNormal', fillNormal],
  ] as const)('%s: the first k elements do not depend on n, and nothing past n is written', (_, f) => {
    const whole = fill(f, 64)
    for (let n = 0; n <= 17; n++) {
      u32.fill(0xdeadbeef, 0, 64)
      expect(fill(f, n)).toEqual(whole.slice(0, n))
      expect(u32.subarray(n, 64).every((v) => v === 0xdeadbeef)).toBe(true)
    }
  })

  test('another seed, purpose, particle, environment or step gives other values', () => {
    const seen = new Set<number>()
    let blocks = 0
    for (const field of Object.keys(draw) as (keyof Draw)[]) {
      for (let v = 100; v < 200; v++, blocks++) {
        deriveSeed(OUT, ...args({ ...draw, [field]: v }))
        seen.add(u32[1] * 2 ** 32 + u32[0])
      }
    }
    expect(seen.size).toBe(blocks)
  })

  test('streams of neighbouring particles are uncorrelated', () => {
    const n = 4096
    const rows = Array.from({ length: 8 }, (_, particle) => fill(fillNormal, n, { ...draw, particle }))
    for (const a of rows) {
      for (const b of rows) {
        if (a !== b) expect(Math.abs(mean(a, (v, i) => v * b[i]))).toBeLessThan(4.5 / Math.sqrt(n))
      }
    }
  })
})

test('deriveSeed gives a safe integer made of the first two words of block 0', () => {
  let largest = 0
  fc.assert(
    fc.property(draws, (d) => {
      deriveSeed(OUT, ...args(d))
      const seed = u32[1] * 2 ** 32 + u32[0]
      const [lo, hi] = blockReference(d, 0)
      expect(Number.isSafeInteger(seed)).toBe(true)
      expect(seed).toBe((hi % 2 ** 21) * 2 ** 32 + lo)
      largest = Math.max(largest, seed)
    }),
    { seed: 1 },
  )
  expect(largest).toBeGreaterThan(2 ** 52) // all 53 bits are used
})
