import type { Workers } from '../cluster/address.ts'
import { show, UsageError } from '../core/errors.ts'
import type { CoreSource } from '../core/module.ts'
import { asState, isMade, refuseNoState } from '../core/options.ts'
import { isRecord } from '../core/require.ts'
import { normOf } from '../core/rows.ts'
import type { Entries } from '../core/settings.ts'
import type { StatePart } from '../core/state.ts'
import type { EnvironmentSpec } from '../envs/contract.ts'
import {
  holdingKernels,
  type KernelSettings,
  kernelSettingsOf,
  requireTfjs,
  type TfjsOptions,
  underKernels,
} from '../nn/tfjs.ts'
import type { Agents } from '../rl/agents.ts'
import type { Visited } from '../rl/evaluator.ts'
import type { Episodes, OffPolicy } from '../rl/off-policy.ts'
import type { SteinInfo } from '../svgd/fields.ts'

/** Settings that every algorithm of train() has. */
export interface CommonOptions {
  /** An id of the registry or a task of one's own. */
  env: string | EnvironmentSpec
  /** A whole number from 0; default 0. Same seed, same bytes. */
  seed?: number
  /** Iterations of the whole run, which schedules go through. train() sets it. */
  iterations?: number
  /** Who evaluates particles, where an algorithm has any to share out; it does not change the bits. */
  workers?: Workers
  /** The WASM core; default: this package's steinrl.wasm. */
  core?: CoreSource
}

/** Options of every algorithm beside the settings that config.json keeps. */
export const RUN_OPTIONS: readonly string[] = ['env', 'iterations', 'workers', 'workerLimit', 'core', 'tfjs']

/** An algorithm as train() runs it: functions over a state of its own. */
export interface Algorithm<Options, State, Info> {
  /** Each setting with its default, its range and its meaning. */
  readonly settings: Entries
  /** Checks the settings and fills in the defaults. */
  config(options: Options): object
  init(options: Options): Promise<State>
  /** One iteration in place. Rejects with a RunError that names it when a value is not finite. */
  step(state: State): Promise<Info>
  /** The numbers of the iteration that `info` is of. */
  measure(state: State, info: Info): Metrics
  /**
   * Who acts, is evaluated, saved and exported, as it is now.
   *
   * @param best the particle that acts where none is named, of a population in which none stands out by itself
   */
  agents(state: State, best?: number | null): Agents
  /** What brings `agents` back where it is not one of policies; written next to its particles. */
  save?(state: State): Saved
  restore?(saved: Saved, spec: EnvironmentSpec, core?: CoreSource): Promise<Agents>
  /** [n][n] the kernel matrix of the last iteration; null where there is no kernel. */
  kernel?(state: State): number[][] | null
  /** From the next iteration on the temperature α is this. Throws a UsageError for a value that is not allowed. */
  setTemperature?(state: State, temperature: number): void
  /** [n] some of the rows that each particle saw in the last iteration. */
  visited?(state: State): readonly Visited[]
  /** All that the next iteration depends on beside the settings: what a checkpoint is made of. */
  parts(state: State): StateParts
  /** Names of settings that go over the iterations of the run, which cannot change in mid-run then. */
  followsIterations?(config: object): readonly string[]
  /** Frees what does not go by itself. */
  close(state: State): void
}

/** Functions of an algorithm that take its state; the first ones give promises. */
const PROMISING = ['step', 'evaluate']
const OF_STATES = [
  ...PROMISING,
  'move',
  'measure',
  'agents',
  'save',
  'kernel',
  'visited',
  'parts',
  'setTemperature',
  'close',
]

/** What gives the info that `measure` takes. */
const OF_INFO = ['step', 'move']

/** Options of how a run is computed. */
interface Computing {
  readonly tfjs?: TfjsOptions
  readonly core?: CoreSource
}

type Member = (...args: readonly unknown[]) => unknown

/**
 * The algorithm whose functions refuse what is no state of it, as the promise of one that was not awaited or the state
 * of another algorithm. `init` marks what it makes. A state is computed as its own options of tfjs say, whatever else
 * runs beside it.
 */
