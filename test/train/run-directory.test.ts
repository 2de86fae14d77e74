import { spawnSync } from 'node:child_process'
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { kernelMatrix } from '../../src/algorithms/svpg/kernel.ts'
import { rowOf } from '../../src/algorithms/svpg/svpg.ts'
import { UsageError } from '../../src/core/errors.ts'
import { decodeTensors } from '../../src/core/safetensors.ts'
import { version } from '../../src/core/version.ts'
import { configured } from '../../src/envs/configured.ts'
import type { EnvironmentSpec } from '../../src/envs/contract.ts'
import { environmentSpec, environments } from '../../src/envs/registry.ts'
import { clipAction, repeatAction, rescaleAction } from '../../src/envs/wrappers/actions.ts'
import { timeLimit } from '../../src/envs/wrappers/episodes.ts'
import { normaliseObservation } from '../../src/envs/wrappers/observations.ts'
import { sparseReward } from '../../src/envs/wrappers/rewards.ts'
import { frozen, runningStatistics } from '../../src/envs/wrappers/statistics.ts'
import { wrap } from '../../src/envs/wrappers/wrap.ts'
import { seenThrough } from '../../src/export/run.ts'
import { policyOf } from '../../src/nn/policy.ts'
import type { Evaluation } from '../../src/report/metrics.ts'
import { continueRun } from '../../src/train/continue-run.ts'
import { keepEvaluation } from '../../src/train/finished-run.ts'
import { createRun, finishRun, record } from '../../src/train/record.ts'
import { loadAgents, readRun } from '../../src/train/run-directory.ts'
import { evaluate, runConfig, type TrainOptions, type TrainStep, train } from '../../src/train/train.ts'

const options = {
  ...{ env: 'CartPole-v1', particles: 3, iterations: 3, environments: 2, steps: 16, hidden: [8], seed: 2 },
} satisfies TrainOptions
const config = { algorithm: 'svpg', ...options }
const evaluation: Evaluation = { episodes: 2, greedy: [10, 20, 30], sampled: [11, 21, 31] }

let path: string
beforeEach(async () => {
  path = join(await mkdtemp(join(tmpdir(), 'steinrl-test-')), 'run')
})
afterEach(() => rm(join(path, '..'), { recursive: true, force: true }))

const read = (name: string) => readFile(join(path, name), 'utf8')

/** Trains into `path`; returns the last step with a copy of what will be overwritten. */
async function complete(settings: TrainOptions = options, overwrite = false) {
  const run = await createRun(path, { ...config, ...settings }, { overwrite })
  let last: TrainStep | undefined
  for await (const step of record(run, train(settings))) last = step
  return { run, last: last as TrainStep }
}

async function refusal(action: Promise<unknown>): Promise<string> {
  const error = await action.catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(UsageError)
  return (error as UsageError).message
}

describe('a run', () => {
  test('written is read back: configuration, policy and every bit of the particles', async () => {
    const { run, last } = await complete()
    const report = await finishRun(run, 'Finished.', evaluation)
    expect(report).toBe(`${path}/report.html`)

    const { policy } = last.state
    const saved = await readRun(path)
    expect(saved.config).toEqual({ ...config, version })
    expect(saved).toMatchObject({ env: 'CartPole-v1', particles: 3, policy })
    for (let i = 0; i < 3; i++) {
      const row = saved.theta.subarray(i * policy.size, (i + 1) * policy.size)
      expect([...row]).toEqual([...rowOf(last.state, 'theta', i)])
    }

    expect(JSON.parse(await read('evaluation.json'))).toEqual(evaluation)
    expect(await read('metrics.jsonl')).toBe(run.metrics.map((line) => `${JSON.stringify(line)}\n`).join(''))
    expect(await read('report.html')).toContain('Finished.')
    const { tensors, metadata } = decodeTensors(await readFile(join(path, 'particles.safetensors')))
    expect(tensors.kernel.shape).toEqual([3, 3])
    expect([...tensors.kernel.data]).toEqual(kernelMatrix(last.state)?.flat())
    expect(metadata.iteration).toBe('3')
  })

  test('without evaluation has no evaluation.json, without kernel no kernel', async () => {
    const { run } = await complete({ ...options, interaction: 'joint' })
    await finishRun(run, 'Stopped.', null)
    expect((await readdir(path)).sort()).toEqual(
      ['checkpoint', 'config.json', 'metrics.jsonl', 'particles.safetensors', 'report.html'].sort(),
    )
    const { tensors } = decodeTensors(await readFile(join(path, 'particles.safetensors')))
    expect(Object.keys(tensors)).toEqual(['theta'])
    expect((await readRun(path)).particles).toBe(1)
  })

  test('of a single particle, and of networks without a hidden layer', async () => {
    await complete({ ...options, particles: 1, hidden: [] })
    const saved = await readRun(path)
    expect(saved).toMatchObject({ particles: 1, policy: { hidden: [], net: { widths: [4, 2] } } })
    expect(saved.theta).toHaveLength(10)
  })

  test('that did no iteration has a report, and reading it names the missing particles', async () => {
    const run = await createRun(path, config)
    await finishRun(run, 'Failed.', null)
    expect((await readdir(path)).sort()).toEqual(['config.json', 'report.html'])
    expect(await refusal(readRun(path))).toContain(`Cannot read "${path}/particles.safetensors"`)
  })

  test('whose directory vanishes ends with an error that names it', async () => {
    const run = await createRun(path, config)
    const consume = async () => {
      for await (const _ of record(run, train(options))) await rm(path, { recursive: true })
    }
    expect(await refusal(consume())).toMatch(new RegExp(`^Cannot write the run to "${path}": ENOENT[^\n]*\\.$`))
    expect(await refusal(finishRun(run, 'Failed.', null))).toContain(`Cannot write the run to "${path}"`)
  })
})

