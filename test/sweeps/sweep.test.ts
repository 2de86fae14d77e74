import { spawnSync } from 'node:child_process'
import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { optunaSampler } from '../../src/cli/optuna.ts'
import { UsageError } from '../../src/core/errors.ts'
import { normaliseObservation } from '../../src/envs/wrappers/observations.ts'
import { wrap } from '../../src/envs/wrappers/wrap.ts'
import { type SweepOptions, transitionsPerIteration } from '../../src/sweeps/plan.ts'
import type { SweepResult } from '../../src/sweeps/result.ts'
import { readSweep, runSweep, type SweepProgress } from '../../src/sweeps/sweep.ts'
import { type AnyTrainOptions, evaluate, runConfig, train } from '../../src/train/train.ts'
import { hasModule, interpreter } from '../left-out.js'

const tiny = {
  env: 'CartPole-v1',
  iterations: 3,
  settings: { particles: 2, environments: 2, steps: 32 },
  space: {
    learningRate: { from: 1e-3, to: 1e-1, scale: 'log' },
    hidden: { among: [[8], [4, 4]] },
    estimator: { among: ['a2c', 'reinforce'] },
  },
  objective: { episodes: 2 },
  ...{ trials: 4, jobs: 1 },
} as const satisfies SweepOptions

let top: string
let out: string
beforeEach(async () => {
  top = await mkdtemp(join(tmpdir(), 'steinrl-test-'))
  out = join(top, 'out')
})
afterEach(() => rm(top, { recursive: true, force: true }))

async function complete(options: Partial<SweepOptions> = {}): Promise<SweepProgress[]> {
  const all: SweepProgress[] = []
  for await (const progress of runSweep({ ...tiny, out, ...options })) all.push(progress)
  return all
}

/** What a sweep comes to, without what the clock says. */
const timeless = ({ trials }: SweepResult) => trials.map(({ seconds: _, ...trial }) => trial)

async function result(options: Partial<SweepOptions> = {}) {
  await complete(options)
  return timeless(await readSweep(options.out ?? out))
}

async function refusal(options: object): Promise<string> {
  const error = await complete(options).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(UsageError)
  return (error as UsageError).message
}

