import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { failedRuns } from '../../src/cli/experiment.ts'
import { presets } from '../../src/experiments/presets.ts'
import { inTemporaryDirectory, lines, run, start, until } from './steinrl.ts'

const SHORT = ['experiment', 'svpg-cartpole', '--seeds', '2', '--iterations', '2', '--variants', 'stein,joint']

test('runs that failed are listed, each in a sentence', () => {
  const run = (seed: number, outcome: 'failed' | 'finished', reason?: string) => ({
    ...{ seed, outcome, reason, measures: null, curves: null },
  })
  const variant = { ...{ label: 'broken', settings: {}, estimates: {}, curves: {} }, runs: [] as unknown[] }
  variant.runs = [run(0, 'failed', 'Iteration 1: Particle 0 is not finite.'), run(1, 'finished')]
  const summary = { variants: [variant] } as unknown as Parameters<typeof failedRuns>[0]
  expect(failedRuns(summary)).toEqual(['broken, seed 0 failed: Iteration 1: Particle 0 is not finite.'])
})

test('without a name it lists the experiments and what they show', () =>
  inTemporaryDirectory(async (directory) => {
    const { code, stdout, stderr } = await run(directory, 'experiment')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    for (const { name, shows } of presets) expect(stdout).toContain(`${name}\n  ${shows}\n`)
    const json = await run(directory, 'experiment', '--json')
    expect(lines(json.stdout).map((line) => JSON.parse(line).name)).toEqual(presets.map(({ name }) => name))
    expect(await readdir(directory)).toEqual([])
  }))

test('it runs, prints what came out and where the report is; the same command goes on, and other settings are refused', () =>
  inTemporaryDirectory(async (directory) => {
    const { code, stdout } = await run(directory, ...SHORT)
    expect(code).toBe(0)
    expect(stdout).toMatch(/^ +variant +best +iterations to 95 % +final median/)
    expect(stdout).toMatch(/\n +stein +\d+\.\d ± \d+\.\d .* 2 of 2\n +joint .* 2 of 2\n/)
    expect(stdout).toContain('Report: runs/svpg-cartpole/report.html')
    const path = join(directory, 'runs', 'svpg-cartpole')
    expect((await readdir(path)).sort()).toEqual(['experiment.json', 'joint', 'report.html', 'stein'])
    const before = await readFile(join(path, 'experiment.json'), 'utf8')

    const again = await run(directory, ...SHORT, '--json')
    expect(again.code).toBe(0)
    const told = lines(again.stdout).map((line) => JSON.parse(line))
    expect(told.map(({ status }) => status)).toEqual(['kept', 'kept', 'kept', 'kept', undefined])
    expect(told.at(-1).experiment.variants[0].estimates.best.seeds).toBe(2)
    expect(again.stdout).not.toContain('"curves"')
    expect(await readFile(join(path, 'experiment.json'), 'utf8')).toBe(before)

    const other = await run(directory, ...SHORT, '--iterations', '3')
    expect(other).toMatchObject({ code: 1, stdout: '' })
    expect(other.stderr).toBe(
      'steinrl: "runs/svpg-cartpole" holds svpg-cartpole with iterations 2, not 3; choose another --out, or --overwrite it.\n',
    )
  }))

test('Ctrl-C stops it cleanly, and the same command goes on to the same summary', () =>
  inTemporaryDirectory(async (directory) => {
    const args = [...SHORT, '--iterations', '12', '--jobs', '1']
    const { child, output, ended } = start(directory, [...args, '--out', 'a', '--json'])
    await until('the first run', () => output.stdout.includes('"finished"'))
    child.kill('SIGINT')
    const { code, signal } = await ended
    // An iteration that kept its thread busy for long is not waited for: a shell is told the same.
    expect([130, 'SIGINT']).toContain(signal ?? code)
    const half = JSON.parse(await readFile(join(directory, 'a', 'experiment.json'), 'utf8'))
    expect(JSON.stringify(half)).toContain('"unfinished"')
    expect((await run(directory, ...args, '--out', 'a')).code).toBe(0)
    expect((await run(directory, ...args, '--out', 'b')).code).toBe(0)
    const summary = (out: string) => readFile(join(directory, out, 'experiment.json'), 'utf8')
    expect(await summary('a')).toBe(await summary('b'))
  }))

