// What goes wrong outside of a training, by the names of what a user sees: nothing is lost, one sentence says what was
// wrong, and the exit code says which kind it was. Each run then goes on to the bytes of one that nothing happened to.
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { Checkpoint } from '../../src/train/checkpoint.ts'
import { continueRun } from '../../src/train/continue-run.ts'
import { record } from '../../src/train/record.ts'
import { readRun } from '../../src/train/run-directory.ts'
import { train } from '../../src/train/train.ts'
import { contents, lines, type Running, run, start, until } from '../cli/steinrl.ts'
import { resultsOf } from '../kills/kills.ts'

const failAt = new URL('fail-at.mjs', import.meta.url).href
const killAt = new URL('../kills/kill-at.mjs', import.meta.url).href
const task = fileURLToPath(new URL('task.mjs', import.meta.url))

const small = ['--particles', '2', '--environments', '2', '--steps', '16', '--hidden', '4']
const often = ['--checkpoint-every', '0', '--eval-episodes', '1', '--json']
const svpg = ['train', 'svpg', task, ...small, '--iterations', '6', ...often, '--workers', '0']
const sac = [
  ...['train', 'sac', 'Pendulum-v1', '--hidden', '4', '--batch-size', '8', '--warmup', '8', '--steps', '16'],
  ...['--replay-size', '40', '--iterations', '6', ...often],
]
const PATH = ['--out', 'run']

let directory: string
let path: string
const references: Record<string, Record<string, unknown>> = {}

beforeAll(async () => {
  const top = await mkdtemp(join(tmpdir(), 'steinrl-faults-'))
  for (const [name, args] of Object.entries({ svpg, sac })) {
    expect((await run(top, ...args, '--out', name)).code).toBe(0)
    references[name] = await resultsOf(join(top, name))
  }
  kept = top
}, 60_000)
let kept: string
afterAll(() => rm(kept, { recursive: true, force: true }))

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'steinrl-faults-'))
  path = join(directory, 'run')
})
afterEach(() => rm(directory, { recursive: true, force: true }))

/** The last line of what a command said, of which there is one. */
const sentence = ({ stderr }: { stderr: string }) => {
  expect(lines(stderr).filter((line) => line.startsWith('    at '))).toEqual([])
  return lines(stderr).at(-1)
}

/** The particles can be read as they are, and the run goes on to the bytes of the reference. */
async function expectNothingLost(of: 'svpg' | 'sac'): Promise<void> {
  expect((await readRun(path)).particles).toBe(of === 'svpg' ? 2 : 1)
  const taken = await continueRun(path)
  for await (const _ of record(taken, train({ resume: taken.checkpoint as Checkpoint, iterations: 6 })));
  expect(await resultsOf(path)).toEqual({ ...references[of], evaluation: undefined })
}

const injected = (code: string, after = 2) => ({
  node: ['--import', failAt],
  env: { FAIL_AFTER: String(after), FAIL_CODE: code, FAIL_IN: 'run' },
})

describe('a place that cannot be written to ends a run with exit code 4', () => {
  test.each([
    ['a full disk', 'svpg', svpg, 'ENOSPC'],
    ['a full disk, with a replay', 'sac', sac, 'ENOSPC'],
    ['a disk that fails to write out', 'sac', sac, 'EIO'],
    ['a directory that may only be read', 'svpg', svpg, 'EROFS'],
  ] as const)('%s: %s', async (_, name, args, code) => {
    const ended = await start(directory, [...args, ...PATH], injected(code)).ended
    expect(sentence(ended)).toMatch(new RegExp(`^steinrl: Cannot write the run to "run": ${code}: .*\\.$`))
    expect(ended.code).toBe(4)
    await expectNothingLost(name)
  })

  test('a directory that is removed', async () => {
    const ended = await start(directory, [...svpg, ...PATH], injected('REMOVE')).ended
    expect(sentence(ended)).toMatch(/^steinrl: Cannot write the run to "run": ENOENT: .*\.$/)
    expect(ended.code).toBe(4)
  })

  test('a full disk before the first checkpoint of a run that replaces another: the other is as it was', async () => {
    await cp(join(kept, 'svpg'), path, { recursive: true })
    for (const code of ['ENOSPC', 'EROFS']) {
      const args = [...svpg, ...PATH, '--overwrite', '--seed', '5']
      const ended = await start(directory, args, injected(code, 0)).ended
      expect([code, ended.code, sentence(ended)]).toEqual([code, 4, expect.stringContaining(`: ${code}: `)])
      expect(await resultsOf(path)).toEqual(references.svpg)
    }
  })
})

