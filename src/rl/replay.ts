import { show, UsageError } from '../core/errors.ts'
import { requireOptions } from '../core/options.ts'
import { isCount, isFloat32, isList, isRecord, requireThat } from '../core/require.ts'
import { check, wholeNumber } from '../core/schemas.ts'

// What an off-policy algorithm learns from: the last transitions, in one allocation.
//
//     | observation f32 [C, O] | nextObservation f32 [C, O] | action f32 [C, A] | reward f32 [C] | terminated f32 [C] |

/** A ring of the last C transitions. `terminated` is 1 where there is no future reward; a cut episode goes on. */
export interface Replay {
  readonly capacity: number
  readonly observations: number
  readonly actions: number
  readonly observation: Float32Array
  readonly nextObservation: Float32Array
  readonly action: Float32Array
  readonly reward: Float32Array
  readonly terminated: Float32Array
  /** Transitions that are held. */
  count: number
  /** Where the next one goes. */
  next: number
}

/** Numbers of a transition's parts. */
export interface ReplaySizes {
  readonly capacity: number
  /** O */
  readonly observations: number
  /** A */
  readonly actions: number
}

export const columns = ['observation', 'nextObservation', 'action', 'reward', 'terminated'] as const

export const widthsOf = ({ observations: O, actions: A }: ReplaySizes) => ({
  ...{ observation: O, nextObservation: O, action: A, reward: 1, terminated: 1 },
})

const MOST = 4_294_967_296
/** What merges replays that are empty has no rows. */
const sizeSchemas = {
  capacity: wholeNumber('capacity', 0, MOST),
  observations: wholeNumber('observations', 1, MOST),
  actions: wholeNumber('actions', 1, MOST),
}

/**
 * An empty replay of a capacity.
 *
 * @throws UsageError for sizes that are no whole numbers, and for a replay that there is no memory for
 */
export function createReplay(sizes: ReplaySizes): Replay {
  requireOptions('createReplay', sizes, ['capacity', 'observations', 'actions'])
  for (const name of ['capacity', 'observations', 'actions'] as const) check(sizeSchemas[name], sizes[name])
  const widths = widthsOf(sizes)
  const { capacity } = sizes
  const all = allocate(capacity * columns.reduce((sum, name) => sum + widths[name], 0))
  let end = 0
  const part = (width: number) => {
    end += capacity * width
    return all.subarray(end - capacity * width, end)
  }
  const views = Object.fromEntries(columns.map((name) => [name, part(widths[name])])) as Views
  return { ...sizes, ...views, count: 0, next: 0 }
}

function requireReplay(taker: string, replay: unknown): void {
  const isReplay =
    isRecord(replay) &&
    ['capacity', 'observations', 'actions', 'count', 'next'].every((name) => isCount(replay[name])) &&
    columns.every((name) => isFloat32(replay[name])) &&
    isWhole(replay as unknown as Replay)
  requireThat(isReplay, taker, 'a replay, as createReplay() makes it', replay)
}

/** Whether its columns have the rows that it says. */
function isWhole(replay: Replay): boolean {
  const { capacity, count, next } = replay
  const widths = widthsOf(replay)
  return count <= capacity && next < capacity && columns.every((name) => replay[name].length >= count * widths[name])
}

type Views = Readonly<Record<(typeof columns)[number], Float32Array>>

const GIGABYTE = 1024 * 1024 * 1024

function allocate(floats: number): Float32Array {
  try {
    return new Float32Array(floats)
  } catch {
    const size = ((floats * 4) / GIGABYTE).toFixed(1)
    throw new UsageError(`The replay needs ${size} GB in one piece: take a smaller one.`)
  }
}

/** One transition, where rows of a batch lie. */
export interface Transition {
  /** [rows, O] */
  readonly observation: Float32Array
  readonly nextObservation: Float32Array
  /** [rows, A] */
  readonly action: Float32Array
  readonly reward: ArrayLike<number>
  readonly terminated: ArrayLike<number>
}

/** Puts row `row` of a batch in the place of the oldest transition. */
export function store(replay: Replay, rows: Transition, row: number): void {
  requireReplay('store', replay)
  requireThat(
    columns.every((name) => isList(rows?.[name])),
    'store',
    'rows of a batch',
    rows,
  )
  const { observations: O, actions: A } = replay
  const count = rows.reward.length
  const widths = widthsOf(replay)
  const isBatch = columns.every((name) => rows[name].length === count * widths[name])
  requireThat(isBatch, 'store', `rows of ${O} observations and ${A} actions`, rows)
  check(wholeNumber('row', 0, count - 1), row)
  for (const name of columns)
    for (let k = 0, width = widths[name]; k < width; k++) {
      const value = rows[name][row * width + k]
      if (!Number.isFinite(value)) throw new UsageError(`${name} of a transition must be finite, got ${show(value)}.`)
    }
  storeRow(replay, rows, row)
}

