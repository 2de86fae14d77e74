import { beforeAll, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { createArena, f32, i32, padded } from '../../src/core/arena.ts'
import { compileCore } from '../../src/core/module.ts'
import { Purpose, splitSeed } from '../../src/core/random.ts'
import { forward } from '../../src/nn/forward.ts'
import { initialiseInto, mlp, type Network } from '../../src/nn/network.ts'
import { policyFields, writePolicy } from '../../src/nn/policy.ts'
import { startTfjs, tf } from '../../src/nn/tfjs.ts'
import { logSoftmaxReference, mlpReference } from '../reference/mlp.ts'

const module = await compileCore()
beforeAll(() => startTfjs())

async function population(net: Network, n: number, rows: number, seed = 0) {
  const D = padded(net.size)
  const arena = await createArena(module, {
    theta: f32(n, D),
    ...policyFields(net, rows),
    observation: f32(rows, net.widths[0]),
    action: f32(rows),
    environments: i32(rows),
  })
  for (let i = 0; i < n; i++) {
    initialiseInto(arena.view.theta.subarray(i * D, (i + 1) * D), net, arena.ops, splitSeed(seed), i, 1)
  }
  writePolicy(arena, net, D)
  const { byteOffset, length } = arena.view.observation
  arena.ops.fillNormal(byteOffset, length, seed, 0, Purpose.user, 0, 0, 0)
  return { arena, D }
}

/** The outputs of particle i as rows. */
function outputsOf(
  { ops, at, memory }: Awaited<ReturnType<typeof population>>['arena'],
  net: Network,
  i: number,
  rows: number,
) {
  const width = net.widths.at(-1) as number
  const outputs = new Float32Array(
    memory.buffer,
    ops.policyForward(at.policy, i, at.observation, rows),
    rows * padded(width),
  )
  return Array.from({ length: rows }, (_, r) => [...outputs.subarray(r * padded(width), r * padded(width) + width)])
}

const shapes = fc.record({
  hidden: fc.array(fc.integer({ min: 1, max: 33 }), { maxLength: 3 }),
  inputs: fc.integer({ min: 1, max: 9 }),
  outputs: fc.integer({ min: 2, max: 6 }),
  rows: fc.integer({ min: 1, max: 19 }),
  seed: fc.nat(),
})

test('the WASM forward agrees with the tfjs forward and the float64 twin to 1e-6, for every shape', async () => {
  await fc.assert(
    fc.asyncProperty(shapes, async ({ hidden, inputs, outputs, rows, seed }) => {
      const net = mlp([inputs, ...hidden, outputs])
      const { arena, D } = await population(net, 2, rows, seed)
      const i = 1
      const theta = arena.view.theta.slice(i * D, i * D + net.size)
      const ours = outputsOf(arena, net, i, rows)
      const x = Array.from({ length: rows }, (_, r) => [
        ...arena.view.observation.subarray(r * inputs, (r + 1) * inputs),
      ])
      const theirs = tf.tidy(() => forward(net, tf.tensor1d(theta), tf.tensor2d(x)).arraySync())
      ours.forEach((row, r) => {
        const exact = mlpReference(net, theta, x[r])
        // Sums of float32 lose in proportion to their largest terms.
        const scale = Math.max(1, ...exact.map(Math.abs))
        row.forEach((value, o) => {
          expect(Math.abs(value - theirs[r][o])).toBeLessThan(1e-6 * scale)
          expect(Math.abs(value - exact[o])).toBeLessThan(1e-6 * scale)
        })
      })
    }),
    { numRuns: 150, seed: 3 },
  )
})

test('the policy of the main job, 4-64-64-2, agrees to 1e-6', async () => {
  const net = mlp([4, 64, 64, 2])
  const { arena, D } = await population(net, 1, 256)
  const ours = outputsOf(arena, net, 0, 256).flat()
  const theta = arena.view.theta.slice(0, net.size)
  expect(D).toBe(4612)
  const theirs = tf.tidy(() =>
    forward(net, tf.tensor1d(theta), tf.tensor2d(arena.view.observation, [256, 4])).dataSync(),
  )
  expect(Math.max(...ours.map((value, k) => Math.abs(value - theirs[k])))).toBeLessThan(1e-6)
})

test("a row's bits do not depend on its neighbours", async () => {
  const net = mlp([3, 10, 6, 5])
  const { arena } = await population(net, 1, 11)
  const together = outputsOf(arena, net, 0, 11)
  for (let r = 0; r < 11; r++) {
    arena.view.observation.copyWithin(0, r * 3, (r + 1) * 3)
    expect(outputsOf(arena, net, 0, 1)[0]).toEqual(together[r])
    arena.ops.fillNormal(arena.at.observation, 33, 0, 0, Purpose.user, 0, 0, 0)
  }
})

test('sampled actions follow softmax(logits), greedy ones take the largest', async () => {
  const net = mlp([2, 5])
  const rows = 1
  const { arena } = await population(net, 1, rows)
  const { ops, at, view } = arena
  const theta = [...view.theta.subarray(0, net.size)]
  const logits = mlpReference(net, theta, [...view.observation])
  const probabilities = logSoftmaxReference(logits).map(Math.exp)
  const draws = 40_000
  const counts = Array(5).fill(0)
  for (let step = 0; step < draws; step++) {
    ops.act(at.policy, 0, at.observation, rows, at.action, 0, 0, Purpose.action, step, 5, 0)
    counts[view.action[0]]++
  }
  // Pearson's statistic with 4 degrees of freedom exceeds 18.5 once in a thousand times.
  const chi2 = counts.reduce(
    (sum, count, c) => sum + (count - draws * probabilities[c]) ** 2 / (draws * probabilities[c]),
    0,
  )
  expect(chi2).toBeLessThan(18.5)
  ops.act(at.policy, 0, at.observation, rows, at.action, 0, 1, Purpose.action, 0, 5, 0)
  expect(view.action[0]).toBe(logits.indexOf(Math.max(...logits)))
})

test('extreme logits are sampled without overflow', async () => {
  const net = mlp([1, 3])
  const { arena } = await population(net, 1, 1)
  const { ops, at, view } = arena
  view.theta.fill(0)
  view.theta.set([-1e30, 1e30, -1e30], net.layers[0].bias)
  for (let step = 0; step < 100; step++) {
    ops.act(at.policy, 0, at.observation, 1, at.action, 0, 0, Purpose.action, step, 0, 0)
    expect(view.action[0]).toBe(1)
  }
})

test('initial weights have the promised scale and depend on seed and particle only', async () => {
  const net = mlp([50, 200, 4])
  const start = async (n: number, seed: number) => {
    const { arena, D } = await population(net, n, 1, seed)
    return (i: number) => arena.view.theta.slice(i * D, (i + 1) * D)
  }
  const three = await start(3, 7)
  const one = await start(1, 7)
  expect(three(0)).toEqual(one(0))
  expect(three(1)).not.toEqual(three(0))
  expect((await start(1, 8))(0)).not.toEqual(one(0))
  const [hidden] = net.layers
  const weights = one(0).slice(hidden.weight, hidden.bias)
  const variance = weights.reduce((sum, w) => sum + w * w, 0) / weights.length
  expect(variance * 50).toBeCloseTo(1, 1)
  expect(
    one(0)
      .slice(hidden.bias, hidden.bias + 200)
      .every((b) => b === 0),
  ).toBe(true)
})
