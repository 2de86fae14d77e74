// Serves the worker of a directory in miniflare and prints its answers to the requests there.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Miniflare } from 'miniflare'

const [directory] = process.argv.slice(2)
const module = async (type, path, file = path) => ({ type, path, contents: await readFile(join(directory, file)) })
const server = new Miniflare({
  compatibilityDate: '2026-01-01',
  modules: await Promise.all([
    module('ESModule', 'worker.js'),
    module('CompiledWasm', 'steinrl/policy.wasm', 'steinrl-policy.wasm'),
    module('Data', 'policy/policy.safetensors', 'policy.safetensors'),
  ]),
})
const answers = []
for (const request of JSON.parse(await readFile(join(directory, 'requests.json'), 'utf8'))) {
  const response = await server.dispatchFetch('http://worker/', { method: 'POST', body: JSON.stringify(request) })
  answers.push(await response.json())
}
await server.dispose()
console.log(JSON.stringify(answers))
