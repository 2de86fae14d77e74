import type { NumberArray } from '../core/runtime-types.ts'

type Numbers = Float32Array | Float64Array

/**
 * What environments did step by step, as long as it is needed: their actions, or other numbers of their steps. Written
 * rows are never written again, so what was carried away from an earlier step stays what it was, and to carry it away
 * takes no copy.
 */
export interface StepLog<V extends Numbers = Float32Array> {
  /** Numbers of one step of all environments. */
  readonly width: number
  values: V
  /** Numbers written. */
  length: number
  /** Numbers at the beginning that nobody needs any more. */
  forgotten: number
}

/** @param make an array of so many numbers */
const empty = <V extends Numbers>(width: number, make: new (length: number) => V): StepLog<V> => ({
  width,
  values: new make(0),
  length: 0,
  forgotten: 0,
})

export const emptyLog = (width: number): StepLog => empty(width, Float32Array)
export const emptyLog64 = (width: number): StepLog<Float64Array> => empty(width, Float64Array)

/** Adds whole steps. Room grows with what is needed, so that a step costs the same however many there were before. */
export function appendTo<V extends Numbers>(log: StepLog<V>, steps: NumberArray): void {
  if (log.length + steps.length > log.values.length) {
    const needed = log.values.subarray(log.forgotten, log.length)
    const make = log.values.constructor as new (length: number) => V
    const grown = new make(Math.max(2 * (needed.length + steps.length), 64 * log.width))
    grown.set(needed)
    Object.assign(log, { values: grown, length: needed.length, forgotten: 0 })
  }
  log.values.set(steps, log.length)
  log.length += steps.length
}

/** [steps, width] the last steps; those before are not needed any more. */
export function lastSteps<V extends Numbers>(log: StepLog<V>, steps: number): V {
  log.forgotten = log.length - steps * log.width
  return log.values.subarray(log.forgotten, log.length) as V
}
