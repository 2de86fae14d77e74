import * as v from 'valibot'
import { platform } from '#platform'
import { closeFailed } from '../core/disposable.ts'
import { UsageError } from '../core/errors.ts'
import { type CoreModule, type CoreSource, compileCore } from '../core/module.ts'
import type { Ops, Pointer } from '../core/ops.ts'
import { Purpose, type Seed, splitSeed } from '../core/random.ts'
import { countSchema, fraction, layerWidths, oneOf, positiveFloat32, wholeNumber } from '../core/schemas.ts'
import { seedEntry, setting } from '../core/settings.ts'
import { arraysPart, fieldsPart, partsOf, type StatePart } from '../core/state.ts'
import type { EnvironmentSpec } from '../envs/contract.ts'
import { environmentSpec } from '../envs/registry.ts'
import { actionSize, observationSize } from '../envs/spaces.ts'
import { makeVector, type VectorEnvironment } from '../envs/vector.ts'
import { activations } from '../nn/network.ts'
import { beginTfjs, shareWith, type TfjsOptions } from '../nn/tfjs.ts'
import { refuseProducts } from './heads.ts'
import { type Batch, createBatch, createReplay, type Replay, sampleInto, storeRow } from './replay.ts'
import { replayPart } from './replay-state.ts'
import { checkReward } from './rollout.ts'
import { learningRateEntries, learningRateShare } from './schedules.ts'
import { teamFor } from './team.ts'

// The loop that off-policy algorithms share: act, step, store, learn from what is stored.

/** Its settings. */
export const offPolicyEntries = {
  environments: setting(wholeNumber('environments', 1, 100_000), 1, 'Environments that step together.'),
  steps: setting(wholeNumber('steps', 1, 1_000_000), 1000, 'Steps of each environment in one iteration.'),
  warmup: setting(
    wholeNumber('warmup', 0, 1_000_000_000),
    1000,
    'Transitions before learning begins, whose actions are drawn uniformly.',
  ),
  gradientSteps: setting(
    wholeNumber('gradientSteps', 0, 10_000),
    1,
    'Gradient steps after each step of the environments.',
  ),
  batchSize: setting(wholeNumber('batchSize', 1, 1_000_000), 256, 'Transitions of a gradient step.'),
  replaySize: setting(
    wholeNumber('replaySize', 1, 1_000_000_000),
    1_000_000,
    'Transitions that are kept; of a shorter run no more than it has.',
  ),
  discount: setting(fraction('discount'), 0.99, 'γ of returns.'),
  learningRate: setting(positiveFloat32('learningRate'), 3e-4, 'Learning rate of Adam.'),
  ...learningRateEntries,
  hidden: setting(layerWidths('a hidden width'), [256, 256], 'Widths of the hidden layers of all networks.'),
  activation: setting(oneOf('activation', activations), 'relu', 'Activation of the hidden layers.'),
  seed: seedEntry,
}

export const polyakEntry = setting(
  fraction('polyak'),
  0.005,
  'τ in θ̄ ← τ θ + (1 − τ) θ̄ of the target networks, after each gradient step.',
)

export const criticsEntry = setting(
  wholeNumber('critics', 1, 2),
  1,
  'Q networks: 1, or a pair of which the smaller value counts.',
)

export const rewardScaleEntry = setting(
  positiveFloat32('rewardScale'),
  1,
  'Multiplies rewards in what Q learns: the same policy as with the temperature divided by it, at values of another size.',
)

const schema = v.object(offPolicyEntries)
type OffPolicySettings = v.InferOutput<typeof schema>

/** Hours of training: a run is shown and saved between iterations. */
const MOST_OF_AN_ITERATION = 100_000_000

/**
 * Refuses a replay that cannot fill a batch, and an iteration whose end nobody sees.
 *
 * @throws UsageError
 */
export function checkTogether(settings: OffPolicySettings): void {
  const { replaySize, batchSize, steps, environments, gradientSteps } = settings
  if (replaySize < batchSize)
    throw new UsageError(`replaySize must hold at least a batch of ${batchSize} transitions, got ${replaySize}.`)
  refuseLong('environments', steps, environments)
  refuseLong('gradientSteps', steps, gradientSteps)
}

function refuseLong(of: string, steps: number, each: number): void {
  if (steps * each <= MOST_OF_AN_ITERATION) return
  throw new UsageError(
    `steps × ${of} must be at most ${MOST_OF_AN_ITERATION} in an iteration, got ${steps} × ${each}: take more iterations of fewer steps.`,
  )
}

/** What an algorithm of this kind is given. */
interface Given {
  readonly env: string | EnvironmentSpec
  readonly iterations?: number
  readonly core?: CoreSource
  readonly tfjs?: TfjsOptions
}

