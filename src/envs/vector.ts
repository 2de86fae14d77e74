import { createArena } from '../core/arena.ts'
import { type Closable, closable } from '../core/disposable.ts'
import { show, UsageError } from '../core/errors.ts'
import { u8 } from '../core/layout.ts'
import { compileCore } from '../core/module.ts'
import { refuseUnknown, requireOptions } from '../core/options.ts'
import { check, oneOf, seedSchema, wholeNumber } from '../core/schemas.ts'
import type { StatePart } from '../core/state.ts'
import { MAKE_OPTIONS, type MakeOptions } from './configured.ts'
import type { EnvironmentSpec, Info } from './contract.ts'
import { checkAction, closedError, takenActions } from './errors.ts'
import { taskNamed } from './named.ts'
import { type ActionSpace, choicesOf, sizeOf } from './spaces.ts'
import { type AutoresetMode, vectorFields } from './vector-fields.ts'
import { coreRows, type RowStepper, typeScriptRows, type Vector, vectorPart } from './vector-rows.ts'

const modes = ['next-step', 'same-step', 'disabled'] as const

/** How many environments makeVector() steps together, and how they begin anew. */
export interface MakeVectorOptions extends MakeOptions {
  /** N, how many environments. */
  num: number
  /** Default 'next-step'. */
  autoreset?: AutoresetMode
  /** Used by a reset without a seed; default 0. */
  seed?: number
}

/** All arrays are written again by the next reset or step: copy what is to be kept. */
export interface VectorReset {
  /** [N, O] row by row. */
  readonly obs: Float32Array
  readonly info: VectorInfo
}

/** What a step of a vector gives: an entry an environment. */
export interface VectorStep extends VectorReset {
  /** [N] */
  readonly reward: Float64Array
  /** [N] 1 or 0. */
  readonly terminated: Uint8Array
  /** [N] 1 or 0. */
  readonly truncated: Uint8Array
}

/** What a step of a vector gives beside its observations. */
export interface VectorInfo {
  /** [N] 1 where `obs` is the first observation of an episode. */
  readonly resetMask: Uint8Array
  /**
   * [N] 1 where an episode ended in this step; the final values below are those of the episode that ended last in the
   * row.
   */
  readonly finalMask: Uint8Array
  /** [N, O] what the row showed at the end; the same array as `obs` unless mode is 'same-step'. */
  readonly finalObservation: Float32Array
  /** [N] sum of rewards; of the task's own where normaliseReward() is around it. */
  readonly finalReturn: Float64Array
  /** [N] steps. */
  readonly finalElapsed: Int32Array
  /** [N] info of the last step. */
  readonly finalInfo: readonly Info[]
  /** [N] info of this step. */
  readonly rows: readonly Info[]
}

/** N environments that step together. */
export interface VectorEnvironment extends Closable {
  readonly spec: EnvironmentSpec
  readonly num: number
  readonly autoreset: AutoresetMode
  /** [N, stateSize] float64 states of the physics; write into it to set them. Empty for a task in TypeScript. */
  readonly state: Float64Array
  /**
   * Starts an episode in every row, or in those where `mask` is not 0. With a seed the episodes are the first ones of
   * that seed, otherwise the next ones. The episode of a row is a function of the seed, the row and how many it had
   * before, as in training.
   */
  reset(options?: { seed?: number; mask?: ArrayLike<number> }): VectorReset
  /** @param actions [N, A] row by row, a discrete action being one number */
  step(actions: ArrayLike<number>): VectorStep
  /** Where its episodes are: what a checkpoint keeps of it. */
  readonly part: StatePart
  /**
   * Closes the environments; after that they neither reset nor step. `using` does it where the runtime knows
   * Symbol.dispose.
   */
  close(): void
}

/**
 * N copies of a task with the interface of Gymnasium's vector environments:
 *
 *     const envs = await makeVector('CartPole-v1', { num: 64 })
 *     envs.reset({ seed: 7 })
 *     const { obs, reward, terminated, truncated, info } = envs.step(actions)
 *
 * @throws UsageError for a wrong option, a batch of actions of the wrong size, an action outside the space, a step
 *   before reset, and in mode 'disabled' a step of a row that has ended; RunError when a task in TypeScript gives what
 *   its contract does not allow
 */
export async function makeVector(
  env: string | EnvironmentSpec,
  options: MakeVectorOptions,
): Promise<VectorEnvironment> {
  requireOptions('makeVector', options, [...MAKE_OPTIONS, 'num', 'autoreset', 'seed'])
  const num = check(wholeNumber('num', 1), options.num)
  const autoreset = check(oneOf('autoreset', modes), options.autoreset ?? 'next-step')
  const seed = check(seedSchema, options.seed ?? 0)
  const spec = await taskNamed(env, options)
  const arena = await createArena(await compileCore(options.core), { ...vectorFields(spec, num), mask: u8(num) })
  const vector: Vector = { spec, taken: takenActions(spec), num, autoreset, seed, arena, infos: [], finalInfos: [] }
  for (let row = 0; row < num; row++) {
    vector.infos.push(NO_INFO)
    vector.finalInfos.push(NO_INFO)
  }
  return frontOf(vector, spec.core ? coreRows(vector) : typeScriptRows(vector))
}

