/** What a user did wrong, in one sentence: what it was, the value, what is allowed. */
export class UsageError extends Error {
  override name = 'UsageError'
}

/** What the place that a run is kept in refused: a full disk, a directory that was removed or may only be read. */
export class StorageError extends UsageError {}

/** A run that cannot go on (a value that is not finite): names the iteration and the particle. */
export class RunError extends Error {
  override name = 'RunError'
}

/** Runs one iteration; what is wrong in it leaves it as a RunError that names the iteration, once. */
export async function inIteration<T>(iteration: number, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    if (!isExpected(error) || error.message.startsWith('Iteration ')) throw error
    const message = `Iteration ${iteration}: ${error.message}`
    // The settings were right when the run began: what is refused now has come of it.
    if (error instanceof UsageError) throw new RunError(message)
    error.message = message
    throw error
  }
}

/** True for errors whose message is meant for the user as it is. */
export const isExpected = (error: unknown): error is Error => error instanceof UsageError || error instanceof RunError

/** Writes a value as a person would type it. */
export function show(value: unknown): string {
  if (typeof value === 'string') return `"${value}"`
  if (typeof value === 'number' || typeof value === 'boolean' || value == null) return String(value)
  if (typeof value === 'function') return `function ${value.name}`.trim()
  if (Array.isArray(value) && value.every((entry) => typeof entry === 'number')) return `[${value.join(', ')}]`
  return JSON.stringify(value) ?? String(value)
}
