// Compiles assembly/ to the builds of the core that asconfig.json names, two at a time, and those only whose sources,
// settings or compiler have changed since: a build takes ten seconds and more. Run by `npm run build`.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const root = fileURLToPath(new URL('..', import.meta.url))
const compiler = createRequire(import.meta.url).resolve('assemblyscript/package.json')
const asc = join(dirname(compiler), 'bin/asc.js')
const stampFile = join(root, 'node_modules/.cache/steinrl/wasm.json')

/** What each target is compiled from; others than these are the whole core. */
const ENTRIES = { policy: 'assembly/policy-entry.ts' }
const AT_ONCE = 2

const { targets } = JSON.parse(readFileSync(join(root, 'asconfig.json'), 'utf8'))
const stamps = existsSync(stampFile) ? JSON.parse(readFileSync(stampFile, 'utf8')) : {}
const sources = hashOfSources()

/** SHA-256 of all that the outputs depend on. */
function hashOfSources() {
  const hash = createHash('sha256')
  const names = readdirSync(join(root, 'assembly'), { recursive: true }).filter((name) => name.endsWith('.ts'))
  const files = [...names.sort().map((name) => join(root, 'assembly', name)), join(root, 'asconfig.json'), compiler]
  for (const file of files) hash.update(file.slice(root.length)).update('\0').update(readFileSync(file))
  return hash.digest('hex')
}

/** Ties a binary to its sources, so that one of other sources or by other hands is compiled anew. */
function stampOf(outFile) {
  const path = join(root, outFile)
  if (!existsSync(path)) return null
  return createHash('sha256').update(sources).update(readFileSync(path)).digest('hex')
}

async function compile([target, { outFile }]) {
  await promisify(execFile)(process.execPath, [asc, ENTRIES[target] ?? 'assembly/index.ts', '--target', target], {
    cwd: root,
  })
  stamps[target] = stampOf(outFile)
  console.log(`${outFile} compiled`)
}

const due = Object.entries(targets).filter(([target, { outFile }]) => {
  const stamp = stampOf(outFile)
  return stamp === null || stamp !== stamps[target]
})
try {
  const compileNext = async () => {
    for (let next = due.shift(); next; next = due.shift()) await compile(next)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, compileNext))
} catch (error) {
  console.error(error.stderr || error)
  process.exitCode = 1
}
mkdirSync(dirname(stampFile), { recursive: true })
writeFileSync(stampFile, JSON.stringify(stamps))