describe('a training that cannot go on ends with exit code 3', () => {
  /** Three iterations are done; then the task fails in whatever evaluates it. */
  async function continued(fault: string, ...more: string[]) {
    expect((await run(directory, ...svpg, ...PATH, '--iterations', '3')).code).toBe(0)
    const args = ['train', '--resume', 'run', '--iterations', '6', ...often, ...more]
    const env = { FAULT: fault, FAULT_STEPS: '0', NODE_OPTIONS: '--max-old-space-size=80' }
    return start(directory, args, { env }).ended
  }

  test.each([
    ['a worker that hangs', 'hang', 'it gave no answer within 2 s'],
    ['a worker without memory', 'memory', 'Worker terminated due to reaching memory limit: JS heap out of memory'],
    ['a worker that is ended by its task', 'exit', 'exit code 9'],
  ])('%s: %s', async (_, fault, reason) => {
    const ended = await continued(fault, '--workers', '1', '--worker-limit', fault === 'memory' ? '60' : '2')
    expect(sentence(ended)).toBe(`steinrl: Iteration 4: 2 workers died while they evaluated particle 0 (${reason}).`)
    expect(ended.code).toBe(3)
    await expectNothingLost('svpg')
  })

  test('a reward that is not finite', async () => {
    const ended = await continued('nan')
    expect(sentence(ended)).toBe(
      'steinrl: Iteration 4: Faulty gave particle 0 the reward NaN; a reward must be finite.',
    )
    expect(ended.code).toBe(3)
    await expectNothingLost('svpg')
  })

  test('particles that diverge: those before are kept, evaluated and exported', async () => {
    const args = ['train', 'svpg', 'CartPole-v1', ...small, '--iterations', '8', '--learning-rate', '1e19', ...often]
    const ended = await run(directory, ...args, ...PATH, '--particles', '3', '--workers', '0')
    expect(sentence(ended)).toMatch(/^steinrl: Iteration \d+: .*\.$/)
    expect(ended.code).toBe(3)
    expect((await run(directory, 'eval', 'run', '--episodes', '1', '--json')).code).toBe(0)
    expect((await run(directory, 'export', 'run', '--out', 'exported')).code).toBe(0)
    const again = await run(directory, 'train', '--resume', 'run', ...often)
    expect([again.code, sentence(again)]).toEqual([3, sentence(ended)])
  })

  test('a task that throws, with what it threw and the line of its file', async () => {
    const ended = await continued('throw')
    expect([ended.code, sentence(ended)]).toEqual([3, expect.stringMatching(/the engine broke \(.*task\.mjs:\d+\)\.$/)])
    await expectNothingLost('svpg')
  })
})

describe('a signal, or a reader that leaves, ends a run with 128 and its number', () => {
  const slow = { FAULT: 'slow', FAULT_STEPS: '0' }
  const started = async (env: Record<string, string>): Promise<Running> => {
    const running = start(directory, [...svpg, ...PATH], { env })
    await until('two iterations', async () => {
      const text = await readFile(join(path, 'metrics.jsonl'), 'utf8').catch(() => '')
      return lines(text).length >= 2
    })
    return running
  }

  test.each([
    ['SIGTERM', 143],
    ['SIGHUP', 129],
    ['SIGINT', 130],
  ] as const)('%s: %i', async (signal, code) => {
    const { child, ended } = await started({ FAULT: 'brief', FAULT_STEPS: '0' })
    child.kill(signal)
    expect(await ended).toMatchObject({ code, signal: null, stderr: '' })
    await expectNothingLost('svpg')
  })

  test('SIGINT during an iteration that keeps its thread busy, and a second one: the process ends at once', async () => {
    const { child, ended } = await started(slow)
    // Two that arrive at once are one.
    const presses = setInterval(() => child.kill('SIGINT'), 200)
    const sent = performance.now()
    const { code, signal } = await ended.finally(() => clearInterval(presses))
    expect(performance.now() - sent).toBeLessThan(5000)
    expect(code ?? signal).toBe('SIGINT')
    await expectNothingLost('svpg')
  })

  test.each([
    ['--json | head', 'stdout'],
    ['2>&1 | head', 'stderr'],
  ] as const)('%s: 141', async (_, stream) => {
    const args = [...svpg.filter((word) => stream === 'stdout' || word !== '--json'), ...PATH]
    // Progress is told every five seconds.
    const fault = stream === 'stdout' ? 'brief' : 'slow'
    const { child, ended } = start(directory, args, { env: { FAULT: fault, FAULT_STEPS: '0' } })
    child[stream]?.once('data', () => child[stream]?.destroy())
    const { code, signal } = await ended
    expect([code, signal]).toEqual([141, null])
    expect(await readdir(path)).toContain('report.html')
    await expectNothingLost('svpg')
  })
})

