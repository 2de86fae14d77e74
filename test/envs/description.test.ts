import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { UsageError } from '../../src/core/errors.ts'
import { configured } from '../../src/envs/configured.ts'
import type { EnvironmentSpec } from '../../src/envs/contract.ts'
import { describeTask, findTask, parseTask, statesOf, taskFrom } from '../../src/envs/description.ts'
import { make } from '../../src/envs/make.ts'
import { environments } from '../../src/envs/registry.ts'
import { repeatAction, rescaleAction } from '../../src/envs/wrappers/actions.ts'
import { timeLimit } from '../../src/envs/wrappers/episodes.ts'
import { normaliseObservation } from '../../src/envs/wrappers/observations.ts'
import { scaleReward, sparseReward } from '../../src/envs/wrappers/rewards.ts'
import { runningStatistics } from '../../src/envs/wrappers/statistics.ts'
import { wrap } from '../../src/envs/wrappers/wrap.ts'
import { wrapper } from '../../src/envs/wrappers/wrapper.ts'

/** Rewards and observations of an episode with actions that are a function of the step. */
async function played(spec: EnvironmentSpec, steps = 30): Promise<number[]> {
  const env = await make(spec)
  const numbers = [...env.reset({ seed: 3 }).obs]
  for (let k = 0; k < steps; k++) {
    const action = spec.actionSpace.kind === 'box' ? spec.actionSpace.low.map(() => 0.1 * (k % 5) - 0.2) : k % 2
    const { obs, reward, terminated, truncated } = env.step(action)
    numbers.push(...obs, reward)
    if (terminated || truncated) break
  }
  return numbers
}

/** A task as it comes back from a file. */
const again = async (spec: EnvironmentSpec) =>
  taskFrom(parseTask(JSON.parse(JSON.stringify(await findTask(spec)))), {
    states: structuredClone(statesOf(spec)),
    fromFile: true,
  })

const cases: [string, () => EnvironmentSpec | Promise<EnvironmentSpec>][] = [
  ['a built-in task', () => environments['CartPole-v1']],
  ['another limit', () => timeLimit(7)(environments['CartPole-v1'])],
  ['other constants', () => configured('CartPole-v1', { constants: { halfLength: 2, gravity: 3 } })],
  ['a copy of a description with another limit', () => ({ ...environments['Pendulum-v1'], maxEpisodeSteps: 9 })],
  ['wrappers with options', () => wrap('Pendulum-v1', repeatAction(3), rescaleAction(-0.5, 2), scaleReward(0.25))],
  ['a limit around physics that is stepped from TypeScript', () => wrap('Pendulum-v1', timeLimit(7))],
  ['physics that is stepped from TypeScript', () => wrap('CartPole-v1')],
  [
    'wrappers around constants and a limit, and another limit around them',
    async () => timeLimit(5)(await wrap(configured('Pendulum-v1', { constants: { gravity: 4 } }), repeatAction(2))),
  ],
]

describe('a task that is made again from its description', () => {
  test.each(cases)('acts the same: %s', async (_, make) => {
    const spec = await make()
    const other = await again(spec)
    expect(await played(other)).toEqual(await played(spec))
    expect(other.maxEpisodeSteps).toBe(spec.maxEpisodeSteps)
    // States of instances are others than those of the core: a checkpoint of the one does not fit the other.
    expect(other.core === undefined).toBe(spec.core === undefined)
    expect(describeTask(other)).toEqual(describeTask(spec))
  })

  test('has what its wrappers had learned', async () => {
    const statistics = runningStatistics()
    const spec = await wrap('Pendulum-v1', normaliseObservation({ statistics, clip: 2 }))
    await played(spec)
    const other = await again(spec)
    expect(statesOf(other)).toEqual([statistics])
    expect(statesOf(other)[0]).not.toBe(statistics)
    expect(describeTask(other).wrappers).toMatchObject([{ name: 'normaliseObservation', options: { clip: 2 } }])
  })

  test('of MuJoCo has the options that were not the default ones', async () => {
    const spec = await taskFrom({ id: 'Swimmer-v5', constants: { ctrlCostWeight: 0.5 }, maxEpisodeSteps: 40 })
    expect(describeTask(spec)).toEqual({ id: 'Swimmer-v5', constants: { ctrlCostWeight: 0.5 }, maxEpisodeSteps: 40 })
    expect(await played(await again(spec), 5)).toEqual(await played(spec, 5))
  })
})

