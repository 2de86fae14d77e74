import { createRequire } from 'node:module'
import { cwd } from 'node:process'

/** The names of CommonJS that tfjs takes for granted, and that it does not find in a bundle of ES modules. */
const names = { require: createRequire(`${cwd()}/`), __dirname: cwd() }

/** Lends them to tfjs, and returns a function that takes them back. A module's own stand before them. */
export function lend(): () => void {
  const lent = Object.entries(names).filter(([name]) => !(name in globalThis))
  for (const [name, value] of lent) Object.defineProperty(globalThis, name, { value, configurable: true })
  return () => {
    for (const [name] of lent) Reflect.deleteProperty(globalThis, name)
  }
}

/** While it is loaded: this module is imported right before it. */
export const takeBack = lend()
