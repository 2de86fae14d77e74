// What documents and comments say of the code, read against the code.
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from '@jest/globals'
import { QUANTITIES } from '../src/report/metric-titles.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (path: string) => readFileSync(join(root, path), 'utf8')

function filesOf(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => !/(^|\/)(node_modules|dist|results|\.[^/]*)(\/|$)/.test(file))
    .map((file) => `${folder}/${file}`)
}

const folders = ['src', 'assembly', 'bench', 'test', 'tools', 'examples', 'docs', 'python', 'biome']
const files = folders.flatMap(filesOf)
const code = files.filter((file) => /\.(ts|js|mjs)$/.test(file))

/** Lines of a file that are a comment. */
const commentsOf = (text: string) => text.split('\n').filter((line) => /^\s*(\/\/|\/\*|\*)/.test(line))

describe('CONTRIBUTING.md', () => {
  const text = read('CONTRIBUTING.md')
  const scripts = Object.keys(JSON.parse(read('package.json')).scripts)

  test('names each suite of the benches', () => {
    const run = read('bench/run.ts')
    const suites = [...run.matchAll(/'?([\w-]+)'?: \(\) => import\('\.\/([\w-]+)\.ts'\)/g)].map(([, name]) => name)
    const [, listed] = /suites: ([\w, -]+?) *\|/.exec(text) ?? []
    expect(suites.length).toBeGreaterThan(10)
    expect(listed.split(', ').sort()).toEqual(suites.sort())
    const benches = filesOf('bench').filter((file) => /^bench\/[\w-]+\.ts$/.test(file))
    const withDefault = benches.filter((file) => /^export default /m.test(read(file)))
    expect(withDefault.map((file) => basename(file, '.ts')).sort()).toEqual(suites)
  })

  test('names commands that there are, and each that is for people', () => {
    const named = [...text.matchAll(/`npm (?:run )?([\w:]+)/g)].map(([, name]) => name)
    const ofNpm = ['install', 'ci']
    expect(named.filter((name) => !scripts.includes(name) && !ofNpm.includes(name))).toEqual([])
    // Steps of others, which npm or `build` and `check` call.
    const steps = /^(pre|build:|lint:install|test:imports|docs:settings)/
    expect(scripts.filter((name) => !steps.test(name) && !named.includes(name))).toEqual([])
  })
})

test('an environment has the same name in assembly/ and in src/', () => {
  const environments = filesOf('assembly/envs').map((file) => basename(file, '.ts'))
  // What several environments share there alone.
  const shared = ['box2d', 'environments', 'tabular']
  const here = new Set(filesOf('src/envs').map((file) => basename(file, '.ts')))
  expect(environments.length).toBeGreaterThan(10)
  expect(environments.filter((name) => !here.has(name) && !shared.includes(name))).toEqual([])
})

test('the suites that begin first are there', async () => {
  const { LONG } = await import('./sequencer.js')
  expect(LONG.filter((name) => !files.includes(name))).toEqual([])
})

test('a file that a comment names is there', () => {
  const [known, places] = [new Set(files.map((file) => basename(file))), files.map((file) => `/${file}`)]
  const isThere = (path: string) =>
    path.includes('/') ? places.some((place) => place.endsWith(`/${path.replace(/^(\.\.?\/)+/, '')}`)) : known.has(path)
  // Names that stand for any: NAME.ts, a user's own task.
  const any = /NAME|^(\.\/)?(my-)?task\.m?js$/
  const made = new Set(['import.js', 'particles.json', 'config.json'])
  const missing = code.flatMap((file) =>
    commentsOf(read(file)).flatMap((line) =>
      [...line.matchAll(/(?<![\w./-])[\w./-]*\w\.(?:ts|mjs|md)\b/g)]
        .map(([path]) => path)
        .filter(
          (path) =>
            !path.startsWith('.d.') &&
            !any.test(path) &&
            !made.has(path) &&
            !isThere(path) &&
            !/^[A-Z]+\.md$/.test(path),
        )
        .map((path) => `${file}: ${path}`),
    ),
  )
  expect(missing).toEqual([])
})

test('no document counts the hashes of the conformance program: they grow', () => {
  const pages = [...filesOf('docs').filter((file) => file.endsWith('.md')), 'README.md', 'CHANGELOG.md']
  expect(pages.filter((page) => /\b\d+ hashes\b|\bsums of \d/.test(read(page)))).toEqual([])
})

test('the title of a metric stands once', () => {
  const titles = Object.values(QUANTITIES).map(([title]) => title)
  expect(titles.length).toBeGreaterThan(10)
  const sources = filesOf('src').filter((file) => /\.ts$/.test(file) && !file.endsWith('metric-titles.ts'))
  const again = sources.flatMap((file) =>
    titles.filter((title) => read(file).includes(`'${title}'`)).map((title) => `${file}: ${title}`),
  )
  expect(again).toEqual([])
})
