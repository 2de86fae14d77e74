import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { UsageError } from '../../src/core/errors.ts'
import { normaliseObservation } from '../../src/envs/wrappers/observations.ts'
import { type RunningStatistics, runningStatistics } from '../../src/envs/wrappers/statistics.ts'
import { wrap } from '../../src/envs/wrappers/wrap.ts'
import {
  type Best,
  checkpointEvery,
  evaluateEvery,
  everyIterations,
  keepBest,
  pipe,
  stopAt,
  stopWithoutImprovement,
} from '../../src/train/loop.ts'
import { createRun, record } from '../../src/train/record.ts'
import { loadAgents } from '../../src/train/run-directory.ts'
import { evaluate, runConfig, type TrainOptions, type TrainStep, train } from '../../src/train/train.ts'

const small = {
  ...{ env: 'CartPole-v1', particles: 3, iterations: 6, environments: 4, steps: 64, hidden: [8], seed: 4 },
} satisfies TrainOptions

async function all<S>(steps: AsyncIterable<S>): Promise<S[]> {
  const found: S[] = []
  for await (const step of steps) found.push(step)
  return found
}

/** Steps whose evaluation, or last return in training, is what the test wants. */
async function* shown(values: readonly (number | null)[], isEvaluated: boolean) {
  const [step] = await all(train({ ...small, iterations: 1 }))
  for (const [k, value] of values.entries()) {
    const metrics = { ...step.metrics, iteration: k + 1, returns: [value, null, null] }
    const evaluation =
      value === null ? null : { episodes: 1, greedy: [value - 2, value, value - 1], sampled: [0, 0, 0] }
    yield { ...step, iteration: k + 1, iterations: values.length, metrics, ...(isEvaluated && { evaluation }) }
  }
}

test('evaluateEvery evaluates as evaluate() does, and training stays the same to the bit', async () => {
  const plain = (await all(train(small))).map((step) => step.metrics.returns)
  const seen: (readonly number[] | null)[] = []
  const returns: (number | null)[][] = []
  for await (const step of evaluateEvery(4, { episodes: 3, seed: 9 })(train(small))) {
    const again = await evaluate({ ...step.agents(), spec: step.spec, episodes: 3, seed: 9 })
    if (step.evaluation) expect(step.evaluation).toEqual(again)
    seen.push(step.evaluation?.greedy ?? null)
    returns.push(step.metrics.returns)
  }
  expect(seen.map((greedy) => greedy !== null)).toEqual([false, false, false, true, false, true])
  expect(returns).toEqual(plain)
})

test('evaluate() in the loop changes nothing of the training, and what was never learned is learned there', async () => {
  const run = async (isEvaluated: boolean) => {
    const statistics = runningStatistics()
    const env = await wrap('Pendulum-v1', normaliseObservation({ statistics }))
    const norms: unknown[] = []
    for await (const { metrics, agents } of train({ ...small, env, iterations: 3 })) {
      if (isEvaluated) await evaluate({ env, agents: agents(), episodes: 2 })
      norms.push(metrics.thetaNorm)
    }
    return { norms, statistics: { ...statistics } }
  }
  expect(await run(true)).toEqual(await run(false))
  const fresh = runningStatistics()
  const [{ agents }] = await all(train({ ...small, iterations: 1 }))
  const env = await wrap('CartPole-v1', normaliseObservation({ statistics: fresh }))
  await evaluate({ env, agents: agents(), episodes: 2 })
  expect(fresh.count).toBeGreaterThan(10)
  expect(fresh.frozen).toBe(false)
})