describe('an existing directory', () => {
  test('is refused without overwrite, whatever it holds', async () => {
    await mkdir(path)
    expect(await refusal(createRun(path, config))).toContain(`"${path}" exists`)
    expect(await readdir(path)).toEqual([])
    await rm(path, { recursive: true })
    await complete()
    const before = await read('config.json')
    expect(await refusal(createRun(path, { env: 'other' }))).toContain(`"${path}" exists`)
    expect(await refusal(createRun(path, { env: 'other' }, { overwrite: false }))).toContain('exists')
    expect(await read('config.json')).toBe(before)
  })

  test('keeps the earlier run until the new one has saved its particles, and what else is there for good, with overwrite', async () => {
    const { run } = await complete()
    await finishRun(run, 'Finished.', evaluation)
    await writeFile(join(path, 'notes.txt'), 'mine')
    const settings = { ...options, seed: 9 }
    const next = await createRun(path, { ...config, ...settings }, { overwrite: true })
    expect(JSON.parse(await read('config.json')).seed).toBe(2)
    expect(JSON.parse(await read('evaluation.json'))).toEqual(evaluation)
    for await (const _ of record(next, train(settings))) break
    const files = ['checkpoint', 'config.json', 'metrics.jsonl', 'notes.txt', 'particles.safetensors']
    expect((await readdir(path)).sort()).toEqual(files)
    expect(await read('notes.txt')).toBe('mine')
    expect(JSON.parse(await read('config.json')).seed).toBe(9)
    expect(await readdir(join(path, '..'))).toEqual(['run'])
  })

  test('is one training’s: another process is refused, and a lock whose process is no more does not count', async () => {
    const ended = spawnSync(process.execPath, ['-e', '']).pid
    await writeFile(`${path}.lock`, `${process.ppid} `)
    expect(await refusal(createRun(path, config))).toContain('is being trained by another process')
    // A loss of power may leave it empty.
    for (const text of [`${ended} 1`, '', 'nobody', '0 ', '-1 ', `${process.ppid}`]) {
      await writeFile(`${path}.lock`, text)
      await complete(options, true)
      expect([text, await readdir(join(path, '..'))]).toEqual([text, ['run']])
    }
  })

  test('is the same by whichever name: with a slash, as . and by a link', async () => {
    const run = await createRun(`${path}/`, config)
    for await (const _ of record(run, train(options)));
    await symlink(path, join(path, '..', 'link'))
    for (const name of [`${path}//`, `${path}/.`, join(path, '..', 'link')]) {
      await writeFile(`${path}.lock`, `${process.ppid} `)
      expect(await refusal(createRun(name, config, { overwrite: true }))).toContain(
        'is being trained by another process',
      )
      expect(await refusal(continueRun(name))).toContain('is being trained by another process')
      await rm(`${path}.lock`)
      const next = await createRun(name, config, { overwrite: true })
      for await (const _ of record(next, train(options)));
      expect((await readdir(join(path, '..'))).sort()).toEqual(['link', 'run'])
      expect((await lstat(join(path, '..', 'link'))).isSymbolicLink()).toBe(true)
    }
  })

  test('is locked by a process as often as it takes it', async () => {
    const first = await createRun(path, config)
    const second = await continueRun(path)
    await first.release()
    await first.release()
    expect(await readdir(join(path, '..'))).toEqual(['run', 'run.lock'])
    await second.release()
    expect(await readdir(join(path, '..'))).toEqual(['run'])
  })

  test('gets no evaluation of other particles: of a training that is not over, or that another process has replaced', async () => {
    const { run } = await complete()
    const particles = await readFile(join(path, 'particles.safetensors'))
    const names = async () => (await readdir(path)).filter((name) => /evaluation|report/.test(name))
    await writeFile(`${path}.lock`, `${process.ppid} `)
    expect(await refusal(finishRun(run, 'Finished.', evaluation))).toContain('is being trained by another process')
    await keepEvaluation(path, evaluation, particles)
    await rm(`${path}.lock`)
    await keepEvaluation(path, evaluation, particles.subarray(1))
    expect(await names()).toEqual([])
    await keepEvaluation(path, evaluation, particles)
    await finishRun(run, 'Finished.', evaluation)
    expect(await names()).toEqual(['evaluation.json', 'report.html'])
  })

  test('has particles of the iteration that they name, whatever the next one came to', async () => {
    const run = await createRun(path, config)
    let theta: number[] = []
    const spoilt = async () => {
      for await (const step of record(run, train(options))) {
        theta = [...step.agents().theta]
        step.state.arena.view.theta.fill(7)
        throw new Error('the next one fails')
      }
    }
    await expect(spoilt()).rejects.toThrow('the next one fails')
    expect([...(await readRun(path)).theta]).toEqual(theta)
  })

  test('overwritten starts its metrics anew', async () => {
    await complete()
    await complete({ ...options, iterations: 2 }, true)
    expect((await read('metrics.jsonl')).trimEnd().split('\n')).toHaveLength(2)
  })

  test('that has no config.json is taken with overwrite', async () => {
    await mkdir(path)
    await writeFile(join(path, 'notes.txt'), 'mine')
    await createRun(path, config, { overwrite: true })
    expect((await readdir(path)).sort()).toEqual(['config.json', 'notes.txt'])
  })

  test.each(['{ "port": 8080 }', 'not JSON', 'null', '[]', '"env"'])(
    'whose config.json is %s belongs to something else: not even overwrite replaces it',
    async (text) => {
      await mkdir(path)
      await writeFile(join(path, 'config.json'), text)
      const message = await refusal(createRun(path, config, { overwrite: true }))
      expect(message).toContain(`"${path}/config.json" is not that of a run`)
      expect(await read('config.json')).toBe(text)
    },
  )
})

