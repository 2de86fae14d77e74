import { transformSync } from 'esbuild'

/** TypeScript without its types, for Jest. */
export default {
  process(text, path) {
    const { code, map } = transformSync(text, {
      loader: 'ts',
      format: 'esm',
      target: 'es2022',
      sourcefile: path,
      sourcemap: 'external',
      tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
    })
    return { code, map: JSON.parse(map) }
  },
}
