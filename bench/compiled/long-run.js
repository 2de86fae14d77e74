// A fresh process: megabytes by which the resident memory grows over many gradient steps of soft actor-critic, from one
// collection of garbage to another.
import { sac } from '../../dist/algorithms/sac/sac.js'

const [steps, settling] = process.argv.slice(2).map(Number)
const WARM_UP = 300
const options = { env: 'Pendulum-v1', environments: 1, steps: 1, hidden: [64, 64], batchSize: 128, warmup: WARM_UP }
const state = await sac.init({ ...options, tfjs: { threads: 1 } })

async function residentAfter(count) {
  for (let t = 0; t < count; t++) await sac.step(state)
  globalThis.gc()
  return process.memoryUsage().rss
}

const before = await residentAfter(WARM_UP + settling)
console.log(JSON.stringify({ growth: ((await residentAfter(steps)) - before) / 2 ** 20 }))
