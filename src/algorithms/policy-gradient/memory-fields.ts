import { UsageError } from '../../core/errors.ts'
import { f32, f64, i32 } from '../../core/layout.ts'
import { actionSize, observationSize } from '../../envs/spaces.ts'
import type { Policy } from '../../nn/policy.ts'
import { stateActionSize } from '../../nn/state-action.ts'
import type { Estimator } from '../../rl/estimator.ts'
import type { ParticleState } from '../../rl/evaluator.ts'
import { type CarriedFields, fixed, growing } from '../../rl/particle-states.ts'
import type { Task } from '../../rl/rollout.ts'

// What self-imitation keeps of a particle's past, field by field.

/** The rows of running episodes, and the memory of transitions or of trajectories. */
export function memoryFields(
  { spec, environments: E }: Task,
  { head }: Policy,
  { selfImitation, imitationCapacity: M }: Estimator,
): CarriedFields {
  const [O, A] = [observationSize(spec), actionSize(spec)]
  if (selfImitation === 'none') return {}
  const open = growing({ pastObservation: f32(E, O), pastAction: f32(E, A), pastReward: f64(E) })
  if (selfImitation === 'transitions')
    return {
      ...open,
      ...fixed({ memoryObservation: f32(M, O), memoryAction: f32(M, A), memoryReturn: f64(M), memoryPriority: f64(M) }),
      ...fixed({ memoryCount: i32(2) }),
    }
  return {
    ...open,
    ...growing({ bestObservation: f32(O), bestAction: f32(A), bestLength: i32(1), bestReturn: f64(1) }),
    ...fixed({ bestMoments: f64(1 + 2 * stateActionSize(O, head)) }),
  }
}

/** Throws a UsageError where those arrays do not fit each other. */
export function refuseMemories(
  { spec, environments: E }: Task,
  state: ParticleState,
  { selfImitation, ...of }: Estimator,
): void {
  if (selfImitation === 'none') return
  const [O, A] = [observationSize(spec), actionSize(spec)]
  const longest = Array.from(state.elapsed).reduce((most, steps) => Math.max(most, steps), 0)
  refuseRows('running episodes', longest * E, [
    state.pastObservation.length / O,
    state.pastAction.length / A,
    state.pastReward.length,
  ])
  if (selfImitation === 'trajectories') {
    const { bestLength, bestReturn, bestObservation, bestAction } = state
    refuseRows('best trajectories', sum(bestLength), [bestObservation.length / O, bestAction.length / A])
    refuseRows('best returns', bestLength.length, [bestReturn.length])
    if (bestLength.length > of.trajectories)
      throw new UsageError(`it has ${bestLength.length} trajectories, more than the ${of.trajectories} that are kept.`)
    return
  }
  const [count, next] = state.memoryCount
  if (count > of.imitationCapacity || next >= of.imitationCapacity)
    throw new UsageError(`its memory of ${of.imitationCapacity} transitions cannot hold ${count}, the next at ${next}.`)
}

function refuseRows(what: string, expected: number, found: readonly number[]): void {
  const other = found.find((rows) => rows !== expected)
  if (other !== undefined) throw new UsageError(`its ${what} have ${other} rows, not ${expected}.`)
}

const sum = (values: ArrayLike<number>) => Array.from(values).reduce((total, value) => total + value, 0)
