// SVGD alone, no reinforcement learning: 100 particles that start far away find both modes of 1/3 N(-2, 1) + 2/3
// N(2, 1). Run it with: npx tsx examples/gaussian-mixture.ts
import { adam, createSVGD, particlesOf } from 'steinrl'

const modes = [
  { weight: 1 / 3, mean: -2 },
  { weight: 2 / 3, mean: 2 },
]
const svgd = createSVGD({
  // ∇ log p(x) = Σ w N(x; m, 1) (m − x) / Σ w N(x; m, 1), the larger exponent taken out so that neither sum vanishes.
  score(out, [x]) {
    const exponents = modes.map(({ mean }) => -((x - mean) ** 2) / 2)
    const largest = Math.max(...exponents)
    const densities = modes.map(({ weight }, k) => weight * Math.exp(exponents[k] - largest))
    const total = densities.reduce((sum, density) => sum + density)
    out[0] = modes.reduce((sum, { mean }, k) => sum + (densities[k] / total) * (mean - x), 0)
  },
  optimizer: adam({ learningRate: 0.3 }),
})

const state = await svgd.init({ particles: 100, dimension: 1, seed: 0 })
state.rows.forEach(({ x }) => {
  x[0] -= 10
})
for (let k = 0; k < 2000; k++) svgd.step(state)

const x = [...particlesOf(state)].sort((a, b) => a - b)
const mean = x.reduce((sum, value) => sum + value, 0) / x.length
console.log(
  `mean ${mean.toFixed(3)} (exact 0.667), share left of 0: ${x.filter((value) => value < 0).length / 100} (exact 0.341)`,
)
const bins = Array.from({ length: 13 }, (_, k) => x.filter((value) => Math.round(value) === k - 6).length)
bins.forEach((count, k) => void console.log(`${String(k - 6).padStart(3)} ${'█'.repeat(count)}`))
