import { expect, test } from '@jest/globals'
import { problemsOf } from '../../src/envs/check.ts'
import type { Environment, EnvironmentSpec, Step } from '../../src/envs/contract.ts'
import { make } from '../../src/envs/make.ts'
import { box, discrete } from '../../src/envs/spaces.ts'
import { repeatAction } from '../../src/envs/wrappers/actions.ts'
import { sparseReward } from '../../src/envs/wrappers/rewards.ts'
import { wrap } from '../../src/envs/wrappers/wrap.ts'
import { wrapper } from '../../src/envs/wrappers/wrapper.ts'
import { train } from '../../src/train/train.ts'

// Tasks of a user's that throw, or give what they must not.

const fine = { obs: [0.5], reward: 1, terminated: false, truncated: false, info: {} }

const task = (instance: Partial<Environment>, spec: Partial<EnvironmentSpec> = {}): EnvironmentSpec => ({
  id: 'Own-v0',
  observationSpace: box([-1], [1]),
  actionSpace: discrete(2),
  maxEpisodeSteps: 5,
  create: () => ({ reset: () => ({ obs: [0], info: {} }), step: () => fine, ...instance }),
  ...spec,
})

function fail(): never {
  throw new Error('the sensor\nis broken.')
}
const HERE = '\\(/.*/failing-tasks\\.test\\.ts:\\d+\\)'
const BROKEN = `failed: the sensor is broken ${HERE}\\.$`
const late = () => {
  let steps = 0
  return { step: () => (++steps > 7 ? fail() : fine) }
}

const options = { particles: 2, environments: 2, steps: 8, iterations: 3, hidden: [4] }
async function last(env: EnvironmentSpec, algorithm: 'svpg' | 'sac'): Promise<unknown> {
  try {
    const { steps, environments, hidden } = options
    if (algorithm === 'svpg') for await (const _ of train({ env, ...options }));
    else for await (const _ of train({ env, algorithm, steps, environments, hidden, iterations: 3 }));
  } catch (error) {
    return error
  }
  return null
}

test.each([
  ['svpg', task({ reset: fail }), `^Iteration 1: Particle 0: Own-v0: reset ${BROKEN}`],
  ['svpg', task(late()), `Own-v0: step [1-5] ${BROKEN}`],
  ['svpg', task({}, { create: fail }), `^Iteration 1: Particle 0: Own-v0: create ${BROKEN}`],
  ['svpg', task({ begin: fail }), `Own-v0: step 1 ${BROKEN}`],
  ['svpg', task({ beginReset: fail }), `Own-v0: reset ${BROKEN}`],
  ['svpg', task({ getState: fail, setState: fail }), `The task's getState ${BROKEN}`],
  ['svpg', task({ close: fail }), `^The task's close ${BROKEN}`],
  // What failed first is what has to be mended.
  ['svpg', task({ ...late(), close: fail }), `Own-v0: step [1-5] ${BROKEN}`],
  ['sac', task({ ...late(), close: fail }), `^Iteration 1: Own-v0: step [1-5] ${BROKEN}`],
  ['sac', task({ reset: fail, close: fail }), `^Own-v0: reset ${BROKEN}`],
  ['sac', task({ reset: fail }), `^Own-v0: reset ${BROKEN}`],
  ['sac', task(late()), `^Iteration 1: Own-v0: step [1-5] ${BROKEN}`],
  ['sac', task({}, { create: fail }), `^Own-v0: create ${BROKEN}`],
] as const)('a training by %s says what the task threw, and where: %#', async (algorithm, env, sentence) => {
  const error = await last(env, algorithm)
  expect(error).toMatchObject({ name: 'RunError', message: expect.stringMatching(sentence) })
})

test.each([
  ['a text', 'oops', 'oops'],
  ['nothing', undefined, 'undefined'],
  ['an error without a message', new TypeError(), `TypeError ${HERE}`],
  ['a record', { code: 5 }, '{"code":5}'],
])('%s that is thrown is told', async (_, thrown, told) => {
  const env = await make(
    task({
      step() {
        throw thrown
      },
    }),
  )
  env.reset({ seed: 0 })
  expect(() => env.step(0)).toThrow(new RegExp(`^Own-v0: step 1 failed: ${told}\\.$`))
})

test('the cause is what was thrown, and a sentence of the library stays as it is', async () => {
  const thrown = new Error('mine')
  const throwing = await make(
    task({
      reset() {
        throw thrown
      },
    }),
  )
  expect(() => throwing.reset()).toThrow(expect.objectContaining({ cause: thrown }))
  const inner = await make('CartPole-v1')
  const outer = await make(task({ step: () => inner.step(0) }))
  outer.reset()
  expect(() => outer.step(0)).toThrow(/^CartPole-v1: call reset before step/)
})

test('a configure that throws or gives no task is refused', async () => {
  const constants = { length: 2 }
  await expect(make(task({}, { configure: fail }), { constants })).rejects.toThrow(
    new RegExp(`^Own-v0: configure ${BROKEN}`),
  )
  const none = (() => 3) as unknown as EnvironmentSpec['configure']
  await expect(make(task({}, { configure: none }), { constants })).rejects.toThrow(
    'Own-v0: configure gave 3; it must give a task.',
  )
})

test.each([
  ['a reward that a rule would make 0 of', { ...fine, reward: Number.NaN }, 'step gave the reward NaN'],
  ['an observation that is too long', { ...fine, obs: [0, 1] }, 'step gave the observation [0, 1]'],
  ['nothing', undefined, 'step gave the observation undefined'],
  ['a promise', Promise.resolve(fine), 'step gave a promise'],
])('wrappers do not cover up a step that gives %s', async (_, result, told) => {
  const wrapped = await wrap(task({ step: () => result as Step }), repeatAction(2), sparseReward(0.5))
  const env = await make(wrapped)
  env.reset()
  expect(() => env.step(0)).toThrow(`Own-v0: ${told}`)
})

test('an observation that float32 does not hold is refused, where it was infinite to whoever learned from it', async () => {
  const env = task({ reset: () => ({ obs: [-1e40], info: {} }) }, { observationSpace: box([-Infinity], [Infinity]) })
  const told = 'the observation [-1e+40]; an observation is numbers that float32 holds, up to ± 3.4e38.'
  const made = await make(env)
  expect(() => made.reset()).toThrow(`Own-v0: reset gave ${told}`)
  expect(await problemsOf(env)).toContain(`Own-v0: seed 0, reset gave ${told}`)
  for (const algorithm of ['svpg', 'sac'] as const)
    expect(await last(env, algorithm)).toMatchObject({ name: 'RunError', message: expect.stringContaining(told) })
  const scaling = wrapper('scaling', () => ({
    around: ({ reset, ...inner }) => ({ ...inner, reset: (at) => ({ ...reset(at), obs: [reset(at).obs[0] / 1e40] }) }),
  }))
  const scaled = await make(await wrap(env, scaling))
  expect(scaled.reset().obs).toEqual(Float32Array.of(-1))
})
