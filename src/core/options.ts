import { meantBy } from './elsewhere.ts'
import { show, UsageError } from './errors.ts'

/** The names of options of a type, which asks for all of them. */
export const namesOf = <T extends object>(names: { readonly [K in keyof Required<T>]: true }): readonly string[] =>
  Object.keys(names)

/**
 * Refuses an option that does not exist by its name, and names the one that is meant.
 *
 * @throws UsageError
 */
export function refuseUnknown(of: string, options: unknown, known: readonly string[]): void {
  // The checks of each option name what is missing.
  if (options === undefined) return
  if (options === null || typeof options !== 'object' || Array.isArray(options) || 'then' in options)
    throw new UsageError(`${of} takes its options as an object, got ${show(options)}.`)
  const [unknown] = unknownOptions(options, known)
  if (unknown) throw new UsageError(`${of} has ${unknown}.`)
}

/** Options that do not exist, each as `no option "lr": …` with the one that is meant; undefined ones are none. */
export const unknownOptions = (options: object, known: readonly string[]): string[] =>
  Object.entries(options)
    .filter(([name, value]) => !known.includes(name) && value !== undefined)
    .map(([name]) => `no option ${show(name)}${meantBy(name, known).replace(/\.$/, '')}`)

/** What the library made and gave away, each with the name of its kind. A copy with other fields is none. */
const states = new WeakMap<object, string>()

/** What is given away, a state say, and which isMade() and refuseNoState() know again. */
export function asState<S extends object>(kind: string, state: S): S {
  states.set(state, kind)
  return state
}

/** Whether asState() has marked this very thing as one of the kind. */
export const isMade = (kind: string, value: unknown): boolean =>
  (typeof value === 'object' || typeof value === 'function') && value !== null && states.get(value) === kind

/**
 * Refuses what is no state, as the promise of one that was not awaited or a copy with other fields.
 *
 * @param kind the name that the state was given under
 * @throws UsageError
 */
export function refuseNoState(taker: string, state: unknown, kind: string, init = 'init'): void {
  const isObject = typeof state === 'object' && state !== null
  const made = isObject ? states.get(state) : undefined
  if (made === kind) return
  // A state has more numbers than anybody reads.
  const got = made ? `that of ${made}` : isObject && 'arena' in state ? 'a copy or something else' : show(state)
  throw new UsageError(`${taker} takes the state that ${init} gives (await init(…)), got ${got}.`)
}

/**
 * The same of options that have no defaults.
 *
 * @throws UsageError
 */
export function requireOptions(of: string, options: unknown, known: readonly string[]): void {
  if (options === undefined) throw new UsageError(`${of} takes its options as an object, got undefined.`)
  refuseUnknown(of, options, known)
}
