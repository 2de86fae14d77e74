import { readFile } from 'node:fs/promises'
import { describe, expect, test } from '@jest/globals'
import {
  type Exact,
  preciseCos,
  preciseExp,
  preciseLog,
  preciseSin,
  preciseTanh,
  ulpError,
} from './reference/precise.ts'

const bytes = await readFile(process.env.STEINRL_WASM ?? new URL('../dist/steinrl.wasm', import.meta.url))
const memory = new WebAssembly.Memory({ initial: 160 })
const { instance } = await WebAssembly.instantiate(bytes, { env: { memory } })

const NAMES = ['exp', 'log', 'tanh', 'sin', 'cos'] as const
type Name = (typeof NAMES)[number]
const into = (name: Name) => instance.exports[`${name}Into`] as (out: number, x: number, n: number) => void
const scalar64 = (name: Name) => instance.exports[`${name}64`] as (x: number) => number

const N = 1 << 20
const X = 1024
const OUT = X + 4 * N
const x = new Float32Array(memory.buffer, X, N)
const xBits = new Uint32Array(memory.buffer, X, N)
const out = new Float32Array(memory.buffer, OUT, N)
const outBits = new Uint32Array(memory.buffer, OUT, N)

/** mulberry32: seeded 32-bit words for samples. */
function words(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return (t ^ (t >>> 14)) >>> 0
  }
}

// Looking globals up inside Jest's vm context is slow: the loops below use these.
const { abs, fround, max } = Math
const { isFinite: finite, isNaN: nan } = Number

const double = new Float64Array(1)
const doubleBits = new Uint32Array(double.buffer)
/** Distance of floats: |got - value| over the spacing of float32 at value. */
function ulpError32(got: number, value: number): number {
  double[0] = value
  const exponent = max(((doubleBits[1] >>> 20) & 2047) - 1023, -126)
  return abs(got - value) / 2 ** (exponent - 23)
}

/**
 * x := 2048 random mantissas of every float exponent and sign, half of them replaced by uniform values in [-limit,
 * limit].
 */
function fillSamples(limit: number): void {
  const next = words(1)
  for (let i = 0; i < N; i++) xBits[i] = ((i & 511) << 23) | (next() & 0x7fffff)
  for (let i = N / 2; i < N; i++) x[i] = (next() / 2 ** 31 - 1) * limit
}

// The bounds stated above the routines in assembly/math/f32x4.ts; limit is where the function has not saturated.
const SINGLE: readonly [Name, number, number][] = [
  ['exp', 1, 104],
  ['log', 1, 4],
  ['tanh', 2.5, 9.2],
  ['sin', 1, 1e6],
  ['cos', 1, 1e6],
]

