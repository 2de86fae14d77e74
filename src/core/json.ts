import { reasonOf, UsageError } from './errors.ts'

/** Deeper than anybody writes, and far from where a function that calls itself for every level ends the stack. */
const MAX_DEPTH = 100

/**
 * Plain data from text that may be somebody else's.
 *
 * @throws SyntaxError for what is no JSON, in one line: it quotes the text about the fault
 * @throws UsageError for what is nested deeper than 100 levels
 */
export function fromJson(text: string): unknown {
  const value = parsed(text)
  refuseDeep(value)
  return value
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new SyntaxError(reasonOf(error))
  }
}

/** @throws UsageError for what is nested deeper than 100 levels; `of` is what, as a sentence begins */
export function refuseDeep(value: unknown, of = 'it'): void {
  const open: [value: unknown, depth: number][] = [[value, 0]]
  for (let next = open.pop(); next; next = open.pop()) {
    const [inner, depth] = next
    if (depth > MAX_DEPTH) throw new UsageError(`${of} is nested deeper than ${MAX_DEPTH} levels.`)
    if (typeof inner !== 'object' || inner === null) continue
    for (const entry of Object.values(inner)) if (typeof entry === 'object') open.push([entry, depth + 1])
  }
}
