// Slow, obvious float64 twin of the Stein kernel. It knows k only as a formula: the derivatives come from hyper-dual
// numbers (Fike & Alonso 2011), v + x ε₁ + y ε₂ + xy ε₁ε₂ with ε₁² = ε₂² = 0, so they are exact but for rounding.

interface HyperDual {
  v: number
  x: number
  y: number
  xy: number
}

const constant = (v: number): HyperDual => ({ v, x: 0, y: 0, xy: 0 })
const add = (a: HyperDual, b: HyperDual): HyperDual => ({ v: a.v + b.v, x: a.x + b.x, y: a.y + b.y, xy: a.xy + b.xy })
const times = (a: HyperDual, b: HyperDual): HyperDual => ({
  v: a.v * b.v,
  x: a.v * b.x + a.x * b.v,
  y: a.v * b.y + a.y * b.v,
  xy: a.v * b.xy + a.x * b.y + a.y * b.x + a.xy * b.v,
})
/** f(a) by the chain rule, from f, f′ and f″ at a.v. */
const chain = (a: HyperDual, f: number, f1: number, f2: number): HyperDual => ({
  v: f,
  x: f1 * a.x,
  y: f1 * a.y,
  xy: f1 * a.xy + f2 * a.x * a.y,
})
const exp = (a: HyperDual) => chain(a, Math.exp(a.v), Math.exp(a.v), Math.exp(a.v))
const power = (a: HyperDual, p: number) => chain(a, a.v ** p, p * a.v ** (p - 1), p * (p - 1) * a.v ** (p - 2))

type RadialKernel = (squaredDistance: HyperDual) => HyperDual

/** k(x, y) = exp(−|x−y|²/h) */
export const rbfReference =
  (h: number): RadialKernel =>
  (q) =>
    exp(times(constant(-1 / h), q))

/** k(x, y) = (c² + |x−y|²)^β */
export const imqReference =
  (c: number, beta: number): RadialKernel =>
  (q) =>
    power(add(constant(c * c), q), beta)

/** k with x_a moving along ε₁ and y_a along ε₂: k, ∂k/∂x_a, ∂k/∂y_a, ∂²k/∂x_a∂y_a. */
function derivatives(kernel: RadialKernel, x: number[], y: number[], a: number): HyperDual {
  const difference = x.map((value, b) =>
    add({ v: value, x: b === a ? 1 : 0, y: 0, xy: 0 }, { v: -y[b], x: 0, y: b === a ? -1 : 0, xy: 0 }),
  )
  return kernel(difference.map((r) => times(r, r)).reduce(add))
}

/** U_ij = k s_i·s_j + s_i·∇_y k + s_j·∇_x k + tr ∇_x ∇_y k at x = x_i, y = x_j. */
export function steinKernelReference(X: number[][], S: number[][], kernel: RadialKernel): number[][] {
  return X.map((x, i) =>
    X.map((y, j) =>
      x.reduce((sum, _, a) => {
        const k = derivatives(kernel, x, y, a)
        return sum + k.v * S[i][a] * S[j][a] + S[i][a] * k.y + S[j][a] * k.x + k.xy
      }, 0),
    ),
  )
}

const total = (U: number[][]) => U.flat().reduce((sum, value) => sum + value, 0)
const trace = (U: number[][]) => U.reduce((sum, row, i) => sum + row[i], 0)

/** Mean of U over all i, j. */
export const squaredVReference = (U: number[][]) => total(U) / U.length ** 2
/** Mean of U over i ≠ j. */
export const squaredUReference = (U: number[][]) => (total(U) - trace(U)) / (U.length * (U.length - 1))

/** n/(n−1) Σ_{i≠j} (w_i − 1/n)(w_j − 1/n) U_ij, w_i the share of particle i among the n that were drawn. */
export function bootstrapReference(U: number[][], drawn: number[]): number {
  const n = U.length
  const w = U.map((_, i) => drawn.filter((index) => index === i).length / n)
  let sum = 0
  U.forEach((row, i) => {
    row.forEach((u, j) => {
      if (i !== j) sum += (w[i] - 1 / n) * (w[j] - 1 / n) * u
    })
  })
  return (n / (n - 1)) * sum
}
