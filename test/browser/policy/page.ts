import { type ActOptions, loadPolicy } from '../../../dist/policy/index.js'
import core from '../../../dist/steinrl-policy.wasm?url'

export type Request = { observation: number[] } & ActOptions

/** The actions of an exported population, with the core from the page's own server. */
async function acts(
  description: string,
  weights: readonly number[],
  requests: readonly Request[],
): Promise<(number | number[])[]> {
  const policy = await loadPolicy({ description, weights: Uint8Array.from(weights), core })
  return requests.map(({ observation, ...options }) => {
    const action = policy.act(observation, options)
    return typeof action === 'number' ? action : [...action]
  })
}

export type Acts = typeof acts

Object.assign(window, { acts })