/** The same without a check of what it is given: for every step of every environment. */
export function storeRow(replay: Replay, rows: Transition, row: number): void {
  const { capacity, observations: O, actions: A, next } = replay
  replay.observation.set(rows.observation.subarray(row * O, (row + 1) * O), next * O)
  replay.nextObservation.set(rows.nextObservation.subarray(row * O, (row + 1) * O), next * O)
  replay.action.set(rows.action.subarray(row * A, (row + 1) * A), next * A)
  replay.reward[next] = rows.reward[row]
  replay.terminated[next] = rows.terminated[row]
  replay.next = next + 1 === capacity ? 0 : next + 1
  replay.count = Math.min(replay.count + 1, capacity)
}

/** B rows of a replay, one after the other. */
export type Batch = Views & { readonly rows: number }

export function createBatch(
  { observations, actions }: Pick<ReplaySizes, 'observations' | 'actions'>,
  rows: number,
): Batch {
  const widths = widthsOf({ capacity: rows, observations, actions })
  const views = Object.fromEntries(columns.map((name) => [name, new Float32Array(rows * widths[name])])) as Views
  return { ...views, rows }
}

/** Fills a batch with rows drawn uniformly, with replacement, by uniform numbers [rows] in [0, 1). */
export function sampleInto(batch: Batch, replay: Replay, uniform: Float32Array): void {
  const widths = widthsOf(replay)
  for (let k = 0; k < batch.rows; k++) {
    const row = Math.floor(uniform[k] * replay.count)
    for (const name of columns) {
      const width = widths[name]
      for (let c = 0; c < width; c++) batch[name][k * width + c] = replay[name][row * width + c]
    }
  }
}

/** All transitions of several replays in one, those of the first first. */
export function mergeReplays(replays: readonly Replay[]): Replay {
  requireThat(Array.isArray(replays) && replays.length > 0, 'mergeReplays', 'a list of replays', replays)
  for (const each of replays) requireReplay('mergeReplays', each)
  const [{ observations, actions }] = replays
  for (const other of replays)
    if (other.observations !== observations || other.actions !== actions)
      throw new UsageError(
        `Replays of one task can be merged, got ${observations} and ${other.observations} observations, ${actions} and ${other.actions} actions.`,
      )
  const capacity = replays.reduce((sum, { count }) => sum + count, 0)
  const merged = createReplay({ capacity, observations, actions })
  for (const replay of replays) for (let row = 0; row < replay.count; row++) storeRow(merged, replay, row)
  return merged
}

/** A replay as arrays by name, as encodeTensors() takes them: the transitions held, the oldest first. */
export function tensorsOf(replay: Replay): Record<string, { shape: number[]; data: Float32Array }> {
  requireReplay('tensorsOf', replay)
  const { capacity, count, next } = replay
  const widths = widthsOf(replay)
  const oldest = count < capacity ? 0 : next
  const inOrder = (values: Float32Array, width: number) => {
    const data = new Float32Array(count * width)
    const tail = values.subarray(oldest * width, count * width)
    data.set(tail)
    data.set(values.subarray(0, oldest * width), tail.length)
    return data
  }
  return Object.fromEntries(
    columns.map((name) => {
      const shape = name === 'reward' || name === 'terminated' ? [count] : [count, widths[name]]
      return [name, { shape, data: inOrder(replay[name], widths[name]) }]
    }),
  )
}

/**
 * A replay from what tensorsOf() gave; of the capacity given, or full.
 *
 * @throws UsageError when an array is missing or has another length, a value is not finite, or the capacity is too
 *   small
 */
export function replayOf(
  tensors: Readonly<Record<string, { readonly shape: readonly number[]; readonly data: Float32Array }>>,
  capacity?: number,
): Replay {
  requireThat(isRecord(tensors), 'replayOf', 'the tensors of a replay by name', tensors)
  const missing = columns.find((name) => !Object.hasOwn(tensors, name))
  if (missing) throw new UsageError(`A replay has ${columns.join(', ')}; ${missing} is missing.`)
  for (const name of columns) {
    const tensor = tensors[name]
    const isTensor = isRecord(tensor) && isFloat32(tensor.data) && isList(tensor.shape)
    requireThat(isTensor, 'replayOf', `${name} as { shape, data: Float32Array }`, tensor)
  }
  const [count, observations] = tensors.observation.shape
  const actions = tensors.action.shape[1]
  check(wholeNumber('The transitions of a replay', 0, MOST), count)
  if (capacity !== undefined) check(sizeSchemas.capacity, capacity)
  const sizes = { capacity: capacity ?? Math.max(count, 1), observations, actions }
  if (sizes.capacity < count)
    throw new UsageError(`A replay of ${count} transitions does not fit a capacity of ${show(capacity)}.`)
  const replay = createReplay(sizes)
  const widths = widthsOf(sizes)
  for (const name of columns) {
    const { data } = tensors[name]
    if (data.length !== count * widths[name])
      throw new UsageError(
        `${name} of a replay of ${count} transitions must have ${count * widths[name]} numbers, got ${data.length}.`,
      )
    const bad = data.findIndex((value) => !Number.isFinite(value))
    if (bad >= 0) throw new UsageError(`${name} of a replay must be finite, got ${data[bad]} at ${bad}.`)
    replay[name].set(data)
  }
  replay.count = count
  replay.next = count % sizes.capacity
  return replay
}
