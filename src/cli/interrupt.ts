/** Ctrl-C, or a reader of our output that left, asks for a clean stop; a second Ctrl-C ends the process at once. */
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
  process.stdout.once('error', listener)
  return {
    get requested() {
      return requested
    },
    release() {
      process.off('SIGINT', listener)
      process.stdout.off('error', listener)
    },
  }
}

/** What shells expect of a process that Ctrl-C ended. */
export const INTERRUPTED_EXIT_CODE = 130
