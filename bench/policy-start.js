// A fresh process: ms to import the bundle, and to load a population and act for the first time; those also in time of
// the processor, which other programs do not disturb.
import { readFileSync } from 'node:fs'

const [bundle, directory] = process.argv.slice(2)
const read = (name) => readFileSync(`${directory}/${name}`)
const files = {
  description: read('policy.json').toString(),
  weights: read('policy.safetensors'),
  core: read('core.wasm'),
}
const started = performance.now()
const { loadPolicy } = await import(bundle)
const imported = performance.now()
const before = process.cpuUsage()
const policy = await loadPolicy(files)
policy.act([0.1, 0.2, 0.3, 0.4])
const loaded = performance.now() - imported
const { user, system } = process.cpuUsage(before)
console.log(JSON.stringify({ imported: imported - started, loaded, processor: (user + system) / 1000 }))
