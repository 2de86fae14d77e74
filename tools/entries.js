// Bundles each entry of the package for browsers, as a page would get it, into .sizes/. What is loaded later and only
// if it is needed (the binaries, charts, clusters, MuJoCo) stays outside and is measured on its own. Run by `npm run
// size`.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const inline = ['*/inline/core.js', '*/inline/tfjs.js', '*/inline/charts.js']
const later = [...inline, '*/cluster/pool.js', 'ml-pca', 'pbf', '@mujoco/mujoco']

/** What a program imports, by the name of the bundle. */
const programs = {
  svgd: "export * from 'steinrl/svgd'",
  envs: "export * from 'steinrl/envs'",
  policy: "export * from 'steinrl/policy'",
  index: "export * from 'steinrl'",
  'svgd-of-index': "export { svgd } from 'steinrl'",
}

/** The files that each bundle is made of. */
export async function bundleEntries(folder = join(root, '.sizes')) {
  mkdirSync(folder, { recursive: true })
  const inputs = {}
  for (const [name, contents] of Object.entries(programs)) {
    const { metafile, outputFiles } = await build({
      stdin: { contents, resolveDir: root },
      bundle: true,
      minify: true,
      format: 'esm',
      external: later,
      // The repository's own tsconfig.json maps #platform to Node's.
      tsconfigRaw: '{}',
      metafile: true,
      write: false,
    })
    writeFileSync(join(folder, `${name}.js`), outputFiles[0].contents)
    const [{ inputs: used }] = Object.values(metafile.outputs)
    inputs[name] = Object.keys(used).filter((file) => used[file].bytesInOutput > 0)
  }
  return inputs
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundleEntries()
