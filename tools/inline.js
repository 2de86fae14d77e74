// Writes binaries as JavaScript modules to dist/inline/: a module is found by every bundler, by an import map and
// inside one file, where a file that is fetched beside the script is not. Run by `npm run build` between asc and tsc.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const folderOf = (name) => dirname(createRequire(import.meta.url).resolve(`${name}/package.json`))
const tfjs = folderOf('@tensorflow/tfjs-backend-wasm')
const { version } = JSON.parse(readFileSync(join(tfjs, 'package.json'), 'utf8'))

const binaries = {
  core: { file: join(root, 'dist/steinrl.wasm'), notice: 'The WASM core of steinrl, in base64.' },
  tfjs: {
    file: join(tfjs, 'dist/tfjs-backend-wasm-simd.wasm'),
    notice: `tfjs-backend-wasm-simd.wasm of @tensorflow/tfjs-backend-wasm ${version}, unchanged, in base64.
// Copyright Google LLC. Licensed under the Apache License, Version 2.0: LICENSE-APACHE-2.0.txt beside this file.`,
  },
}

mkdirSync(join(root, 'dist/inline'), { recursive: true })
for (const [name, { file, notice }] of Object.entries(binaries)) {
  const text = readFileSync(file).toString('base64')
  writeFileSync(join(root, `dist/inline/${name}.js`), `// ${notice}\nexport default '${text}'\n`)
  writeFileSync(join(root, `dist/inline/${name}.d.ts`), 'declare const base64: string\nexport default base64\n')
}

// import() of what is known at run time only. Written here because tsc would rewrite the name, and bundlers must leave
// it alone.
writeFileSync(
  join(root, 'dist/inline/import.js'),
  'export const importUnseen = (name) => import(/* @vite-ignore */ /* webpackIgnore: true */ /* turbopackIgnore: true */ name)\n',
)
writeFileSync(
  join(root, 'dist/inline/import.d.ts'),
  'export declare const importUnseen: (name: string) => Promise<Record<string, unknown>>\n',
)

// tfjs's licence wants its text to go along; its packages do not hold it, the compiler's does.
copyFileSync(join(folderOf('assemblyscript'), 'LICENSE'), join(root, 'dist/inline/LICENSE-APACHE-2.0.txt'))

// What `import core from 'steinrl/steinrl.wasm'` gives where runtimes or bundlers import WASM as a compiled module.
writeFileSync(join(root, 'dist/wasm.d.ts'), 'declare const core: WebAssembly.Module\nexport default core\n')
