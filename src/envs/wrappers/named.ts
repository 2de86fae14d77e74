import * as v from 'valibot'
import { show, UsageError } from '../../core/errors.ts'
import { nearest } from '../../core/nearest.ts'
import { check } from '../../core/schemas.ts'
import { clipAction, repeatAction, rescaleAction } from './actions.ts'
import { episodeStatistics, recordEpisodes, recording } from './episodes.ts'
import { normaliseObservation } from './observations.ts'
import { episodicReward, normaliseReward, scaleReward, sparseReward } from './rewards.ts'
import type { RunningStatistics } from './statistics.ts'
import type { Wrapper } from './wrapper.ts'

/** Options by name, as they stand in a file or on a command line: each wrapper checks its own. */
// biome-ignore lint/suspicious/noExplicitAny: what is wrong about them is found by the wrapper
type Options = Readonly<Record<string, any>>

interface Named {
  readonly options: readonly string[]
  /** The option without which there is no such wrapper. */
  readonly needs?: string
  make(options: Options, statistics?: RunningStatistics): Wrapper
}

const wrappers: Readonly<Record<string, Named>> = {
  repeatAction: { options: ['times'], needs: 'times', make: ({ times }) => repeatAction(times) },
  clipAction: { options: [], make: () => clipAction() },
  rescaleAction: { options: ['from', 'to'], make: ({ from, to }) => rescaleAction(from, to) },
  scaleReward: { options: ['factor'], needs: 'factor', make: ({ factor }) => scaleReward(factor) },
  sparseReward: { options: ['rule'], needs: 'rule', make: ({ rule }) => sparseReward(rule) },
  episodicReward: { options: [], make: () => episodicReward() },
  normaliseReward: {
    options: ['rule', 'discount', 'clip', 'epsilon'],
    make: (options, statistics) => normaliseReward({ ...options, statistics }),
  },
  normaliseObservation: {
    options: ['rule', 'clip', 'epsilon'],
    make: (options, statistics) => normaliseObservation({ ...options, statistics }),
  },
  episodeStatistics: { options: [], make: () => episodeStatistics() },
  recordEpisodes: { options: [], make: () => recordEpisodes(recording()) },
}

const numbers = v.array(v.pipe(v.number(), v.finite()))
const statistics = v.looseObject(
  { count: v.pipe(v.number(), v.finite(), v.minValue(0)), mean: numbers, squares: numbers, frozen: v.boolean() },
  'What a wrapper has learned must be running statistics: a count, means and squares that are finite.',
)

/**
 * A wrapper of this library by its name.
 *
 * @param state what it has learned of a task before, where it learns anything
 * @throws UsageError for a name or an option that does not exist, or a value that is not allowed
 */
export function wrapperNamed(name: string, options: Options = {}, state?: object): Wrapper {
  if (!Object.hasOwn(wrappers, name)) {
    const names = Object.keys(wrappers)
    const near = nearest(name, names)
    const guess = near ? ` (did you mean ${near}?)` : ''
    throw new UsageError(`Unknown wrapper ${show(name)}${guess}; there are ${names.join(', ')}.`)
  }
  const { options: known, needs, make } = wrappers[name]
  const unknown = Object.keys(options).find((option) => !known.includes(option))
  if (unknown !== undefined) {
    const has = known.length > 0 ? known.join(', ') : 'none'
    throw new UsageError(`${name} has no option ${show(unknown)}; it has ${has}.`)
  }
  if (needs && options[needs] === undefined) throw new UsageError(`${name} needs its option ${needs}.`)
  try {
    return make(options, state && check(statistics, state))
  } catch (error) {
    if (!(error instanceof UsageError) || error.message.startsWith(name)) throw error
    throw new UsageError(`${name}: ${error.message}`)
  }
}
