import type { Node, View } from '../graph.ts'
import type { Group } from '../schedule.ts'
import { collapse, stridesOf } from '../views.ts'
import { LANES } from './code.ts'

// The loops that a group runs in: sizes that all that it reads and writes has in common.

/** How far apart elements that follow each other in a loop are, in floats, from the outermost loop to the innermost. */
export type Steps = readonly number[]

export interface Nest {
  readonly sizes: readonly number[]
  /** Elements of the innermost loop. */
  readonly row: number
  /** Elements of an axis inside of that which is shorter than a vector, and so written out; 1 where there is none. */
  readonly columns: number
  /** Of what has one number for every element. */
  readonly whole: Steps
  ofView(view: View): Steps
  /** From one column to the next. */
  columnStep(view: View): number
  /** Of what a reduction writes. */
  ofReduction(inner: number, reduced: number): Steps
}

/** Whether a reduction gives one number a row, and does not add up rows. */
export const foldsRows = ({ work }: Node) => work.kind === 'reduce' && work.inner === 1

/**
 * Whether the loops can fold what a node folds: rows that are one of the innermost loop, or two columns, between which
 * no block of the interpreter ends.
 */
function fits({ work }: Node, row: number, columns: number): boolean {
  if (work.kind !== 'reduce') return true
  if (columns === 1) return work.inner > 1 || work.reduced === row
  return columns === 2 && work.inner === 1 && work.reduced === columns
}

/** The loops of a group, or null where views have no sizes in common or a row that is folded is none of the loop. */
export function nestOf({ elements, nodes }: Group): Nest | null {
  // After how many elements an axis of a view goes on: [20, 50, 100] has ends at 100 and 5,000.
  const ends = new Set<number>([elements])
  for (const { work, args } of nodes) {
    for (const view of args) for (const span of stridesOf(collapse(view).shape)) ends.add(span)
    if (work.kind === 'reduce') ends.add(work.inner).add(work.inner * work.reduced)
  }
  const inOrder = [...ends].filter((end) => end > 1).sort((a, b) => a - b)
  if (inOrder.length === 0) inOrder.push(1)
  if (inOrder.some((end, k) => k > 0 && end % inOrder[k - 1] !== 0)) return null
  const all = inOrder.map((end, k) => end / (inOrder[k - 1] ?? 1)).reverse()
  const shortest = all[all.length - 1]
  // Vectors go along the axis outside of a short one, unless that takes lanes from behind its end.
  const isShort = shortest < LANES && all.length > 1 && all[all.length - 2] % LANES === 0
  const sizes = isShort ? all.slice(0, -1) : all
  const columns = isShort ? shortest : 1
  const row = sizes[sizes.length - 1]
  if (!nodes.every((node) => fits(node, row, columns))) return null
  const whole = stridesOf(all).slice(0, sizes.length)
  const steps = (of: (span: number) => number) => whole.map((span, axis) => (sizes[axis] === 1 ? 0 : of(span)))
  const stepOf = (view: View) => {
    const { shape, strides } = collapse(view)
    const spans = stridesOf(shape)
    return (span: number) => {
      const axis = spans.findIndex((own) => own <= span)
      return axis < 0 ? 0 : strides[axis] * (span / spans[axis])
    }
  }
  return {
    ...{ sizes, row, columns, whole },
    ofView: (view) => steps(stepOf(view)),
    columnStep: (view) => (columns > 1 ? stepOf(view)(1) : 0),
    ofReduction: (inner, reduced) =>
      steps((span) => {
        if (span < inner) return span
        return span < inner * reduced ? 0 : span / reduced
      }),
  }
}
