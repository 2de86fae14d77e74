// Bundles what reports use of Apache ECharts into dist/inline/charts.js: 0.6 MB in place of an install of 68 MB. Run by
// `npm run build`.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const folderOf = (name) => dirname(createRequire(import.meta.url).resolve(`${name}/package.json`))
const [echarts, zrender] = [folderOf('echarts'), folderOf('zrender')]
const { version } = JSON.parse(readFileSync(join(echarts, 'package.json'), 'utf8'))

const USED = `
  import { init, use } from 'echarts/core'
  import { BarChart, HeatmapChart, LineChart, ScatterChart } from 'echarts/charts'
  import { GridComponent, VisualMapComponent } from 'echarts/components'
  import { SVGRenderer } from 'echarts/renderers'
  use([BarChart, HeatmapChart, LineChart, ScatterChart, GridComponent, VisualMapComponent, SVGRenderer])
  export { init }`
const TYPES = `import type { EChartsOption } from 'echarts'
interface Chart {
  setOption(option: EChartsOption): void
  renderToSVGString(): string
  dispose(): void
}
export declare function init(dom: null, theme: null, options: object): Chart
`
const notice = `// Of Apache ECharts ${version} and its zrender, in parts. Licences: LICENSE-CHARTS.txt beside this file.`
const out = join(root, 'dist/inline')
const file = join(out, 'charts.js')

if (!existsSync(file) || !readFileSync(file, 'utf8').startsWith(notice)) {
  mkdirSync(out, { recursive: true })
  const stdin = { contents: USED, resolveDir: root }
  const { outputFiles } = await build({
    stdin,
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    write: false,
  })
  writeFileSync(join(out, 'charts.d.ts'), TYPES)
  const licences = [
    ...['NOTICE', 'LICENSE', 'licenses/LICENSE-d3'].map((name) => join(echarts, name)),
    join(zrender, 'LICENSE'),
  ]
  const texts = licences.map((path) => readFileSync(path, 'utf8').trim())
  writeFileSync(join(out, 'LICENSE-CHARTS.txt'), `${texts.join('\n\n----\n\n')}\n`)
  writeFileSync(file, `${notice}\n${outputFiles[0].text}`)
}
