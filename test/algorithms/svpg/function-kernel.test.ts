import { beforeAll, describe, expect, test } from '@jest/globals'
import { estimatorObjective } from '../../../src/algorithms/policy-gradient/policy-gradient.ts'
import {
  createFunctionSpace,
  type FunctionSpace,
  functionDirection,
  takeProbes,
} from '../../../src/algorithms/svpg/function-kernel.ts'
import type { SvpgOptions } from '../../../src/algorithms/svpg/settings.ts'
import { svpg } from '../../../src/algorithms/svpg/svpg.ts'
import { policyGradientInto } from '../../../src/compile/policy-gradient.ts'
import { createArena } from '../../../src/core/arena.ts'
import { compileCore } from '../../../src/core/module.ts'
import { joined } from '../../../src/core/rows.ts'
import { type Head, type Policy, policyOf } from '../../../src/nn/policy.ts'
import { startTfjs } from '../../../src/nn/tfjs.ts'
import { type Estimator, estimatorOf } from '../../../src/rl/estimator.ts'
import type { Probes } from '../../../src/rl/evaluator.ts'
import { steinFields } from '../../../src/svgd/fields.ts'
import { rbf } from '../../../src/svgd/kernels.ts'
import { expectClose } from '../../helpers/close.ts'
import { functionReference } from '../../reference/functions.ts'
import { medianReference, pairDistances, steinDirectionReference } from '../../reference/svgd.ts'

const core = await compileCore()
beforeAll(() => startTfjs({ core }))

const objective = estimatorObjective(estimatorOf({}) as Estimator)

/** n policies with the probes given, and room for their directions. */
async function population(policy: Policy, n: number, probes: readonly Probes[], bandwidth: number | 'svpg-paper') {
  const probeStates = probes[0].weight.length
  const space = await createFunctionSpace(core, n, policy, { probeStates, bandwidth, objective })
  takeProbes(space, probes)
  const arena = await createArena(core, steinFields(n, policy.size, { kernel: rbf() }))
  const D = arena.view.theta.length / n
  const rows = (values: Float32Array) =>
    Array.from({ length: n }, (_, i) => [...values.subarray(i * D, i * D + policy.size)])
  for (let i = 0; i < n; i++)
    for (let c = 0; c < policy.size; c++) {
      arena.view.theta[i * D + c] = 0.7 * Math.sin(3 * c + 1.7 * i + 1)
      arena.view.score[i * D + c] = 0.1 * Math.cos(2 * c + i)
    }
  return { space, arena, rows }
}

/** Probes of n policies: states that vary, actions that fit the head. */
function probesFor({ head, observations }: Policy, n: number, m: number): Probes[] {
  return Array.from({ length: n }, (_, i) => ({
    observation: Float32Array.from({ length: m * observations }, (_, k) => Math.sin(5 * k + 2 * i)),
    action:
      head.name === 'categorical'
        ? Float32Array.from({ length: m }, (_, b) => (b + i) % head.actions)
        : Float32Array.from({ length: m * head.actions }, (_, b) => Math.cos(3 * b + i)),
    weight: Float32Array.from({ length: m }, (_, b) => Math.sin(2 * b + i) / m),
    logProb: new Float32Array(m),
  }))
}

const numbers = (probes: readonly Probes[], observations: number) => {
  const part = (values: Float32Array, width: number) =>
    Array.from({ length: values.length / width }, (_, b) => [...values.subarray(b * width, (b + 1) * width)])
  const rows = probes.reduce((sum, { weight }) => sum + weight.length, 0)
  const action = joined(probes.map((each) => each.action))
  return {
    states: part(joined(probes.map((each) => each.observation)), observations),
    actions: part(action, action.length / rows),
    weights: probes.flatMap(({ weight }) => [...weight]),
  }
}

