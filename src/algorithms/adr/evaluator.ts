import { spreadRows, takeRows } from '../../core/rows.ts'
import { actionWidth } from '../../nn/policy.ts'
import type { Evaluator, Job, Outcome, ParticleState, Visited } from '../../rl/evaluator.ts'
import { specAt } from '../../rl/randomisation.ts'
import { carryEnvironments, createRoller, startEnvironments } from '../../rl/rollout.ts'
import {
  closeRollers,
  createPolicyGradient,
  type PolicyGradient,
  type PolicyGradientSetup,
  retireRoller,
} from '../policy-gradient/evaluation-state.ts'
import { evaluateParticle } from '../policy-gradient/policy-gradient.ts'

export interface RandomisedSetup extends PolicyGradientSetup {
  /** The constants that a job's context has values of, where the task is in TypeScript. */
  readonly constants: readonly string[]
}

/**
 * The policy gradient of one agent at one point of the environment's parameters: `context.constants` of a job. Every
 * rollout begins new episodes, so that none straddles two points.
 */
export const randomisedEvaluator = async (setup: RandomisedSetup): Promise<Evaluator> => {
  const state = await createPolicyGradient(setup)
  return Object.assign((job: Job) => evaluateAt(state, setup.constants, job), { close: () => closeRollers(state) })
}

function evaluateAt(state: PolicyGradient, names: readonly string[], { context, ...job }: Job): Outcome {
  const isCollected = job.pass > 0 && state.batches.get(job.particle)?.step === job.step
  const here = isCollected ? { state, carried: job.carried } : begin(state, names, { ...job, context })
  const outcome = evaluateParticle(here.state, { ...job, carried: here.carried, context: null })
  return job.pass === 0 ? { ...outcome, visited: transitionsOf(state) } : outcome
}

/**
 * Sets the constants and starts new episodes with them; numbered by the steps before, no two episodes have the same
 * number.
 */
function begin(state: PolicyGradient, names: readonly string[], { particle, step, carried, context }: Job) {
  const { arena, rollers } = state
  const constants = context?.constants as Float64Array
  let { task } = state
  if (task.spec.core) arena.view.constants.set(constants)
  else if (constants.length > 0) task = { ...task, spec: specAt(task.spec, named(names, constants)) }
  retireRoller(rollers, particle)
  const roller = createRoller(task, particle)
  rollers.set(particle, { roller, step })
  startEnvironments(arena, task, roller, step)
  return { state: { ...state, task }, carried: { ...carried, ...carryEnvironments(arena, roller) } as ParticleState }
}

const named = (names: readonly string[], values: Float64Array) =>
  Object.fromEntries(names.map((name, k) => [name, values[k]]))

/** Transitions of a rollout that are shown to the discriminator. */
const TRANSITIONS = 256

/** Some of the transitions (s, a, s′) of the rollout, a as the environment was given it. */
function transitionsOf({ arena: { view }, policy }: PolicyGradient): Visited {
  const B = view.weight.length
  const rows = spreadRows(B, TRANSITIONS)
  const { observations, head } = policy
  const A = actionWidth(head)
  const action = takeRows(view.action, rows, view.action.length / B)
  if (head.name === 'gaussian')
    action.forEach((a, k) => {
      action[k] = Math.min(Math.max(a, view.low[k % A]), view.high[k % A])
    })
  return {
    observation: takeRows(view.observation, rows, observations),
    action,
    nextObservation: takeRows(view.nextObservation, rows, observations),
  }
}
