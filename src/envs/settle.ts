import { show, UsageError } from '../core/errors.ts'
import { isNumber } from '../core/require.ts'

/** What an option may be. */
export interface Allowed {
  readonly what: string
  fits(value: unknown): boolean
}

/** A task whose options have these defaults; `allowed` says what some of them may be, others are like their default. */
interface Configurable {
  readonly id: string
  readonly defaults: object
  readonly allowed?: Readonly<Record<string, Allowed>>
}

/**
 * Options with some of them replaced.
 *
 * @param more names that the caller takes beside, for the message
 * @throws UsageError for an option that the task does not have, or a value that is not allowed
 */
export function settle<Options extends object>(
  { id, defaults, allowed = {} }: Configurable,
  base: Options,
  given: Readonly<Record<string, unknown>>,
  more: readonly string[] = [],
): Options {
  const settled = { ...base } as Record<string, unknown>
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue
    if (!Object.hasOwn(defaults, name)) {
      const names = [...Object.keys(defaults), ...more].join(', ')
      throw new UsageError(`${id} has no option ${show(name)}; it has ${names}.`)
    }
    const { what, fits } = allowed[name] ?? likeDefault((defaults as Record<string, unknown>)[name])
    const plain = typeof value === 'string' ? (words[value] ?? value) : value
    if (!fits(plain)) throw new UsageError(`${id}: ${name} must be ${what}, got ${show(value)}.`)
    settled[name] = plain
  }
  return settled as Options
}

/** The options that are not as they are by default. */
export function changedFrom(defaults: object, options: object): Record<string, unknown> {
  const standard = defaults as Record<string, unknown>
  return Object.fromEntries(Object.entries(options).filter(([name, value]) => String(value) !== String(standard[name])))
}

/** A command line gives words. */
const words: Readonly<Record<string, unknown>> = { true: true, false: false }

function likeDefault(standard: unknown): Allowed {
  if (typeof standard === 'boolean') return { what: 'true or false', fits: (value) => typeof value === 'boolean' }
  if (typeof standard === 'number') return { what: 'a finite number', fits: isNumber }
  return {
    what: 'two numbers, the lesser first',
    fits: (value) =>
      Array.isArray(value) && value.length === 2 && value.every((x) => typeof x === 'number') && value[0] <= value[1],
  }
}
