import { platform } from '#platform'
import { show, UsageError } from '../core/errors.ts'
import { fromJson } from '../core/json.ts'
import { decodeText } from '../core/text.ts'
import { inFile, reading, writing } from '../train/run-files.ts'
import type { Dimension } from './space.ts'

// The journal of Optuna's JournalFileBackend: one JSON object a line, each of which is an operation; what the study is
// comes of all of them in their order. Written after what Optuna 5.0.0 does with each.

const Operation = {
  ...{ createStudy: 0, deleteStudy: 1, studyAttribute: 2, createTrial: 4, parameter: 5, state: 6 },
  ...{ intermediate: 7, attribute: 8 },
} as const

const STATES = ['running', 'finished', 'pruned', 'failed', 'waiting'] as const

/** What became of a trial; Optuna calls 'finished' COMPLETE. */
export type TrialState = (typeof STATES)[number]

/** A trial as the journal has it. */
export interface JournalTrial {
  /** Its place among all trials of the file, by which operations name it. */
  readonly id: number
  /** Its place among those of the study. */
  readonly number: number
  state: TrialState
  value: number | null
  /** Numbers in Optuna's representation: a choice by its place. */
  readonly parameters: Record<string, number>
  readonly attributes: Record<string, unknown>
}

/** The first study of a journal. */
export interface JournalStudy {
  readonly name: string
  readonly isMaximised: boolean
  readonly attributes: Readonly<Record<string, unknown>>
  readonly trials: readonly JournalTrial[]
}

/** The distribution of a setting as Optuna writes it. */
export function distributionOf(dimension: Dimension): object {
  if (dimension.kind === 'choice')
    return { name: 'CategoricalDistribution', attributes: { choices: dimension.among.map(choiceName) } }
  const { kind, from, to, step, isLog } = dimension
  const attributes = { log: isLog, step: step > 0 ? step : null, low: from, high: to }
  return { name: kind === 'whole' ? 'IntDistribution' : 'FloatDistribution', attributes }
}

/** Optuna's choices are no lists and records: those stand as their JSON. */
const choiceName = (value: unknown) => (typeof value === 'object' && value !== null ? JSON.stringify(value) : value)

/** A value in Optuna's representation, and back. */
export function internalOf(dimension: Dimension, value: unknown): number {
  return dimension.kind === 'choice' ? dimension.among.indexOf(value) : (value as number)
}

/** The value of a setting that Optuna's representation stands for. */
export const externalOf = (dimension: Dimension, internal: number): unknown =>
  dimension.kind === 'choice' ? dimension.among[internal] : internal

type Line = Readonly<Record<string, unknown>> & { readonly op_code: number }

/** An open journal: what it holds, and what adds to it, in order. */
export interface Journal {
  readonly trials: JournalTrial[]
  /** Begins a trial of these values, by Optuna's representation. */
  begin(dimensions: readonly Dimension[], parameters: Readonly<Record<string, number>>): Promise<JournalTrial>
  /** Takes a trial that another program has begun in the file. */
  adopt(id: number, parameters: Readonly<Record<string, number>>): JournalTrial
  /** Values of a trial while it trains, by iteration. */
  report(trial: JournalTrial, values: readonly (readonly [iteration: number, value: number])[]): Promise<void>
  note(trial: JournalTrial, attributes: Readonly<Record<string, unknown>>): Promise<void>
  /** Ends a trial; the file is then on the disk. */
  end(trial: JournalTrial, state: TrialState, value: number | null): Promise<void>
}

const { files } = platform

/** What a journal says of its writer; Optuna compares it with itself alone. */
const worker_id = 'steinrl'

const now = () => new Date().toISOString().replace('Z', '000+00:00')

/**
 * Opens the journal of a study, or begins one.
 *
 * @throws UsageError where the file holds another study or is damaged; StorageError where it cannot be written
 */
