import { beforeAll, test } from '@jest/globals'
import { createPolicyGradient } from '../../../src/algorithms/policy-gradient/evaluation-state.ts'
import { evaluateParticle } from '../../../src/algorithms/policy-gradient/policy-gradient.ts'
import { contextFor, createBehaviour, observeBehaviour } from '../../../src/algorithms/svpg/behaviour-kernel.ts'
import { compileCore } from '../../../src/core/module.ts'
import { Purpose, splitSeed } from '../../../src/core/random.ts'
import { cartPole } from '../../../src/envs/cartpole.ts'
import { policyOf } from '../../../src/nn/policy.ts'
import { startTfjs } from '../../../src/nn/tfjs.ts'
import { type EstimatorOptions, estimatorOf } from '../../../src/rl/estimator.ts'
import type { Job, ParticleState } from '../../../src/rl/evaluator.ts'
import { headFor } from '../../../src/rl/heads.ts'
import { initialiseTrainable } from '../../../src/rl/trainable.ts'
import { explorationRewards } from '../../../src/rl/visitation-density.ts'
import { expectClose } from '../../helpers/close.ts'
import { rowsOf } from '../../nn/population.ts'
import { slopes, surrogateReference } from '../../reference/distributions.ts'
import { mlpReference } from '../../reference/mlp.ts'
import { lambdaReturnsReference } from '../../reference/returns.ts'

const core = await compileCore()
beforeAll(() => startTfjs({ core }))

test.each<EstimatorOptions>([
  {},
  { entropyBonus: 3 },
  { estimator: 'ppo', epochs: 1, minibatches: 1, criticHidden: [3] },
])(
  'the exploration gradient is Σ k times the policy gradient of the rewards for being elsewhere: %j',
  async (options) => {
    const [E, T, discount] = [3, 60, 0.9]
    const task = { spec: cartPole, head: headFor(cartPole), environments: E, steps: T, seed: splitSeed(1) }
    const policy = policyOf({ observations: 4, hidden: [3], head: task.head })
    const estimator = estimatorOf({ standardise: false, discount, ...options })
    const state = await createPolicyGradient({ task, policy, estimator, divergence: 'js', core })
    const behaviour = await createBehaviour(core, 2, policy, { divergence: 'js', temperature: null }, splitSeed(2))
    const visit = (by: number) => ({
      observation: Float32Array.from({ length: 4 * 30 }, (_, k) => Math.sin(by * k) / 10),
      action: Float32Array.from({ length: 30 }, (_, b) => (b * by) % 2),
    })
    for (let k = 0; k < 6; k++) observeBehaviour(behaviour, [visit(3), visit(5)])
    const theta = Float32Array.from({ length: policy.size }, (_, k) => Math.sin(3 * k + 1) / 2)
    const context = contextFor(behaviour, 1) as ParticleState
    const job: Job = { particle: 1, step: 0, theta, behaviour: theta, pass: 0, carried: null, context }
    const { exploration } = evaluateParticle(state, job)

    const { view, ops } = state.arena
    const reward = new Float64Array(T * E)
    const weight = explorationRewards(reward, ops, 1, context, { policy, divergence: 'js', visited: view })
    // The critic of these rewards as it was before it learned from them.
    const fresh = await createPolicyGradient({ task, policy, estimator, divergence: 'js', core })
    const explorer = fresh.explorer as NonNullable<typeof fresh.explorer>
    initialiseTrainable(explorer, task.seed, 1, { purpose: Purpose.exploration })
    const valueOfRow = (x: readonly number[]) => mlpReference(explorer.net, explorer.view.theta, x)[0]
    const [values, nextValues] = [view.observation, view.nextObservation].map((all) => rowsOf(all, 4).map(valueOfRow))
    const advantage = Array<number>(T * E).fill(0)
    for (let e = 0; e < E; e++) {
      const rows = Array.from({ length: T }, (_, t) => t * E + e)
      const of = (all: ArrayLike<number>) => rows.map((row) => all[row])
      const ends = rows.map((row) => (view.terminated[row] ? 'terminated' : null))
      const rollout = { reward: of(reward), value: of(values), nextValue: of(nextValues), ends, discount } as const
      lambdaReturnsReference(rollout, estimator.lambda ?? 1).forEach((target, t) => {
        advantage[rows[t]] = target - values[rows[t]]
      })
    }
    const rows = {
      observation: rowsOf(view.observation, 4),
      action: rowsOf(view.action, 1),
      weight: advantage.map((value) => value / (T * E)),
      noise: advantage.map(() => []),
    }
    const numeric = slopes((moved) => weight * surrogateReference(policy, moved, rows, 0), [...theta])
    expectClose(exploration ?? [], numeric, 1e-3)
  },
)
