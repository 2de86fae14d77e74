import { isExpected, RunError, reasonOf, stackOf } from './errors.ts'

// Functions of a user's that the library calls: what is said when they throw.

/**
 * Runs a function of a user's.
 *
 * @param what it is, as "Ferry-v0: step 7"
 * @throws RunError that names it, with what was thrown as its cause, and the file and line that threw it
 */
export function ofUser<T>(what: string, run: () => T): T {
  try {
    return run()
  } catch (error) {
    throw failureOf(what, error)
  }
}

/** The error of a user's function as a sentence; an error that is one already, and a bug of ours, as they are. */
export function failureOf(what: string, error: unknown): unknown {
  if (isExpected(error)) return error
  const places = placesOf(error)
  if (places.length > 0 && places.every(isOurs)) return error
  const theirs = places.filter((place) => !isOurs(place))
  const place = theirs.find((each) => !each.includes('/node_modules/')) ?? theirs[0]
  return new RunError(`${what} failed: ${reasonOf(error)}${place === undefined ? '' : ` (${place})`}.`, {
    cause: error,
  })
}

/** Where an error came from, as "/home/me/task.js:12", the innermost call first, by the stacks of any engine. */
function placesOf(error: unknown): string[] {
  const stack = stackOf(error)
  if (typeof stack !== 'string') return []
  const frames = stack.split('\n').map((line) => (line.includes(' at async ') ? null : FRAME.exec(line)))
  return frames.flatMap((frame) => (frame ? [`${readable(frame[1])}:${frame[2]}`] : []))
}

const FRAME = /(?:^\s+at |[(@])((?:file:\/\/|https?:\/\/|\/|[A-Za-z]:[\\/])[^()]*?):(\d+):\d+\)?$/

const readable = (file: string) =>
  file.startsWith('file://') ? decodeURIComponent(file.replace(/^file:\/\/(?:\/(?=[A-Za-z]:))?/, '')) : file

/** The directory of this package's code; unknown in a bundle, where it is that of the user's. */
const HERE = placesOf(new Error())[0]?.match(/^(.*[\\/])core[\\/]own-code\.[jt]s:\d+$/)?.[1]

const isOurs = (place: string) => HERE !== undefined && place.startsWith(HERE)
