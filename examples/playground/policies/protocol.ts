import type { AnyTrainOptions, IterationMetrics } from 'steinrl'

/** What the page asks of the worker. */
export type Request =
  /** Once, first. A run that starts paused stops after its first iteration. */
  | Start
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
  /** After which iteration it was played. */
  readonly iteration: number
  /** [L + 1, numbers of a state] */
  readonly states: Float64Array<ArrayBuffer>
  /** [L] */
  readonly rewards: Float64Array<ArrayBuffer>
}
