// What a stranger's page does with the installed package. Plain JavaScript, built by each bundler as it is, or not at
// all.
import { train } from 'steinrl'
import { svgd } from 'steinrl/svgd'

const sha = async (numbers) =>
  [...new Uint8Array(await crypto.subtle.digest('SHA-256', numbers))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('')

/** SHA-256 of the particles of SVGD, and of those of one iteration of SVPG with this number of workers. */
export async function trial(workers) {
  const particles = await svgd({
    score: (out, x) => {
      out[0] = -x[0]
      out[1] = -4 * x[1]
    },
    particles: 20,
    dimension: 2,
    iterations: 10,
  })
  const hashes = { svgd: await sha(particles), svpg: '', losses: 0 }
  const options = { env: 'CartPole-v1', particles: 2, steps: 16, environments: 2, iterations: 1, workers }
  for await (const { state, losses } of train(options)) {
    hashes.svpg = await sha(state.arena.view.theta)
    hashes.losses += losses.length
  }
  return hashes
}

if (typeof document === 'object') globalThis.trial = trial
