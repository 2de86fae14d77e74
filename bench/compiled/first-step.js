// A fresh process: ms that the first gradient step of soft actor-critic takes beyond later ones, which is compiling, of
// the clock and of the processor in this thread's process.
import { sac } from '../../dist/algorithms/sac/sac.js'
import { startTfjs } from '../../dist/nn/tfjs.js'

const [options] = process.argv.slice(2).map((word) => JSON.parse(word))
const LATER = 60

await startTfjs()
const state = await sac.init(options)
for (let t = 1; t < options.warmup; t++) await sac.step(state)

async function timed() {
  const [started, before] = [performance.now(), process.cpuUsage()]
  await sac.step(state)
  const { user, system } = process.cpuUsage(before)
  return [performance.now() - started, (user + system) / 1000]
}

const middle = (values) => values.sort((a, b) => a - b)[values.length >> 1]
const first = await timed()
const later = []
for (let t = 0; t < LATER; t++) later.push(await timed())
const [ms, processor] = [0, 1].map((k) => first[k] - middle(later.slice(LATER / 2).map((times) => times[k])))
console.log(JSON.stringify({ ms, processor }))
