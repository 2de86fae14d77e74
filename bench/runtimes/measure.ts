/** Times of one call in milliseconds. */
export interface Timing {
  readonly median: number
  /** Between these lies the middle half of the samples. */
  readonly lower: number
  readonly upper: number
  readonly fastest: number
  readonly samples: number
}

const WARM_UP_MS = 400
const SAMPLES = 21
/** Firefox tells the time to a millisecond where a page is not isolated: a sample takes twenty of them. */
const SAMPLE_MS = 20

/** Calls until compilers have done their work, then in samples with enough calls for a coarse clock. */
export async function measure(run: () => unknown, breathe: () => Promise<void>): Promise<Timing> {
  let calls = 0
  const started = performance.now()
  while (calls < 3 || performance.now() - started < WARM_UP_MS) {
    await run()
    calls++
  }
  const repeats = Math.max(1, Math.ceil(SAMPLE_MS / ((performance.now() - started) / calls)))
  const times: number[] = []
  for (let sample = 0; sample < SAMPLES; sample++) {
    await breathe()
    const start = performance.now()
    for (let call = 0; call < repeats; call++) {
      const pending = run()
      if (pending instanceof Promise) await pending
    }
    times.push((performance.now() - start) / repeats)
  }
  return summarise(times)
}

export function summarise(times: readonly number[]): Timing {
  const sorted = [...times].sort((a, b) => a - b)
  const at = (share: number) => {
    const place = share * (sorted.length - 1)
    const below = Math.floor(place)
    const above = Math.min(below + 1, sorted.length - 1)
    return sorted[below] + (place - below) * (sorted[above] - sorted[below])
  }
  return { median: at(0.5), lower: at(0.25), upper: at(0.75), fastest: sorted[0], samples: sorted.length }
}
