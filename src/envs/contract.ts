import type { Action, Box, Discrete } from './spaces.ts'

export type Info = Readonly<Record<string, unknown>>

export interface Reset {
  readonly obs: ArrayLike<number>
  readonly info: Info
}

export interface Step extends Reset {
  readonly reward: number
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
  /** Frees what JavaScript does not collect, when the environment is no longer needed. Most environments have nothing to free. */
  close?(): void
}

/** What is known of a task before it runs. */
export interface EnvironmentSpec {
  readonly id: string
  readonly observationSpace: Box
  readonly actionSpace: Discrete | Box
  /** Steps after which an episode is truncated. The library counts them; an environment need not. */
  readonly maxEpisodeSteps: number
  /** Mean return at which the task counts as solved. */
  readonly rewardThreshold?: number
  /** Physics inside the WASM core: its number there, the length of a state row, and the constants in memory order. */
  readonly core?: {
    readonly kind: number
    readonly stateSize: number
    readonly constants: Readonly<Record<string, number>>
  }
  /**
   * Where workers find a task in TypeScript, since functions cannot be sent to them: the address of a module whose
   * default export is this specification, for example import.meta.url.
   */
  readonly module?: string
  /** A task in TypeScript: makes one instance. Exactly one of `core` and `create` is there. */
  readonly create?: () => Environment
  /** The same task with some of its constants replaced. */
  readonly configure?: (constants: Readonly<Record<string, number | string>>) => EnvironmentSpec
}