describe.each<[string, Head, number[]]>([
  ['categorical', { name: 'categorical', actions: 3 }, [5]],
  ['gaussian', { name: 'gaussian', actions: 2 }, [4]],
])('a %s policy with a hidden layer, by differences', (_, head, hidden) => {
  const n = 3
  const policy = policyOf({ observations: 2, hidden, head })
  const probes = probesFor(policy, n, 4)
  const settings = { h: 6, alpha: 4 }
  const variant = { isSharing: true, inverse: 1 / settings.alpha, repulsion: 1 }

  test('the direction is its own score, what others share and the repulsion', async () => {
    const { space, arena, rows } = await population(policy, n, probes, settings.h)
    const theta = rows(arena.view.theta)
    const { sharing, repulsion } = functionReference(policy, theta, numbers(probes, 2), settings)
    const info = functionDirection(arena, space, variant)
    const expected = rows(arena.view.score).map((row, i) => row.map((s, c) => s / n + sharing[i][c] + repulsion[i][c]))
    expectClose(rows(arena.view.direction).flat(), expected.flat(), 1e-4)
    const norm = (all: number[][]) => all.reduce((sum, row) => sum + Math.hypot(...row), 0) / n
    expect(info.sharing / norm(sharing)).toBeCloseTo(1, 3)
    expect(info.repulsion / norm(repulsion)).toBeCloseTo(1, 3)
    expect(info.bandwidth).toBe(settings.h)
  })

  test('without sharing it is its own score and the repulsion, times its factor', async () => {
    const { space, arena, rows } = await population(policy, n, probes, settings.h)
    const { repulsion } = functionReference(policy, rows(arena.view.theta), numbers(probes, 2), settings)
    const expected = rows(arena.view.score).map((row, i) => row.map((s, c) => s / n + 2.5 * repulsion[i][c]))
    const info = functionDirection(arena, space, { ...variant, isSharing: false, repulsion: 2.5 })
    expectClose(rows(arena.view.direction).flat(), expected.flat(), 1e-4)
    expect(info.sharing).toBe(0)
    // Steps of self-imitation leave the others' scores out in the same way.
    const direction = arena.view.direction.slice()
    space.isSharing = false
    functionDirection(arena, space, { ...variant, repulsion: 2.5 })
    expect(arena.view.direction).toEqual(direction)
  })
})

test('through a linear map of orthogonal columns it is the RBF kernel on weights', async () => {
  const n = 4
  const head: Head = { name: 'squashed-gaussian', actions: 1 }
  const policy = policyOf({ observations: 3, hidden: [], head })
  // With the ones of the bias the rows of a Hadamard matrix: |f − f'|² = 4 |θ − θ'|².
  const states = [
    [1, 1, 1],
    [-1, 1, -1],
    [1, -1, -1],
    [-1, -1, 1],
  ]
  const probes = probesFor(policy, n, 1).map((probe, i) => ({
    ...probe,
    observation: Float32Array.from(states[i]),
    action: Float32Array.of(0.3 * i - 0.4),
    weight: Float32Array.of(i - 1.4),
  }))
  const { space, arena, rows } = await population(policy, n, probes, 'svpg-paper')
  const theta = rows(arena.view.theta)
  const gradients = theta.map((row, i) => {
    const out = new Float32Array(policy.size)
    policyGradientInto(out, policy, Float32Array.from(row), probes[i], objective)
    return [...out].map((value) => value / 50)
  })
  const D = arena.view.theta.length / n
  gradients.forEach((row, i) => void arena.view.score.set(row, i * D))
  const info = functionDirection(arena, space, { isSharing: true, inverse: 1 / 50, repulsion: 1 })
  const h = medianReference(pairDistances(theta).map(Math.sqrt)) ** 2 / Math.log(n + 1)
  expect(info.bandwidth / (4 * h)).toBeCloseTo(1, 5)
  const expected = steinDirectionReference(theta, gradients, h)
  expectClose(rows(arena.view.direction).flat(), expected.phi.flat(), 1e-5)
  // Neither term hides behind the other.
  const size = (all: number[][]) => Math.max(...all.flat().map(Math.abs))
  expect(size(expected.repulsion)).toBeGreaterThan(0.1 * size(expected.drive))
  expect(size(expected.drive)).toBeGreaterThan(0.1 * size(expected.repulsion))
})

