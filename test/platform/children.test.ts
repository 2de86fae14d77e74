import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'

test('modules behind links are found as before after a child was started', () => {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'steinrl-children-')))
  try {
    mkdirSync(join(directory, 'real'))
    symlinkSync('real', join(directory, 'linked'))
    for (const name of ['first', 'second'])
      writeFileSync(join(directory, `real/${name}.mjs`), 'export const { url } = import.meta\n')
    const children = new URL('../../dist/platform/children-node.js', import.meta.url)
    const program = `
const { loadChildren } = await import(${JSON.stringify(children)})
const found = [await import('./linked/first.mjs')]
const start = await loadChildren()
start('true', new URL('file:///none')).stop()
found.push(await import('./linked/second.mjs'))
console.log(JSON.stringify(found.map(({ url }) => url)))`
    writeFileSync(join(directory, 'program.mjs'), program)
    const urls: string[] = JSON.parse(
      execFileSync(process.execPath, ['program.mjs'], { cwd: directory, encoding: 'utf8' }),
    )
    expect(urls).toEqual(['first', 'second'].map((name) => `file://${directory}/real/${name}.mjs`))
  } finally {
    rmSync(directory, { recursive: true })
  }
})
