// The two-dimensional Gaussian of the SVGD authors' demo in one call: ten particles find its mean.
// Run it with: npx tsx examples/gaussian.ts

import { rbf, steinDiscrepancy, svgd } from 'steinrl'
import { adagrad } from 'steinrl/svgd'

const mean = [-0.6871, 0.801]
const precision = [
  [0.226, 0.1652],
  [0.1652, 0.6779],
]

/** ∇ log N(x; mean, Λ⁻¹) = −Λ (x − mean). */
function score(out: Float32Array, x: Float32Array): void {
  for (let i = 0; i < 2; i++) out[i] = -(precision[i][0] * (x[0] - mean[0]) + precision[i][1] * (x[1] - mean[1]))
}

const run = (iterations: number) =>
  svgd({
    score,
    particles: 10,
    dimension: 2,
    kernel: rbf({ bandwidth: 'dartml' }),
    optimizer: adagrad({ learningRate: 0.01 }),
    iterations,
  })

/** How far particles are from the target, by its score alone: the kernel Stein discrepancy. */
async function discrepancyOf(particles: Float32Array): Promise<string> {
  const scores = new Float32Array(particles.length)
  for (let i = 0; i < scores.length; i += 2) score(scores.subarray(i, i + 2), particles.subarray(i, i + 2))
  const { discrepancy } = await steinDiscrepancy({ particles, scores, dimension: 2 })
  return discrepancy.toFixed(3)
}

const particles = await run(1000)
const average = [0, 1].map((k) => particles.filter((_, index) => index % 2 === k).reduce((sum, x) => sum + x) / 10)
console.log(`mean ${average.map((x) => x.toFixed(4)).join(', ')} (exact ${mean.join(', ')})`)
console.log(
  `discrepancy ${await discrepancyOf(await run(0))} at the start, ${await discrepancyOf(particles)} at the end`,
)