describe('in a run', () => {
  const small = {
    ...{ env: 'CartPole-v1', particles: 3, environments: 4, steps: 32, hidden: [8], seed: 2 },
    kernel: 'function',
  } satisfies SvpgOptions

  async function run(options: Partial<SvpgOptions>, iterations = 3) {
    const state = await svpg.init({ ...small, ...options })
    for (let k = 0; k < iterations; k++) await svpg.step(state)
    return state
  }
  const thetaAfter = async (options: Partial<SvpgOptions>) => [...(await run(options)).arena.view.theta]

  test('a single policy is bit for bit an independent one', async () => {
    const one = { particles: 1, temperature: 3 }
    expect(await thetaAfter(one)).toEqual(await thetaAfter({ ...one, interaction: 'independent' }))
  })

  test.each<Partial<SvpgOptions>>([
    { estimator: 'ppo', criticHidden: [4], epochs: 2, minibatches: 2 },
    { env: 'Pendulum-v1', prior: 1 },
    { interaction: 'no-sharing' },
    { estimator: 'a2c', criticHidden: [4], selfImitation: 'transitions' },
  ])('two runs of %p have the same bits, and others than with a kernel on parameters', async (options) => {
    const theta = await thetaAfter(options)
    expect(theta).toEqual(await thetaAfter(options))
    expect(theta).not.toEqual(await thetaAfter({ ...options, kernel: 'rbf' }))
    expect(theta.every(Number.isFinite)).toBe(true)
  })

  test('workers give the same bits', async () => {
    const state = await run({ workers: 2 })
    const theta = [...state.arena.view.theta]
    svpg.close(state)
    expect(theta).toEqual(await thetaAfter({}))
  })

  test('all policies give probe states of their rollouts, others in each', async () => {
    const state = await run({ probeStates: 5 }, 1)
    const { functions } = state as { functions: FunctionSpace }
    const first = functions.probes as Probes
    expect(first.observation).toHaveLength(3 * 5 * 4)
    expect(first.weight).toHaveLength(3 * 5)
    await svpg.step(state)
    expect((functions.probes as Probes).observation).not.toEqual(first.observation)
    expect(svpg.kernel(state)?.map((row, i) => row[i])).toEqual([1, 1, 1])
  })

  test('what does not fit is refused', async () => {
    const refused = (options: Partial<SvpgOptions>) => expect(svpg.init({ ...small, ...options })).rejects
    await refused({ particles: 1, probeStates: 1 }).toThrow(
      'A kernel on functions needs at least as many probe states as the 2 outputs of a policy, got 1: 1 of each of 1 policies.',
    )
    await refused({ perLayer: true }).toThrow(
      'perLayer is for kernels on parameters: leave it out, got the kernel "function".',
    )
    await refused({ probeStates: 0 }).toThrow('probeStates must be a whole number from 1 to 100000, got 0.')
    const state = await svpg.init(small)
    expect(() => svpg.move(state)).toThrow(
      'A kernel on functions needs a rollout: svpg.evaluate comes before svpg.move.',
    )
    const functions = state.functions as NonNullable<typeof state.functions>
    const probes = probesFor(functions.policy, functions.particles, functions.probeStates)
    const m = functions.probeStates
    // Of a task with another number of observations, and of a worker that sends none.
    const others = probes.map((each) => ({ ...each, observation: new Float32Array(3 * m) }))
    expect(() => takeProbes(functions, others)).toThrow(
      `Policy 0 came back with ${3 * m} numbers of observation at its ${m} probe states, not ${4 * m}.`,
    )
    expect(() => takeProbes(functions, [...probes.slice(1), null as unknown as Probes])).toThrow(
      /^Policy \d+ came back with no numbers of observation at its \d+ probe states, not \d+\.$/,
    )
    expect(() => takeProbes(functions, probes)).not.toThrow()
  })
})
