import { expect, test } from '@jest/globals'
import { killed, momentsOf, TRAININGS, undisturbed } from './kills.ts'

/** Trainings that differ in what they keep: one carries episodes and uses workers, one has a replay. */
const chosen = [TRAININGS[1], TRAININGS[3]]

test.each(chosen.map((training, k) => [training.slice(0, 2).join(' '), training, k] as const))(
  '%s, killed ten times, goes on to the bytes of one that was not killed',
  async (_, training, k) => {
    const { results } = await undisturbed(training)
    // A run that is killed early, and again and again: the changes of files are few where little is left to do.
    const { kills, results: found } = await killed(training, momentsOf(k, 10, 14))
    expect(kills).toBe(10)
    expect(found).toEqual(results)
  },
  240_000,
)
