import { beforeAll, describe, expect, test } from '@jest/globals'
import {
  type Behaviour,
  contextFor,
  createBehaviour,
  observeBehaviour,
} from '../../../src/algorithms/svpg/behaviour-kernel.ts'
import { compileCore } from '../../../src/core/module.ts'
import { splitSeed } from '../../../src/core/random.ts'
import { type Head, policyOf } from '../../../src/nn/policy.ts'
import { startTfjs } from '../../../src/nn/tfjs.ts'
import type { ParticleState } from '../../../src/rl/evaluator.ts'
import { explorationRewards } from '../../../src/rl/visitation-density.ts'
import { expectClose } from '../../helpers/close.ts'
import { behaviourKernelReference, explorationRewardsReference } from '../../reference/behaviour.ts'
import { mlpReference } from '../../reference/mlp.ts'

const core = await compileCore()
beforeAll(() => startTfjs({ core }))

describe.each(['js', 'symmetric-kl'] as const)('the kernel on behaviour, %s', (divergence) => {
  test('is 1 for policies that do the same, and falls where they do not', async () => {
    const policy = policyOf({ observations: 1, hidden: [], head: { name: 'categorical', actions: 2 } })
    const behaviour = await createBehaviour(core, 3, policy, { divergence, temperature: null }, splitSeed(2))
    // The first two are around 1, the third around −1.
    const visited = [1, 1, -1].map((centre, i) => ({
      observation: Float32Array.from({ length: 64 }, (_, k) => centre + 0.3 * Math.sin(7 * k + i)),
      action: Float32Array.from({ length: 64 }, (_, k) => k % 2),
    }))
    for (let k = 0; k < 30; k++) observeBehaviour(behaviour, visited)
    const { kernel } = behaviour
    expect([kernel[0], kernel[4], kernel[8]]).toEqual([1, 1, 1])
    expect(kernel[1]).toBe(kernel[3])
    expect(kernel[1]).toBeGreaterThan(0.85)
    expect(kernel[2]).toBeLessThan(0.5)
    expect(kernel[5]).toBeLessThan(0.5)
  })
})

describe.each(['js', 'symmetric-kl'] as const)('a float64 twin of the behaviour, %s', (divergence) => {
  const head: Head = { name: 'categorical', actions: 2 }
  const policy = policyOf({ observations: 1, hidden: [], head })

  /** Three policies that were seen a few times. */
  async function seen(temperature: number | null) {
    const behaviour = await createBehaviour(core, 3, policy, { divergence, temperature }, splitSeed(2))
    const visit = (k: number) =>
      [0.2, -0.3, 1].map((centre, i) => ({
        observation: Float32Array.from({ length: 20 }, (_, b) => centre + Math.sin(7 * b + i + k)),
        action: Float32Array.from({ length: 20 }, (_, b) => (b + i) % 2),
      }))
    for (let k = 0; k < 12; k++) observeBehaviour(behaviour, visit(k))
    return behaviour
  }

  /** [n][rows] the log ratios at some visits, with the moments that the behaviour has. */
  function ratiosAt({ net, arena, moments }: Behaviour, observation: ArrayLike<number>, action: ArrayLike<number>) {
    const O = 1
    const C = net.widths[0]
    const deviation = (c: number) => Math.sqrt(moments[1 + C + c] / moments[0])
    const clip = (value: number) => Math.min(Math.max(value, -5), 5)
    const rows = Array.from(action, (a, b) => [observation[b * O], a === 0 ? 1 : 0, a === 1 ? 1 : 0])
    const normalised = rows.map((row) => row.map((value, c) => clip((value - moments[1 + c]) / deviation(c))))
    return [0, 1, 2].map((i) => {
      const theta = arena.view.theta.subarray(i * net.size, (i + 1) * net.size)
      return normalised.map((row) => clip(mlpReference(net, theta, row)[0]))
    })
  }

  test.each([null, 0.2])('the kernel at temperature %p', async (temperature) => {
    const behaviour = await seen(temperature)
    // l[i][j]: ratios of policy i at the rows of policy j.
    const at = [0, 1, 2].map((j) => {
      const visits = behaviour.visits.map((visited) => visited[j])
      return ratiosAt(
        behaviour,
        visits.flatMap(({ observation }) => [...observation]),
        visits.flatMap(({ action }) => [...action]),
      )
    })
    const l = [0, 1, 2].map((i) => at.map((ratios) => ratios[i]))
    const T = temperature ?? (divergence === 'js' ? 0.5 : 1)
    expectClose(behaviour.kernel, behaviourKernelReference(l, divergence, T).flat(), 1e-4)
    expect(Math.min(...behaviour.kernel)).toBeLessThan(0.97)
  })

  test('the rewards for being elsewhere', async () => {
    const behaviour = await seen(null)
    const visited = { observation: Float32Array.of(-1, 0, 0.5, 2), action: Float32Array.of(0, 1, 1, 0) }
    const l = ratiosAt(behaviour, visited.observation, visited.action)
    for (const i of [0, 1, 2]) {
      const out = new Float64Array(4)
      const context = contextFor(behaviour, i) as ParticleState
      const weight = explorationRewards(out, behaviour.arena.ops, i, context, { policy, divergence, visited })
      const similar = [...behaviour.kernel.subarray(3 * i, 3 * i + 3)]
      expectClose(out, explorationRewardsReference(l, i, similar, divergence), 1e-3)
      expect(weight).toBeCloseTo(
        similar.reduce((sum, k, j) => sum + (j === i ? 0 : k), 0),
        6,
      )
    }
  })

  test('densities learn the ratios: of two policies that act alike in different proportions', async () => {
    const behaviour = await createBehaviour(core, 2, policy, { divergence, temperature: 1 }, splitSeed(5))
    const shares = [0.75, 0.25]
    const visited = shares.map((share) => ({
      observation: Float32Array.from({ length: 32 }, (_, b) => Math.sin(b % 4)),
      // Each fourth of the rows has the share of action 1.
      action: Float32Array.from({ length: 32 }, (_, b) => (Math.floor(b / 4) < 8 * share ? 1 : 0)),
    }))
    for (let k = 0; k < 40; k++) observeBehaviour(behaviour, visited)
    const f = (p: number, q: number) => (divergence === 'js' ? Math.log((2 * p) / (p + q)) : Math.log(p / q))
    const [p, q] = shares
    const D = p * f(p, q) + (1 - p) * f(1 - p, 1 - q)
    expect(behaviour.kernel[1] / Math.exp(-D)).toBeCloseTo(1, 1)
  })
})
