/** Whole powers by squaring: Math.pow and ** differ between engines in the last bit. */
export function wholePower(base: number, exponent: number): number {
  let result = 1
  for (let square = base, left = exponent; left > 0; left = Math.floor(left / 2), square *= square) {
    if (left % 2 === 1) result *= square
  }
  return result
}