describe('a task of one’s own', () => {
  let folder: string
  let gain: (name: string) => Promise<EnvironmentSpec>
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'steinrl-test-'))
    const file = join(folder, 'gain.mjs')
    await writeFile(
      file,
      `const box = (low, high) => ({ kind: 'box', low, high })
const task = (gain) => ({
  id: 'Gain', observationSpace: box([0], [1]), actionSpace: { kind: 'discrete', n: 2 }, maxEpisodeSteps: 10,
  module: import.meta.url,
  configure: (constants) => task(constants.gain),
  create: () => ({ reset: () => ({ obs: [0], info: {} }), step: () => ({ obs: [0], reward: gain, terminated: false, truncated: false, info: {} }) }),
})
export default task(1)
export const threefold = task(3)`,
    )
    gain = async (name) => (await import(pathToFileURL(file).href))[name]
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  test('is found by its export, whichever it is', async () => {
    expect(await findTask(await gain('default'))).toMatchObject({ id: 'Gain', export: 'default' })
    const threefold = await again(await gain('threefold'))
    expect((await played(threefold)).at(-1)).toBe(3)
  })

  test('keeps the constants that configured() gave it, wrapped too', async () => {
    const spec = await wrap(configured(await gain('default'), { constants: { gain: 7 } }), repeatAction(2))
    expect((await played(await again(spec))).at(-1)).toBe(14)
  })

  test('that its own configure made is refused, as nothing tells its constants', async () => {
    const spec = (await gain('default')).configure?.({ gain: 7 }) as EnvironmentSpec
    await expect(findTask(spec)).rejects.toThrow(/Gain is not what its module .* exports/)
  })

  test('is described again where it was made from a description, also if it does not say where it is', async () => {
    const file = join(folder, 'nowhere.mjs')
    const text = `import { threefold } from './gain.mjs'\nexport const silent = { ...threefold, module: undefined }`
    await writeFile(file, text)
    const description = { id: 'Gain', maxEpisodeSteps: 10, module: pathToFileURL(file).href, export: 'silent' }
    expect(await findTask(await taskFrom(description))).toEqual(description)
  })

  test('that is as its module’s default export acts is that', async () => {
    const spec = { ...(await gain('default')) }
    expect((await played(await again(spec))).at(-1)).toBe(1)
  })
})

describe('what cannot be written down is refused by name', () => {
  test.each<[string, () => Promise<EnvironmentSpec> | EnvironmentSpec, string]>([
    [
      'a wrapper of one’s own',
      () =>
        wrap(
          'Pendulum-v1',
          wrapper('double', () => ({ around: (env) => env })),
        ),
      'double',
    ],
    [
      'a function',
      () =>
        wrap(
          'Pendulum-v1',
          sparseReward(() => 1),
        ),
      'sparseReward',
    ],
    [
      'a task without module',
      () => ({ ...environments['CartPole-v1'], core: undefined, create: () => null as never }),
      'CartPole-v1',
    ],
    ['physics of an unknown id', () => ({ ...environments['CartPole-v1'], id: 'Mine' }), 'Mine'],
  ])('%s', async (_, make, name) => {
    const spec = await make()
    expect(() => describeTask(spec)).toThrow(UsageError)
    expect(() => describeTask(spec)).toThrow(name)
  })
})

describe('a description from a file', () => {
  test.each([
    ['no object', null],
    ['no limit', { id: 'CartPole-v1' }],
    ['a limit of 0', { id: 'CartPole-v1', maxEpisodeSteps: 0 }],
  ])('%s is refused', (_, given) => {
    expect(() => parseTask(given)).toThrow(UsageError)
  })

  test.each([
    ['an unknown wrapper', { wrappers: [{ name: 'repeatActon', options: {} }] }, 'did you mean repeatAction'],
    ['an unknown option', { wrappers: [{ name: 'repeatAction', options: { tims: 2 } }] }, 'has no option "tims"'],
    ['a wrong option', { wrappers: [{ name: 'repeatAction', options: { times: 0 } }] }, 'times must be'],
    ['an unknown constant', { constants: { masss: 1 } }, 'no constant'],
    ['code in an address', { id: 'X', module: 'data:text/javascript,export default {}' }, 'must be a file'],
    ['a module from elsewhere', { id: 'X', module: 'https://example.org/task.js' }, 'must be a file'],
    ['a module that is not there', { id: 'X', module: 'file:///nowhere/task.js' }, 'cannot be loaded'],
  ])('%s is refused', async (_, given, message) => {
    const task = parseTask({ id: 'Pendulum-v1', maxEpisodeSteps: 200, ...given })
    const error = await taskFrom(task, { fromFile: true }).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(UsageError)
    expect((error as Error).message).toContain(message)
  })
})

test('a description that is nested deeper than anybody writes, or holds itself, is refused', () => {
  const deep = { id: 'CartPole-v1', maxEpisodeSteps: 10, constants: {} as Record<string, unknown> }
  deep.constants.deep = JSON.parse(`${'['.repeat(5000)}${']'.repeat(5000)}`)
  expect(() => parseTask(deep)).toThrow('The description of a task is nested deeper than 100 levels.')
  deep.constants.deep = deep
  expect(() => parseTask(deep)).toThrow('The description of a task is nested deeper than 100 levels.')
})
