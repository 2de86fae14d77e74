import { platform } from '#platform'
import { reasonOf } from './errors.ts'
import { failureOf } from './own-code.ts'

declare global {
  // As in lib.esnext.disposable: runtimes and compilers that know `using` have these already.
  interface SymbolConstructor {
    readonly dispose: unique symbol
  }
  interface Disposable {
    [Symbol.dispose](): void
  }
}

/** Something that holds what JavaScript does not collect. `using` closes it where the runtime knows Symbol.dispose. */
export interface Closable extends Disposable {
  /** Frees it; what is closed already stays closed. */
  close(): void
}

/** The same object with what `using` calls. */
export function closable<T extends Closable>(object: Omit<T, typeof Symbol.dispose>): T {
  const whole = object as T
  if (Symbol.dispose) Object.defineProperty(whole, Symbol.dispose, { value: () => whole.close() })
  return whole
}

/**
 * Closes all of them, even where one of them throws; that error is thrown in the end. Nothing waits for a close() that
 * is asynchronous: where that fails it is warned of, as nobody could catch it.
 */
export function closeAll(all: Iterable<{ close?(): void } | null | undefined>): void {
  const errors: unknown[] = []
  for (const one of all) {
    try {
      const closing: unknown = one?.close?.()
      if (closing instanceof Promise) closing.catch((error) => platform.warn(`close() failed: ${reasonOf(error)}.`))
    } catch (error) {
      errors.push(failureOf("The task's close", error))
    }
  }
  if (errors.length > 0) throw errors[0]
}

/** Closes where something else has failed, which is what its user has to know: an error of the closing is warned of. */
export function closeFailed(close: () => void): void {
  try {
    close()
  } catch (error) {
    platform.warn(reasonOf(error))
  }
}
