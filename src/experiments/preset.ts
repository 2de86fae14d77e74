import type { AlgorithmName, TrainOptions } from '../train/train.ts'
import type { PresetGrid } from './grid.ts'

/** Settings of train() that do not belong to a single run; `algorithm` is one of them. */
export type ExperimentSettings = {
  [A in AlgorithmName]: Partial<
    Omit<TrainOptions<A>, 'env' | 'iterations' | 'seed' | 'workers' | 'core' | 'tfjs' | 'priorMean'>
  >
}[AlgorithmName]

/** One of the things that an experiment compares. */
export interface ExperimentVariant {
  /**
   * Names its curve and the directory of its runs, and is what --variants takes: small letters, digits, dots and
   * hyphens.
   */
  readonly label: string
  /** What is different about it, in a sentence. */
  readonly note: string
  /** Over those of the preset. */
  readonly settings: ExperimentSettings
}

/** Numbers of others to stand beside ours, by the label of a variant. */
export interface Published {
  readonly source: string
  /** What a report calls it where there is little room. */
  readonly short: string
  readonly best: Readonly<Record<string, number>>
  readonly iterationsTo95?: Readonly<Record<string, number>>
}

/** An experiment as data. */
export interface Preset {
  readonly name: string
  /** What it shows, in one sentence. */
  readonly shows: string
  /** An id that train() knows: of the library, MuJoCo's or Box2D's. */
  readonly env: string
  /** Of all variants. */
  readonly settings: ExperimentSettings
  readonly variants: readonly ExperimentVariant[]
  /** The runs of a variant have the seeds 0 … seeds − 1. */
  readonly seeds: number
  readonly iterations: number
  /** What its report begins with: learning curves over iterations, or bars of what is reached. */
  readonly figure: 'curves' | 'bars'
  readonly published: readonly Published[]
  /** Constants of the task that are other than its own. */
  readonly constants?: Readonly<Record<string, number>>
  /** Evaluates every run over a grid of the environment's parameters too, and shows it. */
  readonly grid?: PresetGrid
}
