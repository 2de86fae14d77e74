import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { rowOf } from '../../src/algorithms/svpg/svpg.ts'
import { UsageError } from '../../src/core/errors.ts'
import { encodeState } from '../../src/core/state-file.ts'
import { version } from '../../src/core/version.ts'
import { environmentSpec } from '../../src/envs/registry.ts'
import { readExperiment } from '../../src/experiments/directory.ts'
import { type ExperimentProgress, runExperiment } from '../../src/experiments/experiment.ts'
import type { ExperimentOptions } from '../../src/experiments/plan.ts'
import type { Preset } from '../../src/experiments/preset.ts'
import { presetNamed, presets } from '../../src/experiments/presets.ts'
import { readVisits } from '../../src/experiments/visits.ts'
import { decodeCheckpoint } from '../../src/train/checkpoint.ts'
import { readRun } from '../../src/train/run-directory.ts'
import { type AnyTrainOptions, runConfig, type TrainOptions, train } from '../../src/train/train.ts'

/** The smallest experiment that still has everything. */
const tiny: Preset = {
  name: 'tiny',
  shows: 'That experiments work.',
  env: 'CartPole-v1',
  settings: { particles: 2, environments: 2, steps: 32, hidden: [8] },
  variants: [
    { label: 'stein', note: 'With a kernel.', settings: { interaction: 'stein' } },
    { label: 'joint', note: 'One policy.', settings: { interaction: 'joint' } },
  ],
  ...{ seeds: 2, iterations: 3, figure: 'curves' },
  published: [
    { source: 'Somebody & others 1999', short: 'others', best: { stein: 123.4 }, iterationsTo95: { stein: 7 } },
  ],
}

let top: string
let out: string
beforeEach(async () => {
  top = await mkdtemp(join(tmpdir(), 'steinrl-test-'))
  out = join(top, 'out')
})
afterEach(() => rm(top, { recursive: true, force: true }))

async function complete(options: Partial<ExperimentOptions> = {}): Promise<ExperimentProgress[]> {
  const all: ExperimentProgress[] = []
  for await (const progress of runExperiment({ preset: tiny, out, ...options })) all.push(progress)
  return all
}

const read = (...path: string[]) => readFile(join(...path), 'utf8')

async function refusal(options: Partial<ExperimentOptions>): Promise<string> {
  const error = await complete(options).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(UsageError)
  return (error as UsageError).message
}

