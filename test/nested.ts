// What only some tests need, other runtimes, drivers of browsers and bundlers, is a package of its own beside the tests
// of browsers: an install of the project is a third as large without it. `npm run test:install` fetches it.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { importHere } from './browser/import.js'

const folder = new URL('browser/node_modules/', import.meta.url)

export const nestedFolder = fileURLToPath(folder)

export const hasNested = (name: string): boolean => existsSync(new URL(`${name}/package.json`, folder))

export const binaryOf = (name: string): string => fileURLToPath(new URL(`.bin/${name}`, folder))

/** Imports one of its packages, with the part of the interface that is used. */
export const importNested = <T>(name: string): Promise<T> => importHere(name) as Promise<T>
