import { createArena } from '../../src/core/arena.ts'
import { f32, i32, padded } from '../../src/core/layout.ts'
import { compileCore } from '../../src/core/module.ts'
import { Purpose } from '../../src/core/random.ts'
import { actionWidth, type Head, type Policy, policyFields, policyOf, writePolicy } from '../../src/nn/policy.ts'

const module = await compileCore()

/** n policies of one shape, all parameters 0, and room for `rows` observations and actions. */
export async function populationOf(policy: Policy, n: number, rows: number) {
  const D = padded(policy.size)
  const arena = await createArena(module, {
    theta: f32(n, D),
    ...policyFields(policy, rows),
    observation: f32(rows, policy.net.widths[0]),
    action: f32(rows, actionWidth(policy.head)),
    environments: i32(rows),
    out: f32(rows),
    noise: f32(rows * actionWidth(policy.head)),
  })
  writePolicy(arena, policy, D)
  const thetaOf = (i: number) => arena.view.theta.subarray(i * D, i * D + policy.size)
  return { ...arena, policy, rows, D, thetaOf }
}

export type Policies = Awaited<ReturnType<typeof populationOf>>

/** Policies whose networks hand their observations through, so that a test chooses the outputs. */
export async function directPopulation(head: Head, n: number, rows: number): Promise<Policies> {
  const outputs = head.name === 'squashed-gaussian' ? 2 * head.actions : head.actions
  const population = await populationOf(policyOf({ observations: outputs, hidden: [], head }), n, rows)
  for (let i = 0; i < n; i++) for (let k = 0; k < outputs; k++) population.thetaOf(i)[k * outputs + k] = 1
  return population
}

interface Drawing {
  particle?: number
  greedy?: boolean
  purpose?: number
  stream?: number
  step?: number
  seed?: [number, number]
  environments?: readonly number[]
}

/** The actions that the policy takes on its observations, [rows × A]. */
export function actionsOf(
  { ops, at, view, rows }: Policies,
  { particle = 0, greedy, purpose = Purpose.action, stream = 0, step = 0, seed = [1, 0], environments }: Drawing = {},
): Float32Array {
  if (environments) view.environments.set(environments)
  const list = environments ? at.environments : 0
  // biome-ignore format: one op, one line
  ops.act(at.policy, particle, at.observation, rows, at.action, list, greedy ? 1 : 0, purpose, stream, step, ...seed)
  return view.action.slice()
}

/** log π of the actions in the arena. */
export function logProbsOf({ ops, at, view, rows }: Policies, particle = 0): Float32Array {
  ops.policyLogProb(at.policy, particle, at.observation, rows, at.action, at.out)
  return view.out.slice()
}

/** Rows of `width` numbers. */
export const rowsOf = (values: ArrayLike<number>, width: number): number[][] =>
  Array.from({ length: values.length / width }, (_, r) =>
    Array.from({ length: width }, (_, k) => values[r * width + k]),
  )