test('while particles are evaluated the wrappers of their task learn nothing, and then go on', async () => {
  const run = async (isEvaluated: boolean) => {
    const statistics: RunningStatistics = runningStatistics()
    const env = await wrap('CartPole-v1', normaliseObservation({ statistics }))
    const steps = train({ ...small, env, iterations: 3 })
    const counts: number[] = []
    for await (const step of isEvaluated ? evaluateEvery(1, { episodes: 2 })(steps) : steps) {
      expect(step.spec.id).toBe('CartPole-v1')
      counts.push(statistics.count)
    }
    expect(statistics.frozen).toBe(false)
    return { counts, statistics }
  }
  const [plain, evaluated] = [await run(false), await run(true)]
  expect(plain.counts[2]).toBeGreaterThan(plain.counts[0])
  expect(evaluated).toEqual(plain)
})

test('helpers keep the type of the algorithm and stand one behind the other', async () => {
  const numbers: number[] = []
  let best: Best | null = null
  const steps = pipe(
    train(small),
    evaluateEvery(2, { episodes: 2 }),
    keepBest(),
    everyIterations(5, (step) => numbers.push(step.iteration)),
    stopAt({ return: 1e6 }),
  )
  for await (const step of steps) {
    const own: TrainStep<'svpg'>['state'] = step.state
    expect(own.particles).toBe(3)
    expect(step.evaluation === null).toBe(step.iteration % 2 === 1)
    best = step.best
  }
  expect(numbers).toEqual([5, 6])
  expect((best as Best | null)?.iteration).toBeGreaterThan(1)
})

test('keepBest keeps the particle of the highest evaluation as it was, not that of the highest training return', async () => {
  let found: Best | null = null
  const heights: number[] = []
  const kept: Float32Array[] = []
  for await (const step of pipe(train(small), evaluateEvery(1, { episodes: 5 }), keepBest())) {
    heights.push(Math.max(...(step.evaluation?.greedy ?? [])))
    kept.push(step.agents().theta.slice())
    found = step.best
  }
  if (!found) throw new Error('Nothing was kept.')
  const first = heights.indexOf(Math.max(...heights))
  expect(found).toMatchObject({ iteration: first + 1, meanReturn: heights[first] })
  expect([...found.agents.theta]).toEqual([...kept[first]])
  expect(found.agents.best).toBe(found.particle)
  const again = await evaluate({ agents: found.agents, episodes: 5 })
  expect(again.greedy[found.particle]).toBe(found.meanReturn)
})

test('keepBest compares with what was before, and refuses steps that are not evaluated', async () => {
  let best: Best | null = null
  const iterations: (number | undefined)[] = []
  const steps = shown([5, 8, 9, null, 9, 12], true) as AsyncGenerator<TrainStep & { evaluation: null }>
  for await (const step of keepBest({ above: 8 })(steps)) {
    best = step.best
    iterations.push(best?.iteration)
  }
  expect(iterations).toEqual([undefined, undefined, 3, 3, 3, 6])
  expect(best).toMatchObject({ particle: 1, meanReturn: 12 })
  const unevaluated = train({ ...small, iterations: 1 }) as AsyncGenerator<TrainStep & { evaluation: null }>
  await expect(all(keepBest()(unevaluated))).rejects.toThrow(/put evaluateEvery before it/)
})

test.each([
  { what: 'of an evaluation', values: [5, null, 9, 10, 20], isEvaluated: true, where: 'evaluation' },
  { what: 'of training', values: [5, null, 9, 10, 20], isEvaluated: false, where: 'training' },
])('stopAt ends with the first return $what that is enough', async ({ values, isEvaluated, where }) => {
  const reasons: string[] = []
  const onStop = (reason: string) => void reasons.push(reason)
  expect(await all(stopAt({ return: 10, onStop })(shown(values, isEvaluated)))).toHaveLength(4)
  expect(reasons).toEqual([`Reached a mean return of 10 in ${where}`])
  expect(await all(stopAt({ return: 21, onStop })(shown(values, isEvaluated)))).toHaveLength(5)
  expect(reasons).toHaveLength(1)
  // The median over the three particles of an evaluation is one below the best.
  const enough = stopAt({ return: 10, of: 'median', onStop })
  expect(await all(enough(shown(values, isEvaluated)))).toHaveLength(isEvaluated ? 5 : 4)
})