describe('an experiment', () => {
  test('leaves a summary, a report and a run directory for each run', async () => {
    const all = await complete()
    expect((await readdir(out)).sort()).toEqual(['experiment.json', 'joint', 'report.html', 'stein'])
    expect((await readdir(join(out, 'stein'))).sort()).toEqual(['seed-0', 'seed-1'])
    expect((await readdir(join(out, 'joint', 'seed-1'))).sort()).toEqual(
      [
        ...['config.json', 'evaluation.json', 'metrics.jsonl', 'particles.safetensors', 'report.html'],
        'visited.safetensors',
      ].sort(),
    )

    expect(all.filter(({ status }) => status === 'training')).toHaveLength(12)
    expect(all.at(-1)).toMatchObject({ status: 'finished', share: 1, runs: { finished: 4, failed: 0, total: 4 } })

    const { variants, ...rest } = await readExperiment(out)
    expect(rest).toMatchObject({ name: 'tiny', env: 'CartPole-v1', iterations: 3, seeds: [0, 1] })
    expect(variants.map(({ label }) => label)).toEqual(['stein', 'joint'])
    for (const { runs, estimates, curves } of variants) {
      expect(runs.map(({ seed, outcome }) => [seed, outcome])).toEqual([
        [0, 'finished'],
        [1, 'finished'],
      ])
      expect(estimates.greedyBest).toMatchObject({ seeds: 2, mean: expect.any(Number), halfWidth: expect.any(Number) })
      const greedy = runs.map(({ measures }) => measures?.greedyBest as number)
      expect(estimates.greedyBest.mean).toBeCloseTo((greedy[0] + greedy[1]) / 2, 10)
      expect(curves.thetaNorm.mean).toHaveLength(3)
    }
    expect(Object.keys(variants[0].curves)).toEqual(expect.arrayContaining(['drive', 'sharing', 'repulsion']))
    expect(Object.keys(variants[1].curves)).not.toContain('drive')
  })

  test('trains the same bits as train() alone, and keeps where the policies have been', async () => {
    await complete()
    const options = { env: tiny.env, ...tiny.settings, iterations: 3, seed: 1 } as TrainOptions
    const visited: number[][] = [[], []]
    for await (const { iteration, state } of train(options)) {
      state.visited.forEach((rows, i) => void visited[i].push(...rows.observation))
      if (iteration < 3) continue
      const saved = await readRun(join(out, 'stein', 'seed-1'))
      const rows = [0, 1].flatMap((i) => [...rowOf(state, 'theta', i)])
      expect([...saved.theta]).toEqual(rows)
      const { version, ...config } = saved.config as Record<string, unknown>
      expect(version).toMatch(/^\d+\.\d+\.\d+/)
      expect(config).toEqual(JSON.parse(JSON.stringify(runConfig(options))))
    }
    const kept = await readVisits(join(out, 'stein', 'seed-1'))
    expect(kept?.map((rows) => rows.flat())).toEqual(visited)
  })

  test('has the same summary with any number of jobs, and interrupted and taken up again', async () => {
    await complete()
    const whole = await read(out, 'experiment.json')

    await complete({ out: join(top, 'one'), jobs: 1 })
    expect(await read(top, 'one', 'experiment.json')).toBe(whole)

    // Left when the first run is finished, in the midst of others; then again at once.
    const broken = join(top, 'broken')
    for await (const { status } of runExperiment({ preset: tiny, out: broken, jobs: 2 }))
      if (status === 'finished') break
    const half = await readExperiment(broken)
    const outcomes = half.variants.flatMap(({ runs }) => runs.map(({ outcome }) => outcome))
    expect(outcomes).toContain('finished')
    expect(outcomes).toContain('unfinished')
    expect(await read(broken, 'report.html')).toContain('unfinished')
    for await (const _ of runExperiment({ preset: tiny, out: broken })) break

    const rest = await complete({ out: broken })
    expect(rest.filter(({ status }) => status === 'kept').length).toBeGreaterThanOrEqual(1)
    expect(rest.filter(({ status }) => status === 'training').length).toBeLessThan(12)
    expect(rest.at(-1)?.runs).toEqual({ finished: 4, failed: 0, total: 4 })
    expect(await read(broken, 'experiment.json')).toBe(whole)
  })

  test('does a run again whose numbers are not those of a run', async () => {
    const preset = { ...tiny, variants: [tiny.variants[0]], seeds: 1 }
    await complete({ preset })
    const whole = await read(out, 'experiment.json')
    const wrong: Record<string, string> = {
      'evaluation.json': '{"episodes":2,"greedy":1,"sampled":[1]}',
      'metrics.jsonl': '{"iteration":1}\n',
      'config.json': 'null',
    }
    for (const [name, text] of Object.entries(wrong)) {
      await writeFile(join(out, 'stein', 'seed-0', name), text)
      const steps = await complete({ preset })
      expect([name, steps.at(-1)?.runs]).toEqual([name, { finished: 1, failed: 0, total: 1 }])
      expect(await read(out, 'experiment.json')).toBe(whole)
    }
  })

  test('goes on inside a run, and has the files of one that was not stopped', async () => {
    const preset = { ...tiny, variants: [tiny.variants[0]], seeds: 1, iterations: 4 }
    const steps = (all: readonly ExperimentProgress[]) => all.flatMap(({ metrics }) => metrics?.iteration ?? [])
    for await (const { metrics } of runExperiment({ preset, out })) if (metrics?.iteration === 2) break
    expect(steps(await complete({ preset }))).toEqual([3, 4])
    const whole = join(top, 'whole')
    expect(steps(await complete({ preset, out: whole }))).toEqual([1, 2, 3, 4])
    const run = join('stein', 'seed-0')
    for (const file of ['config.json', 'evaluation.json', 'particles.safetensors', 'visited.safetensors'])
      expect(await readFile(join(out, run, file))).toEqual(await readFile(join(whole, run, file)))
  })

  test('that is finished is only reported again, and grows by seeds and variants', async () => {
    const [stein] = tiny.variants
    await complete({ seeds: 1, preset: { ...tiny, variants: [stein] } })
    const again = await complete({ seeds: 1, preset: { ...tiny, variants: [stein] } })
    expect(again.map(({ status }) => status)).toEqual(['kept'])
    const more = await complete()
    expect(more.filter(({ status }) => status === 'kept')).toMatchObject([{ variant: 'stein', seed: 0 }])
    await complete({ out: join(top, 'whole') })
    expect(await read(out, 'experiment.json')).toBe(await read(top, 'whole', 'experiment.json'))
  })

  test('of some variants adds them to those of earlier calls, which stay in the summary with what failed', async () => {
    const broken = { label: 'broken', note: 'Too large a step.', settings: { learningRate: 1e38 } }
    const preset = { ...tiny, seeds: 1, variants: [broken, ...tiny.variants] }
    const outcomes = async () =>
      (await readExperiment(out)).variants.map(({ label, runs }) => [label, ...runs.map(({ outcome }) => outcome)])
    await complete({ preset, variants: ['joint'] })
    await complete({ preset, variants: ['broken'] })
    expect(await outcomes()).toEqual([
      ['broken', 'failed'],
      ['joint', 'finished'],
    ])
    const last = await complete({ preset, variants: ['stein'] })
    expect(last.map(({ variant }) => variant)).toEqual(Array(5).fill('stein'))
    await complete({ preset, out: join(top, 'whole') })
    expect(await read(out, 'experiment.json')).toBe(await read(top, 'whole', 'experiment.json'))
    // One that has begun while another one is under way.
    const both = { preset, out: join(top, 'both') }
    let isBegun = false
    for await (const _ of runExperiment({ ...both, variants: ['joint'] })) {
      if (!isBegun) await complete({ ...both, variants: ['stein'] })
      isBegun = true
    }
    const { variants } = await readExperiment(both.out)
    expect(variants.map(({ label }) => label)).toEqual(['stein', 'joint'])
  })

  test('says of what version a run is that is kept, and why one that is there is done again', async () => {
    const preset = { ...tiny, seeds: 1, variants: [tiny.variants[0]] }
    const told = async () => (await complete({ preset })).flatMap(({ notes }) => notes)
    await complete({ preset })
    const path = join(out, 'stein', 'seed-0')
    const config = JSON.parse(await read(path, 'config.json'))
    await writeFile(join(path, 'config.json'), JSON.stringify({ ...config, version: '0.0.9' }))
    expect(await told()).toEqual(['It is of steinrl 0.0.9 and stays as it is.'])
    await rm(join(path, 'evaluation.json'))
    expect(await told()).toEqual([`"${path}" has particles and no checkpoint to go on from. It is done again.`])
    expect(await told()).toEqual([])
    // Left in its midst by another version.
    await rm(out, { recursive: true })
    for await (const _ of runExperiment({ preset, out, checkpointEvery: 0 })) break
    const file = join(path, 'checkpoint', '1.safetensors')
    const { about, content } = await decodeCheckpoint(await readFile(file))
    await writeFile(file, encodeState('training', { ...about, version: '0.0.9' }, content))
    expect(await told()).toEqual([`The run that was there is of steinrl 0.0.9, not ${version}. It is done again.`])
  })

  test('keeps no run whose settings are others', async () => {
    await complete({ seeds: 1 })
    const file = join(out, 'joint', 'seed-0', 'config.json')
    await writeFile(file, JSON.stringify({ ...JSON.parse(await read(file)), discount: 0.5 }))
    const again = await complete({ seeds: 1 })
    expect(again.filter(({ status }) => status === 'kept').map(({ variant }) => variant)).toEqual(['stein'])
    expect(JSON.parse(await read(file)).discount).toBe(0.99)
  })

  test('goes on when a run fails, and says why', async () => {
    const broken = { label: 'broken', note: 'Too large a step.', settings: { learningRate: 1e38 } }
    const preset = { ...tiny, seeds: 1, variants: [broken, ...tiny.variants] }
    const all = await complete({ preset })
    expect(all.find(({ status }) => status === 'failed')).toMatchObject({ variant: 'broken', seed: 0 })
    expect(all.at(-1)?.runs).toEqual({ finished: 2, failed: 1, total: 3 })
    const [{ runs, estimates }] = (await readExperiment(out)).variants
    expect(runs).toMatchObject([{ outcome: 'failed', measures: null, reason: expect.stringContaining('not finite') }])
    expect(estimates).toEqual({})
    expect(await read(out, 'report.html')).toMatch(/failed: Iteration \d+: .*not finite/)
    expect(await read(out, 'broken', 'seed-0', 'report.html')).toContain('Failed. Iteration')
  })
})