export async function openJournal(
  path: string,
  study: {
    readonly name: string
    readonly isMaximised: boolean
    readonly attributes: Readonly<Record<string, unknown>>
  },
  refuse: (earlier: JournalStudy) => void,
): Promise<Journal> {
  let pending: Promise<void> = Promise.resolve()
  const append = (lines: readonly object[]): Promise<void> => {
    const next = pending.then(() => writing(path, () => files.append(path, textOf(lines)), 'journal'))
    pending = next.catch(() => {})
    return next
  }
  const trials: JournalTrial[] = []
  const found = (await files.exists(path)) ? await wholeLines(path) : null
  if (found) {
    refuse(found)
    trials.push(...found.trials)
  } else {
    const directions = [study.isMaximised ? 2 : 1]
    const begun = textOf([
      { op_code: Operation.createStudy, study_name: study.name, directions },
      ...Object.entries(study.attributes).map(([name, value]) => ({
        ...{ op_code: Operation.studyAttribute, study_id: 0, user_attr: { [name]: value } },
      })),
    ])
    // As a whole: a study without its attributes would be somebody else's.
    await writing(path, () => files.write(path, begun), 'journal')
  }
  const added = (id: number, parameters: Readonly<Record<string, number>>): JournalTrial => {
    const trial: JournalTrial = { ...newTrial(id, trials.length), parameters: { ...parameters } }
    trials.push(trial)
    return trial
  }
  return {
    trials,
    async begin(dimensions, parameters) {
      const distributions = Object.fromEntries(
        dimensions.map((dimension) => [dimension.name, JSON.stringify(distributionOf(dimension))]),
      )
      const trial = added(trials.length, parameters)
      await append([
        {
          ...{ op_code: Operation.createTrial, study_id: 0, datetime_start: now(), state: 0 },
          ...{ value: null, values: null, distributions, params: parameters },
          ...{ user_attrs: {}, system_attrs: {}, intermediate_values: {} },
        },
      ])
      return trial
    },
    adopt: added,
    async report({ id }, values) {
      const lines = values.map(([step, intermediate_value]) => ({ step, intermediate_value }))
      await append(lines.map((line) => ({ op_code: Operation.intermediate, trial_id: id, ...line })))
    },
    async note(trial, attributes) {
      Object.assign(trial.attributes, attributes)
      const lines = Object.entries(attributes).map(([name, value]) => ({ user_attr: { [name]: value } }))
      await append(lines.map((line) => ({ op_code: Operation.attribute, trial_id: trial.id, ...line })))
    },
    async end(trial, state, value) {
      trial.state = state
      trial.value = value
      const values = value === null ? null : [value]
      const [op_code, trial_id] = [Operation.state, trial.id]
      await append([{ op_code, trial_id, state: STATES.indexOf(state), values, datetime_complete: now() }])
      await writing(path, () => files.sync(path), 'journal')
    },
  }
}

const textOf = (lines: readonly object[]) => lines.map((line) => `${JSON.stringify({ worker_id, ...line })}\n`).join('')

/** Reads a journal and takes away the half line that a process left which was killed. */
async function wholeLines(path: string): Promise<JournalStudy | null> {
  const bytes = await reading(path, (bytes) => bytes)
  const end = bytes.lastIndexOf(10) + 1
  if (end < bytes.length) await writing(path, () => files.write(path, bytes.slice(0, end)), 'journal')
  return end === 0 ? null : inFile(path, () => studyOf(decodeText(bytes.subarray(0, end))))
}

/**
 * The first study of a journal, as it is now.
 *
 * @throws UsageError when there is none, or it is damaged
 */
export async function readJournal(path: string): Promise<JournalStudy> {
  return reading(path, (bytes) => studyOf(decodeText(bytes.subarray(0, bytes.lastIndexOf(10) + 1))))
}

const newTrial = (id: number, number: number): JournalTrial => ({
  ...{ id, number, state: 'running', value: null, parameters: {}, attributes: {} },
})

/** What becomes of a journal, line by line. */
function studyOf(text: string): JournalStudy {
  const lines = text.split('\n').filter((line) => line !== '')
  const operations = lines.map((line) => fromJson(line) as Line)
  const [first] = operations
  if (first?.op_code !== Operation.createStudy || typeof first.study_name !== 'string')
    throw new UsageError('it is no journal of Optuna that begins with a study.')
  const attributes: Record<string, unknown> = {}
  /** Of every study, in the order in which they began: by their place the others name them. */
  const all: JournalTrial[] = []
  const trials: JournalTrial[] = []
  for (const operation of operations) {
    const { op_code, study_id, trial_id } = operation
    if (op_code === Operation.deleteStudy && study_id === 0) throw new UsageError('its study was deleted.')
    if (op_code === Operation.studyAttribute && study_id === 0) Object.assign(attributes, operation.user_attr)
    if (op_code === Operation.createTrial) {
      const trial = begun(operation, all.length, trials.length)
      all.push(trial)
      if (study_id === 0) trials.push(trial)
    }
    const trial = all[trial_id as number]
    if (trial?.state === 'running' || trial?.state === 'waiting') apply(operation, trial)
  }
  const isMaximised = (first.directions as readonly number[])?.[0] === 2
  return { name: first.study_name, isMaximised, attributes, trials }
}

function begun({ params, user_attrs, state, value }: Line, id: number, number: number): JournalTrial {
  return {
    ...newTrial(id, number),
    state: STATES[(state as number) ?? 0] ?? 'running',
    value: typeof value === 'number' ? value : null,
    parameters: { ...(params as Record<string, number>) },
    attributes: { ...(user_attrs as object) },
  }
}

function apply(operation: Line, trial: JournalTrial): void {
  const { op_code, param_name, param_value_internal, state, values, user_attr } = operation
  if (op_code === Operation.parameter) trial.parameters[String(param_name)] = Number(param_value_internal)
  if (op_code === Operation.attribute) Object.assign(trial.attributes, user_attr)
  if (op_code !== Operation.state) return
  const name = STATES[state as number]
  if (name === undefined) throw new UsageError(`trial ${trial.number} has the state ${show(state)}.`)
  trial.state = name
  if (Array.isArray(values)) trial.value = values[0]
}
