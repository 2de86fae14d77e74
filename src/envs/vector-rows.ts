import type { Arena } from '../core/arena.ts'
import { closeAll } from '../core/disposable.ts'
import { UsageError } from '../core/errors.ts'
import { deriveSeed } from '../core/generator.ts'
import type { u8 } from '../core/layout.ts'
import { Purpose, splitSeed } from '../core/random.ts'
import { seedSchema } from '../core/schemas.ts'
import { arraysPart, type StatePart } from '../core/state.ts'
import type { Environment, EnvironmentSpec, Info } from './contract.ts'
import { actionOf, beginEpisode, beginStep, namingRow, openEpisodes, startEpisode, stepEpisode } from './episodes.ts'
import { haveStates, loadInstances, playAgain, saveInstances } from './instance-states.ts'
import { creatorOf } from './instances.ts'
import { type ActionSpace, sizeOf } from './spaces.ts'
import { appendTo, emptyLog, lastSteps, type StepLog } from './step-log.ts'
import { type AutoresetMode, type vectorFields, writeVector } from './vector-fields.ts'

// The rows of a vector: how they move, and what they are between two steps.

export interface Vector {
  readonly spec: EnvironmentSpec
  /** The actions that are not refused. */
  readonly taken: ActionSpace
  readonly num: number
  readonly autoreset: AutoresetMode
  seed: number
  readonly arena: Arena<ReturnType<typeof vectorFields> & { mask: ReturnType<typeof u8> }>
  readonly infos: Info[]
  readonly finalInfos: Info[]
}

/** How the rows of a vector move. */
export interface RowStepper {
  /** Starts the episode whose number stands in `episode`, in every row or where the mask is not 0. */
  reset(mask?: ArrayLike<number>): void
  /**
   * One step of every row with the actions in `action`: physics, observations, time limit, statistics, automatic
   * resets.
   */
  step(): void
  /** The instances of a task in TypeScript, which have states of their own. */
  readonly instances: StatePart | null
  close(): void
}

/** Rows whose physics is in the core. */
export function coreRows(vector: Vector): RowStepper {
  const { spec, num, autoreset, arena } = vector
  const { ops, at, view } = arena
  return {
    reset(mask) {
      writeVector(arena, spec, { rows: num, autoreset, seed: splitSeed(vector.seed) })
      if (mask) for (let row = 0; row < num; row++) view.mask[row] = mask[row] ? 1 : 0
      ops.resetVector(at.vector, mask ? at.mask : 0)
    },
    step: () => ops.stepVector(at.vector),
    instances: null,
    close: () => {},
  }
}

/** Rows that are instances of a task in TypeScript, one after the other. */
export function typeScriptRows(vector: Vector): RowStepper {
  const { spec, num, infos } = vector
  const { view } = vector.arena
  const O = sizeOf(spec.observationSpace)
  const episodes = openEpisodes(
    spec,
    creatorOf(spec),
    view,
    namingRow((row) => `${spec.id}, row ${row}`),
  )
  const log = emptyLog(view.action.length)
  /** Rows of which episodes were begun, to be started when all have taken their step. */
  const begun: number[] = []
  const begin = (row: number) => beginEpisode(episodes, row, seedOf(vector, row))
  const startTogether = (row: number) => {
    if (begin(row)) begun.push(row)
    else start(row)
  }
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
    if (result.terminated || result.truncated) endEpisode(vector, row, startTogether)
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
      for (let row = 0; row < num; row++) if (!mask || mask[row]) begin(row)
      for (let row = 0; row < num; row++) if (!mask || mask[row]) restart(row)
    },
    step() {
      appendTo(log, view.action)
      for (let row = 0; row < num; row++) {
        if (!view.ended[row]) beginStep(episodes, row, view.action)
        else {
          view.episode[row]++
          begin(row)
        }
      }
      for (let row = 0; row < num; row++) {
        if (view.ended[row]) restart(row)
        else stepRow(row)
      }
      for (const row of begun.splice(0)) start(row)
      lastSteps(log, longestOf(view.elapsed))
    },
    instances: instancesPart(vector, episodes.instances, log),
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

const longestOf = (elapsed: Int32Array) => elapsed.reduce((a, b) => Math.max(a, b), 0)

/** The running episodes of instances: by their own states, or by the actions since they began. */
function instancesPart(vector: Vector, instances: readonly Environment[], log: StepLog) {
  const { spec } = vector
  const { view } = vector.arena
  const part: StatePart = {
    save(to) {
      const states = saveInstances(instances)
      to.array('states', states)
      to.array('history', lastSteps(log, haveStates(states) ? 0 : longestOf(view.elapsed)))
    },
    load(from) {
      const states = from.array('states', new Uint8Array(0), 'any')
      const history = from.array('history', new Float32Array(0), 'any')
      return () => {
        if (haveStates(states)) loadInstances(instances, states)
        else
          playAgain(spec, instances, {
            history,
            elapsed: view.elapsed,
            shown: view.observation,
            saved: states,
            seedOf: (row) => seedOf(vector, row),
          })
        appendTo(log, history)
      }
    },
  }
  return part
}

/** What a vector is between two steps. */
export function vectorPart(vector: Vector, rows: RowStepper, begin: (seed: number) => void): StatePart {
  const { state, elapsed, episode, episodeReturn, observation, ended, terminated, truncated } = vector.arena.view
  const counted = arraysPart({ state, elapsed, episode, episodeReturn, observation, ended, terminated, truncated })
  return {
    save(to) {
      to.value('seed', vector.seed)
      counted.save(to)
      rows.instances?.save(to)
    },
    load(from) {
      const seed = from.value('seed', seedSchema)
      const put = counted.load(from)
      const late = from.array('elapsed', elapsed).findIndex((steps) => steps > vector.spec.maxEpisodeSteps)
      if (late >= 0) throw new UsageError(`its row ${late} is beyond the time limit of ${vector.spec.id}.`)
      const putInstances = rows.instances?.load(from)
      return () => {
        begin(seed)
        put()
        putInstances?.()
      }
    },
  }
}
