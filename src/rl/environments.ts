import { show, UsageError } from '../core/errors.ts'
import { f32, f64, i32, struct, u32 } from '../core/layout.ts'
import type { Pointer } from '../core/ops.ts'
import type { EnvironmentSpec } from '../envs/contract.ts'
import { sizeOf } from '../envs/spaces.ts'
import { type Head, HeadKind, type HeadName, type Policy } from '../nn/policy.ts'

/** As the class Environments in assembly/rl/rollout.ts. */
export const environmentsStruct = struct([
  'kind',
  'constants',
  'maxSteps',
  'observationSize',
  'actionSize',
  'count',
  'state',
  'current',
  'elapsed',
  'episode',
  'episodeReturn',
  'finished',
  'finishedReturn',
  'head',
  'low',
  'high',
  'bounded',
])

/** The fields that environments carry from one rollout to the next. */
export const environmentState = ['state', 'current', 'elapsed', 'episode', 'episodeReturn'] as const

/** The E running environments of one particle. */
export function environmentFields(spec: EnvironmentSpec, E: number) {
  return {
    environments: environmentsStruct.field,
    constants: f64(Object.keys(spec.core?.constants ?? {}).length),
    /** [E, stateSize] */
    state: f64(E, spec.core?.stateSize ?? 0),
    /** [E, O] what each environment shows now. */
    current: f32(E, observationSize(spec)),
    /** [E] steps since the last reset. */
    elapsed: i32(E),
    /** [E] number of the running episode. */
    episode: u32(E),
    /** [E] rewards of the running episode so far. */
    episodeReturn: f64(E),
    /** Episodes ended, and the sum of their returns. */
    finished: i32(1),
    finishedReturn: f64(1),
    /** [A] bounds of an action. */
    low: f32(actionSize(spec)),
    high: f32(actionSize(spec)),
    /** [E, A] actions within them. */
    bounded: f32(E, actionSize(spec)),
  }
}

export const observationSize = (spec: EnvironmentSpec) => sizeOf(spec.observationSpace)

/** A: numbers of an action. A discrete action is one number. */
export const actionSize = (spec: EnvironmentSpec) => sizeOf(spec.actionSpace)

type Fields = ReturnType<typeof environmentFields>

/** Fills the record that ops read the environments from, the constants of the physics and the bounds of actions. */
export function writeEnvironments(
  {
    at,
    view,
  }: {
    at: { [K in keyof Fields]: Pointer }
    view: { environments: Uint32Array; constants: Float64Array; low: Float32Array; high: Float32Array }
  },
  spec: EnvironmentSpec,
  head: Head,
  E: number,
): void {
  view.constants.set(Object.values(spec.core?.constants ?? {}))
  if (spec.actionSpace.kind === 'box') {
    view.low.set(spec.actionSpace.low)
    view.high.set(spec.actionSpace.high)
  }
  environmentsStruct.write(view.environments, {
    ...at,
    kind: spec.core?.kind ?? 0,
    maxSteps: spec.maxEpisodeSteps,
    observationSize: observationSize(spec),
    actionSize: actionSize(spec),
    count: E,
    head: HeadKind[head.name],
  })
}

/**
 * The head of a policy for the task's actions: as named, or categorical for a discrete space and Gaussian for a box.
 *
 * @throws UsageError when the named head does not fit the space
 */
export function headFor(spec: EnvironmentSpec, name: HeadName | 'auto' = 'auto'): Head {
  const { id, actionSpace } = spec
  if (actionSpace.kind === 'discrete') {
    if (name === 'auto' || name === 'categorical') return { name: 'categorical', actions: actionSpace.n }
    throw new UsageError(`${id} has discrete actions: the head must be categorical, got ${show(name)}.`)
  }
  if (name === 'categorical')
    throw new UsageError(
      `${id} has continuous actions: the head must be gaussian or squashed-gaussian, got ${show(name)}.`,
    )
  if (name === 'squashed-gaussian' && ![...actionSpace.low, ...actionSpace.high].every(Number.isFinite))
    throw new UsageError(`${id} has actions without bounds: a squashed-gaussian head cannot be scaled to them.`)
  return { name: name === 'auto' ? 'gaussian' : name, actions: sizeOf(actionSpace) }
}

/**
 * Refuses a population that cannot act in a task.
 *
 * @throws UsageError for another number of observations or actions, rows that are too short, or a parameter that is not finite
 */
export function refuseMisfit(spec: EnvironmentSpec, policy: Policy, theta: Float32Array, particles: number): void {
  const { observations, head } = policy
  const expected = { observations: observationSize(spec), actions: headFor(spec, head.name).actions }
  if (observations !== expected.observations || head.actions !== expected.actions)
    throw new UsageError(
      `The policies have ${observations} observations and ${head.actions} actions, but ${spec.id} has ${expected.observations} and ${expected.actions}.`,
    )
  const stride = theta.length / particles
  if (!Number.isInteger(stride) || stride < policy.size)
    throw new UsageError(
      `${particles} policies of ${policy.size} parameters do not fit theta, which has ${theta.length} numbers.`,
    )
  const bad = theta.findIndex((value) => !Number.isFinite(value))
  if (bad >= 0)
    throw new UsageError(
      `Parameter ${bad % stride} of particle ${Math.floor(bad / stride)} is ${theta[bad]}; parameters must be finite.`,
    )
}
