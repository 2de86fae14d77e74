// npm run kills -- --count 500: trainings that are killed at random moments, until as many kills are done.
import { isDeepStrictEqual, parseArgs } from 'node:util'
import { generator, uniformInteger } from '../../src/core/generator.ts'
import { INTERVALS, killed, type Moment, TRAININGS, undisturbed } from './kills.ts'

const { values } = parseArgs({
  options: { count: { type: 'string', default: '500' }, seed: { type: 'string', default: '0' } },
})
const count = Number(values.count)
const numbers = generator(Number(values.seed))
const references = new Map<readonly string[], Awaited<ReturnType<typeof undisturbed>>>()

let done = 0
let right = 0
for (let k = 0; done < count; k++) {
  const training = TRAININGS[k % TRAININGS.length]
  const reference = references.get(training) ?? (await undisturbed(training))
  references.set(training, reference)
  const moments: Moment[] = Array.from({ length: 1 + uniformInteger(numbers, 5) }, () =>
    uniformInteger(numbers, 2) === 0
      ? { milliseconds: uniformInteger(numbers, Math.ceil(reference.milliseconds)) }
      : { change: uniformInteger(numbers, 80) },
  )
  const every = INTERVALS[uniformInteger(numbers, INTERVALS.length)]
  try {
    const { kills, results } = await killed(training, moments, every)
    done += kills
    const isRight = isDeepStrictEqual(results, reference.results)
    if (isRight) right += kills
    else console.error(`${training.join(' ')}: other bytes after ${JSON.stringify(moments)} (${every} s)`)
  } catch (error) {
    console.error(`${training.join(' ')}, ${JSON.stringify(moments)} (${every} s): ${(error as Error).message}`)
    done++
  }
  console.log(`${right} of ${done} kills went on to the same bytes`)
}
if (right < done) process.exitCode = 1
