// The package as npm would publish it in a stranger's page: built by Vite, esbuild and webpack without a configuration,
// and without any build by an import map.
import { copyFile, cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as esbuild from 'esbuild'
import { createServer, build as vite } from 'vite'
import webpack from 'webpack'
import { unpackInto } from '../packed.ts'
import { type Served, serveFolder } from '../serve.ts'

const page = fileURLToPath(new URL('../consumer/page.js', import.meta.url))
const HTML = (head: string) => `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">${head}`
const SCRIPT = '<script type="module" src="page.js"></script>'

export interface Site {
  readonly name: string
  /** Whether workers start there; where not, this thread does their work. */
  readonly workers: boolean
  serve(): Promise<Served>
}

/** The same page once a bundler, all in one folder that has the package in node_modules. */
export async function bundledSites(folder: string): Promise<Site[]> {
  await unpackInto(folder)
  await copyFile(page, join(folder, 'page.js'))
  await writeFile(join(folder, 'index.html'), HTML(SCRIPT))
  const out = (name: string) => join(folder, 'built', name)
  const built = (name: string, workers: boolean, build: (outDir: string) => Promise<unknown>): Site => ({
    name,
    workers,
    async serve() {
      const outDir = out(name)
      await mkdir(outDir, { recursive: true })
      await build(outDir)
      return serveFolder(outDir)
    },
  })
  return [
    built('Vite', true, (outDir) =>
      vite({ root: folder, configFile: false, logLevel: 'error', build: { outDir, chunkSizeWarningLimit: 4000 } }),
    ),
    { name: 'Vite development server', workers: false, serve: () => serveDevelopment(folder) },
    built('esbuild', false, async (outDir) => {
      await esbuild.build({
        entryPoints: [join(folder, 'page.js')],
        bundle: true,
        format: 'esm',
        outdir: outDir,
        logLevel: 'error',
      })
      await writeFile(join(outDir, 'index.html'), HTML(SCRIPT))
    }),
    built('webpack', true, async (outDir) => {
      await packWith({
        mode: 'production',
        context: folder,
        entry: './page.js',
        output: { path: outDir, filename: 'page.js' },
      })
      await writeFile(join(outDir, 'index.html'), HTML(SCRIPT))
    }),
    built('an import map', false, async (outDir) => {
      await cp(join(folder, 'node_modules'), join(outDir, 'node_modules'), {
        recursive: true,
        dereference: true,
        filter: needed,
      })
      await copyFile(page, join(outDir, 'page.js'))
      const map = await documentedImportMap()
      await writeFile(join(outDir, 'index.html'), HTML(`<script type="importmap">${map}</script>${SCRIPT}`))
    }),
  ]
}

/** Of node_modules what the import map names. */
const needed = (path: string) => !/node_modules\/(?:commander|ml-pca|ora|picocolors|pbf)$|\.map$|\/test/.test(path)

/** The one that docs/runtimes.md shows. */
async function documentedImportMap(): Promise<string> {
  const text = await readFile(new URL('../../docs/runtimes.md', import.meta.url), 'utf8')
  const [, map] = text.match(/<script type="importmap">([\s\S]*?)<\/script>/) ?? []
  if (!map) throw new Error('docs/runtimes.md shows no import map.')
  return map
}

/** Runs webpack; its warnings about size and about what is meant for Node are no errors. */
export function packWith(configuration: webpack.Configuration): Promise<void> {
  return new Promise((resolvePacked, reject) => {
    webpack(configuration, (error, stats) => {
      if (error) reject(error)
      else if (stats?.hasErrors()) reject(new Error(stats.toString({ all: false, errors: true })))
      else resolvePacked()
    })
  })
}

async function serveDevelopment(folder: string): Promise<Served> {
  const server = await createServer({
    root: folder,
    configFile: false,
    logLevel: 'error',
    server: { port: 0, host: '127.0.0.1' },
  })
  await server.listen()
  return { url: server.resolvedUrls?.local[0] ?? '', close: () => server.close() }
}
