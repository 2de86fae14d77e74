// Linear equations in float64.

type Matrix = readonly (readonly number[])[]

/** A⁻¹ B, by elimination with row pivoting. */
function eliminate(A: Matrix, B: Matrix): number[][] {
  const rows = A.map((row, i) => [...row, ...B[i]])
  const n = A.length
  for (let k = 0; k < n; k++) {
    const pivot = rows.slice(k).reduce((best, row, i) => (Math.abs(row[k]) > Math.abs(rows[best][k]) ? k + i : best), k)
    ;[rows[k], rows[pivot]] = [rows[pivot], rows[k]]
    for (let i = 0; i < n; i++) {
      if (i === k) continue
      const factor = rows[i][k] / rows[k][k]
      for (let j = k; j < rows[i].length; j++) rows[i][j] -= factor * rows[k][j]
    }
  }
  return rows.map((row, i) => row.slice(n).map((value) => value / row[i]))
}

/** x with A x = b. */
export const solve = (A: Matrix, b: readonly number[]) =>
  eliminate(
    A,
    b.map((value) => [value]),
  ).flat()

/** M⁻¹ */
export const inverse = (M: Matrix) =>
  eliminate(
    M,
    M.map((_, i) => M.map((_, k) => (i === k ? 1 : 0))),
  )