const NO_INFO: Info = {}

/** What the caller sees: checks, and the same views every time. */
function frontOf(vector: Vector, rows: RowStepper): VectorEnvironment {
  const { spec, num, autoreset, arena, infos, finalInfos } = vector
  const { view } = arena
  const info = {
    resetMask: new Uint8Array(num),
    finalMask: new Uint8Array(num),
    finalObservation: autoreset === 'same-step' ? view.finalObservation : view.observation,
    finalReturn: view.finalReturn,
    finalElapsed: view.finalElapsed,
    finalInfo: finalInfos,
    rows: infos,
  }
  const { reward, terminated, truncated } = view
  const result = { obs: view.observation, reward, terminated, truncated, info }
  let started = false
  let open = true
  const checkOpen = () => {
    if (!open) throw closedError(spec.id)
  }
  return closable<VectorEnvironment>({
    spec,
    num,
    autoreset,
    state: view.state,
    reset(options = {}) {
      refuseUnknown('reset', options, ['seed', 'mask'])
      const { seed, mask } = options
      checkOpen()
      checkReset(vector, started, seed, mask)
      for (let row = 0; row < num; row++) {
        const resets = !mask || mask[row] ? 1 : 0
        info.resetMask[row] = resets
        info.finalMask[row] = 0
        if (resets && started) view.episode[row]++
      }
      if (seed !== undefined) {
        vector.seed = seed
        view.episode.fill(0)
      }
      rows.reset(mask)
      started = true
      return { obs: result.obs, info }
    },
    step(actions) {
      checkOpen()
      if (!started) throw new UsageError(`${spec.id}: call reset before step; there are no running episodes.`)
      readActions(vector, actions)
      if (autoreset === 'disabled') checkRunning(vector)
      rows.step()
      for (let row = 0; row < num; row++) {
        info.finalMask[row] = view.terminated[row] | view.truncated[row]
        info.resetMask[row] = view.elapsed[row] === 0 ? 1 : 0
      }
      return result
    },
    part: vectorPart(vector, rows, (seed) => {
      vector.seed = seed
      rows.reset()
      started = true
    }),
    close() {
      if (open) rows.close()
      open = false
    },
  })
}

function checkReset({ spec, num }: Vector, started: boolean, seed?: number, mask?: ArrayLike<number>): void {
  if (seed !== undefined) check(seedSchema, seed)
  if (!mask) return
  if (seed !== undefined) throw new UsageError(`${spec.id}: reset takes a seed or a mask, got both.`)
  if (!started) throw new UsageError(`${spec.id}: the first reset must be one of all rows, got a mask.`)
  if (mask.length !== num)
    throw new UsageError(`${spec.id}: a mask has one number for each of the ${num} rows, got ${mask.length}.`)
}

/** Checks all actions before any row moves. */
function readActions({ spec, taken, num, arena }: Vector, actions: ArrayLike<number>): void {
  const A = sizeOf(spec.actionSpace)
  if (actions?.length !== num * A) {
    const count = A === 1 ? `${num} numbers` : `${num} x ${A} numbers`
    throw new UsageError(
      `${spec.id}: a batch of actions has ${count}, one row after the other, got ${show(actions?.length)}.`,
    )
  }
  if (!withinSpace(taken, actions)) throw actionError(spec.id, taken, actions, A)
  arena.view.action.set(actions)
}

function withinSpace(space: ActionSpace, actions: ArrayLike<number>): boolean {
  if (space.kind !== 'box') {
    const choices = choicesOf(space)
    for (let k = 0; k < actions.length; k++) {
      const action = actions[k]
      const n = choices[k % choices.length]
      if (!(typeof action === 'number' && action >= 0 && action < n && action === Math.floor(action))) return false
    }
    return true
  }
  const A = space.low.length
  for (let k = 0, column = 0; k < actions.length; k++, column = column + 1 === A ? 0 : column + 1) {
    if (!Number.isFinite(actions[k])) return false
    const action = Math.fround(actions[k])
    const inside = action >= Math.fround(space.low[column]) && action <= Math.fround(space.high[column])
    if (!inside) return false
  }
  return true
}

function actionError(id: string, space: ActionSpace, actions: ArrayLike<number>, A: number): unknown {
  for (let row = 0; row * A < actions.length; row++) {
    const action = Array.from({ length: A }, (_, k) => actions[row * A + k])
    try {
      checkAction(`${id}, row ${row}`, space, space.kind === 'discrete' ? action[0] : action)
    } catch (error) {
      return error
    }
  }
  return undefined
}

/** The flags of the last step stand until the row is reset. */
function checkRunning({ spec, num, arena: { view } }: Vector): void {
  for (let row = 0; row < num; row++) {
    if (!view.terminated[row] && !view.truncated[row]) continue
    throw new UsageError(
      `${spec.id}, row ${row}: the episode ended after ${view.elapsed[row]} steps; reset it with a mask before the next step.`,
    )
  }
}