export function withCheckedStates<A extends { init(options: never): Promise<object> }>(name: string, algorithm: A): A {
  const members = algorithm as unknown as Record<string, Member>
  const settings = new WeakMap<object, KernelSettings>()
  const refuse = (key: string, [state, info]: readonly unknown[]) => {
    refuseNoState(`${name}.${key}`, state, name, `${name}.init`)
    if (key === 'step' && settings.get(state as object)?.begun) requireTfjs(`${name}.step`)
    if (key === 'measure' && !isMade(`an iteration of ${name}`, info))
      throw new UsageError(`${name}.measure takes what ${name}.step gives (await step(…)), got ${show(info)}.`)
  }
  const made = (key: string, info: unknown) =>
    OF_INFO.includes(key) && isRecord(info) ? asState(`an iteration of ${name}`, info) : info
  const guarded = OF_STATES.filter((key) => key in members).map((key): [string, Member] => {
    const f = members[key]
    const now: Member = (...args) => {
      refuse(key, args)
      return made(
        key,
        underKernels(settings.get(args[0] as object), () => f(...args)),
      )
    }
    const inTurns: Member = async (...args) => {
      refuse(key, args)
      const own = settings.get(args[0] as object) as KernelSettings
      return made(key, await holdingKernels(own, async () => f(...args)))
    }
    return [key, PROMISING.includes(key) ? inTurns : now]
  })
  const init: Member = async (options) => {
    const { tfjs, core } = isRecord(options) ? (options as Computing) : {}
    const own = await kernelSettingsOf(isRecord(tfjs) ? tfjs : {}, core)
    const given = core === undefined ? options : { ...(options as object), core: own.core ?? core }
    const state = asState(name, await holdingKernels(own, async () => members.init(given) as Promise<object>))
    settings.set(state, own)
    return state
  }
  return { ...algorithm, ...Object.fromEntries(guarded), init }
}

/** A state in two. */
export interface StateParts {
  /** What acts and its critics: what another run can begin with. */
  readonly population: StatePart
  /** Moments, environments, replay, counters. */
  readonly rest: StatePart
}

/** Arrays, and what they are the arrays of as plain data. */
export interface Saved {
  readonly tensors: Readonly<Record<string, { readonly shape: readonly number[]; readonly data: Float32Array }>>
  readonly shape: unknown
}

/** What an iteration of a population measures: plain numbers only. An algorithm adds numbers of its own by name. */
export interface Metrics {
  /** Environment steps taken by all particles so far. */
  transitions: number
  /** [n] mean return of the episodes of each particle that ended in this iteration; null where none did. */
  returns: (number | null)[]
  /** [n] how many episodes ended. */
  episodes: number[]
  /** [n] mean entropy of the policy over the visited states, in nats. */
  entropy: number[]
  /** [n] Euclidean norm of each particle. */
  thetaNorm: number[]
  /**
   * Mean over particles of the norm of the drive, the first term of the Stein direction; null where there is no kernel.
   */
  drive: number | null
  /** Mean over particles of the norm of the repulsion, the second term; null where there is no kernel. */
  repulsion: number | null
  /**
   * Mean over particles of the norm of the part of the drive that comes from other particles; null without a kernel.
   */
  sharing: number | null
  /** h in k(x, y) = exp(−|x−y|²/h); null where there is no kernel. */
  bandwidth: number | null
  /** Mean of k(x_i, x_j) over i ≠ j; null where there is no kernel. */
  kernelOffDiagonal: number | null
  /** α, which divides the policy gradient. */
  temperature: number
  [name: string]: unknown
}

/** Metrics of an off-policy algorithm with one agent, whatever it learns by. */
export const offPolicyMetrics = (loop: OffPolicy, theta: Float32Array, { episodes, meanReturn }: Episodes) => ({
  ...steinMetrics(null),
  transitions: loop.steps * loop.envs.num,
  returns: [meanReturn],
  episodes: [episodes],
  thetaNorm: [normOf(theta)],
})

/** Metrics of the Stein direction; nulls where there is no kernel. */
export const steinMetrics = (stein: SteinInfo | null) => ({
  drive: stein?.drive ?? null,
  repulsion: stein?.repulsion ?? null,
  sharing: stein?.sharing ?? null,
  bandwidth: stein?.bandwidth ?? null,
  kernelOffDiagonal: stein?.kernelOffDiagonal ?? null,
})

/** What save() of a step does where agents() has all that there is. */
export const refuseSave = (algorithm: string) => (): never => {
  throw new UsageError(`The population of ${algorithm} is one of policies: agents() gives what is to be saved.`)
}
