// A task of one's own, checked, trained on and drawn. Run it with: npx tsx examples/own-environment.ts
import { mkdir, writeFile } from 'node:fs/promises'
import { checkEnvironment, drawSvg, make, train } from 'steinrl'
import ferry from './ferry.ts'

await checkEnvironment(ferry)

for await (const { iteration, metrics } of train({
  env: ferry,
  particles: 8,
  iterations: 60,
  learningRate: 0.02,
  seed: 0,
})) {
  const returns = metrics.returns.filter((value) => value !== null)
  const mean = returns.reduce((sum, value) => sum + value, 0) / returns.length
  if (iteration % 10 === 0)
    console.log(`${iteration}: mean return ${mean.toFixed(2)}, best ${Math.max(...returns).toFixed(2)}`)
}

const env = await make(ferry)
env.reset({ seed: 1 })
for (let t = 0; t < 10; t++) env.step(1)
await mkdir('runs', { recursive: true })
await writeFile('runs/ferry.svg', drawSvg(env.render()))
console.log('runs/ferry.svg shows a ferry that lets itself drift')