describe('a sweep', () => {
  test('of ppo is one of a population of one, and refuses what only populations have', async () => {
    const { estimator: _, ...space } = tiny.space
    const settings = { environments: 2, steps: 32, epochs: 2 }
    const named = await result({ algorithm: 'ppo', space, settings, trials: 2 })
    const alone = { estimator: 'ppo', particles: 1, interaction: 'independent' }
    const other = join(top, 'other')
    expect(named).toEqual(await result({ space, settings: { ...settings, ...alone }, trials: 2, out: other }))
    const { command } = await readSweep(out)
    expect(command).toMatch(/^npx steinrl train ppo CartPole-v1 --environments 2 --steps 32 --epochs 2 --/)
    expect(command).not.toMatch(/svpg|particles|interaction|estimator/)
    expect(await readFile(join(out, 'report.html'), 'utf8')).toContain('ppo on CartPole-v1')
    const left = { settings: { ...settings, iterations: undefined, seed: undefined }, overwrite: true }
    expect(await result({ algorithm: 'ppo', space, trials: 2, ...left })).toEqual(named)
    const typo = { algorithm: 'ppo', settings, space: { learningrate: { among: [1] } }, overwrite: true } as const
    expect(await refusal(typo)).toMatch(/^The space of ppo has no option "learningrate"/)
    const sentence = 'ppo trains one policy and has no particles, which is a setting of svpg.'
    expect(await refusal({ algorithm: 'ppo', space, settings: { particles: 2 }, overwrite: true })).toBe(sentence)
    const wide = { ...space, particles: { among: [1, 2] } }
    expect(await refusal({ algorithm: 'ppo', space: wide, settings: {}, overwrite: true })).toBe(sentence)
    expect(await refusal({ algorithm: 'nobody' })).toMatch(/^Unknown algorithm "nobody"; there are svpg, .*, ppo/)
  })

  test('is a function of its options: trials are the same, one or three at a time, and each is that of train()', async () => {
    const trials = 3
    const once = await result({ trials })
    expect(once.map(({ state }) => state)).toEqual(Array(3).fill('finished'))
    expect(new Set(once.map(({ settings }) => settings.learningRate)).size).toBe(3)
    expect(await result({ out: join(top, 'again'), jobs: 3, trials })).toEqual(once)
    const other = await result({ out: join(top, 'other'), seed: 1, trials })
    expect(other.map(({ settings }) => settings)).not.toEqual(once.map(({ settings }) => settings))

    const { best } = await readSweep(out)
    expect(best?.value).toBe(Math.max(...once.map(({ value }) => value as number)))
    const given = { env: 'CartPole-v1', iterations: 3, ...tiny.settings, ...best?.settings } as AnyTrainOptions
    let value = 0
    for await (const { iteration, spec, agents } of train(given)) {
      if (iteration === 3) value = Math.max(...(await evaluate({ spec, ...agents(), episodes: 2 })).greedy)
    }
    expect(value).toBe(best?.value)
    expect((await readdir(out)).sort()).toEqual(['journal.log', 'report.html'])
  })

  test('takes tasks in Python, those of MuJoCo and those of files by their names', async () => {
    const trial = { trials: 1, iterations: 1, settings: { particles: 1, environments: 1, steps: 8, hidden: [4] } }
    const space = { learningRate: { among: [0.01] } }
    const [swimmer] = await result({
      ...trial,
      space,
      env: 'Swimmer-v5',
      objective: { episodes: 1 },
      out: join(top, 's'),
    })
    expect(swimmer.state).toBe('finished')
    if (!hasModule('gymnasium')) return
    const given = { ...trial, space, objective: { episodes: 1 } }
    const [there] = await result({ ...given, env: 'python:CartPole-v1', out: join(top, 'p') })
    expect(there.state).toBe('finished')
    expect(await readSweep(join(top, 'p'))).toMatchObject({ description: { task: { id: 'python:CartPole-v1' } } })
  })

  test('trains in its thread where no worker can be started or sent the task, to the same results', async () => {
    const once = await result({ trials: 2 })
    const permission = process.allowedNodeEnvironmentFlags.has('--permission')
      ? '--permission'
      : '--experimental-permission'
    const path = join(top, 'refused')
    const script = `
      const { runSweep } = await import(${JSON.stringify(new URL('../../dist/sweeps.js', import.meta.url).href)})
      for await (const _ of runSweep(${JSON.stringify({ ...tiny, trials: 2, jobs: 2, out: path })}));`
    const flags = [permission, '--allow-fs-read=*', '--allow-fs-write=*', '--no-warnings', '--input-type=module']
    const { status, stderr } = spawnSync(process.execPath, [...flags, '-e', script], { encoding: 'utf8' })
    expect([status, stderr]).toEqual([0, ''])
    expect(timeless(await readSweep(path))).toEqual(once)

    const space = { learningRate: { among: [0.01] } }
    const env = await wrap('CartPole-v1', normaliseObservation())
    const counted = await result({ env, space, trials: 2, jobs: 2, out: join(top, 'counted') })
    expect(counted[0].state).toBe('finished')
    // What the wrapper has learned in one is not known to the other.
    expect(counted[1]).toEqual({ ...counted[0], number: 1 })
  })

  test.each(['random', 'sobol', 'halving'] as const)(
    'goes on to the same results with %s wherever it was left',
    async (sampler) => {
      const options = { sampler, trials: 5, objective: { by: 'training', of: 'median' } } as const
      const whole = await result(options)
      const left = join(top, 'left')
      for (const moves of [1, 4, 9]) {
        let seen = 0
        for await (const _ of runSweep({ ...tiny, ...options, out: left })) if (++seen === moves) break
      }
      // A process that is killed leaves half a line.
      await appendFile(join(left, 'journal.log'), '{"op_code":8,"wor')
      expect(await result({ ...options, out: left })).toEqual(whole)
      expect((await complete({ ...options, out: left })).map(({ status }) => status)).toEqual(
        expect.arrayContaining(['kept']),
      )
    },
  )

  test('of successive halving lets the best third go on each time, as in a sweep of all to that end', async () => {
    const options = { trials: 9, iterations: 9, objective: { by: 'training' } } as const
    const halved = await result({ ...options, sampler: 'halving' })
    const short = await result({ ...options, iterations: 9, sampler: 'random', out: join(top, 'all') })
    expect(halved.map(({ state }) => state).sort()).toEqual([...Array(1).fill('finished'), ...Array(8).fill('pruned')])
    expect(halved.map(({ settings }) => settings)).toEqual(short.map(({ settings }) => settings))
    expect(halved.map(({ iterations }) => iterations)).toEqual(Array(9).fill(9))
    const trained = halved.map(({ transitions }) => (transitions as number) / (2 * 2 * 32))
    expect([...trained].sort((a, b) => a - b)).toEqual([1, 1, 1, 1, 1, 1, 3, 3, 9])
    // The one that came to its end has gone on three times to what it comes to in one go.
    const last = trained.indexOf(9)
    expect(halved[last].value).toBe(short[last].value)
    const first = halved.filter((_, k) => trained[k] === 1).map(({ value }) => value as number)
    expect(halved[last].value).not.toBe(Math.max(...first))
  })

  test('records trials that fail, and goes on with the others', async () => {
    const space = { estimator: { among: ['ppo', 'reinforce'] } } as const
    const trials = await result({ space, settings: { ...tiny.settings, epochs: 3 } })
    const failed = trials.filter(({ state }) => state === 'failed')
    expect(failed.length).toBeGreaterThan(0)
    expect(failed.length).toBeLessThan(4)
    for (const { settings, reason, value } of failed) {
      expect(settings.estimator).toBe('reinforce')
      expect(reason).toContain('Only ppo takes several passes')
      expect(value).toBeNull()
    }
    expect(await readFile(join(out, 'report.html'), 'utf8')).toContain('failed: Only ppo')
  })

  test('counts transitions as the algorithms do', async () => {
    for (const algorithm of ['svpg', 'sac', 'sql', 's2ac'] as const) {
      const small = { hidden: [4], environments: 2, steps: 20, ...(algorithm === 'svpg' ? { particles: 2 } : {}) }
      const given = { algorithm, env: 'Pendulum-v1', iterations: 2, ...small } as AnyTrainOptions
      for await (const { metrics, iteration } of train(given))
        expect(metrics.transitions).toBe(iteration * transitionsPerIteration(algorithm, runConfig(given)))
    }
    const trials = await result({ iterations: undefined, transitions: 500, trials: 2 })
    expect(trials.map(({ iterations, transitions }) => [iterations, transitions])).toEqual(Array(2).fill([3, 384]))
  })

  test('refuses what is not allowed, before it writes', async () => {
    const wrong: [object, string][] = [
      [{ trails: 5 }, 'A sweep has no option "trails"; the nearest is trials.'],
      [{ trials: 0 }, 'trials must be a whole number from 1 to 1000000, got 0.'],
      [{ sampler: 'grid' }, 'sampler must be one of random, sobol, halving, got "grid".'],
      [{ direction: 'up' }, 'direction must be one of maximise, minimise, got "up".'],
      [{ objective: { by: 'luck' } }, 'by must be one of evaluation, training, got "luck".'],
      [{ transitions: 5 }, 'Give iterations or transitions of a trial, not both.'],
      [{ settings: { clipp: 1 } }, 'The settings of svpg has no option "clipp"; the nearest is clip.'],
      [{ settings: { hidden: [8] } }, 'hidden is in the settings and in the space; take it out of one.'],
      [{ settings: { clip: -1 } }, 'clip must be a finite number above 0, got -1.'],
      [{ space: { discount: { from: 0.5, to: 1.5 } } }, 'discount must be a number from 0 to 1, got 1.5.'],
      [{ space: { activation: { among: ['tanh', 'tan'] } } }, 'activation must be one of '],
      [
        {
          algorithm: 'adr',
          settings: {},
          iterations: undefined,
          transitions: 500,
          space: { particles: { from: 1, to: 2 } },
        },
        'by iterations',
      ],
      [{ env: 'CartPole' }, 'CartPole-v1'],
    ]
    for (const [options, message] of wrong) expect(await refusal({ ...options })).toContain(message)
    expect(await readdir(top)).toEqual([])
  })

  test('refuses a journal of another sweep and of another program, and what is none', async () => {
    await complete({ trials: 1 })
    expect(await refusal({ iterations: 4 })).toMatch(/holds a sweep with iterations 3, not 4; choose another --out/)
    expect(await refusal({ name: 'mine' })).toContain('holds the sweep "svpg-CartPole-v1", not "mine"')
    expect((await result({ trials: 2 })).length).toBe(2)
    const journal = join(out, 'journal.log')
    await writeFile(journal, '{"op_code":0,"worker_id":"x","study_name":"s","directions":[1]}\n')
    expect(await refusal({})).toContain('holds the study "s", which is not of steinrl')
    await writeFile(journal, '{"op_code":4}\n')
    expect(await refusal({})).toContain('is damaged: it is no journal of Optuna that begins with a study.')
    await writeFile(journal, 'hello\n')
    expect(await refusal({})).toContain('is damaged: ')
    expect(await result({ overwrite: true, trials: 1 })).toHaveLength(1)
  })

  test('tells in its report what was tried, what mattered and how to train the best again', async () => {
    await complete({ trials: 9, iterations: 1 })
    const { command, best } = await readSweep(out)
    const page = await readFile(join(out, 'report.html'), 'utf8')
    expect(command).toMatch(
      /^npx steinrl train svpg CartPole-v1 --particles 2 --environments 2 --steps 32 --learning-rate [\d.]+ --hidden [\d,]+ --estimator \w+ --iterations 1$/,
    )
    expect(page.replace(/<\/?span[^>]*>/g, '')).toContain(command as string)
    expect(page).toContain(`trial ${best?.number}, the best`)
    for (const name of ['What was tried', 'Importance', 'Best so far', 'learningRate']) expect(page).toContain(name)
    expect(page).not.toMatch(/NaN|undefined|<script|https?:\/\/(?!www\.w3\.org)/)
  })
})