test.concurrent.each<[args: string[], ...says: string[]]>([
  [['svpg-cartpol'], 'Unknown experiment "svpg-cartpol" (did you mean svpg-cartpole?)', 'svpg-ablation,'],
  [['svpg-cartpole', '--variants', 'stien'], 'no variant "stien" (did you mean stein?)', 'independent, joint.'],
  [['svpg-cartpole', '--variants='], 'needs a variant'],
  [['svpg-cartpole', '--seeds', 'x'], 'seeds', 'got "x".'],
  [['svpg-cartpole', '--iterations', '0'], 'iterations', 'got 0.'],
  [['svpg-cartpole', '--jobs', '0'], 'jobs', 'got 0.'],
  [['svpg-cartpole', '--out='], '--out must name a directory, got "".'],
])('%j is refused in one line', (args, ...says) =>
  inTemporaryDirectory(async (directory) => {
    const { code, stdout, stderr } = await run(directory, 'experiment', ...args)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^steinrl: [^\n]+\.\n$/)
    for (const words of says) expect(stderr).toContain(words)
    expect(await readdir(directory)).toEqual([])
  }),
)

/** Runs with variables of the environment that a scheduler would set. */
async function scheduled(directory: string, env: Readonly<Record<string, string>>, ...args: string[]) {
  Object.assign(process.env, env)
  const running = start(directory, args)
  for (const name of Object.keys(env)) delete process.env[name]
  return running.ended
}

test('shards do each run once, together give the summary of one call, and are known in arrays of Slurm and indexed Jobs', () =>
  inTemporaryDirectory(async (directory) => {
    const own = await run(directory, ...SHORT, '--out', 'whole')
    expect(own.code).toBe(0)
    const slurm = { SLURM_ARRAY_TASK_ID: '7', SLURM_ARRAY_TASK_MIN: '5', SLURM_ARRAY_TASK_STEP: '2' }
    const shared = [...SHORT, '--out', 'shared', '--json']
    const shards = await Promise.all([
      run(directory, ...shared, '--shard', '1/3'),
      scheduled(directory, { ...slurm, SLURM_ARRAY_TASK_COUNT: '3' }, ...shared),
      scheduled(directory, { JOB_COMPLETION_INDEX: '2', JOB_COMPLETIONS: '3' }, ...shared),
    ])
    expect(shards.map(({ stderr }) => stderr)).toEqual([1, 2, 3].map((i) => `Does the runs of shard ${i}/3.\n`))
    const finished = shards.map(({ stdout }) =>
      lines(stdout)
        .map((line) => JSON.parse(line))
        .filter(({ status }) => status === 'finished')
        .map(({ variant, seed }) => `${variant} ${seed}`)
        .sort(),
    )
    expect(finished).toEqual([['joint 1', 'stein 0'], ['joint 0'], ['stein 1']])
    const summary = (out: string) => readFile(join(directory, out, 'experiment.json'), 'utf8')
    // Whichever shard ended last had all runs.
    expect(await summary('shared')).toBe(await summary('whole'))
    const merged = await run(directory, ...shared)
    const statuses = lines(merged.stdout).map((line) => JSON.parse(line).status)
    expect(statuses).toEqual(['kept', 'kept', 'kept', 'kept', undefined])
    expect(await summary('shared')).toBe(await summary('whole'))
    for (const shard of ['0/3', '4/3', 'a/3', '2'])
      expect((await run(directory, ...shared, '--shard', shard)).stderr).toContain(
        `steinrl: shard must be i of n with 1 ≤ i ≤ n, as 2/8, got "${shard}".`,
      )
  }))
