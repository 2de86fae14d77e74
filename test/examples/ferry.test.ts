import { expect, test } from '@jest/globals'
import { checkEnvironment, drawSvg, make, sampler } from 'steinrl'
import ferry from '../../examples/ferry.ts'

/** Mean return of a policy over 200 days. */
async function meanReturn(policy: (obs: Float32Array) => number): Promise<number> {
  const env = await make(ferry)
  let sum = 0
  for (let seed = 0; seed < 200; seed++) {
    for (let { obs } = env.reset({ seed }), over = false; !over; ) {
      const step = env.step(policy(obs))
      sum += step.reward
      obs = step.obs
      over = step.terminated || step.truncated
    }
  }
  return sum / 200
}

/**
 * Heads against the drift that is still to come: the sum of the parabola over the rest of the way, from the drift just
 * felt.
 */
function pilot([x, y, drift]: Float32Array): number {
  const flow = (at: number) => at * (10 - at)
  const before = flow(y - 0.5)
  let ahead = x
  for (let at = y; before > 0 && at < 10; at += 0.5) ahead += (drift * flow(at)) / before
  if (ahead > 0.25) return 0
  return ahead < -0.25 ? 2 : 1
}

test('the ferry passes the checker', () => checkEnvironment(ferry))

test('who reads the current lands, who does not misses', async () => {
  const sample = sampler(ferry.actionSpace, 1) as () => number
  expect(await meanReturn(pilot)).toBeGreaterThan(ferry.rewardThreshold as number)
  expect(await meanReturn(sample)).toBeLessThan(0)
  expect(await meanReturn(() => 1)).toBeLessThan(0)
})

test('it is drawn where it is', async () => {
  const env = await make(ferry)
  env.reset({ seed: 1 })
  const [x, y] = env.state
  expect(env.render().shapes).toContainEqual({ kind: 'circle', at: [x, y], radius: 0.4, fill: '#1e293b' })
  expect(drawSvg(env.render())).toContain('landing')
})
