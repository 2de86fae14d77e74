// A fresh process: megabytes by which the resident memory grows over many gradient steps of soft actor-critic, from one
// collection of garbage to another.
import { sac } from '../../dist/algorithms/sac/sac.js'

const [options, { settling, steps }] = process.argv.slice(2).map((word) => JSON.parse(word))
const state = await sac.init(options)

async function residentAfter(count) {
  for (let t = 0; t < count; t++) await sac.step(state)
  globalThis.gc()
  return process.memoryUsage().rss
}

const before = await residentAfter(options.warmup + settling)
console.log(JSON.stringify({ growth: ((await residentAfter(steps)) - before) / 2 ** 20 }))
