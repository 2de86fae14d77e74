import { defaults, type Fields, parse, type Values, written } from './fields.ts'

export const modes = ['particles', 'policies'] as const
export type Mode = (typeof modes)[number]

/** What the address tells: #policies&env=CartPole-v1&… */
export function readAddress(hash: string): { mode: Mode; settings: URLSearchParams } {
  const [first, ...rest] = hash.replace(/^#/, '').split('&')
  return { mode: first === 'policies' ? 'policies' : 'particles', settings: new URLSearchParams(rest.join('&')) }
}

/** The settings that the address tells, and the defaults of all others. What a field does not allow is passed over. */
export function fromAddress<F extends Fields>(fields: F, settings: URLSearchParams): Values<F> {
  const values: Record<string, unknown> = defaults(fields)
  for (const [name, text] of settings) {
    const value = Object.hasOwn(fields, name) ? parse(fields[name], text) : null
    if (value !== null) values[name] = value
  }
  return values as Values<F>
}

/** All settings, so that the address means the same when defaults change. */
export function toAddress(mode: Mode, values: Readonly<Record<string, string | number | boolean>>): string {
  const entries = Object.entries(values).map(([name, value]) => [name, written(value)])
  // Commas and semicolons stay as they are: an address is read by people too.
  const settings = new URLSearchParams(entries).toString().replaceAll('%2C', ',').replaceAll('%3B', ';')
  return `#${mode}&${settings}`
}
