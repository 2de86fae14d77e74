// The package as npm would publish it in one file for a server: built by each bundler without a configuration, run from
// another folder.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { copyFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import * as esbuild from 'esbuild'
import { build as vite } from 'vite'
import { trial } from '../consumer/page.js'
import { binaryOf } from '../nested.ts'
import { unpackInto } from '../packed.ts'
import { packWith } from './bundlers.ts'
import { test } from './harness.ts'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const run = promisify(execFile)

/** How each writes a bundle of server.js into a folder, and what runs it. */
const bundlers: Readonly<Record<string, (folder: string, out: string) => Promise<[string, ...string[]]>>> = {
  'esbuild, CommonJS': (folder, out) => byEsbuild(folder, 'cjs', join(out, 'server.cjs')),
  'esbuild, ES modules': (folder, out) => byEsbuild(folder, 'esm', join(out, 'server.mjs')),
  async webpack(folder, out) {
    const output = { path: out, filename: 'server.cjs' }
    await packWith({ mode: 'production', target: 'node', context: folder, entry: './server.js', output })
    return [process.execPath, join(out, 'server.cjs')]
  },
  async Vite(folder, out) {
    const quiet = { root: folder, configFile: false, logLevel: 'error' } as const
    await vite({ ...quiet, ssr: { noExternal: true }, build: { ssr: 'server.js', outDir: out, emptyOutDir: true } })
    return [process.execPath, join(out, 'server.js')]
  },
  async 'bun build --compile'(folder, out) {
    await run(binaryOf('bun'), ['build', '--compile', 'server.js', '--outfile', join(out, 'server')], {
      cwd: folder,
    })
    return [join(out, 'server')]
  },
}

async function byEsbuild(folder: string, format: 'cjs' | 'esm', outfile: string): Promise<[string, string]> {
  const entryPoints = [join(folder, 'server.js')]
  await esbuild.build({ entryPoints, bundle: true, platform: 'node', format, outfile, logLevel: 'error' })
  return [process.execPath, outfile]
}

/** SVGD with and without threads, and training with all the workers that can be had, give the bits of this process. */
export async function testServers(folder: string): Promise<void> {
  await unpackInto(folder)
  await copyFile(here('../consumer/page.js'), join(folder, 'page.js'))
  await copyFile(here('../consumer/server.js'), join(folder, 'server.js'))
  const expected = { ...(await trial(0)), reward: 1 }
  for (const [name, bundle] of Object.entries(bundlers)) {
    await test(`the package on a server by ${name}: same bits`, async () => {
      const out = join(folder, 'bundled', name.replace(/\W+/g, '-'))
      await mkdir(out, { recursive: true })
      const [command, ...args] = await bundle(folder, out)
      const { stdout } = await run(command, args, { cwd: out })
      assert.deepEqual(JSON.parse(stdout), expected)
      return `svgd ${expected.svgd.slice(0, 8)}, svpg ${expected.svpg.slice(0, 8)}`
    })
  }
}
