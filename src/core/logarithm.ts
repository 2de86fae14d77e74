/** log of a whole number from 1, the same bits everywhere: log n = Σ_{j<n} 2 artanh(1/(2j+1)). */
export function wholeLog(n: number): number {
  let total = 0
  for (let j = 1; j < n; j++) {
    const t = 1 / (2 * j + 1)
    for (let power = t, k = 1; power > 1e-18; k += 2, power *= t * t) total += (2 * power) / k
  }
  return total
}
