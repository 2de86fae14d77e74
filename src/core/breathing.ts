import { platform } from '#platform'
import { leaveIfAborted } from './require.ts'
import type { StopSignal } from './runtime-types.ts'

/** Time after which others have a turn, in ms. */
const EVERY_MS = 50

/** Gives the event loop a turn now and then in work that would keep it: a page draws and a signal arrives only then. */
export interface Breathing {
  isDue(): boolean
  /** @throws the reason of the signal, when it is aborted */
  take(): Promise<void>
}

export function breathing(signal?: StopSignal): Breathing {
  let last = platform.now()
  return {
    isDue: () => platform.now() - last > EVERY_MS,
    async take() {
      await platform.breathe()
      // The first may be the rest of this turn, in which nothing arrives.
      if (signal) await platform.breathe()
      leaveIfAborted(signal)
      last = platform.now()
    },
  }
}
