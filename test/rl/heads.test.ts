import { describe, expect, test } from '@jest/globals'
import { checkEnvironment } from '../../src/envs/check.ts'
import type { Environment, EnvironmentSpec } from '../../src/envs/contract.ts'
import { make } from '../../src/envs/make.ts'
import { box } from '../../src/envs/spaces.ts'
import { makeVector } from '../../src/envs/vector.ts'
import { clipAction } from '../../src/envs/wrappers/actions.ts'
import { wrap } from '../../src/envs/wrappers/wrap.ts'
import { train } from '../../src/train/train.ts'

/** A task of one step that keeps every action it is given. */
function watched(low: number, high: number) {
  const actions: number[] = []
  const env: EnvironmentSpec = {
    ...{ id: 'Watched', observationSpace: box([-1], [1]), actionSpace: box([low], [high]), maxEpisodeSteps: 1 },
    create: () => ({
      reset: ({ seed }) => ({ obs: [Math.sin(seed % 1000)], info: {} }),
      step(action) {
        actions.push((action as ArrayLike<number>)[0])
        return { obs: [0], info: {}, reward: 0, terminated: true, truncated: false }
      },
    }),
  }
  return { env, actions }
}

const settings = { particles: 1, environments: 2, steps: 500, hidden: [4], iterations: 1, workers: 0 }

async function startOf(low: number, high: number, initialDeviation: number | 'auto' = 'auto') {
  const { env, actions } = watched(low, high)
  const run = train({ algorithm: 'svpg', env, ...settings, initialDeviation })
  const theta: number[] = []
  for await (const { state } of run) theta.push(...state.arena.view.theta.slice(0, state.policy.size))
  const [least, most] = [Math.fround(low), Math.fround(high)]
  const onBound = actions.filter((a) => a <= least || a >= most).length / actions.length
  return { onBound, actions, theta }
}

describe('a task that gives promises', () => {
  const result = { obs: [0], info: {}, reward: 0, terminated: false, truncated: false }
  const task = (changes: Partial<Record<'create' | 'reset' | 'step', true>>): EnvironmentSpec => {
    const later = () => Promise.reject(new Error('nobody waits for it'))
    const env = { reset: changes.reset ? later : () => result, step: changes.step ? later : () => result }
    return {
      ...{ id: 'Later', observationSpace: box([-1], [1]), actionSpace: box([-1], [1]), maxEpisodeSteps: 5 },
      create: (changes.create ? () => Promise.resolve(env) : () => env) as unknown as () => Environment,
    }
  }
  const sentence =
    /^(Iteration 1: )?Later.* gave .*a promise; create, reset and step must give their results at once\.$/

  test.each([{ create: true }, { reset: true }, { step: true }] as const)(
    '%j is refused everywhere',
    async (changes) => {
      const env = task(changes)
      const started = async () => {
        for await (const _ of train({ algorithm: 'svpg', env, ...settings, steps: 8 }));
      }
      await expect(started()).rejects.toThrow(sentence)
      const run = async (made: { reset(options: { seed: number }): unknown; step(action: never): unknown }) => {
        made.reset({ seed: 1 })
        made.step(new Float32Array(2) as never)
      }
      await expect(makeVector(env, { num: 2 }).then(run)).rejects.toThrow(sentence)
      await expect(make(env).then((one) => run({ ...one, step: () => one.step([0]) }))).rejects.toThrow(sentence)
      await expect(
        wrap(env, clipAction())
          .then((wrapped) => make(wrapped))
          .then((one) => run({ ...one, step: () => one.step([0]) })),
      ).rejects.toThrow(sentence)
      await expect(checkEnvironment(env)).rejects.toThrow(sentence)
    },
  )
})

describe('the first actions of a gaussian head', () => {
  test.each([
    [-1, 1],
    [0.49, 0.51],
    [3, 3.5],
    [-1e-3, 0],
  ])('lie on a bound in a third of all cases for %d to %d', async (low, high) => {
    const { onBound } = await startOf(low, high)
    // 2 Φ(−1) = 0.317
    expect(onBound).toBeGreaterThan(0.26)
    expect(onBound).toBeLessThan(0.38)
  })

  test('have a deviation of 1 for wide bounds, about the number next to 0 where one bound is missing', async () => {
    const { actions } = await startOf(5, Number.POSITIVE_INFINITY)
    const inside = actions.filter((a) => a > 5)
    expect(inside.length / actions.length).toBeCloseTo(0.5, 1)
    expect(inside.reduce((sum, a) => sum + (a - 5) ** 2, 0) / inside.length).toBeCloseTo(1, 0)
    expect((await startOf(-50, 50)).onBound).toBe(0)
  })

  test('have the deviation that is set', async () => {
    const { actions } = await startOf(-1, 1, 0.1)
    const variance = actions.reduce((sum, a) => sum + a * a, 0) / actions.length
    expect(Math.sqrt(variance)).toBeGreaterThan(0.08)
    expect(Math.sqrt(variance)).toBeLessThan(0.13)
  })
})
