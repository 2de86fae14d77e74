import { loadPolicy } from 'steinrl/policy'
import core from 'steinrl/policy.wasm'
import description from './policy/policy.json'
import weights from './policy/policy.safetensors'

const policy = await loadPolicy({ description, weights, core })

export default {
  /** POST { "observation": […], "particle": "per-episode", … } → { "action": … } */
  async fetch(request) {
    try {
      const { observation, ...options } = await request.json()
      const action = policy.act(observation, options)
      return Response.json({ action: typeof action === 'number' ? action : [...action] })
    } catch (error) {
      return Response.json({ error: error.message }, { status: 400 })
    }
  },
}
