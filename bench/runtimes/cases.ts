// What is measured in every runtime, by the same code. It knows no runtime.
import { svpg } from '../../src/algorithms/svpg/svpg.ts'
import { createArena } from '../../src/core/arena.ts'
import { f32, padded } from '../../src/core/layout.ts'
import { compileCore } from '../../src/core/module.ts'
import { Purpose, splitSeed } from '../../src/core/random.ts'
import { cartPole } from '../../src/envs/cartpole.ts'
import { make } from '../../src/envs/make.ts'
import { vectorFields, writeVector } from '../../src/envs/vector-fields.ts'
import { categorical } from '../../src/nn/distributions.ts'
import { forward } from '../../src/nn/forward.ts'
import { initialiseInto, mlp } from '../../src/nn/network.ts'
import { policyFields, policyOf, writePolicy } from '../../src/nn/policy.ts'
import { startTfjs, tf } from '../../src/nn/tfjs.ts'
import { createRoller, rollout, seedFields, startEnvironments, type Task, writeTask } from '../../src/rl/rollout.ts'
import { batchFields, environmentFields } from '../../src/rl/rollout-layout.ts'
import { steinDirection } from '../../src/svgd/direction.ts'
import { steinFields } from '../../src/svgd/fields.ts'
import { rbf } from '../../src/svgd/kernels.ts'
import { measure, type Timing } from './measure.ts'

/** One thing that is measured. */
export interface Subject {
  readonly name: string
  /** What one call does. */
  readonly does: string
  /** Prepares, and hands back what is called. */
  start(): Promise<() => unknown>
}

/** The Stein direction of n particles of d coordinates, on one thread, without norms. */
async function direction(n: number, d: number): Promise<() => unknown> {
  const kernel = rbf()
  const arena = await createArena(await compileCore(), steinFields(n, d, { kernel, norms: false }))
  const { ops, at, view } = arena
  ops.fillNormal(at.theta, view.theta.length, 0, 0, Purpose.user, 0, 0, 0)
  ops.fillNormal(at.score, view.score.length, 0, 0, Purpose.user, 1, 0, 0)
  return () => steinDirection(arena, { particles: n, dimension: d }, kernel)
}

const ROWS = 1024

async function vectorSteps(): Promise<() => unknown> {
  const drawn = 32 * ROWS
  const arena = await createArena(await compileCore(), { ...vectorFields(cartPole, ROWS), drawn: f32(drawn) })
  const { ops, at, view } = arena
  writeVector(arena, cartPole, { rows: ROWS, autoreset: 'next-step', seed: { lo: 1, hi: 0 } })
  ops.fillUniform(at.drawn, drawn, 0, 0, Purpose.user, 0, 0, 0)
  const actions = view.drawn.map((u) => (u < 0.5 ? 0 : 1))
  ops.resetVector(at.vector, 0)
  let turn = 0
  return () => {
    view.action.set(actions.subarray(turn * ROWS, (turn + 1) * ROWS))
    turn = (turn + 1) % 32
    ops.stepVector(at.vector)
  }
}

/** The interface that costs JavaScript: one environment, objects in and out. */
async function singleSteps(): Promise<() => unknown> {
  const env = await make('CartPole-v1')
  let seed = 0
  env.reset({ seed })
  return () => {
    for (let k = 0; k < 1000; k++) {
      const { terminated, truncated } = env.step(k & 1)
      if (terminated || truncated) env.reset({ seed: ++seed })
    }
  }
}

/** Policy forward, sample, environment step of 16 policies, 64 environments and 32 steps each. */
async function rollouts(): Promise<() => unknown> {
  const [particles, environments, steps] = [16, 64, 32]
  const head = { name: 'categorical', actions: 2 } as const
  const policy = policyOf({ observations: 4, hidden: [64, 64], head })
  const task: Task = { spec: cartPole, head, environments, steps, seed: splitSeed(0) }
  const D = padded(policy.size)
  const arena = await createArena(await compileCore(), {
    theta: f32(1, D),
    ...policyFields(policy, environments),
    ...environmentFields(cartPole, environments),
    ...batchFields(steps, environments, 4, 1),
    ...seedFields(),
  })
  initialiseInto(arena.view.theta, policy.net, arena.ops, task.seed, 0)
  writePolicy(arena, policy, D)
  writeTask(arena, task)
  startEnvironments(arena, task, createRoller(task, 0))
  let step = 0
  return () => {
    for (let particle = 0; particle < particles; particle++) {
      rollout(arena, task, createRoller(task, particle), step)
    }
    step += steps
  }
}

/** Of a policy-gradient loss of 16 networks 4-64-64-2 on 512 rows each, by tfjs with its networks in the core. */
async function gradients(): Promise<() => unknown> {
  await startTfjs()
  const [n, rows] = [16, 512]
  const net = mlp([4, 64, 64, 2])
  const { ops, at, view } = await createArena(await compileCore(), { values: f32(n * (net.size + rows * 5)) })
  ops.fillNormal(at.values, view.values.length, 0, 0, Purpose.user, 2, 0, 0)
  const theta = view.values.slice(0, n * net.size).map((x) => 0.2 * x)
  const x = view.values.slice(n * net.size, n * (net.size + rows * 4))
  const weight = view.values.slice(n * (net.size + rows * 4))
  const action = weight.map((w) => (w < 0 ? 0 : 1))
  return () => {
    const gradient = tf.tidy(() => {
      const batch = tf.tensor3d(x, [n, rows, 4])
      const actions = tf.tensor2d(action, [n * rows, 1])
      const loss = (all: tf.Tensor) => {
        const y = tf.reshape(forward(net, all as tf.Tensor2D, batch), [n * rows, 2]) as tf.Tensor2D
        return tf.sum(tf.mul(categorical.logProb(y, actions), tf.tensor1d(weight)))
      }
      return tf.grad(loss)(tf.tensor2d(theta, [n, net.size]))
    })
    gradient.dataSync()
    gradient.dispose()
  }
}

/** Default settings on CartPole-v1, after ten iterations. */
async function iterations(): Promise<() => unknown> {
  const state = await svpg.init({ env: 'CartPole-v1', seed: 0 })
  for (let k = 0; k < 10; k++) await svpg.step(state)
  return () => svpg.step(state)
}

export const subjects: readonly Subject[] = [
  { name: 'Stein direction, 64 × 5000', does: 'distances, median, kernel and φ', start: () => direction(64, 5000) },
  {
    name: 'Stein direction, 100 × 2',
    does: 'the same, where the median is most of it',
    start: () => direction(100, 2),
  },
  { name: 'CartPole, 1024 rows', does: 'one step of all rows in the core', start: vectorSteps },
  { name: 'CartPole, 1000 single steps', does: 'through make(), objects in and out', start: singleSteps },
  { name: 'Rollout', does: '16 policies × 64 environments × 32 steps, fused', start: rollouts },
  { name: 'Gradient', does: '16 networks 4-64-64-2, 512 rows each, by tfjs', start: gradients },
  { name: 'SVPG iteration', does: '16 particles × 16 environments × 128 steps', start: iterations },
]

/** Measures one subject after the other and tells each. */
export async function measureAll(
  breathe: () => Promise<void>,
  onResult: (name: string, timing: Timing) => void = () => {},
): Promise<Record<string, Timing>> {
  const results: Record<string, Timing> = {}
  for (const { name, start } of subjects) {
    results[name] = await measure(await start(), breathe)
    onResult(name, results[name])
  }
  return results
}
