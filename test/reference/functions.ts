// Slow, obvious float64 twin of SVGD on the outputs of policies: gradients are central differences.
import type { Policy } from '../../src/nn/policy.ts'
import { logSoftmaxReference, mlpReference } from './mlp.ts'

type Row = readonly number[]

/** The outputs of a policy at some states, logits less their mean, and log σ behind them. */
export function outputsReference(policy: Policy, theta: Row, states: readonly Row[]): number[] {
  const rows = states.map((state) => mlpReference(policy.net, theta, state))
  const middle = (row: Row) =>
    policy.head.name === 'categorical' ? row.reduce((sum, value) => sum + value, 0) / row.length : 0
  return [...rows.flatMap((row) => row.map((value) => value - middle(row))), ...theta.slice(policy.net.size)]
}

/** The gradient of f at x, by central differences. */
export const differences = (f: (x: number[]) => number, x: Row, step = 1e-4): number[] =>
  x.map((_, k) => {
    const at = (by: number) => f(x.map((value, c) => (c === k ? value + by : value)))
    return (at(step) - at(-step)) / (2 * step)
  })

const distance = (x: Row, y: Row) => x.reduce((sum, value, k) => sum + (value - y[k]) ** 2, 0)
const dot = (x: Row, y: Row) => x.reduce((sum, value, k) => sum + value * y[k], 0)

export interface ProbeReference {
  readonly states: readonly Row[]
  readonly actions: readonly Row[]
  readonly weights: readonly number[]
}

/** log π(a|s) of a row of outputs, log σ of a Gaussian being given. */
export function logProbReference(policy: Policy, outputs: Row, logStd: Row, action: Row): number {
  if (policy.head.name === 'categorical') return logSoftmaxReference(outputs)[action[0]]
  return action.reduce(
    (sum, a, k) =>
      sum - (a - outputs[k]) ** 2 / (2 * Math.exp(2 * logStd[k])) - logStd[k] - 0.5 * Math.log(2 * Math.PI),
    0,
  )
}

/** g_j: the gradient of Σ_b w_b log π(a_b|s_b)/α over the own probes by all outputs. */
export function scoreReference(policy: Policy, theta: Row, all: ProbeReference, j: number, n: number, alpha: number) {
  const K = policy.net.widths[policy.net.widths.length - 1]
  const m = all.states.length / n
  const objective = (f: number[]) => {
    const logStd = f.slice(all.states.length * K)
    let sum = 0
    for (let b = j * m; b < (j + 1) * m; b++)
      sum += all.weights[b] * logProbReference(policy, f.slice(b * K, (b + 1) * K), logStd, all.actions[b])
    return sum / alpha
  }
  return differences(objective, outputsReference(policy, theta, all.states))
}

/** J_iᵀ 1/n [ Σ_{j≠i} k(f_j, f_i) g_j ] and J_iᵀ 1/n Σ_j ∇_{f_j} k(f_j, f_i), k = exp(−|f − f'|²/h). */
export function functionReference(
  policy: Policy,
  thetas: readonly Row[],
  all: ProbeReference,
  { h, alpha }: { readonly h: number; readonly alpha: number },
) {
  const n = thetas.length
  const f = thetas.map((theta) => outputsReference(policy, theta, all.states))
  const g = thetas.map((theta, j) => scoreReference(policy, theta, all, j, n, alpha))
  const kernel = (x: Row, y: Row) => Math.exp(-distance(x, y) / h)
  const along = (i: number, potential: (moved: Row) => number) =>
    differences((theta) => potential(outputsReference(policy, theta, all.states)) / n, thetas[i])
  const others = (i: number) => f.map((_, j) => j).filter((j) => j !== i)
  return {
    sharing: f.map((own, i) =>
      along(i, (moved) => others(i).reduce((sum, j) => sum + kernel(f[j], own) * dot(g[j], moved), 0)),
    ),
    // ∇_{f_j} k(f_j, f_i) = −∇_{f_i} k(f_j, f_i)
    repulsion: f.map((_, i) => along(i, (moved) => -others(i).reduce((sum, j) => sum + kernel(f[j], moved), 0))),
  }
}
