import * as v from 'valibot'
import { show, UsageError } from './errors.ts'

/** What a schema says of itself, for --help and for the tables of the docs. */
export interface Allowed {
  /** How the command line reads it. */
  readonly kind: 'whole' | 'number' | 'share' | 'word' | 'widths' | 'flag' | 'other'
  /** As in "must be …". */
  readonly allowed: string
}

const metadata = <T>(
  kind: Allowed['kind'],
  allowed: string,
): v.MetadataAction<T, { kind: Allowed['kind']; allowed: string }> => v.metadata({ kind, allowed })

const named = (what: string, allowed: string) => (issue: { input: unknown }) =>
  `${what} must be ${allowed}, got ${show(issue.input)}.`

const or = (allowed: string, words: readonly string[]) =>
  `${allowed} or ${words.length > 1 ? 'one of ' : ''}${words.join(', ')}`

/** A whole number of at least `min`. */
export function wholeNumber(what: string, min: number, max = Number.MAX_SAFE_INTEGER) {
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`
  const allowed = `a whole number ${range}`
  const message = named(what, allowed)
  const isTooLarge = (input: unknown) => Number.isInteger(input) && (input as number) > Number.MAX_SAFE_INTEGER
  const exact = named(what, `a whole number from ${min} to ${max}`)
  return v.pipe(
    v.number(message),
    v.safeInteger((issue) => (isTooLarge(issue.input) ? exact(issue) : message(issue))),
    v.minValue(min, message),
    v.maxValue(max, message),
    metadata('whole', allowed),
  )
}

/** A number of things that were done. */
export const countSchema = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
export const finiteSchema = v.pipe(v.number(), v.finite())

/**
 * Every number that the 64 bits of a seed tell apart is allowed: it has no other bound than that of exact whole
 * numbers.
 */
export const seedSchema = wholeNumber('seed', 0)

/** A whole number from `min` to `max` or one of a list of words. */
export function wholeNumberOr<const T extends readonly string[]>(what: string, [min, max]: [number, number], words: T) {
  const allowed = or(`a whole number from ${min} to ${max}`, words)
  const isWhole = (input: unknown) =>
    Number.isSafeInteger(input) && (input as number) >= min && (input as number) <= max
  return v.pipe(
    v.custom<number | T[number]>((input) => isWhole(input) || words.includes(input as string), named(what, allowed)),
    metadata('whole', allowed),
  )
}

/** A finite number above 0. */
export function positiveNumber(what: string) {
  const allowed = 'a finite number above 0'
  const message = named(what, allowed)
  return v.pipe(
    v.number(message),
    v.finite(message),
    v.check((x) => x > 0, message),
    metadata('number', allowed),
  )
}

/** A number that a list of words may stand for. */
function numberOr<const T extends readonly string[]>(
  what: string,
  allowed: string,
  isAllowed: (x: number) => boolean,
  words: T,
  kind: Allowed['kind'] = 'number',
) {
  const all = or(allowed, words)
  return v.pipe(
    v.custom<number | T[number]>(
      (input) => (typeof input === 'number' ? isAllowed(input) : words.includes(input as string)),
      named(what, all),
    ),
    metadata(kind, all),
  )
}

/** A finite number above 0 or one of a list of words. */
const positiveNumberOr = <const T extends readonly string[]>(what: string, words: T) =>
  numberOr(what, 'a finite number above 0', (x) => x > 0 && Number.isFinite(x), words)

/** A number that is finite in float32 or one of a list of words. */
export const float32Or = <const T extends readonly string[]>(what: string, words: T) =>
  numberOr(what, 'a finite number', (x) => Math.abs(x) <= FLOAT32.most, words)

/** A number from 0 to 1 or one of a list of words. */
export const fractionOr = <const T extends readonly string[]>(what: string, words: T) =>
  numberOr(what, 'a number from 0 to 1', (x) => x >= 0 && x <= 1, words, 'share')

/** The least number above 0 whose inverse float32 can hold with all its digits, and the largest that it holds. */
const FLOAT32 = { least: 1.1754944e-38, most: 3.4028235e38 }

/** A finite number above 0 that stays so in float32, as does its inverse. `power`: as does this power of it. */
export function positiveFloat32(what: string, power: 1 | 2 = 1) {
  const root = power === 2 ? Math.sqrt : (x: number) => x
  const [least, most] = [root(FLOAT32.least), root(FLOAT32.most)]
  const message = named(what, inFloat32(least, most))
  return v.pipe(positiveNumber(what), v.minValue(least, message), v.maxValue(most, message))
}

const inFloat32 = (least: number, most: number) =>
  `from ${least.toPrecision(2)} to ${most.toPrecision(2)}, as it is used in float32`

/** The same or one of a list of words. */
export function positiveFloat32Or<const T extends readonly string[]>(what: string, words: T) {
  const { least, most } = FLOAT32
  return v.pipe(
    positiveNumberOr(what, words),
    v.check((x) => typeof x !== 'number' || (x >= least && x <= most), named(what, inFloat32(least, most))),
  )
}

/** A finite number of at least 0 that is finite in float32 too. */
export function nonNegativeFloat32(what: string) {
  return v.pipe(nonNegativeNumber(what), v.maxValue(FLOAT32.most, named(what, inFloat32(0, FLOAT32.most))))
}

/** A number that is finite in float32. */
export function float32(what: string) {
  const message = named(what, inFloat32(-FLOAT32.most, FLOAT32.most))
  return v.pipe(
    v.number(message),
    v.check((x) => Math.abs(x) <= FLOAT32.most, message),
  )
}

/** A number that is a setting, not what a schedule comes to: one that is not 0 is not 0 in float32 either. */
export function float32Setting(what: string) {
  const allowed = `0 or of a size of at least ${FLOAT32.least.toPrecision(2)}, as it is used in float32`
  return v.pipe(
    float32(what),
    v.check((x) => x === 0 || Math.abs(x) >= FLOAT32.least, named(what, allowed)),
  )
}

/** A finite number of at least 0. */
export function nonNegativeNumber(what: string) {
  const allowed = 'a finite number of at least 0'
  const message = named(what, allowed)
  return v.pipe(v.number(message), v.finite(message), v.minValue(0, message), metadata('number', allowed))
}

/** A number from 0 to 1. */
export function fraction(what: string) {
  const allowed = 'a number from 0 to 1'
  const message = named(what, allowed)
  return v.pipe(v.number(message), v.minValue(0, message), v.maxValue(1, message), metadata('share', allowed))
}

/** A number from 0 up to but not including 1, in float32 too. */
export function decay(what: string) {
  const allowed = 'a number of at least 0 and below 1'
  const message = named(what, allowed)
  return v.pipe(
    v.number(message),
    v.minValue(0, message),
    v.check((x) => x < 1, message),
    v.check((x) => Math.fround(x) < 1, named(what, 'at most 0.9999999, as it is used in float32')),
    metadata('share', allowed),
  )
}

/** One of a list of words. */
export function oneOf<const T extends readonly string[]>(what: string, words: T) {
  const allowed = `one of ${words.join(', ')}`
  return v.pipe(v.picklist(words, named(what, allowed)), metadata('word', allowed))
}

export function trueOrFalse(what: string) {
  const allowed = 'true or false'
  return v.pipe(v.boolean(named(what, allowed)), metadata('flag', allowed))
}

/** More than anybody waits for; numbers of iterations are exact in every place that counts them. */
export const MOST_ITERATIONS = 1_000_000_000

/** As many as a policy may have that is read from a file. */
const MOST_LAYERS = 1000

/** Widths of the hidden layers of a network; `what` names a width. */
export function layerWidths(what: string, name = 'hidden') {
  const allowed = `up to ${MOST_LAYERS} whole numbers from 1 to 4096`
  const message = ({ input }: { input: unknown }) => `${name} must be a list of ${allowed}, got ${show(input)}.`
  return v.pipe(
    v.array(wholeNumber(what, 1, 4096), message),
    v.maxLength(MOST_LAYERS, ({ input }) => `${name} must be a list of ${allowed}, got ${input.length} of them.`),
    metadata('widths', allowed),
    // A list of constants is one too.
  ) as unknown as v.GenericSchema<readonly number[], readonly number[]>
}

/** Checks a value at the public door. Throws a UsageError with the first thing that is wrong. */
export function check<S extends v.GenericSchema>(schema: S, value: unknown): v.InferOutput<S> {
  const result = v.safeParse(schema, value, { abortEarly: true })
  if (result.success) return result.output
  const [{ message, path }] = result.issues
  // For a name that an object lacks the library has words of its own.
  const last = path?.at(-1)
  if (last?.origin === 'key') throw new UsageError(`${String(last.key)} is missing.`)
  throw new UsageError(message.endsWith('.') ? message : `${message}.`)
}
