import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from '@jest/globals'
import * as algorithms from '../src/algorithms.ts'
import * as envs from '../src/envs.ts'
import * as all from '../src/index.ts'
import * as render from '../src/render.ts'
import * as svgd from '../src/svgd.ts'
import * as tools from '../src/tools.ts'

test('the front door has at most 60 values', () => {
  expect(Object.keys(all).length).toBeLessThanOrEqual(60)
})

test('what the front door and an entry both export is the same thing', () => {
  for (const entry of [svgd, envs, render, tools, algorithms]) {
    for (const [name, value] of Object.entries(entry)) {
      const there = (all as Record<string, unknown>)[name]
      if (there !== undefined) expect([name, there]).toEqual([name, value])
    }
  }
})

test('what is there for SVGD and for environments is in their entries', () => {
  expect(Object.keys(svgd)).toEqual(
    expect.arrayContaining(['svgd', 'createSVGD', 'rbf', 'steinDiscrepancy', 'compileCore']),
  )
  expect(Object.keys(envs)).toEqual(expect.arrayContaining(['make', 'makeVector', 'environments', 'wrap', 'mujoco']))
})

const source = fileURLToPath(new URL('../src', import.meta.url))
const entries = ['algorithms', 'bayes', 'cluster', 'envs', 'index', 'policy/index', 'render', 'svgd', 'sweeps', 'tools']

/** Every name that an entry exports, with the file that declares it. */
function publicNames(): { name: string; file: string }[] {
  const names = new Map<string, { name: string; file: string }>()
  for (const entry of entries) {
    const path = join(source, `${entry}.ts`)
    const text = readFileSync(path, 'utf8')
    for (const [, list, target] of text.matchAll(/export (?:type )?\{([^}]*)\} from '([^']+)'/g)) {
      const file = join(dirname(path), target)
      for (const item of list.split(',')) {
        const name = item
          .trim()
          .replace(/^type /, '')
          .replace(/ as .*/, '')
        if (name && !file.includes('tfjs-core')) names.set(`${file} ${name}`, { name, file })
      }
    }
  }
  return [...names.values()]
}

/** Whether a declaration stands below a doc comment; what a file hands on from elsewhere is not declared there. */
function isDocumented({ name, file }: { name: string; file: string }): boolean {
  const lines = readFileSync(file, 'utf8').split('\n')
  const declared = new RegExp(
    `^export (?:declare )?(?:async )?(?:abstract )?(?:function\\*?|const|class|interface|type|enum) ${name}\\b`,
  )
  const at = lines.findIndex((line) => declared.test(line))
  if (at < 0) return lines.some((line) => new RegExp(`^export .*\\b${name}\\b`).test(line))
  let above = at - 1
  while (/^\/\/ biome-ignore/.test(lines[above])) above--
  return /\*\/$/.test(lines[above])
}

test('every public name has a doc comment', () => {
  const names = publicNames()
  expect(names.length).toBeGreaterThan(150)
  expect(
    names.filter((name) => !isDocumented(name)).map(({ name, file }) => `${file.slice(source.length)} ${name}`),
  ).toEqual([])
})
