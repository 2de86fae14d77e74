import { createSVGD, particlesOf } from '../../../dist/index.js'

/** A few steps of SVGD: how many threads took part, and the SHA-256 of the particles. */
export async function trial(threads: number | 'auto'): Promise<{ threads: number; sha: string }> {
  const { init, step } = createSVGD({
    score: (out, x) => {
      for (let k = 0; k < x.length; k++) out[k] = -x[k]
    },
    threads,
  })
  const state = await init({ particles: 100, dimension: 700, seed: 1 })
  for (let t = 0; t < 5; t++) step(state)
  const digest = await crypto.subtle.digest('SHA-256', particlesOf(state))
  const sha = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  return { threads: state.arena.threadPool.size, sha }
}

if (typeof document !== 'undefined') Object.assign(window, { trial })
