// What a stranger's server does with the installed package. Plain JavaScript, built by each bundler as it is.
import { make } from 'steinrl/envs'
import { svgd } from 'steinrl/svgd'
import { trial } from './page.js'

async function main() {
  const score = (out, x) => {
    for (let k = 0; k < x.length; k++) out[k] = -x[k]
  }
  // A bundle has no file for a thread or a worker: this thread does their work.
  await svgd({ score, particles: 40, dimension: 20, iterations: 2, threads: 2 })
  const env = await make('CartPole-v1')
  env.reset({ seed: 1 })
  console.log(JSON.stringify({ ...(await trial('auto')), reward: env.step(1).reward }))
}

main()
