// Every server of the project answers this machine alone unless it is told otherwise.
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from '@jest/globals'

const root = fileURLToPath(new URL('..', import.meta.url))
const scripts = ['bench', 'biome', 'examples', 'src', 'test', 'tools'].flatMap((folder) =>
  readdirSync(`${root}/${folder}`, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(ts|js|mjs|py)$/.test(file) && !/node_modules|golden/.test(file))
    .map((file) => `${folder}/${file}`),
)

/** Calls that open a port, up to the end of their arguments as far as these stand in them. */
const OPENINGS = [
  /\.listen\([^\n]*\d[^\n]*/g,
  /\.listen\(Number[^\n]*/g,
  /\b(?:preview|server): \{ port[^}]*\}/g,
  /'start', '--port'[^\]]*/g,
]

/** Where something listens that is not bound to this machine. */
function open(text: string): string[] {
  const calls = OPENINGS.flatMap((opening) => text.match(opening) ?? [])
  return calls.filter((call) => !/127\.0\.0\.1|localhost/.test(call))
}

test('every server binds the loopback address', () => {
  const texts = scripts.map((file) => [file, readFileSync(`${root}/${file}`, 'utf8')] as const)
  const own = fileURLToPath(import.meta.url)
  const servers = texts.filter(([, text]) => OPENINGS.some((opening) => text.match(opening)))
  expect(servers.length).toBeGreaterThan(5)
  const found = texts
    .filter(([file]) => !own.endsWith(file))
    .flatMap(([file, text]) => open(text).map((call) => `${file}: ${call}`))
  expect(found).toEqual([])
})

test('a server without an address would be found', () => {
  expect(open('server.listen(8080, () => {})')).toHaveLength(1)
  expect(open('server.listen(Number(process.env.PORT ?? 8080), () => {})').length).toBeGreaterThan(0)
  expect(open('preview({ preview: { port: 0, headers } })')).toHaveLength(1)
  expect(open("server.listen(0, '127.0.0.1', ready)")).toEqual([])
})

test('commands of package.json name no address', () => {
  const { scripts: commands } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'))
  for (const command of Object.values(commands)) expect(command).not.toMatch(/--host|0\.0\.0\.0/)
})
