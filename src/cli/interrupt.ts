/** Ctrl-C asks once for a clean stop; a second one ends the process at once. */
export interface Interrupt {
  readonly requested: boolean
  release(): void
}

export function listenForInterrupt(): Interrupt {
  let requested = false
  const listener = () => {
    requested = true
  }
  process.once('SIGINT', listener)
  return {
    get requested() {
      return requested
    },
    release: () => void process.off('SIGINT', listener),
  }
}

/** What shells expect of a process that Ctrl-C ended. */
export const INTERRUPTED_EXIT_CODE = 130
