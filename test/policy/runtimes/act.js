// Run by Node, Bun and Deno alike: prints the actions for the requests in a directory.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { loadPolicy } from '../../../dist/policy/index.js'

const [directory] = process.argv.slice(2)
const read = (name) => readFile(join(directory, name))
const policy = await loadPolicy({
  description: JSON.parse(await read('policy.json')),
  weights: await read('policy.safetensors'),
  core: await read('steinrl-policy.wasm'),
})
const actions = JSON.parse(await read('requests.json')).map(({ observation, ...options }) => {
  const action = policy.act(observation, options)
  return typeof action === 'number' ? action : [...action]
})
console.log(JSON.stringify(actions))
