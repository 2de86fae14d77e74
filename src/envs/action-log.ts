import type { NumberArray } from '../core/runtime-types.ts'

/**
 * The actions that environments took, step by step, as long as they are needed. Written rows are never written again,
 * so what was carried away from an earlier step stays what it was, and to carry it away takes no copy.
 */
export interface ActionLog {
  /** Numbers of one step of all environments. */
  readonly width: number
  values: Float32Array
  /** Numbers written. */
  length: number
  /** Numbers at the beginning that nobody needs any more. */
  forgotten: number
}

export const emptyLog = (width: number): ActionLog => ({
  width,
  values: new Float32Array(0),
  length: 0,
  forgotten: 0,
})

/** Adds whole steps. Room grows with what is needed, so that a step costs the same however many there were before. */
export function appendTo(log: ActionLog, actions: NumberArray): void {
  if (log.length + actions.length > log.values.length) {
    const needed = log.values.subarray(log.forgotten, log.length)
    const grown = new Float32Array(Math.max(2 * (needed.length + actions.length), 64 * log.width))
    grown.set(needed)
    Object.assign(log, { values: grown, length: needed.length, forgotten: 0 })
  }
  log.values.set(actions, log.length)
  log.length += actions.length
}

/** [steps, width] the last steps; those before are not needed any more. */
export function lastSteps(log: ActionLog, steps: number): Float32Array {
  log.forgotten = log.length - steps * log.width
  return log.values.subarray(log.forgotten, log.length)
}
