import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from '@jest/globals'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Rooms from left to right; rooms of one rank do not know each other, except the two leftmost. */
const SOURCE_RANKS = {
  platform: 0,
  core: 0,
  svgd: 1,
  nn: 1,
  envs: 1,
  rl: 2,
  algorithms: 3,
  train: 4,
  experiments: 5,
  cli: 6,
}
const ASSEMBLY_RANKS = { math: 0, random: 0, svgd: 1, nn: 1, envs: 1, rl: 2 }

interface Arrow {
  file: string
  from: string
  to: string
}

function arrows(folder: string): Arrow[] {
  const top = join(root, folder)
  const files = readdirSync(top, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
  return files.flatMap((file) => {
    const text = readFileSync(join(top, file), 'utf8')
    const targets = [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, target]) => target)
    return (
      targets
        .filter((target) => target.startsWith('.') || target.startsWith('#'))
        // The binaries as modules, written by the build.
        .filter((target) => !target.startsWith('../../dist/inline/'))
        .map((target) => {
          const path = target.startsWith('#') ? 'platform/node.ts' : relative(top, join(top, dirname(file), target))
          return { file: `${folder}/${file}`, from: room(file), to: room(path) }
        })
    )
  })
}

const room = (path: string) => path.split('/')[0].replace(/\.ts$/, '')

function backwards(folder: string, ranks: Record<string, number>): string[] {
  return arrows(folder)
    .filter(({ from }) => from !== 'index')
    .filter(({ from, to }) => !(from === to || ranks[to] < ranks[from] || (ranks[to] === 0 && ranks[from] === 0)))
    .map(({ file, to }) => `${file} uses ${to}`)
}

test('src: every room uses only rooms to its left, and nothing imports index.ts', () => {
  expect(arrows('src').length).toBeGreaterThan(50)
  expect(backwards('src', SOURCE_RANKS)).toEqual([])
})

test('assembly: the same rooms, the same direction', () => {
  expect(arrows('assembly').length).toBeGreaterThan(20)
  expect(backwards('assembly', ASSEMBLY_RANKS)).toEqual([])
})

test('only the command line touches console and process', () => {
  const offenders = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.startsWith('cli/'))
    .filter((file) => /\b(console|process)\./.test(readFileSync(join(root, 'src', file), 'utf8')))
  expect(offenders).toEqual([])
})
