import type { Timing } from './measure.ts'

/** What one runtime took. */
export interface RuntimeRow {
  readonly runtime: string
  readonly version: string
  readonly timings: Readonly<Record<string, Timing>>
}

/** bench/results/runtimes.json. */
export interface RuntimeResults {
  readonly machine?: { readonly cpu: string; readonly cores: number }
  readonly date?: string
  readonly rows: readonly RuntimeRow[]
}

/** Three digits, with the unit that keeps them short. */
export function duration(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toPrecision(3)} s`
  if (ms >= 1) return `${Number(ms.toPrecision(3))} ms`
  return `${Number((ms * 1000).toPrecision(3))} µs`
}