describe('an existing directory', () => {
  test('with other settings is refused in a sentence that says which, and replaced with overwrite', async () => {
    await complete()
    const before = await read(out, 'experiment.json')
    expect(await refusal({ iterations: 2 })).toBe(
      `"${out}" holds tiny with iterations 3, not 2; choose another --out, or --overwrite it.`,
    )
    expect(await refusal({ seeds: 1 })).toContain('tiny with 2 seeds, not 1')
    const [, joint] = tiny.variants
    expect(await refusal({ preset: { ...tiny, variants: [joint] } })).toContain(
      'the variant stein, which it does not have any more',
    )
    expect(await refusal({ preset: { ...tiny, settings: { ...tiny.settings, particles: 3 } } })).toContain(
      'tiny with particles 2 for stein, not 3;',
    )
    expect(await refusal({ preset: { ...tiny, name: 'other' } })).toContain('holds the experiment "tiny"')
    expect(await read(out, 'experiment.json')).toBe(before)

    const all = await complete({ iterations: 2, overwrite: true })
    expect(all.some(({ status }) => status === 'kept')).toBe(false)
    expect((await readExperiment(out)).iterations).toBe(2)
  })

  test('that is overwritten keeps each finished run until a new one takes its place', async () => {
    await complete()
    for await (const _ of runExperiment({ preset: tiny, out, overwrite: true, jobs: 1 })) break
    const { variants } = await readExperiment(out)
    const outcomes = variants.flatMap(({ runs }) => runs.map(({ outcome }) => outcome))
    expect(outcomes.filter((outcome) => outcome === 'finished').length).toBeGreaterThanOrEqual(outcomes.length - 1)
  })

  test('that holds something else is refused', async () => {
    await mkdir(out)
    expect(await refusal({})).toContain(`"${out}" exists`)
    await writeFile(join(out, 'report.html'), 'mine')
    expect(await refusal({ overwrite: true })).toContain(`"${out}" holds something else`)
    expect(await read(out, 'report.html')).toBe('mine')
  })

  test('whose summary is damaged is named', async () => {
    await mkdir(out)
    for (const text of ['{"name":', '{}', 'null']) {
      await writeFile(join(out, 'experiment.json'), text)
      expect(await refusal({})).toContain(`"${out}/experiment.json" is damaged`)
    }
  })
})

