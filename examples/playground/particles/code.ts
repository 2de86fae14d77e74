import { indented, literal } from '../shared/source.ts'
import type { Point } from './flow.ts'
import { type Settings, usesBandwidth, usesH } from './settings.ts'
import { targets } from './targets.ts'

/** As many steps as a program takes where none were taken on the page. */
const STEPS = 500

/** The program that moves these points as the page does with these settings, to the same bits. */
export function particlesCode(settings: Settings, points: readonly Point[], steps: number): string {
  const { target, temperature, optimizer, stepSize, repulsion } = settings
  const kernel = kernelCode(settings)
  const kernelName = kernel.slice(0, kernel.indexOf('('))
  const front = ['svgd', ...[optimizer, kernelName].filter((name) => ['adam', 'rbf', 'imq'].includes(name))].sort()
  const more = [optimizer, kernelName].filter((name) => !front.includes(name)).sort()
  const hot = temperature === 1 ? '' : `\nfor (const k of [0, 1]) out[k] /= ${temperature}`
  return `import { ${front.join(', ')} } from 'steinrl'
${more.length > 0 ? `import { ${more.join(', ')} } from 'steinrl/svgd'\n` : ''}
// Where the particles begin: x, y, x, y, …
const initial = [
${rows(points)}]

const particles = await svgd({
  // ${targets[target].title}: writes ∇ log p(x, y)${temperature === 1 ? '' : ' / T'} into out.
  score(out, [x, y]) {
${indented(`${targets[target].code}${hot}`, 4)}
  },
  initial,
  particles: initial.length / 2,
  dimension: 2,
  kernel: ${kernel},
  optimizer: ${optimizer}({ learningRate: ${stepSize} }),
  repulsion: ${repulsion},
  iterations: ${steps || STEPS},
})
for (let i = 0; i < particles.length; i += 2) console.log(particles[i], particles[i + 1])
`
}

/** A few points a line, as float32 has them. */
function rows(points: readonly Point[]): string {
  const texts = points.map(([x, y]) => `${Math.fround(x)}, ${Math.fround(y)},`)
  const lines = Array.from({ length: Math.ceil(texts.length / 2) }, (_, k) => texts.slice(2 * k, 2 * k + 2).join(' '))
  return lines.map((line) => `  ${line}\n`).join('')
}

function kernelCode(settings: Settings): string {
  const { kernel, bandwidth, h } = settings
  if (kernel === 'linear') return 'linear()'
  if (kernel === 'imq') return `imq({ c: Math.sqrt(${h}) })`
  return `${kernel}({ bandwidth: ${usesBandwidth(settings) && usesH(settings) ? h : literal(bandwidth)} })`
}
