import type { Ops } from './ops.ts'

/** Threads that run an op in parts, each on the same memory. */
export interface Team {
  readonly size: number
  /** Runs an op once for each list of arguments, and returns when all are done. At most `size` lists. */
  run(op: keyof Ops, jobs: readonly (readonly number[])[]): void
}

/** This thread alone. */
export const alone = (ops: Ops): Team => ({
  size: 1,
  run: (op, jobs) => jobs.forEach((args) => void (ops[op] as (...args: readonly number[]) => unknown)(...args)),
})
