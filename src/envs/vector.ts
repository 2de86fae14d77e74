import { type Arena, createArena } from '../core/arena.ts'
import { type Closable, closable, closeAll } from '../core/disposable.ts'
import { check, oneOf, show, UsageError, wholeNumber } from '../core/errors.ts'
import { deriveSeed } from '../core/generator.ts'
import { u8 } from '../core/layout.ts'
import { compileCore } from '../core/module.ts'
import { refuseUnknown } from '../core/options.ts'
import { Purpose, splitSeed } from '../core/random.ts'
import type { EnvironmentSpec, Info } from './contract.ts'
import { actionOf, namingRow, openEpisodes, startEpisode, stepEpisode } from './episodes.ts'
import { checkAction, closedError, takenActions } from './errors.ts'
import { creatorOf } from './instances.ts'
import { configured, MAKE_OPTIONS, type MakeOptions, seedSchema } from './make.ts'
import { type Space, sizeOf } from './spaces.ts'
import { type AutoresetMode, vectorFields, writeVector } from './vector-fields.ts'

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
  /** [N] sum of rewards. */
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
  refuseUnknown('makeVector', options, [...MAKE_OPTIONS, 'num', 'autoreset', 'seed'])
  const num = check(wholeNumber('num', 1), options.num)
  const autoreset = check(oneOf('autoreset', modes), options.autoreset ?? 'next-step')
  const seed = check(seedSchema, options.seed ?? 0)
  const spec = configured(env, options)
  const arena = await createArena(await compileCore(options.core), { ...vectorFields(spec, num), mask: u8(num) })
  const vector: Vector = { spec, taken: takenActions(spec), num, autoreset, seed, arena, infos: [], finalInfos: [] }
  for (let row = 0; row < num; row++) {
    vector.infos.push(NO_INFO)
    vector.finalInfos.push(NO_INFO)
  }
  return frontOf(vector, spec.core ? coreRows(vector) : typeScriptRows(vector))
}

const NO_INFO: Info = {}

interface Vector {
  readonly spec: EnvironmentSpec
  /** The actions that are not refused. */
  readonly taken: Space
  readonly num: number
  readonly autoreset: AutoresetMode
  seed: number
  readonly arena: Arena<ReturnType<typeof vectorFields> & { mask: ReturnType<typeof u8> }>
  readonly infos: Info[]
  readonly finalInfos: Info[]
}

/** How the rows of a vector move. */
interface RowStepper {
  /** Starts the episode whose number stands in `episode`, in every row or where the mask is not 0. */
  reset(mask?: ArrayLike<number>): void
  /**
   * One step of every row with the actions in `action`: physics, observations, time limit, statistics, automatic
   * resets.
   */
  step(): void
  close(): void
}

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

function withinSpace(space: Space, actions: ArrayLike<number>): boolean {
  if (space.kind === 'discrete') {
    for (let k = 0; k < actions.length; k++) {
      const action = actions[k]
      if (!(action >= 0 && action < space.n && action === Math.floor(action))) return false
    }
    return true
  }
  const A = space.low.length
  for (let k = 0, column = 0; k < actions.length; k++, column = column + 1 === A ? 0 : column + 1) {
    const action = Math.fround(actions[k])
    const inside = action >= Math.fround(space.low[column]) && action <= Math.fround(space.high[column])
    if (!inside || !Number.isFinite(actions[k])) return false
  }
  return true
}

function actionError(id: string, space: Space, actions: ArrayLike<number>, A: number): unknown {
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

/** Rows whose physics is in the core. */
function coreRows(vector: Vector): RowStepper {
  const { spec, num, autoreset, arena } = vector
  const { ops, at, view } = arena
  return {
    reset(mask) {
      writeVector(arena, spec, { rows: num, autoreset, seed: splitSeed(vector.seed) })
      if (mask) for (let row = 0; row < num; row++) view.mask[row] = mask[row] ? 1 : 0
      ops.resetVector(at.vector, mask ? at.mask : 0)
    },
    step: () => ops.stepVector(at.vector),
    close: () => {},
  }
}

/** Rows that are instances of a task in TypeScript, one after the other. */
function typeScriptRows(vector: Vector): RowStepper {
  const { spec, num, infos } = vector
  const { view } = vector.arena
  const O = sizeOf(spec.observationSpace)
  const episodes = openEpisodes(
    spec,
    creatorOf(spec),
    view,
    namingRow((row) => `${spec.id}, row ${row}`),
  )
  const start = (row: number) => {
    const { obs, info } = startEpisode(episodes, row, seedOf(vector, row))
    view.observation.set(obs, row * O)
    view.ended[row] = 0
    infos[row] = info
  }

  function stepRow(row: number): void {
    const result = stepEpisode(episodes, row, actionOf(spec, view.action, row))
    view.observation.set(result.obs, row * O)
    view.reward[row] = result.reward
    view.terminated[row] = result.terminated ? 1 : 0
    view.truncated[row] = result.truncated ? 1 : 0
    infos[row] = result.info
    if (result.terminated || result.truncated) endEpisode(vector, row, start)
  }

  /** The step that stands for a reset, or the reset itself: a row without reward and flags. */
  function restart(row: number): void {
    start(row)
    view.reward[row] = 0
    view.terminated[row] = 0
    view.truncated[row] = 0
  }
  return {
    reset(mask) {
      for (let row = 0; row < num; row++) if (!mask || mask[row]) restart(row)
    },
    step() {
      for (let row = 0; row < num; row++) {
        if (!view.ended[row]) stepRow(row)
        else {
          view.episode[row]++
          restart(row)
        }
      }
    },
    close: () => closeAll(episodes.instances),
  }
}

const seedOf = ({ seed, arena }: Vector, row: number) =>
  deriveSeed(seed, Purpose.episode, 0, row, arena.view.episode[row])

/** What is kept of an episode that ended, and what follows from it. */
function endEpisode(
  { spec, autoreset, infos, finalInfos, arena: { view } }: Vector,
  row: number,
  start: (row: number) => void,
) {
  view.finalElapsed[row] = view.elapsed[row]
  view.finalReturn[row] = view.episodeReturn[row]
  finalInfos[row] = infos[row]
  if (autoreset === 'next-step') view.ended[row] = 1
  if (autoreset !== 'same-step') return
  const O = sizeOf(spec.observationSpace)
  view.finalObservation.set(view.observation.subarray(row * O, (row + 1) * O), row * O)
  view.episode[row]++
  start(row)
}
