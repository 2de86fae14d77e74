/** Thrown to leave an evaluation that nobody waits for. */
export const STOPPED = Symbol('stopped')

/** Throws it once a stop is asked for: in `onProgress` of evaluate(). */
export function leaveIfStopped(stop: { readonly requested: boolean }): void {
  if (stop.requested) throw STOPPED
}
