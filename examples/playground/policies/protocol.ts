import type { AnyTrainOptions, IterationMetrics } from 'steinrl'

/** What the page asks of the worker. */
export type Request =
  /** Once, first. A run that starts paused stops after its first iteration. */
  | Start
  /** Once, first, in place of a start: agents of a file, which act and do not learn. */
  | Open
  | { readonly kind: 'pause' | 'resume' | 'step' }
  /** Answered between two iterations: what is read is whole. */
  | Question

export interface Start {
  readonly kind: 'start'
  readonly options: AnyTrainOptions
  readonly paused: boolean
  /** The name that the run is kept by in the browser's storage. */
  readonly name: string
  /** Whether it goes on from what is kept by that name, if anything is. */
  readonly goesOn: boolean
}

export interface Open {
  readonly kind: 'open'
  /** The name of the file tells what it is: a zip of stable-baselines3, or the particles of a run. */
  readonly file: string
  readonly bytes: Uint8Array<ArrayBuffer>
  /** The task, where the file does not tell it. */
  readonly env: string
}

export type Question =
  | { readonly kind: 'temperature'; readonly value: number }
  /** One that the page shows in this place. */
  | { readonly kind: 'episode'; readonly place: number; readonly particle: number; readonly greedy: boolean }
  | { readonly kind: 'download' }

/** What the worker tells the page. */
export type Reply =
  /** Of a run that goes on: what it has done before. */
  | { readonly kind: 'before'; readonly metrics: readonly IterationMetrics[]; readonly iterations: number }
  | Iteration
  | Opened
  | Episode
  | { readonly kind: 'file'; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'end' }
  | { readonly kind: 'error'; readonly message: string }

export interface Iteration {
  readonly kind: 'iteration'
  readonly metrics: IterationMetrics
  readonly iterations: number
  /** How many there are to watch. */
  readonly actors: number
  /** [n][n] null where particles do not interact. */
  readonly kernel: number[][] | null
  /** Null where there are too few particles for a plane, or the last one is still fresh. */
  readonly plane: Plane | null
}

export interface Opened {
  readonly kind: 'opened'
  readonly env: string
  /** [n] mean return of each, acting greedily. */
  readonly returns: readonly number[]
}

/** The particles in the plane in which they differ most. */
export interface Plane {
  readonly points: readonly (readonly [x: number, y: number])[]
  /** Share of the variance that the plane shows. */
  readonly explained: number
}

/** One episode of one policy. */
export interface Episode {
  readonly kind: 'episode'
  /** Where the page wants to show it. */
  readonly place: number
  /** After which iteration it was played; null for agents of a file. */
  readonly iteration: number | null
  /** [L + 1, numbers of a state] */
  readonly states: Float64Array<ArrayBuffer>
  /** [L] */
  readonly rewards: Float64Array<ArrayBuffer>
}