/**
 * What every off-policy algorithm begins with: settings that were checked, a task that it can act in, the core and
 * tfjs.
 *
 * @throws UsageError for settings that `check` refuses and tasks that the algorithm cannot act in
 */
export async function prepare<Config extends OffPolicySettings>(
  algorithm: string,
  { env, iterations, core: source, tfjs, ...options }: Given,
  check: (options: object) => Config,
  takes: (algorithm: string, spec: EnvironmentSpec) => EnvironmentSpec = continuousTask,
) {
  const config = check(options)
  const share = learningRateShare(config, iterations)
  const spec = takes(algorithm, environmentSpec(env))
  const core: CoreModule = await compileCore(source)
  await beginTfjs({ ...tfjs, core })
  // Another core than this package's may have other bits.
  shareWith(source ? null : await teamFor(tfjs ?? {}, config))
  const seed = splitSeed(config.seed)
  return {
    config,
    spec,
    core,
    seed,
    /** What multiplies learning rates in iteration t. */
    learningRateShare: share,
    /** O and A. */
    observations: observationSize(spec),
    actions: actionSize(spec),
    /** The environments and the replay; last, so that nothing that is refused leaves them open. */
    loop: () => createOffPolicy(spec, config, seed, { core, iterations }),
  }
}

/**
 * The task of an algorithm whose actions are continuous.
 *
 * @throws UsageError for discrete actions or unbounded ones
 */
function continuousTask(algorithm: string, spec: EnvironmentSpec): EnvironmentSpec {
  if (numberedOrBounded(algorithm, spec).actionSpace.kind === 'box') return spec
  throw new UsageError(
    `${algorithm} needs continuous actions, and those of ${spec.id} are discrete: take svpg, sac or sql.`,
  )
}

/**
 * The task of an algorithm whose actions are numbered, or continuous between bounds.
 *
 * @throws UsageError for unbounded ones and for several choices at once
 */
export function numberedOrBounded(algorithm: string, spec: EnvironmentSpec): EnvironmentSpec {
  const { id, actionSpace } = spec
  refuseProducts(algorithm, spec)
  if (actionSpace.kind !== 'box') return spec
  if (![...actionSpace.low, ...actionSpace.high].every(Number.isFinite))
    throw new UsageError(`${id} has actions without bounds: ${algorithm} cannot scale its own to them.`)
  return spec
}

/** The environments, what they have shown, and what was learned from it. */
export interface OffPolicy {
  readonly spec: EnvironmentSpec
  readonly envs: VectorEnvironment
  readonly replay: Replay
  readonly batch: Batch
  readonly seed: Seed
  /** [E, O] what each environment shows now. */
  readonly observation: Float32Array
  /** [E, A] the actions of this step, in [−1, 1] or numbers, and as the environments take them. */
  readonly action: Float32Array
  readonly given: Float32Array
  /** Steps of each environment, and gradient steps, so far. */
  steps: number
  updates: number
  /** Episodes that ended in this iteration, and the sum of their returns. */
  episodes: number
  total: number
}

/** @param iterations of the run, where they are known: a replay never needs more than its transitions */
async function createOffPolicy(
  spec: EnvironmentSpec,
  settings: OffPolicySettings,
  seed: Seed,
  { core, iterations }: { core?: CoreSource; iterations?: number },
): Promise<OffPolicy> {
  const { environments: num, steps, batchSize, replaySize, seed: number } = settings
  const sizes = { observations: observationSize(spec), actions: actionSize(spec) }
  const needed = iterations === undefined ? replaySize : Math.max(iterations * steps * num, batchSize)
  const action = new Float32Array(num * sizes.actions)
  const room = {
    replay: createReplay({ ...sizes, capacity: Math.min(replaySize, needed) }),
    batch: createBatch(sizes, batchSize),
    action,
    given: action.slice(),
  }
  const envs = await makeVector(spec, { num, autoreset: 'same-step', core })
  try {
    const observation = envs.reset({ seed: number }).obs.slice()
    return { spec, envs, seed, ...room, observation, steps: 0, updates: 0, episodes: 0, total: 0 }
  } catch (error) {
    closeFailed(() => envs.close())
    throw error
  }
}

/** Where random numbers are drawn: an arena that has a field for them, [at least B and E A]. */
interface RandomRoom {
  readonly ops: Ops
  readonly at: { readonly uniform: Pointer }
  readonly view: { readonly uniform: Float32Array }
}

/** Steps between two breaths, in which a page or an interrupt has its turn. */
const BREATHE_EVERY = 64

/**
 * One iteration: T steps of every environment, each followed by the gradient steps that are due. It yields what the
 * algorithm is to do next,
 *
 *     'act'     write the actions of this step, in [−1, 1] or numbers, into loop.action
 *     'learn'   take one gradient step on loop.batch
 *
 * and before learning begins it acts uniformly by itself.
 *
 * @throws RunError when a reward is not finite
 */