describe('a wrong setting is refused before anything is written', () => {
  test.each<[Partial<ExperimentOptions>, string]>([
    [{ seeds: 0 }, 'seeds must be a whole number from 1 to 10000, got 0.'],
    [{ iterations: 1.5 }, 'iterations must be a whole number from 1 to 1000000000, got 1.5.'],
    [{ jobs: 0 }, 'jobs must be a whole number from 1 to 256, got 0.'],
    [{ variants: ['stien'] }, 'tiny has no variant "stien" (did you mean stein?); there are stein, joint.'],
    [{ variants: [] }, 'tiny needs a variant to run'],
    [{ preset: { ...tiny, env: 'Nowhere-v0' } }, 'Unknown environment "Nowhere-v0"'],
    [{ preset: { ...tiny, settings: { particles: -1 } } }, 'particles must be'],
    [{ preset: { ...tiny, variants: [{ ...tiny.variants[0], label: '../up' }] } }, 'label must be its own'],
    [{ preset: { ...tiny, variants: [tiny.variants[0], tiny.variants[0]] } }, 'label must be its own'],
  ])('%#: %j', async (options, says) => {
    expect(await refusal(options)).toContain(says)
    expect(await readdir(top)).toEqual([])
  })
})

describe('the presets', () => {
  test('are found by name, and a wrong name is told the nearest', () => {
    for (const preset of presets) expect(presetNamed(preset.name)).toBe(preset)
    expect(new Set(presets.map(({ name }) => name)).size).toBe(presets.length)
    expect(() => presetNamed('svpg-abblation')).toThrow(
      'Unknown experiment "svpg-abblation" (did you mean svpg-ablation?); there are svpg-cartpole, svpg-swingup,',
    )
    expect(() => presetNamed('zzz')).toThrow('Unknown experiment "zzz"; there are svpg-cartpole')
  })

  test.each(presets.map((preset) => [preset.name, preset] as const))(
    '%s has settings that are allowed',
    (_, preset) => {
      // Its task may belong to another release; its settings do not.
      const env = isKnown(preset.env) ? preset.env : 'CartPole-v1'
      for (const { settings, label, note } of preset.variants) {
        expect(label).toMatch(/^[a-z0-9-]+$/)
        expect(note).toMatch(/\.$/)
        expect(() => runConfig({ ...preset.settings, ...settings, env } as AnyTrainOptions)).not.toThrow()
      }
      expect(preset.shows).toMatch(/^[A-Z].*\.$/)
      const labels = preset.variants.map(({ label }) => label)
      for (const { best, iterationsTo95 = {} } of preset.published)
        expect([...Object.keys(best), ...Object.keys(iterationsTo95)].some((label) => labels.includes(label))).toBe(
          true,
        )
    },
  )

  test('of one comparison collect the same number of transitions in every variant', () => {
    for (const { name, settings, variants } of presets) {
      const totals = variants.map((variant) => {
        const all = { ...settings, ...variant.settings } as Partial<TrainOptions>
        const { particles = 16, environments = 16, steps = 128 } = all
        return particles * environments * steps
      })
      expect([name, new Set(totals).size]).toEqual([name, 1])
    }
    // The published numbers are of so many: of a preset of the paper 16 x 10,000, of CartPole 8 x 5,000.
    for (const { published, settings } of presets) {
      const { particles = 16, environments = 16, steps = 128 } = settings as Partial<TrainOptions>
      if (published.length === 0 || !('particles' in settings)) continue
      expect([particles, environments * steps]).toEqual(particles === 16 ? [16, 10_000] : [8, 5000])
    }
  })
})

function isKnown(env: string): boolean {
  try {
    return environmentSpec(env).id === env
  } catch {
    return false
  }
}
