// What goes wrong outside of the other commands: fits, sweeps, experiments, and what is written of a run.
import { spawnSync } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { version } from '../../src/core/version.ts'
import { contents, type Ended, lines, run, SMALL, start, until } from '../cli/steinrl.ts'

const failAt = new URL('fail-at.mjs', import.meta.url).href
const bayes = new URL('../../dist/bayes.js', import.meta.url).href

const MODEL = `import { logp, model, real, tf } from '${bayes}'
export default model({
  parameters: { a: real() },
  logDensity: ({ a }) => [logp.normal(a, 0, 10), logp.normal(tf.tensor1d([1, 2, 3]), a, 1)],
})`
const SPACE = {
  ...{ algorithm: 'svpg', env: 'CartPole-v1', iterations: 9, objective: { by: 'training', of: 'best' } },
  settings: { particles: 2, environments: 2, steps: 128, hidden: [4] },
  space: { learningRate: { from: 0.001, to: 0.1, scale: 'log' } },
}

let kept: string
let directory: string
beforeAll(async () => {
  kept = await mkdtemp(join(tmpdir(), 'steinrl-faults-'))
  expect((await run(kept, 'train', 'svpg', 'CartPole-v1', ...SMALL, '--out', 'trained')).code).toBe(0)
}, 240_000)
afterAll(() => rm(kept, { recursive: true, force: true }))
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'steinrl-faults-'))
  await writeFile(join(directory, 'model.mjs'), MODEL)
  await writeFile(join(directory, 'space.json'), JSON.stringify(SPACE))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

const trained = () => join(kept, 'trained')
const fit = ['fit', 'model.mjs', '--particles', '20', '--iterations', '20']
const sweep = ['sweep', 'space.json', '--trials', '3', '--jobs', '1', '--sampler', 'halving', '--json']
const experiment = [
  ...['experiment', 'svpg-cartpole', '--seeds', '1', '--variants', 'stein', '--iterations', '2', '--jobs', '1'],
  ...['--checkpoint-every', '0', '--json'],
]
const commands: Record<string, () => { what: string; args: string[] }> = {
  fit: () => ({ what: 'fit', args: [...fit, '--out', 'out'] }),
  sweep: () => ({ what: 'sweep', args: [...sweep, '--out', 'out'] }),
  experiment: () => ({ what: 'experiment', args: [...experiment, '--out', 'out'] }),
  export: () => ({ what: 'policy', args: ['export', trained(), '--out', 'out'] }),
  play: () => ({ what: 'episode', args: ['play', trained(), '--out', 'out.json'] }),
}

/** What is left of a command is no file that is half written. */
const halves = async () => (await readdir(directory, { recursive: true })).filter((name) => name.includes('partial'))

const sentence = ({ stderr }: Ended) => {
  expect(lines(stderr).filter((line) => line.startsWith('    at '))).toEqual([])
  return lines(stderr).at(-1)
}

