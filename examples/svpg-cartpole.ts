// Sixteen policies learn CartPole-v1 together. Run it with: npx tsx examples/svpg-cartpole.ts
import { type Agents, evaluate, make, train } from 'steinrl'

let agents!: Agents
for await (const step of train({ env: 'CartPole-v1', particles: 16, temperature: 10, iterations: 40, seed: 0 }))
  agents = step.agents()

const env = await make('CartPole-v1')
let { obs } = env.reset({ seed: 7 })
for (let over = false; !over; ) {
  const step = env.step(agents.act(obs))
  obs = step.obs
  over = step.terminated || step.truncated
}
const { greedy } = await evaluate({ env: 'CartPole-v1', agents, episodes: 100 })
console.log(`mean return of each policy, acting greedily: ${greedy.map(Math.round).join(' ')}`)
