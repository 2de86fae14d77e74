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
export function isExpected(error: unknown): error is Error {
  try {
    return error instanceof UsageError || error instanceof RunError
  } catch {
    // A proxy that refuses to tell what it is.
    return false
  }
}

/** What another's error says, as a part of a sentence of ours. */
export function reasonOf(error: unknown): string {
  const { message, name } = errorPartsOf(error)
  const said =
    typeof message === 'string' ? message || name || 'an error' : typeof error === 'string' ? error : show(error)
  return printable(String(said).replace(/\s+/g, ' ').replace(/\.$/, ''))
}

/** Anything may be thrown, also what refuses to be read. */
function errorPartsOf(error: unknown): Partial<Error> {
  try {
    const { message, name, stack } = Object(error) as Partial<Error>
    return { message, name, stack }
  } catch {
    return {}
  }
}

/** The stack of what was thrown, where it is an error's. */
export const stackOf = (error: unknown): unknown => errorPartsOf(error).stack

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
  if (typeof value === 'bigint') return cut(`${value}n`, MOST_CHARACTERS)
  if (typeof value !== 'function' && (typeof value !== 'object' || value === null)) return String(value)
  return printable(cut(textOf(value), MOST_CHARACTERS))
}

/** The same of what stands in the place of a record: a function that was to be called is told so. */
export const shown = (value: unknown): string => {
  const [, name] = (typeof value === 'function' && /^function (.*)/.exec(show(value))) || []
  return name ? `${show(value)}; call it: ${name}(…)` : show(value)
}

/** What holds itself, is nested too deep or refuses, as a proxy may all that it is asked, has no text. */
function textOf(value: object): string {
  try {
    if (typeof value === 'function') {
      // A class may have another thing of this name.
      const { name }: { readonly name?: unknown } = value
      return typeof name === 'string' && name ? `function ${name}` : 'a function'
    }
    const few = beginOf(value)
    if (Array.isArray(few) && few.every((entry) => typeof entry === 'number' || ArrayBuffer.isView(value)))
      return `[${few.join(', ')}]`
    return JSON.stringify(value, (_, entry) => beginOf(entry)) ?? 'an object'
  } catch {
    return isList(value) ? 'a list' : 'an object'
  }
}

/** What is shown of a list, which may be of billions; anything else as it is. */
function beginOf(value: unknown): unknown {
  if (ArrayBuffer.isView(value) && !(value instanceof DataView))
    return Array.from((value as Float32Array).subarray(0, MOST_CHARACTERS))
  return Array.isArray(value) && value.length > MOST_CHARACTERS ? value.slice(0, MOST_CHARACTERS) : value
}

function isList(value: object): boolean {
  try {
    return Array.isArray(value)
  } catch {
    return false
  }
}
