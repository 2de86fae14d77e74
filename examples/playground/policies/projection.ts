import { PCA } from 'ml-pca'
import type { Plane } from './protocol.ts'

type Points = Plane['points']

/**
 * The plane of the first two principal components of the particles, turned and mirrored so that they stand as near as
 * they can to where they stood before: components are only known up to that, and a picture that jumps shows nothing.
 *
 * A particle has thousands of parameters and there are few particles, so the components come from their products with
 * each other: with G = X Xᵀ = U Λ Uᵀ of centred rows X, the particles stand at U √Λ.
 *
 * @param rows [n][parameters]; fewer than three have no plane
 */
export function project(rows: readonly ArrayLike<number>[], before: Points | null): Plane | null {
  if (rows.length < 3) return null
  const products = productsOf(centred(rows))
  const pca = new PCA(products, { isCovarianceMatrix: true })
  const [first, second] = pca.getEigenvalues().map((value) => Math.sqrt(Math.max(value, 0)))
  const points = pca
    .getEigenvectors()
    .to2DArray()
    .map(([u, v]): [number, number] => [u * first, v * second])
  const total = products.reduce((sum, row, i) => sum + row[i], 0)
  const explained = total > 0 ? (first * first + second * second) / total : 0
  return { points: before?.length === points.length ? aligned(points, before) : points, explained }
}

/** x R for the rotation or reflection R with the greatest Σ_i x_i R · y_i: orthogonal Procrustes in two dimensions. */
function aligned(points: Points, target: Points): Points {
  let [a, b, c, d] = [0, 0, 0, 0]
  points.forEach(([x, y], i) => {
    const [u, v] = target[i]
    a += x * u
    b += x * v
    c += y * u
    d += y * v
  })
  const turns = Math.hypot(a + d, b - c) >= Math.hypot(a - d, b + c)
  const angle = turns ? Math.atan2(b - c, a + d) : Math.atan2(b + c, a - d)
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)]
  const side = turns ? 1 : -1
  return points.map(([x, y]) => [x * cos - side * y * sin, x * sin + side * y * cos])
}

function centred(rows: readonly ArrayLike<number>[]): Float64Array[] {
  const mean = new Float64Array(rows[0].length)
  for (const row of rows) for (let k = 0; k < mean.length; k++) mean[k] += row[k] / rows.length
  return rows.map((row) => mean.map((value, k) => row[k] - value))
}

/** X Xᵀ */
function productsOf(rows: readonly Float64Array[]): number[][] {
  const products = rows.map(() => new Array<number>(rows.length).fill(0))
  rows.forEach((row, i) => {
    for (let j = 0; j <= i; j++) {
      let sum = 0
      for (let k = 0; k < row.length; k++) sum += row[k] * rows[j][k]
      products[i][j] = sum
      products[j][i] = sum
    }
  })
  return products
}
