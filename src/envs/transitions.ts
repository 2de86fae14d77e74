import { type Box, box } from './spaces.ts'

/**
 * What may follow an action: its probability, the number of the next state, the reward and whether the task ends.
 */
export type Outcome = readonly [probability: number, next: number, reward: number, terminated: boolean]

/**
 * P[s][a]: what may follow action a in state s, in the order and with the numbers of Gymnasium's `env.unwrapped.P`. A
 * next state may stand there more than once.
 */
export type Transitions = readonly (readonly (readonly Outcome[])[])[]

/** P of a task with these numbers of states and actions. */
export const transitionsOf = (
  states: number,
  actions: number,
  outcomes: (s: number, a: number) => readonly Outcome[],
): Transitions => Array.from({ length: states }, (_, s) => Array.from({ length: actions }, (_, a) => outcomes(s, a)))

/**
 * The cell that a move leads to on a board whose cells are numbered row by row from the top left; at the border the
 * same one.
 *
 * @param move rows down and columns to the right
 */
export function cellAfter(
  cell: number,
  [down, across]: readonly [down: number, across: number],
  { rows, columns }: { readonly rows: number; readonly columns: number },
): number {
  const clip = (k: number, n: number) => Math.min(Math.max(k, 0), n - 1)
  return clip(Math.floor(cell / columns) + down, rows) * columns + clip((cell % columns) + across, columns)
}

/** Observations that show the number of a state: n numbers, 1 at its place and 0 elsewhere. */
export const oneHot = (n: number): Box => box(Array<number>(n).fill(0), Array<number>(n).fill(1))
