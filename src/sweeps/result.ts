import type { TrialState } from './journal.ts'
import type { SweepDescription } from './plan.ts'

/** A trial that was done. */
export interface SweepTrial {
  /** From 0. */
  readonly number: number
  readonly state: TrialState
  /** What was tried, by the names of the settings. */
  readonly settings: Readonly<Record<string, unknown>>
  /** What it came to; null for one that failed or is still running. */
  readonly value: number | null
  /** Seconds of training. */
  readonly seconds: number | null
  readonly iterations: number | null
  readonly transitions: number | null
  /** Why it failed. */
  readonly reason: string | null
}

/** What a sweep has come to. */
export interface SweepResult {
  readonly name: string
  readonly description: SweepDescription
  readonly trials: readonly SweepTrial[]
  /** The best trial that came to its end; null where none did. */
  readonly best: SweepTrial | null
  /** What trains with its settings again, to the same bits; null where there is none. */
  readonly command: string | null
}
