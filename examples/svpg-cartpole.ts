// Sixteen policies learn CartPole-v1 together. Run it with: npx tsx examples/svpg-cartpole.ts
import { evaluate, make, train } from 'steinrl'

for await (const { iteration, iterations, agents } of train({ env: 'CartPole-v1', temperature: 10, iterations: 40 })) {
  if (iteration < iterations) continue
  const trained = agents()
  const env = await make('CartPole-v1')
  let { obs } = env.reset({ seed: 7 })
  for (let over = false; !over; ) {
    const step = env.step(trained.act(obs))
    obs = step.obs
    over = step.terminated || step.truncated
  }
  const { greedy } = await evaluate({ env: 'CartPole-v1', agents: trained, episodes: 100 })
  console.log(`mean return of each policy, acting greedily: ${greedy.map(Math.round).join(' ')}`)
}
