import { show, UsageError } from '../core/errors.ts'
import type { Ops } from '../core/ops.ts'
import type { EnvironmentSpec } from '../envs/contract.ts'
import { type ActionSpace, choicesOf, isProduct, observationSize, sizeOf } from '../envs/spaces.ts'
import type { Head, HeadName, Policy } from '../nn/policy.ts'
import type { Acting, ActionForm } from '../policy/request.ts'

/**
 * The head of a policy for the task's actions: as named, or categorical for numbered ones, with a factor for each
 * choice where there are several, and Gaussian for a box.
 *
 * @throws UsageError when the named head does not fit the space
 */
export function headFor(spec: EnvironmentSpec, name: HeadName | 'auto' = 'auto'): Head {
  const { id, actionSpace } = spec
  if (actionSpace.kind !== 'box') {
    const factors = choicesOf(actionSpace)
    const actions = factors.reduce((sum, n) => sum + n, 0)
    if (name === 'auto' || name === 'categorical')
      return { name: 'categorical', actions, ...(isProduct(actionSpace) && { factors }) }
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

/** What the actions of a space are to those who act. */
export function formOfSpace(space: ActionSpace): ActionForm {
  if (isProduct(space)) return { kind: 'multi-discrete', size: sizeOf(space), choices: choicesOf(space) }
  return { kind: space.kind, size: space.kind === 'discrete' ? space.n : sizeOf(space) }
}

/**
 * Where a Gaussian head begins, in a row of initial parameters: the mean about the centre of each action's bounds, or
 * the number next to 0 where only one bound is there, with weights and standard deviation in units of half the width,
 * at most 1. Bounds around 0 of ± 1 and wider change nothing.
 *
 * @param deviation σ, or 'auto': half the width of the bounds, at most 1
 */
export function startHead(
  row: Float32Array,
  policy: Policy,
  { actionSpace: space }: EnvironmentSpec,
  deviation: number | 'auto',
  ops: Ops,
): void {
  const { net, head } = policy
  if (head.name !== 'gaussian' || space.kind !== 'box') return
  const { weight, bias } = net.layers[net.layers.length - 1]
  for (let k = 0; k < head.actions; k++) {
    const [low, high] = [space.low[k], space.high[k]]
    const isBounded = Number.isFinite(low) && Number.isFinite(high)
    const unit = isBounded ? Math.min((high - low) / 2, 1) || 1 : 1
    for (let at = weight + k; at < bias; at += head.actions) row[at] *= unit
    row[bias + k] = isBounded ? low + (high - low) / 2 : Math.min(Math.max(0, low), high)
    row[net.size + k] = ops.log64(deviation === 'auto' ? unit : deviation)
  }
}

/** What the actions of a head are to those who act. */
function formOfHead(head: Head): ActionForm {
  if (head.name !== 'categorical') return { kind: 'box', size: head.actions }
  const { factors } = head
  return factors
    ? { kind: 'multi-discrete', size: factors.length, choices: factors }
    : { kind: 'discrete', size: head.actions }
}

/**
 * Refuses whoever acts on other observations, or with other actions, than those of the task.
 *
 * @param who as the subject of a sentence: The agents
 * @throws UsageError
 */
export function refuseOtherForm(
  spec: EnvironmentSpec,
  who: string,
  { observations, actions }: Pick<Acting, 'observations' | 'actions'>,
): void {
  const own = formIn(observations, actions)
  const others = formIn(observationSize(spec), formOfSpace(spec.actionSpace))
  if (own === others) return
  const verb = who.endsWith('s') ? 'have' : 'has'
  throw new UsageError(`${who} ${verb} ${own}, but ${spec.id} has ${others}.`)
}

/** The same for a policy, whose head may also need bounds that the task has not. */
export function refuseOtherPolicy(spec: EnvironmentSpec, who: string, { observations, head }: Policy): void {
  refuseOtherForm(spec, who, { observations, actions: formOfHead(head) })
  headFor(spec, head.name)
}

function formIn(observations: number, { kind, size, choices }: ActionForm): string {
  const what = kind === 'box' ? 'continuous action' : kind === 'discrete' ? 'discrete action' : 'choice'
  const among = choices ? ` among ${show(choices)}` : ''
  return `${counted(observations, 'observation')} and ${counted(size, what)}${among}`
}

const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`

/**
 * Refuses a population that cannot act in a task.
 *
 * @throws UsageError for another number of observations or actions, rows that are too short, or a parameter that is not
 *   finite
 */
export function refuseMisfit(spec: EnvironmentSpec, policy: Policy, theta: Float32Array, particles: number): void {
  refuseOtherPolicy(spec, 'The policies', policy)
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

/**
 * Refuses several choices at once, for which networks of one value a class have no place.
 *
 * @throws UsageError that names what to take
 */
export function refuseProducts(algorithm: string, { id, actionSpace }: EnvironmentSpec): void {
  if (!isProduct(actionSpace)) return
  throw new UsageError(
    `${algorithm} takes actions that are one number or continuous, and those of ${id} are several choices at once (${actionSpace.kind}): take ppo, a2c, reinforce or svpg.`,
  )
}
