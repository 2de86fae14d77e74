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

const NAMES: Readonly<Record<string, string>> = {
  node20: 'Node 20',
  node22: 'Node 22',
  node24: 'Node 24',
  bun: 'Bun',
  deno: 'Deno',
  chromium: 'Chromium',
  firefox: 'Firefox',
  webkit: 'WebKitGTK',
}

/** As its makers write it. */
export const nameOf = (runtime: string) => NAMES[runtime] ?? runtime

/** Three digits, with the unit that keeps them short. */
export function duration(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toPrecision(3)} s`
  if (ms >= 1) return `${Number(ms.toPrecision(3))} ms`
  return `${Number((ms * 1000).toPrecision(3))} µs`
}
