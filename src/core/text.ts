import { UsageError } from './errors.ts'

// Text as UTF-8. The runtime is asked when it is needed: in jsdom, where tests of pages run, only files are missing.

/** @throws UsageError where the runtime has no TextEncoder */
export const encodeText = (text: string) => new (present('TextEncoder'))().encode(text)

/**
 * @param options those of TextDecoder
 * @throws UsageError where the runtime has no TextDecoder
 */
export const decodeText = (bytes: Uint8Array, encoding = 'utf-8', options: { readonly fatal?: boolean } = {}) =>
  new (present('TextDecoder'))(encoding, options).decode(bytes)

function present<N extends 'TextEncoder' | 'TextDecoder'>(name: N): (typeof globalThis)[N] {
  if (typeof globalThis[name] === 'function') return globalThis[name]
  throw new UsageError(
    `This runtime has no ${name}, which files of steinrl need: in jest-environment-jsdom set it, for example to Node's.`,
  )
}
