// Sixteen policies learn CartPole-v1 together. Run it with: npx tsx examples/svpg-cartpole.ts
import { evaluate, train } from 'steinrl'

const run = train({ env: 'CartPole-v1', particles: 16, temperature: 10, iterations: 40, seed: 0 })

for await (const { iteration, iterations, metrics, state } of run) {
  const returns = metrics.returns.filter((value) => value !== null).map(Math.round)
  console.log(`${iteration}: best ${Math.max(...returns)}, worst ${Math.min(...returns)}`)

  if (iteration === iterations) {
    const { task, policy, arena } = state
    const { greedy } = await evaluate({
      spec: task.spec,
      policy,
      theta: arena.view.theta,
      particles: 16,
      episodes: 100,
    })
    console.log(`mean return of each policy, acting greedily: ${greedy.map(Math.round).join(' ')}`)
  }
}
