import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { page } from '../../src/report/page.ts'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

// tsconfig.json maps #platform to Node's; package.json knows which one is meant.
const COMMON = { bundle: true, format: 'esm', logLevel: 'error', tsconfigRaw: '{}' } as const

/** The program for runtimes that run files; tfjs stays outside, because bundled it does not run in Node and Bun. */
export const buildProcess = (file: string) =>
  build({ ...COMMON, platform: 'node', entryPoints: [here('process.ts')], packages: 'external', outfile: file })

const BUTTON = `
button { font: inherit; color: #fff; background: #0072b2; border: 0; border-radius: 8px; padding: 8px 16px; margin-right: 10px; cursor: pointer; }
button:hover { background: #005f95; }
button:disabled { background: #7b8590; cursor: default; }
button:focus-visible { outline: 3px solid #56b4e9; outline-offset: 2px; }`

/**
 * The page as one file that needs no other and no server: it shows the recorded results, measures in the browser that
 * it is opened in, and adds that browser's row.
 */
export async function buildPage(folder: string, recorded: string): Promise<string> {
  const { outputFiles } = await build({
    ...COMMON,
    entryPoints: [here('page.ts')],
    minify: true,
    platform: 'browser',
    external: ['@mujoco/mujoco', 'module'],
    write: false,
  })
  const script = outputFiles[0].text.replaceAll('</script', '<\\/script')
  const data = recorded.replaceAll('<', '\\u003c')
  const body = `<style>${BUTTON}</style>
<div id="app"><h1>steinrl in every runtime</h1></div>
<script type="application/json" id="recorded">${data}</script>
<script type="module">${script}</script>`
  await mkdir(folder, { recursive: true })
  const file = join(folder, 'index.html')
  await writeFile(file, page('steinrl in every runtime', body))
  return file
}