describe('float32', () => {
  test.each(SINGLE)('%s is within %d ULP of float64', (name, bound, limit) => {
    fillSamples(limit)
    into(name)(OUT, X, N)
    const exactly = Math[name]
    let worst = 0
    for (let i = 0; i < N; i++) {
      const value = exactly(x[i])
      const rounded = fround(value)
      if (finite(rounded))
        worst = max(worst, ulpError32(out[i], value)) // a stray NaN makes worst NaN, which fails
      else if (nan(rounded) ? !nan(out[i]) : out[i] !== rounded) {
        throw new Error(`${name}(${x[i]}) = ${out[i]}, not ${rounded}`)
      }
    }
    expect(worst).toBeLessThanOrEqual(bound)
    expect(worst).toBeGreaterThan(0.25) // the samples do reach rounding errors
  })

  const tiny = 2 ** -149
  const edges: readonly [Name, number, number][] = [
    ['exp', -Infinity, 0],
    ['exp', Infinity, Infinity],
    ['exp', -0, 1],
    ['exp', 88.73, Infinity],
    ['exp', 1e30, Infinity],
    ['exp', -103.9, tiny],
    ['exp', -104, 0],
    ['exp', -1e30, 0],
    ['exp', NaN, NaN],
    ['log', 0, -Infinity],
    ['log', -0, -Infinity],
    ['log', 1, 0],
    ['log', tiny, -103.27893],
    ['log', -tiny, NaN],
    ['log', -1, NaN],
    ['log', Infinity, Infinity],
    ['log', -Infinity, NaN],
    ['log', NaN, NaN],
    ['tanh', Infinity, 1],
    ['tanh', -Infinity, -1],
    ['tanh', 0, 0],
    ['tanh', -0, -0],
    ['tanh', -tiny, -tiny],
    ['tanh', NaN, NaN],
    ['sin', 0, 0],
    ['sin', -0, -0],
    ['sin', -tiny, -tiny],
    ['sin', Infinity, NaN],
    ['sin', NaN, NaN],
    ['cos', -0, 1],
    ['cos', -Infinity, NaN],
    ['cos', NaN, NaN],
  ]
  const floatOnly = [88.73, -103.9, -104, tiny] // float64 has more room
  test.each(edges)('%s(%d) = %d', (name, value, expected) => {
    x[0] = value
    into(name)(OUT, X, 1)
    expect(out[0]).toBe(Math.fround(expected)) // toBe tells -0 from 0
    if (!floatOnly.includes(value)) expect(scalar64(name)(value)).toBe(expected)
  })

  test.each(NAMES)('%s has the same bits at every position and length, and in place', (name) => {
    fillSamples(8)
    for (let i = 0; i < N; i += 3) x[i] = i // among them neighbours too large for the fast reduction of sin
    for (let i = 1; i < N; i += 7) x[i] = i * 2 ** 20
    const count = 4099
    into(name)(OUT, X, count)
    const whole = outBits.slice(0, count)
    for (let i = 0; i < count; i++) {
      into(name)(OUT, X + 4 * i, 1) // splat: every lane is this element, as in the scalar routine
      if (outBits[0] !== whole[i]) throw new Error(`${name}(${x[i]}) depends on its lane`)
    }
    for (let n = 0; n <= 9; n++) {
      outBits.fill(0xdeadbeef, 0, 16)
      into(name)(OUT, X + 4, n) // an address that is no multiple of 16
      expect([...outBits.subarray(0, n)]).toEqual([...whole.subarray(1, n + 1)])
      expect([...outBits.subarray(n, 16)]).toEqual(Array(16 - n).fill(0xdeadbeef))
    }
    into(name)(X, X, count)
    expect(Buffer.from(xBits.slice(0, count).buffer).equals(Buffer.from(whole.buffer))).toBe(true)
  })
})

// The bounds stated above the routines in assembly/math/f64.ts.
const DOUBLE: readonly [Name, number, (x: number) => Exact, number][] = [
  ['exp', 1, preciseExp, 740],
  ['log', 1, preciseLog, 4],
  ['tanh', 1.5, preciseTanh, 3],
  ['sin', 1, preciseSin, 100],
  ['cos', 1, preciseCos, 100],
]

/** Doubles of every exponent from 2^low to 2^high, both signs, and as many uniform in [-limit, limit]. */
function doubles(count: number, low: number, high: number, limit: number): number[] {
  const next = words(2)
  const unit = () => (next() * 2 ** 21 + (next() >>> 11)) / 2 ** 53
  return Array.from({ length: count }, (_, i) => {
    if (i & 1) return (2 * unit() - 1) * limit
    return (i & 2 ? -1 : 1) * (1 + unit()) * 2 ** (low + ((i >> 2) % (high - low)))
  })
}

describe('float64', () => {
  test.each(DOUBLE)('%s is within %d ULP', (name, bound, precise, limit) => {
    const [low, high] = { exp: [-60, 9], log: [-1074, 1024], tanh: [-60, 6], sin: [-40, 1024], cos: [-40, 1024] }[name]
    const samples = doubles(20_000, low, high, limit).map((v) => (name === 'log' ? Math.abs(v) : v))
    if (name === 'sin' || name === 'cos') {
      // as near as a double comes to a multiple of pi/2, near multiples, both sides of the change of reduction, and a
      // product whose carry matters
      samples.push(
        6381956970095103 * 2 ** 797,
        1.3445837661882383e249,
        1e22,
        2 ** 1023,
        102943.7,
        102943.69999999998,
        // where the reduction in two parts loses most
        91.106186954104,
        46066.74387591393,
        92133.48775182787,
      )
      for (let k = 1; k < 2 ** 22; k = k * 3 + 1) samples.push((k * Math.PI) / 2, (-k * Math.PI) / 2)
    }
    if (name === 'log') for (let k = 0; k < 52; k++) samples.push(1 + 2 ** -k, 1 - 2 ** (-k - 2), 2 ** (-1074 + k))
    const f = scalar64(name)
    let worst = 0
    let at = 0
    for (const v of samples) {
      if (name === 'exp' && v > 709.78) continue
      const error = ulpError(f(v), precise(v))
      if (error > worst) [worst, at] = [error, v]
    }
    if (worst > bound) throw new Error(`${name}64(${at}) is off by ${worst} ULP`)
    expect(worst).toBeGreaterThan(0.45) // the samples do reach rounding errors
  })

  test('saturates and keeps small arguments', () => {
    const exp64 = scalar64('exp')
    expect(exp64(709.782712893384)).toBeLessThan(Infinity)
    expect(exp64(709.7827128933841)).toBe(Infinity)
    expect(exp64(-745.1332191019411)).toBe(Number.MIN_VALUE)
    expect(exp64(-745.1332191019412)).toBe(0)
    for (const name of ['tanh', 'sin'] as const) {
      expect(scalar64(name)(-Number.MIN_VALUE)).toBe(-Number.MIN_VALUE)
      expect(scalar64(name)(1e-310)).toBe(1e-310)
    }
    expect(scalar64('tanh')(22)).toBe(1)
  })
})

