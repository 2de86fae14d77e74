import type { Evaluated, LoopStep } from './loop.ts'

/** What is told of every step; what it returns is waited for. */
export interface Logger {
  (step: LoopStep & Partial<Evaluated>): unknown
  /** Called once behind the last step; what it returns is waited for. */
  close?: (failed: boolean) => unknown
}
