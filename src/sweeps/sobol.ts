import { isList, requireThat } from '../core/require.ts'
import { check, wholeNumber } from '../core/schemas.ts'

/**
 * By dimension: the primitive polynomial over GF(2), its coefficients as bits, and the first direction numbers m_1, …,
 * m_s of its degree s. The first dimension, which has none, is van der Corput's. Source: Joe & Kuo 2008, "Constructing
 * Sobol sequences with better two-dimensional projections", their table new-joe-kuo-6.
 */
const DIRECTIONS: readonly (readonly [polynomial: number, first: readonly number[]])[] = [
  [1, [1]],
  [3, [1]],
  [7, [1, 3]],
  [11, [1, 3, 1]],
  [13, [1, 1, 1]],
  [19, [1, 1, 3, 3]],
  [25, [1, 3, 5, 13]],
  [37, [1, 1, 5, 5, 17]],
  [41, [1, 1, 5, 5, 5]],
  [47, [1, 1, 7, 11, 19]],
  [55, [1, 1, 5, 1, 1]],
  [59, [1, 1, 1, 3, 11]],
  [61, [1, 3, 5, 5, 31]],
  [67, [1, 3, 3, 9, 7, 49]],
  [91, [1, 1, 1, 15, 21, 21]],
  [97, [1, 3, 1, 13, 27, 49]],
  [103, [1, 1, 1, 15, 7, 5]],
  [109, [1, 3, 1, 15, 13, 25]],
  [115, [1, 1, 5, 5, 19, 61]],
  [131, [1, 3, 7, 11, 23, 15, 103]],
  [137, [1, 3, 7, 13, 13, 15, 69]],
  [143, [1, 1, 3, 13, 7, 35, 63]],
  [145, [1, 3, 5, 9, 1, 25, 53]],
  [157, [1, 3, 1, 13, 9, 35, 107]],
  [167, [1, 3, 1, 5, 27, 61, 31]],
  [171, [1, 1, 5, 11, 19, 41, 61]],
  [185, [1, 3, 5, 3, 3, 13, 69]],
  [191, [1, 1, 7, 13, 1, 19, 1]],
  [193, [1, 3, 7, 5, 13, 19, 59]],
  [203, [1, 1, 3, 9, 25, 29, 41]],
  [211, [1, 3, 5, 13, 23, 1, 55]],
  [213, [1, 3, 7, 3, 13, 59, 17]],
]

/** As many settings as a Sobol sequence goes over here. */
export const MOST_DIMENSIONS = DIRECTIONS.length

/** Binary digits of a coordinate. */
const BITS = 30
const GRID = 1 << BITS

const place = wholeNumber('The number of a point', 0, GRID - 1)
const isDigits = (x: unknown) => Number.isInteger(x) && Number(x) >= 0 && Number(x) < GRID

/** [BITS] v_i = m_i/2^i as whole numbers over 2^30, by the recurrence of the polynomial. */
function directionsOf(dimension: number): number[] {
  const [polynomial, first] = DIRECTIONS[dimension]
  const degree = 31 - Math.clz32(polynomial)
  const m = dimension === 0 ? Array.from({ length: BITS }, () => 1) : [...first]
  for (let i = m.length; i < BITS; i++) {
    let next = m[i - degree] ^ (m[i - degree] << degree)
    for (let k = 1; k < degree; k++) if ((polynomial >>> (degree - k)) & 1) next ^= m[i - k] << k
    m.push(next)
  }
  return m.map((x, i) => x << (BITS - 1 - i))
}

/**
 * Points of the Sobol sequence in [0, 1)^d, in the order of the Gray code: x_n is the exclusive or of the v_i of the
 * digits of n ⊕ ⌊n/2⌋. Source: Antonov & Saleev 1979.
 *
 * @param shift [d] whole numbers below 2^30, added without carry: the points stay as even, and are others
 * @returns the n-th point, from 0 to 2^30 − 1
 * @throws UsageError for another number of dimensions than 1 … 32, and for what is no such number
 */
export function sobol(dimensions: number, shift: readonly number[] = []): (n: number) => number[] {
  check(wholeNumber('dimensions', 1, MOST_DIMENSIONS), dimensions)
  const isShift = isList(shift) && shift.length <= dimensions && Array.from(shift).every(isDigits)
  requireThat(isShift, 'sobol', `a shift of up to ${dimensions} whole numbers from 0 to ${GRID - 1}`, shift)
  const directions = Array.from({ length: dimensions }, (_, d) => directionsOf(d))
  return (n) => {
    check(place, n)
    const gray = n ^ (n >>> 1)
    return directions.map((of, d) => {
      let x = shift[d] ?? 0
      for (let i = 0; i < BITS; i++) if ((gray >>> i) & 1) x ^= of[i]
      return x / GRID
    })
  }
}