describe('two doubles at a time', () => {
  const pairs = (name: string) => instance.exports[name] as (out: number, x: number, n: number) => void
  const M = 1 << 19
  const xs = new Float64Array(memory.buffer, X, M)
  const found = new Float64Array(memory.buffer, OUT, M)
  const foundBits = new BigUint64Array(memory.buffer, OUT, M)
  const one = new Float64Array(1)
  const oneBits = new BigUint64Array(one.buffer)

  /** Fails unless all n results are those of the scalar routine, bit by bit. */
  function expectSame(name: 'sin' | 'cos', n: number): void {
    const f = scalar64(name)
    for (let i = 0; i < n; i++) {
      one[0] = f(xs[i])
      if (foundBits[i] !== oneBits[0] && !(nan(one[0]) && nan(found[i])))
        throw new Error(`${name}(${xs[i]}) = ${found[i]}, not ${one[0]}`)
    }
  }

  // Every exponent; each magnitude where the reduction changes; most as near to one another as rows of a batch are.
  const ranges: readonly [number, number, number][] = [
    [-1074, 1024, 1],
    [-40, 40, 0.7853981633974483],
    [-30, 22, 4],
    [-30, 22, 1000],
    [12, 23, 102943.7],
  ]
  test.each(ranges)('sine and cosine have the bits of the scalar routines: 2^%d to 2^%d, ± %d', (low, high, limit) => {
    doubles(M, low, high, limit).forEach((value, i) => {
      xs[i] = value
    })
    // Values that are not finite, signed zeros and the borders of the reductions, beside every kind of neighbour.
    const special = [0, -0, Infinity, -Infinity, NaN, Math.PI / 4, 0.7853981633974484, 102943.7, 1e300]
    for (let i = 0; i < M; i += 61) xs[i] = special[(i / 61) % special.length]
    for (const name of ['sin', 'cos'] as const) {
      pairs(`${name}64Into`)(OUT, X, M)
      expectSame(name, M)
    }
  })

  test('below pi/4 there is a short way to the same bits', () => {
    const samples = doubles(M, -60, -1, Math.PI / 4)
    samples.push(0, -0, Math.PI / 4, -Math.PI / 4, Number.MIN_VALUE)
    samples.slice(-M).forEach((value, i) => {
      xs[i] = value
    })
    for (const name of ['sin', 'cos'] as const) {
      pairs(`${name}Small64Into`)(OUT, X, M)
      expectSame(name, M)
    }
  })

  test('an odd last one is computed as well, and nothing beyond it', () => {
    for (let i = 0; i < 8; i++) xs[i] = i - 2.5
    for (const n of [0, 1, 2, 3, 7]) {
      found.fill(77, 0, 8)
      pairs('sin64Into')(OUT, X, n)
      expectSame('sin', n)
      expect([...found.subarray(n, 8)]).toEqual(Array(8 - n).fill(77))
    }
  })
})

test('the module has no data segment, so that it can run on a memory that is in use', () => {
  const ids: number[] = []
  let at = 8 // after magic and version: id, LEB128 size, content
  while (at < bytes.length) {
    ids.push(bytes[at++])
    let size = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++]
      size += (byte & 127) * scale
      if (byte < 128) break
    }
    at += size
  }
  expect(at).toBe(bytes.length)
  expect(ids).toContain(10) // code
  expect(ids).not.toContain(11) // data
})