test('a path that cannot be written is named, with the reason', async () => {
  const file = join(path, '..', 'file')
  await writeFile(file, 'mine')
  for (const where of [file, `${file}/run`]) {
    const message = await refusal(createRun(where, config, { overwrite: true }))
    expect(message).toMatch(/^Cannot write the run to ".*": ENOTDIR: not a directory.*\.$/)
    expect(message).toContain(`"${where}"`)
  }
  expect(await readFile(file, 'utf8')).toBe('mine')
})

test('directories above a run are made', async () => {
  const deep = join(path, 'a', 'b')
  await createRun(deep, config)
  expect(await readdir(deep)).toEqual(['config.json'])
})

describe('the task of a run', () => {
  /** Trains two iterations on a task into `path`. */
  async function trained(env: EnvironmentSpec, settings: Partial<TrainOptions> = {}) {
    const given = { ...options, ...settings, env, iterations: 2 } as TrainOptions
    const run = await createRun(path, runConfig(given))
    let last: TrainStep | undefined
    for await (const step of record(run, train(given))) last = step
    return (last as TrainStep).agents()
  }
  const settings = { episodes: 3, seed: 5 }

  test('comes back with its constants and its limit: evaluation is that of the task', async () => {
    const env = timeLimit(40)(configured('CartPole-v1', { constants: { gravity: 30, force: 2 } }))
    const agents = await trained(env)
    const { config, env: id, ...saved } = await readRun(path)
    expect(config.task).toMatchObject({ id, maxEpisodeSteps: 40, constants: { gravity: 30, force: 2 } })
    const own = await evaluate({ spec: env, ...agents, ...settings })
    expect(await evaluate({ ...saved, ...settings })).toEqual(own)
    expect(await evaluate({ ...saved, spec: environmentSpec('CartPole-v1'), ...settings })).not.toEqual(own)
  })

  test.each([{ clip: 2 }, { rule: 'stable-baselines3' as const }, {}])(
    'comes back with its wrappers and what they had learned, frozen (%o); exported policies see through the same',
    async (normalisation) => {
      const statistics = runningStatistics()
      const env = await wrap('Pendulum-v1', normaliseObservation({ statistics, ...normalisation }), repeatAction(2))
      const agents = await trained(env)
      const { config: _, env: __, ...saved } = await readRun(path)
      const frozenOne = await wrap(
        'Pendulum-v1',
        normaliseObservation({ statistics: frozen(statistics), ...normalisation }),
        repeatAction(2),
      )
      const own = await evaluate({ spec: frozenOne, ...agents, ...settings })
      expect(await evaluate({ ...saved, ...settings })).toEqual(own)
      // Evaluating has taught it nothing.
      expect(await evaluate({ ...saved, ...settings })).toEqual(own)
      const { normalisation: exported, bounds } = seenThrough(saved.task as EnvironmentSpec)
      expect(exported?.mean).toEqual(statistics.mean)
      expect(bounds).toEqual({ low: [-2], high: [2] })
    },
  )

  test('is no damage of the run where it cannot be made: a module that was moved, a wrapper that is not there', async () => {
    await trained(environmentSpec('CartPole-v1'))
    const config = JSON.parse(await readFile(join(path, 'config.json'), 'utf8'))
    const asks = async (task: object) => {
      await writeFile(join(path, 'config.json'), JSON.stringify({ ...config, task: { ...config.task, ...task } }))
      return refusal(loadAgents(path))
    }
    const why = `The task of the run "${path}" cannot be made: `
    expect(await asks({ module: './moved.js' })).toContain(`${why}The module `)
    expect(await asks({ wrappers: [{ name: 'unknown', options: {} }] })).toContain(why)
  })

  test('is named by its id: what a file cannot hold of the options of train() is not lost without a word', async () => {
    const env = { ...environmentSpec('CartPole-v1'), core: undefined, create: () => null as never }
    expect(await refusal(createRun(path, { ...options, env }))).toMatch(
      /^createRun takes the configuration that runConfig\(\) gives, with the id of a task as env, got \{/,
    )
    expect(await refusal(readRun(path))).toContain('is not a run')
  })

  test('is refused by name where it cannot be written down, before there is a directory', async () => {
    const env = await wrap(
      'Pendulum-v1',
      sparseReward(() => 1),
    )
    expect(() => runConfig({ ...options, env })).toThrow('sparseReward')
    const own = { ...environments['CartPole-v1'], core: undefined, id: 'Own', create: () => null as never }
    expect(() => runConfig({ ...options, env: own })).toThrow('Own cannot be made again elsewhere')
    expect(await refusal(readRun(path))).toContain('is not a run')
  })

  test('of wrappers that an exported policy could not do without is refused by name', async () => {
    expect(() => seenThrough(environments['Pendulum-v1'])).not.toThrow()
    const rescaled = await wrap('Pendulum-v1', rescaleAction())
    expect(() => seenThrough(rescaled)).toThrow('rescaleAction')
    expect(seenThrough(await wrap('Pendulum-v1', clipAction())).bounds).toEqual({ low: [-2], high: [2] })
  })
})

test('an evaluation that is not finite names the particle', async () => {
  const agents = { policy: policyOf({ observations: 3, hidden: [8], head: { name: 'gaussian', actions: 1 } }) }
  const theta = new Float32Array(2 * agents.policy.size).fill(3e38)
  const spec = environmentSpec('Pendulum-v1')
  await expect(evaluate({ spec, ...agents, particles: 2, theta, episodes: 1 })).rejects.toThrow(
    'Pendulum-v1, particle 0: episode 0 has the return NaN.',
  )
})

test('the version is that of package.json', async () => {
  const file = new URL('../../package.json', import.meta.url)
  expect(JSON.parse(await readFile(file, 'utf8')).version).toBe(version)
})