describe('two trainings', () => {
  test('of one directory: the second is refused with exit code 1, and the lock of one that was killed is none', async () => {
    const { child, ended } = start(directory, [...svpg, ...PATH], { env: { FAULT: 'slow', FAULT_STEPS: '0' } })
    await until('the first iteration', async () =>
      (await readdir(path).catch((): string[] => [])).includes('metrics.jsonl'),
    )
    for (const args of [
      [...svpg, ...PATH, '--overwrite'],
      ['train', '--resume', 'run'],
    ]) {
      const second = await run(directory, ...args)
      expect([second.code, sentence(second)]).toEqual([
        1,
        'steinrl: "run" is being trained by another process; wait for its end, or choose another --out.',
      ])
    }
    // A fork takes nothing from it.
    const fork = await run(
      directory,
      'train',
      '--resume',
      'run',
      '--fork',
      '--out',
      'fork',
      '--iterations',
      '1',
      ...often,
    )
    expect([fork.code, fork.stderr]).toEqual([0, ''])
    child.kill('SIGKILL')
    await ended
    await expectNothingLost('svpg')
    expect((await readdir(directory)).sort()).toEqual(['fork', 'run'])
  })

  test('of one directory: the second is refused while the first is evaluated, too', async () => {
    const args = [...svpg, ...PATH, '--iterations', '1', '--eval-episodes', '2']
    const first = start(directory, args, { env: { FAULT: 'slow', FAULT_STEPS: '0' } })
    await until('the end of training', () => first.output.stdout.includes('"iteration":1'))
    const second = await run(directory, ...svpg, ...PATH, '--overwrite', '--particles', '3')
    expect([second.code, sentence(second)]).toEqual([1, expect.stringContaining('is being trained by another process')])
    expect((await first.ended).code).toBe(0)
    expect(JSON.parse(await readFile(join(path, 'evaluation.json'), 'utf8')).greedy).toHaveLength(2)
  })
})

describe('killed while it keeps the best population', () => {
  test('it is the same in the end, wherever it is killed', async () => {
    const settings = [
      '--particles',
      '2',
      '--environments',
      '2',
      '--steps',
      '64',
      '--hidden',
      '4',
      '--learning-rate',
      '0.05',
    ]
    const keeping = ['--eval-every', '1', '--keep-best', '--checkpoint-every', '0', '--eval-episodes', '0', '--json']
    const args = ['train', 'svpg', 'CartPole-v1', ...settings, '--iterations', '5', '--workers', '0', ...keeping]
    expect((await run(directory, ...args, '--out', 'whole')).code).toBe(0)
    const best = (name: string) => contents(join(directory, name, 'best'))
    const whole = await best('whole')
    const found = lines(await readFile(join(directory, 'whole', 'evaluations.jsonl'), 'utf8')).map((line) =>
      JSON.parse(line),
    )
    const highest = found.map(({ greedy }) => Math.max(...greedy))
    // Neither the first nor the last: something is there that it replaces, and nothing later replaces it.
    expect(highest.indexOf(Math.max(...highest))).toBe(2)
    // The changes of files of the third time: before the first, after the first and before the last of them.
    for (const change of [22, 23, 30]) {
      await rm(path, { recursive: true, force: true })
      const env = { KILL_IN: 'run/best', KILL_AT: String(change), KILL_AFTER: '300' }
      const killed = await start(directory, [...args, ...PATH], { node: ['--import', killAt], env }).ended
      expect(killed.signal).toBe('SIGKILL')
      expect(lines(await readFile(join(path, 'metrics.jsonl'), 'utf8'))).toHaveLength(3)
      expect((await run(directory, 'train', '--resume', 'run', ...keeping)).code).toBe(0)
      expect(await best('run')).toEqual(whole)
    }
  })
})

describe('killed while it replaces another run', () => {
  test('what the user had beside its files is there in the end, wherever it is killed', async () => {
    for (let change = 0; ; change++) {
      await rm(path, { recursive: true, force: true })
      await cp(join(kept, 'svpg'), path, { recursive: true })
      await writeFile(join(path, 'notes.txt'), 'mine')
      const args = [...svpg, ...PATH, '--overwrite', '--seed', '5']
      const env = { KILL_IN: '.steinrl-old', KILL_AT: String(change) }
      const { signal } = await start(directory, args, { node: ['--import', killAt], env }).ended
      const { release } = await continueRun(path)
      await release()
      expect(await readFile(join(path, 'notes.txt'), 'utf8')).toBe('mine')
      if (signal === null) {
        expect(change).toBeGreaterThan(2)
        break
      }
    }
  })
})
