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

/** What another's error says, as a part of a sentence of ours. */
export function reasonOf(error: unknown): string {
  const { message, name } = Object(error) as Partial<Error>
  const said =
    typeof message === 'string' ? message || name || 'an error' : typeof error === 'string' ? error : show(error)
  return printable(String(said).replace(/\s+/g, ' ').replace(/\.$/, ''))
}

/** Longer than this nobody reads; a path may be longer than what is not text. */
const MOST_CHARACTERS = 300
const MOST_OF_TEXT = 1000

/** Characters by which a text, as a name in a file of somebody else's, would move the cursor or turn its reading. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

/** A text with what nobody sees written out, as \u001b. */
export const printable = (text: string): string =>
  text.replace(UNSEEN, (character) => `\\u${(character.codePointAt(0) as number).toString(16).padStart(4, '0')}`)

const cut = (text: string, most: number) => (text.length > most ? `${text.slice(0, most)}…` : text)

/** Writes a value as a person would type it, cut short where it is long. */
export function show(value: unknown): string {
  if (typeof value === 'string') return `"${printable(cut(value, MOST_OF_TEXT))}"`
  if (typeof value === 'function') return value.name ? `function ${value.name}` : 'a function'
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value !== 'object' || value === null) return String(value)
  const text = isNumbers(value) ? `[${Array.from(value).join(', ')}]` : jsonOf(value)
  return printable(cut(text, MOST_CHARACTERS))
}

/** The same of what stands in the place of a record: a function that was to be called is told so. */
export const shown = (value: unknown): string =>
  typeof value === 'function' && value.name ? `${show(value)}; call it: ${value.name}(…)` : show(value)

const isNumbers = (value: object): value is ArrayLike<number> =>
  ArrayBuffer.isView(value)
    ? !(value instanceof DataView)
    : Array.isArray(value) && value.every((entry) => typeof entry === 'number')

/** What holds itself, is nested too deep or refuses has no JSON. */
function jsonOf(value: object): string {
  try {
    return JSON.stringify(value) ?? 'an object'
  } catch {
    return Array.isArray(value) ? 'a list' : 'an object'
  }
}
