import type { Node, View } from '../graph.ts'
import type { Group } from '../schedule.ts'
import { collapse, stridesOf } from '../views.ts'

// The loops that a group runs in: sizes that all that it reads and writes has in common.

/** How far apart elements that follow each other in a loop are, in floats, from the outermost loop to the innermost. */
export type Steps = readonly number[]

export interface Nest {
  readonly sizes: readonly number[]
  /** Elements of the innermost loop. */
  readonly row: number
  /** Of what has one number for every element. */
  readonly whole: Steps
  ofView(view: View): Steps
  /** Of what a reduction writes. */
  ofReduction(inner: number, reduced: number): Steps
}

/** Whether a reduction gives one number a row, and does not add up rows. */
export const foldsRows = ({ work }: Node) => work.kind === 'reduce' && work.inner === 1

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
  const sizes = inOrder.map((end, k) => end / (inOrder[k - 1] ?? 1)).reverse()
  const row = sizes[sizes.length - 1]
  if (nodes.some((node) => foldsRows(node) && node.work.kind === 'reduce' && node.work.reduced !== row)) return null
  const whole = stridesOf(sizes)
  const steps = (of: (span: number) => number) => whole.map((span, axis) => (sizes[axis] === 1 ? 0 : of(span)))
  return {
    sizes,
    row,
    whole,
    ofView(view) {
      const { shape, strides } = collapse(view)
      const spans = stridesOf(shape)
      return steps((span) => {
        const axis = spans.findIndex((own) => own <= span)
        return axis < 0 ? 0 : strides[axis] * (span / spans[axis])
      })
    },
    ofReduction: (inner, reduced) =>
      steps((span) => {
        if (span < inner) return span
        return span < inner * reduced ? 0 : span / reduced
      }),
  }
}
