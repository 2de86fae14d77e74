// A fresh process: ms that the first gradient step of soft actor-critic takes beyond later ones, which is compiling, of
// the clock and of the processor in this thread's process.
import { sac } from '../../dist/algorithms/sac/sac.js'
import { startTfjs } from '../../dist/nn/tfjs.js'

const WARM_UP = 300
const LATER = 60

await startTfjs()
const tfjs = { threads: 1 }
const options = {
  env: 'Pendulum-v1',
  environments: 1,
  steps: 1,
  hidden: [64, 64],
  batchSize: 128,
  warmup: WARM_UP,
  tfjs,
}
const state = await sac.init(options)
for (let t = 1; t < WARM_UP; t++) await sac.step(state)

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