describe('a place that cannot be written to ends a command with exit code 4 and one sentence', () => {
  test.each(Object.keys(commands).flatMap((name) => ['ENOSPC', 'EROFS', 'EIO'].map((code) => [name, code] as const)))(
    '%s: %s',
    async (name, code) => {
      const { what, args } = commands[name]()
      const injected = { node: ['--import', failAt], env: { FAIL_AFTER: '0', FAIL_CODE: code, FAIL_IN: 'out' } }
      const ended = await start(directory, args, injected).ended
      expect(sentence(ended)).toMatch(
        new RegExp(`^steinrl: Cannot write the ${what} to "out[.json]*": ${code}: .*\\.$`),
      )
      expect(ended.code).toBe(4)
      if (code !== 'EROFS') expect(await halves()).toEqual([])
      // Nothing is in the way of the same command.
      expect((await run(directory, ...args)).code).toBe(0)
    },
  )

  const canMount = process.getuid?.() === 0 && spawnSync('mount', ['-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0
  if (canMount) spawnSync('umount', ['/mnt'])
  const onDisk = canMount ? test : test.skip
  onDisk('a real disk of 40 kB: a fit that does not fit leaves nothing, a run what it had', async () => {
    spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=40k', 'tmpfs', directory])
    try {
      await writeFile(join(directory, 'model.mjs'), MODEL)
      const fitted = await run(directory, ...fit, '--out', 'out')
      expect([fitted.code, sentence(fitted)]).toEqual([4, expect.stringContaining('"out": ENOSPC: ')])
      expect(await readdir(directory)).toEqual(['model.mjs'])
      const training = await run(directory, 'train', 'svpg', 'CartPole-v1', ...SMALL, '--out', 'run')
      expect([training.code, sentence(training)]).toEqual([4, expect.stringContaining('"run": ENOSPC: ')])
      expect((await run(directory, 'eval', 'run', '--episodes', '1')).code).toBe(0)
      expect(await halves()).toEqual([])
      // The disk itself cannot be replaced, which is said before it is trained.
      spawnSync('cp', ['run/config.json', '.'], { cwd: directory })
      const replacing = await run(directory, 'train', 'svpg', 'CartPole-v1', ...SMALL, '--overwrite', '--out', '.')
      expect([replacing.code, replacing.stdout]).toEqual([1, ''])
      expect(sentence(replacing)).toContain('"." is where a disk begins')
    } finally {
      spawnSync('umount', [directory])
    }
  })
})

test.each(['sweep', 'experiment'])(
  '%s: a directory that is removed meanwhile ends it with exit code 4',
  async (name) => {
    await writeFile(join(directory, 'space.json'), JSON.stringify({ ...SPACE, iterations: 100_000 }))
    const { args, what } = commands[name]()
    const running = start(directory, [...args, ...(name === 'sweep' ? [] : ['--iterations', '100000'])])
    const last = name === 'sweep' ? 'out/journal.log' : 'out/stein/seed-0/metrics.jsonl'
    await until('its files', async () => (await readFile(join(directory, last), 'utf8').catch(() => '')).length > 2000)
    await rm(join(directory, 'out'), { recursive: true, force: true, maxRetries: 9 })
    const ended = await running.ended
    const [file, of] = name === 'sweep' ? ['out/journal.log', 'journal'] : ['out/stein/seed-0', 'run']
    expect([what, ended.code, sentence(ended)]).toEqual([
      name,
      4,
      expect.stringContaining(`Cannot write the ${of} to "${file}": ENOENT: `),
    ])
  },
)

describe('two at once', () => {
  test.each([
    ['sweep', 'is being swept by another process; wait for its end, or choose another --out.'],
    ['experiment', 'is being trained by another process; wait for its end, or choose another --out.'],
    ['fit', 'is being fitted by another process; wait for its end, or choose another --out.'],
  ])('%s: the second of one directory is refused, and the first goes on', async (name, refusal) => {
    await writeFile(join(directory, 'space.json'), JSON.stringify({ ...SPACE, iterations: 100_000 }))
    const { args } = commands[name]()
    const first = start(directory, [...args, ...(name === 'sweep' ? [] : ['--iterations', '100000'])])
    await until('its lock', async () =>
      (await readdir(directory, { recursive: true })).some((file) => file.endsWith('.lock')),
    )
    const second = await run(directory, ...args, '--overwrite')
    expect([second.code, sentence(second)]).toEqual([1, expect.stringContaining(refusal)])
    expect(first.child.exitCode).toBeNull()
    first.child.kill('SIGKILL')
    await first.ended
  })
})

test.each(['fit', 'sweep', 'experiment'])('%s: a lock of a process that was killed is none', async (name) => {
  const { args } = commands[name]()
  await writeFile(join(directory, 'out.lock'), '999999999 1')
  expect((await run(directory, ...args)).code).toBe(0)
})

test('a damaged file of one trial does not cost the trial: it is done again', async () => {
  // Long enough that it is killed in the second rung.
  await writeFile(join(directory, 'space.json'), JSON.stringify({ ...SPACE, iterations: 90 }))
  const alone = await run(directory, ...sweep, '--out', 'alone')
  const stopped = start(directory, [...sweep, '--out', 'out'])
  const trials = join(directory, 'out', 'trials')
  await until('all of the first rung', () => stopped.output.stdout.split('"waiting"').length > 3)
  stopped.child.kill('SIGKILL')
  await stopped.ended
  const damaged = await readdir(trials).catch((): string[] => [])
  for (const name of damaged) await writeFile(join(trials, name), (await readFile(join(trials, name))).subarray(0, 500))
  const again = await run(directory, ...sweep, '--out', 'out')
  const result = ({ stdout }: Ended) => {
    const { number, value, settings } = JSON.parse(lines(stdout).at(-1) as string).best
    return { number, value, settings }
  }
  expect([again.code, result(again)]).toEqual([0, result(alone)])
  // At least the best one, which the second rung goes on from.
  expect(damaged.length).toBeGreaterThan(0)
})

test('a sweep that could write half of what its journal begins with goes on when there is room', async () => {
  const args = [...sweep, '--out', 'out']
  const injected = { node: ['--import', failAt], env: { FAIL_AFTER: '0', FAIL_CODE: 'ENOSPC', FAIL_IN: 'journal.log' } }
  const ended = await start(directory, args, injected).ended
  expect([ended.code, sentence(ended)]).toEqual([4, expect.stringContaining('journal.log": ENOSPC: ')])
  expect(await run(directory, ...args)).toMatchObject({ code: 0, stderr: '' })
  // And says so when it is of another version.
  const journal = join(directory, 'out', 'journal.log')
  await writeFile(journal, (await readFile(journal, 'utf8')).replace(`"version":"${version}"`, '"version":"0.0.9"'))
  const again = await start(directory, args, { env: { NODE_OPTIONS: '' } }).ended
  expect([again.code, again.stderr]).toEqual([
    0,
    expect.stringContaining(`out is of steinrl 0.0.9 and goes on by ${version}: what its trials come to may differ`),
  ])
})

test.each(['eval', 'fit'])('%s | head: 141', async (name) => {
  const args = name === 'eval' ? ['eval', trained(), '--episodes', '1', '--json'] : [...fit, '--out', 'out', '--json']
  const { child, ended } = start(directory, args)
  child.stdout?.destroy()
  const { code, signal, stderr } = await ended
  expect([code, signal, stderr.includes('    at ')]).toEqual([141, null, false])
})

test.each([
  ['svpg', 'CartPole-v1', '--particles', '2', '--environments', '2', '--steps', '16'],
  ['sac', 'Pendulum-v1', '--steps', '16', '--warmup', '8', '--batch-size', '8'],
  ['sql', 'Pendulum-v1', '--steps', '16', '--warmup', '8', '--batch-size', '8', '--particles', '4'],
  ['s2ac', 'Pendulum-v1', '--steps', '16', '--warmup', '8', '--batch-size', '8', '--particles', '4'],
  ['adr', 'Pendulum-v1', '--ranges', 'mass=0.5:2', '--particles', '2', '--steps', '16'],
])('%s: a run that diverges at once does not replace another', async (algorithm, env, ...settings) => {
  expect((await run(directory, 'train', 'svpg', 'CartPole-v1', ...SMALL, '--out', 'run')).code).toBe(0)
  const before = await contents(directory)
  const rate = ['--hidden', '4', '--learning-rate', '1e38', '--iterations', '1', '--eval-episodes', '0']
  const args = ['train', algorithm, env, ...settings, ...rate, '--overwrite', '--out', 'run']
  const ended = await run(directory, ...args)
  expect([ended.code, sentence(ended)]).toEqual([3, expect.stringMatching(/^steinrl: Iteration 1: .*\.$/)])
  expect(await contents(directory)).toEqual(before)
})

describe('a signal', () => {
  const signals = [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const
  test.each(signals)(
    '%s ends a sweep and an experiment by hand, and the same command goes on: %i',
    async (signal, code) => {
      for (const args of [sweep, [...experiment, '--iterations', '12']]) {
        const all = [...args, '--out', `${args[0]}-${signal}`]
        const running = start(directory, all)
        await until('a line', () => running.output.stdout.includes('\n'))
        running.child.kill(signal)
        const ended = await running.ended
        // An iteration that kept its thread busy for long is not waited for: a shell is told the same.
        expect([signal, code]).toContain(ended.signal ?? ended.code)
        expect(ended.stderr).toBe('')
        expect((await run(directory, ...all)).code).toBe(0)
      }
    },
  )

  test('in eval, play and export leaves the run and no half of a file', async () => {
    const before = await contents(kept)
    for (const args of [
      ['eval', trained(), '--episodes', '100000'],
      ['play', trained(), '--out', 'out.gif', '--particle', 'all'],
      ['export', trained(), '--out', 'out'],
    ])
      for (const delay of [300, 900]) {
        const { child, ended } = start(directory, args)
        setTimeout(() => child.kill('SIGTERM'), delay)
        await ended
        expect(await contents(kept)).toEqual(before)
      }
  })
})
