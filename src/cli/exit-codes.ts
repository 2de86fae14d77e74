import { RunError, StorageError } from '../core/errors.ts'

/** What a shell is told where a command ends by an error; by a signal it is 128 and its number, as shells have it. */
const CODES = {
  /** What was asked for is not allowed or cannot be read, or a bug. */
  usage: 1,
  /** A training that cannot go on: a value that is not finite, a task that fails, workers that die. */
  run: 3,
  /** A place that cannot be written to. */
  storage: 4,
} as const

/** 128 and the number of SIGPIPE: a reader left early, as head does. */
export const READER_LEFT = 141

export function exitCodeOf(error: unknown): number {
  if (error instanceof StorageError) return CODES.storage
  return error instanceof RunError ? CODES.run : CODES.usage
}
