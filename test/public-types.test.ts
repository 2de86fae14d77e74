import { readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from '@babel/parser'
import { expect, test } from '@jest/globals'

const dist = fileURLToPath(new URL('../dist', import.meta.url))
const ENTRIES = ['algorithms', 'bayes', 'cluster', 'envs', 'index', 'policy/index', 'render', 'svgd', 'sweeps', 'tools']

interface Node {
  readonly type: string
  readonly [key: string]: unknown
}

/** Where a name comes from: a declaration file, or a package. */
interface Origin {
  readonly file: string
  readonly name: string
}

interface DeclarationFile {
  readonly imports: ReadonlyMap<string, Origin>
  readonly declared: ReadonlyMap<string, readonly Node[]>
  readonly exported: ReadonlyMap<string, Origin>
}

const nameOf = (node: unknown) => (node as { name?: string } | undefined)?.name ?? '*'

function namesOf(node: Node): string[] {
  if (node.type === 'VariableDeclaration') return (node.declarations as { id: Node }[]).map(({ id }) => nameOf(id))
  return node.id ? [nameOf(node.id)] : []
}

/** What a .d.ts file imports, declares and exports. */
function readDeclarations(text: string, file: string): DeclarationFile {
  const imports = new Map<string, Origin>()
  const declared = new Map<string, Node[]>()
  const exported = new Map<string, Origin>()
  const from = (target: unknown) => {
    const path = (target as { value: string }).value
    return path.startsWith('.') ? join(dirname(file), path.replace(/\.(js|ts)$/, '.d.ts')) : path
  }
  const declare = (node: Node, isExported: boolean) => {
    for (const name of namesOf(node)) {
      declared.set(name, [...(declared.get(name) ?? []), node])
      if (isExported) exported.set(name, { file, name })
    }
  }
  const program = parse(text, { sourceType: 'module', plugins: [['typescript', { dts: true }]] }).program
  for (const node of program.body as unknown as Node[]) {
    const specifiers = (node.specifiers ?? []) as Node[]
    if (node.type === 'ImportDeclaration')
      for (const { local, imported } of specifiers)
        imports.set(nameOf(local), { file: from(node.source), name: nameOf(imported) })
    else if (node.declaration) declare(node.declaration as Node, true)
    else if (node.type === 'ExportNamedDeclaration')
      for (const { local, exported: name } of specifiers)
        exported.set(nameOf(name), { file: node.source ? from(node.source) : file, name: nameOf(local) })
    else declare(node, false)
  }
  return { imports, declared, exported }
}

const files = new Map<string, DeclarationFile>()
function declarationsOf(file: string): DeclarationFile {
  const known = files.get(file)
  if (known) return known
  const read = readDeclarations(readFileSync(file, 'utf8'), file)
  files.set(file, read)
  return read
}

/** The declaration that a name stands for, over all files that pass it on. */
function declarationOf({ file, name }: Origin): Origin {
  if (!file.startsWith(dist)) return { file, name }
  const { imports, declared, exported } = declarationsOf(file)
  if (declared.has(name)) return { file, name }
  const next = imports.get(name) ?? exported.get(name)
  return next && next.file !== file ? declarationOf(next) : { file, name }
}

/** Names of types that declarations write out, their own parameters and what a class keeps to itself left aside. */
function typesNamedBy(declarations: readonly Node[]): string[] {
  const named = new Set<string>()
  const parameters = new Set<string>()
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return
    const { type, typeName, expression, name, accessibility } = node as Node
    if (accessibility === 'private') return
    if (type === 'TSTypeParameter') parameters.add(typeof name === 'string' ? name : nameOf(name))
    if (type === 'TSTypeReference') named.add(nameOf(typeName))
    if (/^TS(ExpressionWithTypeArguments|InterfaceHeritage|ClassImplements)$/.test(type)) named.add(nameOf(expression))
    for (const [key, child] of Object.entries(node)) if (key !== 'loc') visit(child)
  }
  visit(declarations)
  return [...named].filter((name) => !parameters.has(name))
}

/** 'file: type, named by what', for every type of this package that an entry's declarations name and it lacks. */
function missingTypes(entry: string): string[] {
  const key = (origin: Origin) => {
    const { file, name } = declarationOf(origin)
    return `${relative(dist, file)}: ${name}`
  }
  const { exported } = declarationsOf(join(dist, `${entry}.d.ts`))
  const known = new Set([...exported.values()].map(key))
  const missing = [...exported.values()].map(declarationOf).flatMap(({ file, name }) => {
    if (!file.startsWith(dist)) return []
    const { declared, imports } = declarationsOf(file)
    return typesNamedBy(declared.get(name) ?? [])
      .map((type): Origin | undefined => (declared.has(type) ? { file, name: type } : imports.get(type)))
      .filter((origin) => origin !== undefined && declarationOf(origin).file.startsWith(dist))
      .map((origin) => key(origin as Origin))
      .filter((type) => !known.has(type))
      .map((type) => `${type}, named by ${name}`)
  })
  return [...new Set(missing)].sort()
}

test.each(ENTRIES)('%s exports every type that its declarations name', (entry) => {
  expect(missingTypes(entry)).toEqual([])
})

test('types in parameters, members, parents and results are seen, and parameters of types are none', () => {
  const text = `import { Far } from './far.js'
    export interface Near<T extends Bound> extends Parent { readonly member: readonly Member<T>[] }
    export declare function run(given: Far): Promise<Result>
    interface Bound {}`
  const { declared, imports, exported } = readDeclarations(text, join(dist, 'near.d.ts'))
  expect(typesNamedBy(declared.get('Near') ?? []).sort()).toEqual(['Bound', 'Member', 'Parent'])
  expect(typesNamedBy(declared.get('run') ?? []).sort()).toEqual(['Far', 'Promise', 'Result'])
  expect(imports.get('Far')).toEqual({ file: join(dist, 'far.d.ts'), name: 'Far' })
  expect([...exported.keys()]).toEqual(['Near', 'run'])
  expect([...declared.keys()]).toContain('Bound')
})
