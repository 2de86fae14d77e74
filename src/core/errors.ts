import * as v from 'valibot'

/** What a user did wrong, in one sentence: what it was, the value, what is allowed. */
export class UsageError extends Error {
  override name = 'UsageError'
}

/** A run that cannot go on (a value that is not finite): names the iteration and the particle. */
export class RunError extends Error {
  override name = 'RunError'
}

/** Runs one iteration; a RunError that leaves it names the iteration, once. */
export async function inIteration<T>(iteration: number, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    if (error instanceof RunError && !error.message.startsWith('Iteration '))
      error.message = `Iteration ${iteration}: ${error.message}`
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

const named = (what: string, allowed: string) => (issue: { input: unknown }) =>
  `${what} must be ${allowed}, got ${show(issue.input)}.`

/** A whole number of at least `min`. */
export function wholeNumber(what: string, min: number, max = Number.MAX_SAFE_INTEGER) {
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`
  const message = named(what, `a whole number ${range}`)
  return v.pipe(v.number(message), v.safeInteger(message), v.minValue(min, message), v.maxValue(max, message))
}

/** A whole number of at least `min` or one of a list of words. */
export function wholeNumberOr<const T extends readonly string[]>(what: string, min: number, words: T) {
  return v.custom<number | T[number]>(
    (input) => (Number.isSafeInteger(input) && (input as number) >= min) || words.includes(input as string),
    named(what, `a whole number of at least ${min} or ${words.join(', ')}`),
  )
}

/** A finite number above 0. */
export function positiveNumber(what: string) {
  const message = named(what, 'a finite number above 0')
  return v.pipe(
    v.number(message),
    v.finite(message),
    v.check((x) => x > 0, message),
  )
}

/** A finite number above 0 or one of a list of words. */
export function positiveNumberOr<const T extends readonly string[]>(what: string, words: T) {
  return v.custom<number | T[number]>(
    (input) => (typeof input === 'number' ? input > 0 && Number.isFinite(input) : words.includes(input as string)),
    named(what, `a finite number above 0 or ${words.length > 1 ? 'one of ' : ''}${words.join(', ')}`),
  )
}

/** A finite number or one of a list of words. */
export function finiteNumberOr<const T extends readonly string[]>(what: string, words: T) {
  return v.custom<number | T[number]>(
    (input) => (typeof input === 'number' ? Number.isFinite(input) : words.includes(input as string)),
    named(what, `a finite number or ${words.join(', ')}`),
  )
}

/** A finite number of at least 0. */
export function nonNegativeNumber(what: string) {
  const message = named(what, 'a finite number of at least 0')
  return v.pipe(v.number(message), v.finite(message), v.minValue(0, message))
}

/** A number from 0 to 1. */
export function fraction(what: string) {
  const message = named(what, 'a number from 0 to 1')
  return v.pipe(v.number(message), v.minValue(0, message), v.maxValue(1, message))
}

/** A number from 0 to 1 or one of a list of words. */
export function fractionOr<const T extends readonly string[]>(what: string, words: T) {
  return v.custom<number | T[number]>(
    (input) => (typeof input === 'number' ? input >= 0 && input <= 1 : words.includes(input as string)),
    named(what, `a number from 0 to 1 or ${words.join(', ')}`),
  )
}

/** A number from 0 up to but not including 1. */
export function decay(what: string) {
  const message = named(what, 'a number of at least 0 and below 1')
  return v.pipe(
    v.number(message),
    v.minValue(0, message),
    v.check((x) => x < 1, message),
  )
}

/** One of a list of words. */
export function oneOf<const T extends readonly string[]>(what: string, words: T) {
  return v.picklist(words, named(what, `one of ${words.join(', ')}`))
}

export function trueOrFalse(what: string) {
  return v.boolean(named(what, 'true or false'))
}

/** Checks a value at the public door. Throws a UsageError with the first thing that is wrong. */
export function check<S extends v.GenericSchema>(schema: S, value: unknown): v.InferOutput<S> {
  const result = v.safeParse(schema, value, { abortEarly: true })
  if (result.success) return result.output
  throw new UsageError(result.issues[0].message)
}
