import { RunError, show, UsageError } from './errors.ts'
import type { StopSignal } from './runtime-types.ts'

/** Refuses an argument that is not what a function takes, as the options or a kernel that were left out. */
export function requireThat(isRight: boolean, taker: string, what: string, value: unknown): asserts isRight {
  if (!isRight) throw new UsageError(`${taker} takes ${what}, got ${show(value)}.`)
}

/** Whether it is a finite number. */
export const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value)

/** Whether it is a whole number from 0 that is held exactly. */
export const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0

/** Whether a value has members, is no list and is no promise that was not awaited. */
export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !('then' in value)

/** Whether a value is a promise, or what can be awaited like one. */
export const isPromise = (value: unknown): boolean => typeof value === 'object' && value !== null && 'then' in value

/** Refuses what is given in the place of a signal and never says whether it is aborted. */
export function requireSignal(signal: unknown): void {
  if (signal === undefined || (isRecord(signal) && typeof signal.aborted === 'boolean')) return
  throw new UsageError(`signal must be that of an AbortController, got ${show(signal)}.`)
}

/**
 * Leaves work that nobody waits for any more, once its signal is aborted.
 *
 * @throws the reason of the signal
 */
export function leaveIfAborted(signal: (StopSignal & { readonly reason?: unknown }) | undefined): void {
  if (signal?.aborted) throw signal.reason ?? new RunError('It was stopped by its signal.')
}

/** Whether a value is a list, a typed array or a buffer of numbers, whatever they are. */
export const isList = (value: unknown): value is ArrayLike<number> =>
  Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView))

/** Whether a value is a list of numbers, whatever they are, and has no holes. */
export const areNumbers = (value: unknown): value is ArrayLike<number> =>
  isList(value) && Array.prototype.findIndex.call(value, (entry: unknown) => typeof entry !== 'number') < 0

/** Whether a value is a list of finite numbers. */
export function areFinite(value: unknown): value is ArrayLike<number> {
  if (!isList(value)) return false
  // A loop, as every() of thousands of numbers takes eight times as long.
  for (let k = 0; k < value.length; k++) if (!Number.isFinite(value[k])) return false
  return true
}

/** Refuses anything but a record in which each of these names has a finite number. */
export const requireNumbers = (taker: string, names: readonly string[], values: unknown): void =>
  requireThat(
    isRecord(values) && names.every((name) => Number.isFinite(values[name])),
    taker,
    `a record with the finite numbers ${names.join(', ')}`,
    values,
  )

/** Refuses anything but a text with something in it. */
export const requireText = (taker: string, what: string, value: unknown): void =>
  requireThat(typeof value === 'string' && value !== '', taker, what, value)

/** Refuses anything but a function. */
export function requireFunction(name: string, value: unknown, form: string): void {
  if (isClass(value)) throw new UsageError(`${name} must be a function, ${form}, got the class ${value.name}.`)
  if (typeof value !== 'function') throw new UsageError(`${name} must be a function, ${form}, got ${show(value)}.`)
}

/** A class is a function that cannot be called. */
export const isClass = (value: unknown): value is { readonly name: string } =>
  typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value))

/** Arrays of other realms too. */
export const isFloat32 = (value: unknown): value is Float32Array =>
  Object.prototype.toString.call(value) === '[object Float32Array]'

/** Arrays of other realms too, as Jest has them. */
export const isBytes = (value: unknown): value is ArrayBuffer | ArrayBufferView =>
  ArrayBuffer.isView(value) || Object.prototype.toString.call(value) === '[object ArrayBuffer]'
