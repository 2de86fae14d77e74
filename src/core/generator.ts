import { show, UsageError } from './errors.ts'
import { joinSeed, Purpose, splitSeed } from './random.ts'
import { check, wholeNumber } from './schemas.ts'

/**
 * Philox4x32-10 and numbers drawn from it without waiting for the core: whole-number arithmetic and comparisons only,
 * so the bits are the same in every engine. The twin of assembly/random.ts, for code that runs between two steps of a
 * training, never for hot loops.
 */
export interface Generator {
  /** [low, high] words of the seed. */
  readonly key: readonly [number, number]
  /** Uniform numbers drawn so far. With the key it is the whole state: set it to go back. */
  count: number
  /** The block of words that `block` names. */
  readonly words: Uint32Array
  block: number
}

const SEED = wholeNumber('seed', 0)

/** A generator for the seed, a whole number from 0 to 2⁵³ − 1. The same seed gives the same numbers everywhere. */
export function generator(seed: number): Generator {
  const { lo, hi } = splitSeed(check(SEED, seed))
  return { key: [lo, hi], count: 0, words: new Uint32Array(4), block: -1 }
}

const isGenerator = (g: Generator | null | undefined) =>
  Number.isSafeInteger(g?.count) &&
  typeof g?.words === 'object' &&
  g.words?.length === 4 &&
  typeof g.key?.[0] === 'number' &&
  typeof g.key[1] === 'number'

/** The next number in [0, 1), on a grid of 2⁻⁵³. */
export function uniform(g: Generator): number {
  // With anything else numbers would be NaN, and what waits for one that is small enough would wait for ever.
  if (!isGenerator(g)) throw new UsageError(`Random numbers are drawn from what generator(seed) gives, got ${show(g)}.`)
  const block = Math.floor(g.count / 2)
  if (block !== g.block) {
    philox(g.words, block, 0, 0, Purpose.user, g.key[0], g.key[1])
    g.block = block
  }
  const place = (g.count++ % 2) * 2
  return ((g.words[place] >>> 5) * 67108864 + (g.words[place + 1] >>> 6)) / 9007199254740992
}

const COUNT = wholeNumber('n', 1)

/** A whole number from 0 to n − 1. */
export const uniformInteger = (g: Generator, n: number): number => Math.floor(uniform(g) * check(COUNT, n))

/**
 * The next exponential number of mean 1, by von Neumann's comparisons: among u₁ ≥ u₂ ≥ … the length of the first
 * descending run is odd with probability e^(−u₁), and then u₁ is the fraction; each run of even length adds 1. Source:
 * von Neumann 1951, "Various techniques used in connection with random digits".
 */
export function exponential(g: Generator): number {
  for (let whole = 0; ; whole++) {
    const first = uniform(g)
    let length = 1
    for (let last = first, next = uniform(g); next <= last; last = next, next = uniform(g)) length++
    if (length % 2 === 1) return whole + first
  }
}

/**
 * The next standard normal number: x ~ Exp(1) is kept with probability e^(−(x − 1)²/2), which another exponential
 * number decides, and gets a random sign. No logarithm, no sine.
 */
export function normal(g: Generator): number {
  for (;;) {
    const x = exponential(g)
    if (2 * exponential(g) >= (x - 1) * (x - 1)) return uniform(g) < 0.5 ? -x : x
  }
}

/** The op deriveSeed: a seed as a function of another and of what it is for. */
export function deriveSeed(seed: number, purpose: number, particle: number, environment: number, step: number): number {
  const { lo, hi } = splitSeed(seed)
  const words = new Uint32Array(4)
  philox(words, 0, step, environment, (purpose | (particle << 8)) >>> 0, lo, hi)
  return joinSeed([words[0], words[1] & 0x1fffff])
}

/** The four words of the counter (c0, c1, c2, c3) under the key (k0, k1). Source: Salmon et al. 2011. */
// biome-ignore format: one op, one line
export function philox(out: Uint32Array, c0: number, c1: number, c2: number, c3: number, k0: number, k1: number): void {
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(c0, 0xd2511f53)
    const low0 = Math.imul(c0, 0xd2511f53)
    const high1 = multiplyHigh(c2, 0xcd9e8d57)
    const low1 = Math.imul(c2, 0xcd9e8d57)
    c0 = high1 ^ c1 ^ k0
    c1 = low1
    c2 = high0 ^ c3 ^ k1
    c3 = low0
    k0 = (k0 + 0x9e3779b9) | 0
    k1 = (k1 + 0xbb67ae85) | 0
  }
  out[0] = c0
  out[1] = c1
  out[2] = c2
  out[3] = c3
}

/** The upper 32 bits of the product of two 32-bit words, from their halves: no sum here reaches 2³². */
function multiplyHigh(a: number, b: number): number {
  const aHigh = a >>> 16
  const aLow = a & 0xffff
  const bHigh = b >>> 16
  const bLow = b & 0xffff
  const middle = (Math.imul(aHigh, bLow) + (Math.imul(aLow, bLow) >>> 16)) >>> 0
  const carry = (Math.imul(aLow, bHigh) + (middle & 0xffff)) >>> 0
  return (Math.imul(aHigh, bHigh) + (middle >>> 16) + (carry >>> 16)) | 0
}
