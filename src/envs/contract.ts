import type { Address } from '../core/runtime-types.ts'
import type { CellGrid } from './grid.ts'
import type { Scene } from './render.ts'
import type { Action, ActionSpace, Box } from './spaces.ts'
import type { Transitions } from './transitions.ts'

/** Whatever an environment gives beside its observation: plain data by name. */
export type Info = Readonly<Record<string, unknown>>

/** What a reset gives: the first observation of an episode. */
export interface Reset {
  readonly obs: ArrayLike<number>
  readonly info: Info
}

/** What a step gives, in Gymnasium's terms. */
export interface Step extends Reset {
  /** What is learned from. */
  readonly reward: number
  /**
   * What counts for the return of the episode, where `reward` is only a help to learn by, as a normalised one; default
   * the reward.
   */
  readonly taskReward?: number
  /** The task itself ended: there is no future reward. */
  readonly terminated: boolean
  /** The episode was cut from outside, by a time limit: the future is unknown, not worthless. */
  readonly truncated: boolean
}

/** One environment, with the semantics of Gymnasium 1.x. */
export interface Environment {
  /** Starts an episode; the same seed gives the same episode for the same actions. */
  reset(options: { seed: number }): Reset
  step(action: Action): Step
  /**
   * Begins a step without waiting for it; `step` with the same action then gives its result. Instances that share what
   * moves them, another program for example, move together where all have begun.
   */
  begin?(action: Action): void
  /** Begins an episode without waiting for it, as `begin` a step; `reset` with the same seed then gives its start. */
  beginReset?(options: { seed: number }): void
  /**
   * Frees what JavaScript does not collect, when the environment is no longer needed. Most environments have nothing to
   * free.
   */
  close?(): void
  /** The numbers of the physics now, which the spec's render draws. */
  readonly state?: ArrayLike<number>
  /** All that the future of the episode depends on, as plain data; setState goes on from there. */
  getState?(): unknown
  setState?(state: unknown): void
}

/** What is known of a task before it runs. */
export interface EnvironmentSpec {
  readonly id: string
  readonly observationSpace: Box
  readonly actionSpace: ActionSpace
  /** Whether the task clips actions itself, as Gymnasium's Pendulum-v1 does: then every finite one is taken. */
  readonly clipsActions?: boolean
  /** Steps after which an episode is truncated. The library counts them; an environment need not. */
  readonly maxEpisodeSteps: number
  /** Mean return at which the task counts as solved. */
  readonly rewardThreshold?: number
  /** Physics inside the WASM core: its number there, the length of a state row, and the constants in memory order. */
  readonly core?: {
    readonly kind: number
    readonly stateSize: number
    readonly constants: Readonly<Record<string, number>>
    /** Of constants that are choices: what they are between, each standing in the constants as its place. */
    readonly words?: Readonly<Record<string, readonly (string | boolean)[]>>
    /** Constants that are texts, and the names of the constants that follow from them. */
    readonly texts?: { readonly given: Readonly<Record<string, string>>; readonly numbers: readonly string[] }
  }
  /** A task in TypeScript: makes one instance. Exactly one of `core` and `create` is there. */
  readonly create?: () => Environment
  /**
   * Where workers find a task in TypeScript, since functions cannot be sent to them: the address of a module whose
   * default export is this specification, for example import.meta.url.
   */
  readonly module?: string | Address
  /** The same task with some of its constants replaced. */
  readonly configure?: (constants: Readonly<Record<string, number | string | boolean>>) => EnvironmentSpec
  /** The same task with another time limit, where more than maxEpisodeSteps depends on it. */
  readonly limit?: (maxEpisodeSteps: number) => EnvironmentSpec
  /** What was wrapped around the task, from the inside out; see wrappers/. */
  readonly wrappers?: readonly string[]
  /** How the library made this task of another one: what it takes to make it again elsewhere, see description.ts. */
  readonly made?: { readonly from: EnvironmentSpec; readonly by: Making }
  /** Cells over the observations, where it tells something how many of them are visited. */
  readonly grid?: CellGrid
  /** P[s][a] of a task whose states are numbered: what Gymnasium calls `env.unwrapped.P`. */
  readonly transitions?: () => Transitions
  /** A picture of a state row. */
  readonly render?: (state: ArrayLike<number>) => Scene
}

/** What the library does to a task, as plain data. */
export type Making =
  /** configure() */
  | { readonly constants: Readonly<Record<string, unknown>> }
  /** Another time limit. */
  | { readonly maxEpisodeSteps: number }
  /** The physics in the core is stepped from TypeScript. */
  | { readonly inTypeScript: true }
  | {
      readonly wrapper: string
      /** What the wrapper is made with; null where that cannot be written as JSON. */
      readonly options: Readonly<Record<string, unknown>> | null
      /** What it has learned of the task so far, plain data that all instances share and write into. */
      readonly state?: object
    }
