/**
 * exp, log, tanh, sin, cos of a double in BigInt fixed point, good to about 2^-240 relative: slow, obvious, no rounding
 * to argue about. An exact value is mantissa 2^exponent.
 */
export interface Exact {
  mantissa: bigint
  exponent: number
}

const BITS = 256
const PI_BITS = 1400 // 1024 to reduce the largest double, BITS behind the point, and some to spare

/** x as an integer times a power of two, exactly. */
function exact(x: number): Exact {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, x)
  const bits = view.getBigUint64(0)
  const field = Number((bits >> 52n) & 2047n)
  const fraction = bits & ((1n << 52n) - 1n)
  const magnitude = field === 0 ? fraction : fraction | (1n << 52n)
  return { mantissa: x < 0 ? -magnitude : magnitude, exponent: Math.max(field, 1) - 1075 }
}

const shift = (v: bigint, by: number): bigint => (by >= 0 ? v << BigInt(by) : v >> BigInt(-by))

const fixed = (x: number, bits: number): bigint => {
  const { mantissa, exponent } = exact(x)
  return shift(mantissa, exponent + bits)
}

/** Bits behind the point that leave BITS significant ones in a number as small as x. */
const bitsFor = (x: number): number => BITS + Math.max(0, -exact(x).exponent)

/** sum of the terms of a Taylor series, next(k, term) giving term k from term k - 1. */
function series(first: bigint, next: (k: bigint, term: bigint) => bigint): bigint {
  let sum = 0n
  for (let k = 1n, term = first; term !== 0n && term !== -1n; k++) {
    sum += term
    term = next(k, term)
  }
  return sum
}

/** 2 artanh(s) = log((1 + s)/(1 - s)). */
function logRatio(s: bigint, bits: number): bigint {
  const s2 = (s * s) >> BigInt(bits)
  let power = s
  return (
    2n *
    series(s, (k) => {
      power = (power * s2) >> BigInt(bits)
      return power / (2n * k + 1n)
    })
  )
}

/** arctan(1/q), for Machin's formula. */
function arctanInverse(q: bigint, bits: number): bigint {
  let power = (1n << BigInt(bits)) / q
  return series(power, (k) => {
    power /= -q * q
    return power / (2n * k + 1n)
  })
}

const LN2 = logRatio((1n << BigInt(PI_BITS)) / 3n, PI_BITS)
const HALF_PI = 2n * (4n * arctanInverse(5n, PI_BITS) - arctanInverse(239n, PI_BITS))

/** eʳ in fixed point. */
const expSeries = (r: bigint, bits: number): bigint =>
  series(1n << BigInt(bits), (k, term) => ((term * r) >> BigInt(bits)) / k)

export function preciseExp(x: number): Exact {
  const count = Math.round(x / Math.LN2)
  const r = fixed(x, BITS) - BigInt(count) * shift(LN2, BITS - PI_BITS)
  return { mantissa: expSeries(r, BITS), exponent: count - BITS }
}

export function preciseLog(x: number): Exact {
  let { mantissa, exponent } = exact(x)
  const length = mantissa.toString(2).length
  exponent += length
  mantissa = shift(mantissa, BITS - length) // in [1/2, 1)
  if (4n * mantissa < 3n << BigInt(BITS)) {
    // in [3/4, 3/2): no cancellation against the exponent for x near 1
    mantissa *= 2n
    exponent -= 1
  }
  const one = 1n << BigInt(BITS)
  const s = ((mantissa - one) << BigInt(BITS)) / (mantissa + one)
  return { mantissa: logRatio(s, BITS) + BigInt(exponent) * shift(LN2, BITS - PI_BITS), exponent: -BITS }
}

export function preciseTanh(x: number): Exact {
  const bits = bitsFor(x)
  const one = 1n << BigInt(bits)
  const count = Math.round((2 * x) / Math.LN2)
  const r = 2n * fixed(x, bits) - BigInt(count) * shift(LN2, bits - PI_BITS)
  const power = shift(expSeries(r, bits), count)
  return { mantissa: ((power - one) << BigInt(bits)) / (power + one), exponent: -bits }
}

function preciseSinShifted(x: number, quarter: bigint): Exact {
  let bits = bitsFor(x)
  let r = fixed(x, bits)
  let quadrant = quarter
  if (Math.abs(x) > 0.5) {
    const wide = fixed(x, PI_BITS)
    const count = wide / HALF_PI
    quadrant += count
    bits = BITS + 64 // the nearest a double comes to a multiple of pi/2 is 2^-61
    r = shift(wide - count * HALF_PI, bits - PI_BITS)
  }
  const r2 = (r * r) >> BigInt(bits)
  const odd = quadrant & 1n
  const sum = series(odd ? 1n << BigInt(bits) : r, (k, term) => {
    const n = 2n * k + (odd ? 0n : 1n)
    return -((term * r2) >> BigInt(bits)) / (n * (n - 1n))
  })
  return { mantissa: quadrant & 2n ? -sum : sum, exponent: -bits }
}

export const preciseSin = (x: number): Exact => preciseSinShifted(x, 0n)
export const preciseCos = (x: number): Exact => preciseSinShifted(x, 1n)

/** |got - value| in units of the last place of the double nearest to value. */
export function ulpError(got: number, value: Exact): number {
  if (!Number.isFinite(got)) return Infinity
  const g = exact(got)
  const length = (value.mantissa < 0n ? -value.mantissa : value.mantissa).toString(2).length
  const unit = Math.max(length - 1 + value.exponent - 52, -1074)
  const common = Math.min(g.exponent, value.exponent, unit)
  const difference = shift(g.mantissa, g.exponent - common) - shift(value.mantissa, value.exponent - common)
  const magnitude = difference < 0n ? -difference : difference
  return Number(shift(magnitude << 20n, common - unit)) / 2 ** 20
}
