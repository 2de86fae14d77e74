import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from '@babel/parser'
import { expect, test } from '@jest/globals'

const root = fileURLToPath(new URL('..', import.meta.url))

/** As Biome's lineWidth, which it keeps for code and not for comments. */
const COLUMNS = 120
const FILE_LINES = 350
const FUNCTION_LINES = 80

function filesOf(folder: string, ending: RegExp): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => ending.test(file) && !/node_modules|(^|\/)(golden|dist)\//.test(file))
    .map((file) => `${folder}/${file}`)
}

const textOf = (file: string) => readFileSync(join(root, file), 'utf8')
const columnsOf = (line: string) => [...line].length

/** Lines that are a comment, or end in one, and are too long. */
function longComments(text: string): number[] {
  let inside = false
  return text.split('\n').flatMap((line, k) => {
    const isComment = inside || /^\s*(\/\/|\/\*)/.test(line)
    if (/^\s*\/\*/.test(line) && !line.includes('*/')) inside = true
    else if (inside && line.includes('*/')) inside = false
    return isComment && columnsOf(line) > COLUMNS ? [k + 1] : []
  })
}

/** Long lines outside of code blocks, tables, HTML and lines without a space to break at. */
function longProse(text: string): number[] {
  let fenced = false
  return text.split('\n').flatMap((line, k) => {
    if (/^\s*(```|~~~)/.test(line)) fenced = !fenced
    const exempt = fenced || /^(\s*[|<]| {4})/.test(line) || /^\s*\[[^\]]+\]: /.test(line)
    return !exempt && columnsOf(line) > COLUMNS && columnsOf(line.split(' ').slice(0, 2).join(' ')) < COLUMNS
      ? [k + 1]
      : []
  })
}

test.each(['src', 'assembly', 'bench', 'test', 'examples', 'tools'])('%s: comments end at 120 columns', (folder) => {
  const files = filesOf(folder, /\.(ts|js|mjs)$/)
  expect(files.length).toBeGreaterThan(3)
  expect(files.flatMap((file) => longComments(textOf(file)).map((line) => `${file}:${line}`))).toEqual([])
})

test('prose of the documentation ends at 120 columns', () => {
  const files = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...filesOf('docs', /\.md$/)]
  expect(files.length).toBeGreaterThan(10)
  expect(files.flatMap((file) => longProse(textOf(file)).map((line) => `${file}:${line}`))).toEqual([])
})

test('a comment and a sentence that are too long are seen', () => {
  const long = 'word '.repeat(25)
  expect(longComments(`/**\n * ${long}\n */\nconst a = '${long}'\n// ${long}`)).toEqual([2, 5])
  expect(longProse(`${long}\n\n| ${long} |\n\`\`\`\n${long}\n\`\`\`\n- ${long}`)).toEqual([1, 7])
})

test('no file of src is longer than 350 lines', () => {
  const long = filesOf('src', /\.ts$/).filter((file) => textOf(file).split('\n').length - 1 > FILE_LINES)
  expect(long).toEqual([])
})

interface Node {
  readonly type?: string
  readonly loc?: { readonly start: { readonly line: number }; readonly end: { readonly line: number } }
  readonly id?: { readonly name?: string } | null
  readonly key?: { readonly name?: string }
}

/** Name and lines of every function of a file that is too long. */
function longFunctions(text: string): string[] {
  const found: string[] = []
  const visit = (node: unknown) => {
    if (typeof node !== 'object' || node === null) return
    const { type = '', loc, id, key } = node as Node
    if (loc && /^(Function(Declaration|Expression)|ArrowFunctionExpression|ClassMethod|ObjectMethod)$/.test(type)) {
      const lines = loc.end.line - loc.start.line + 1
      if (lines > FUNCTION_LINES) found.push(`${id?.name ?? key?.name ?? 'anonymous'}: ${lines}`)
    }
    for (const child of Object.values(node)) visit(child)
  }
  visit(parse(text, { sourceType: 'module', plugins: ['typescript'] }).program.body)
  return found
}

test('no function of src is longer than 80 lines', () => {
  const long = filesOf('src', /\.ts$/).flatMap((file) =>
    longFunctions(textOf(file)).map((found) => `${file} ${found.split(':')[0]}`),
  )
  expect(long).toEqual([])
  expect(longFunctions(`// µ\nfunction tall() {${'\n'.repeat(80)}}\nfunction low() {}`)).toEqual(['tall: 81'])
})