const hasOptuna = hasModule('optuna')

const READ = `
import json, sys
import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
optuna.logging.set_verbosity(optuna.logging.ERROR)
study = optuna.load_study(study_name=None, storage=JournalStorage(JournalFileBackend(sys.argv[1])))
trials = [[t.number, t.state.name, t.value, t.params, len(t.intermediate_values) > 0] for t in study.trials]
print(json.dumps({"name": study.study_name, "direction": study.direction.name, "best": study.best_trial.number, "trials": trials}))
`

/** As Optuna calls them. */
const NAMES = { finished: 'COMPLETE', pruned: 'PRUNED', failed: 'FAIL', running: 'RUNNING', waiting: 'WAITING' }

const inOptuna = (journal: string) => {
  const { stdout, stderr, status } = spawnSync(interpreter, ['-c', READ, journal], { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  return JSON.parse(stdout)
}

;(hasOptuna ? describe : describe.skip)('with Optuna', () => {
  const told = ({ trials }: SweepResult) =>
    trials.map(({ number, state, value, settings: { hidden, ...rest } }) => {
      return [number, NAMES[state], value, { ...rest, hidden: JSON.stringify(hidden) }, true]
    })

  test.each(['sobol', 'halving'] as const)('it reads the journal of %s as we do', async (sampler) => {
    await complete({ sampler, direction: 'minimise' })
    const ours = await readSweep(out)
    const theirs = inOptuna(join(out, 'journal.log'))
    expect(theirs).toMatchObject({ name: 'svpg-CartPole-v1', direction: 'MINIMIZE', best: ours.best?.number })
    const byNumber = told(ours).map(([number, state, value, settings, ..._]) => [number, state, value, settings])
    expect(theirs.trials.map((trial: unknown[]) => trial.slice(0, 4))).toEqual(byNumber)
  })

  test('its sampler asks for trials in the journal, two at a time, and goes on after an interruption', async () => {
    const options = { sampler: optunaSampler(0), jobs: 2, trials: 4, iterations: 1 }
    let seen = 0
    for await (const _ of runSweep({ ...tiny, ...options, out })) if (++seen === 5) break
    const all = await complete(options)
    expect(all.at(-1)?.trials).toMatchObject({ finished: 4, total: 4 })
    const theirs = inOptuna(join(out, 'journal.log'))
    const ours = await readSweep(out)
    expect(theirs.best).toBe(ours.best?.number)
    expect(theirs.trials.map((trial: unknown[]) => trial.slice(0, 4))).toEqual(
      told(ours).map(([number, state, value, settings]) => [number, state, value, settings]),
    )
  })
})

test('a Python without Optuna is told of in a sentence', async () => {
  const before = process.env.PYTHON
  process.env.PYTHON = 'no-python-here'
  try {
    expect(await refusal({ sampler: optunaSampler(0) })).toMatch(
      /^The sampler optuna needs a Python that has Optuna 4 or later; PYTHON names one, no-python-here says: .*ENOENT/,
    )
  } finally {
    if (before === undefined) delete process.env.PYTHON
    else process.env.PYTHON = before
  }
})