test('stopWithoutImprovement counts looks since the highest return; a run that never rises ends too', async () => {
  const reasons: string[] = []
  const stop = (k: number) => stopWithoutImprovement(k, { onStop: (reason) => void reasons.push(reason) })
  expect(await all(stop(2)(shown([5, 5, 6, null, 6, 6, 7], true)))).toHaveLength(6)
  expect(reasons).toEqual(['No improvement over 6 in 2 evaluations'])
  expect(await all(stop(3)(shown([5, 5, 6, null, 6, 6, 7], true)))).toHaveLength(7)
  expect(await all(stop(1)(shown([5, 5, 6], false)))).toHaveLength(2)
  expect(reasons.at(-1)).toBe('No improvement over 5 in 1 iterations')
})

test('stopWithoutImprovement ends a run that goes on where it would have ended, and a run that it has ended once more', async () => {
  const values = [5, 7, 6, 6, 6, 6, 6, 6, 6, 6]
  for (let done = 0; done < 5; done++) {
    const rest = shown(values.slice(done), false)
    expect(await all(stopWithoutImprovement(3, { earlier: values.slice(0, done) })(rest))).toHaveLength(5 - done)
  }
  // The first 6 of those that follow is the highest, and three come after it.
  expect(
    await all(stopWithoutImprovement(3, { earlier: values.slice(0, 5) })(shown(values.slice(5), false))),
  ).toHaveLength(4)
})

test('a loop that is ended by a helper closes the run', async () => {
  let isClosed = false
  async function* steps() {
    try {
      yield* train(small)
    } finally {
      isClosed = true
    }
  }
  expect(await all(stopAt({ return: 1 })(steps()))).not.toHaveLength(6)
  expect(isClosed).toBe(true)
})

test('from what checkpointEvery hands over the run goes on to the same numbers', async () => {
  const kept = new Map<number, Uint8Array>()
  const whole = await all(checkpointEvery(4, (bytes, step: TrainStep) => kept.set(step.iteration, bytes))(train(small)))
  expect([...kept.keys()]).toEqual([4, 6])
  const rest = await all(train({ resume: kept.get(4) as Uint8Array }))
  const numbers = (steps: readonly { metrics: TrainStep['metrics'] }[]) =>
    steps.map(({ metrics: { seconds: _, ...metrics } }) => metrics)
  expect(numbers(rest)).toEqual(numbers(whole).slice(4))
})

test('record keeps evaluations, one line each', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'steinrl-'))
  try {
    const path = join(directory, 'run')
    const run = await createRun(path, runConfig(small))
    const steps = await all(record(run, evaluateEvery(3, { episodes: 2 })(train(small))))
    const lines = (await readFile(join(path, 'evaluations.jsonl'), 'utf8')).trimEnd().split('\n')
    expect(lines.map((line) => JSON.parse(line))).toEqual(
      [3, 6].map((iteration) => ({
        ...{ iteration, transitions: iteration * 3 * 4 * 64 },
        ...steps[iteration - 1].evaluation,
      })),
    )
    expect((await loadAgents(path)).particles).toBe(3)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
})

test.each<[string, () => unknown]>([
  ['evaluateEvery', () => evaluateEvery(0)],
  ['episode', () => evaluateEvery(1, { episode: 3 } as object)],
  ['return', () => stopAt({} as { return: number })],
  ['return', () => stopAt({ return: Number.NaN })],
  ['of', () => stopAt({ return: 1, of: 'worst' as 'best' })],
  ['stopWithoutImprovement', () => stopWithoutImprovement(1.5)],
  ['earlier', () => stopWithoutImprovement(1, { earlier: [Number.NaN] })],
  ['everyIterations', () => everyIterations(-1, () => {})],
  ['everyIterations', () => everyIterations(1, 3 as unknown as () => void)],
  ['over', () => keepBest({ over: 3 } as object)],
])('%s that is not allowed is refused at once', (name, make) => {
  expect(make).toThrow(UsageError)
  expect(make).toThrow(new RegExp(name))
})
