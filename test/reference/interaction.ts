// Slow, obvious float64 twins of the ablations of SVPG.

type Matrix = readonly (readonly number[])[]

/**
 * φ_i = 1/n [ s_i + b (n − 1) (2/h) e^{−2|θ_i|²/h} θ_i ], h = 2 mean|θ|² / 2 log(n+1): the push of n − 1 particles at
 * the distance √2 |θ_i|, as orthogonal ones of one length have it, whose own terms cancel.
 */
export function selfPushReference(theta: Matrix, score: Matrix, repulsion: number): number[][] {
  const n = theta.length
  const squares = theta.map((row) => row.reduce((sum, x) => sum + x * x, 0))
  const h = (2 * squares.reduce((sum, square) => sum + square, 0)) / n / (2 * Math.log(n + 1))
  return theta.map((row, i) => {
    const kernel = Math.exp((-2 * squares[i]) / h)
    return row.map((x, k) => (score[i][k] + repulsion * (n - 1) * (2 / h) * kernel * x) / n)
  })
}