export async function* interact(
  loop: OffPolicy,
  { environments, warmup, steps, gradientSteps, batchSize }: OffPolicySettings,
  room: RandomRoom,
): AsyncGenerator<'act' | 'learn', void, void> {
  loop.episodes = 0
  loop.total = 0
  for (let t = 0; t < steps; t++) {
    if (loop.steps * environments < warmup) explore(loop, room)
    else yield 'act'
    stepEnvironments(loop)
    const isLearning = loop.replay.count >= batchSize && loop.steps * environments >= warmup
    for (let k = 0; isLearning && k < gradientSteps; k++) {
      draw(loop, room)
      yield 'learn'
      loop.updates++
    }
    if (t % BREATHE_EVERY === 0) await platform.breathe()
  }
}

/** Actions uniform in [−1, 1] or among all numbers, a function of (seed, step). */
function explore(loop: OffPolicy, { ops, at, view }: RandomRoom): void {
  const { action, seed, steps, spec } = loop
  ops.fillUniform(at.uniform, action.length, seed.lo, seed.hi, Purpose.explore, 0, 0, steps)
  const { actionSpace: space } = spec
  for (let k = 0; k < action.length; k++) {
    const u = view.uniform[k]
    action[k] = space.kind === 'discrete' ? Math.floor(u * space.n) : 2 * u - 1
  }
}

function stepEnvironments(loop: OffPolicy): void {
  const { spec, envs, replay, observation, action, given } = loop
  boundInto(given, action, spec)
  const { obs, reward, terminated, info } = envs.step(given)
  const O = observation.length / envs.num
  for (let row = 0; row < envs.num; row++) {
    checkReward(spec, 0, reward[row])
    const isOver = info.finalMask[row] === 1
    const nextObservation = isOver ? info.finalObservation : obs
    storeRow(replay, { observation, nextObservation, action, reward, terminated }, row)
    if (!isOver) continue
    loop.episodes++
    loop.total += info.finalReturn[row]
  }
  observation.set(obs.subarray(0, envs.num * O))
  loop.steps++
}

/** The rows of the next gradient step, a function of (seed, gradient steps so far). */
function draw({ batch, replay, seed, updates }: OffPolicy, { ops, at, view }: RandomRoom): void {
  ops.fillUniform(at.uniform, batch.rows, seed.lo, seed.hi, Purpose.replay, 0, 0, updates)
  sampleInto(batch, replay, view.uniform)
}

/** Where a policy of the core acts. */
interface ActingRoom {
  readonly ops: Ops
  readonly at: { readonly policy: Pointer; readonly current: Pointer; readonly action: Pointer }
  readonly view: { readonly current: Float32Array; readonly action: Float32Array }
}

/** The loop's actions, in (−1, 1) or numbers, drawn from the policy of the arena. */
export function drawActions({ ops, at, view }: ActingRoom, loop: OffPolicy): void {
  const { envs, observation, action, seed, steps } = loop
  view.current.set(observation)
  // biome-ignore format: one op, one line
  ops.act(at.policy, 0, at.current, envs.num, at.action, 0, 0, Purpose.action, 0, steps, seed.lo, seed.hi)
  action.set(view.action)
}

/** Numbers as they are, actions in [−1, 1] moved to the box as a squashed head's are in assembly/rl/rollout.ts. */
export function boundInto(out: Float32Array, action: Float32Array, { actionSpace }: EnvironmentSpec): void {
  if (actionSpace.kind !== 'box') {
    out.set(action)
    return
  }
  const { fround } = Math
  const A = actionSpace.low.length
  for (let k = 0; k < out.length; k++) {
    const low = fround(actionSpace.low[k % A])
    const high = fround(actionSpace.high[k % A])
    const half = fround(fround(0.5 * fround(action[k] + 1)) * fround(high - low))
    out[k] = Math.min(Math.max(fround(low + half), low), high)
  }
}

/** What the loop goes on with: environments, replay, counters. */
export function loopPart(loop: OffPolicy): StatePart {
  const { envs, replay, observation } = loop
  return partsOf({
    counters: fieldsPart(loop, { steps: countSchema, updates: countSchema }),
    shown: arraysPart({ observation }),
    environments: envs.part,
    replay: replayPart(replay, () => loop.steps * envs.num),
  })
}

/** What the episodes of an iteration were. */
export interface Episodes {
  readonly episodes: number
  /** Null where none ended. */
  readonly meanReturn: number | null
}

/** Of the last iteration. */
export const episodesOf = ({ episodes, total }: OffPolicy): Episodes => ({
  episodes,
  meanReturn: episodes > 0 ? total / episodes : null,
})
