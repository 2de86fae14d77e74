/** A box in ℝⁿ: low ≤ x ≤ high, element by element; ±Infinity where there is no bound. */
export interface Box {
  readonly kind: 'box'
  readonly low: readonly number[]
  readonly high: readonly number[]
}

/** The whole numbers 0 … n − 1. */
export interface Discrete {
  readonly kind: 'discrete'
  readonly n: number
}

export const box = (low: readonly number[], high: readonly number[]): Box => ({ kind: 'box', low, high })
export const discrete = (n: number): Discrete => ({ kind: 'discrete', n })

/** What an environment is given: the number of a discrete action, or the vector of a box. */
export type Action = number | ArrayLike<number>

/** How many float32 numbers an element of the space takes: a discrete one takes one. */
export const sizeOf = (space: Box | Discrete) => (space.kind === 'box' ? space.low.length : 1)
