// A worker that is given the core as bytes, which an edge runtime does not compile.
import { loadPolicy } from 'steinrl/policy'
import core from 'steinrl/policy.wasm'
import description from './policy/policy.json'
import weights from './policy/policy.safetensors'

export default {
  async fetch() {
    const policy = await loadPolicy({ description, weights, core }).catch((error) => error)
    return new Response(`${policy.name}: ${policy.message}`)
  },
}
