import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { trainCommand } from '../../src/cli/train.ts'
import { decodeTensors } from '../../src/core/safetensors.ts'
import { version } from '../../src/core/version.ts'
import { decodeCheckpoint, encodeCheckpoint } from '../../src/train/checkpoint.ts'
import { type AnyTrainOptions, runConfig } from '../../src/train/train.ts'
import { inTemporaryDirectory, lines, run, SMALL, start, until } from './steinrl.ts'

const METRICS = [
  ...['iteration', 'seconds', 'transitions', 'returns', 'episodes', 'entropy', 'thetaNorm'],
  ...['drive', 'repulsion', 'sharing', 'bandwidth', 'kernelOffDiagonal', 'temperature', 'best', 'median'],
  ...['actionDivergence', 'behaviourVolume'],
]

const train = (directory: string, ...args: string[]) =>
  run(directory, 'train', 'svpg', 'CartPole-v1', ...SMALL, ...args)
const read = (...path: string[]) => readFile(join(...path), 'utf8')
const readMetrics = async (...path: string[]) =>
  lines(await read(...path, 'metrics.jsonl')).map((line) => JSON.parse(line))
const readParticles = async (...path: string[]) => decodeTensors(await readFile(join(...path, 'particles.safetensors')))

test('a run of another version goes on, which is said', () =>
  inTemporaryDirectory(async (directory) => {
    expect((await train(directory, '--out', 'out')).code).toBe(0)
    const file = join(directory, 'out', 'checkpoint', '2.safetensors')
    const { about, content } = await decodeCheckpoint(await readFile(file))
    const older = { about: { ...about, version: '0.0.9' }, content: { ...content, logs: {} } }
    await writeFile(file, encodeCheckpoint(older))
    const { code, stderr } = await run(directory, 'train', '--resume', 'out', '--iterations', '3')
    const said = `out is of steinrl 0.0.9 and goes on by ${version}: what it comes to may differ in last bits.`
    expect([code, lines(stderr)[0]]).toEqual([0, said])
  }))

test('a run writes its five files, its checkpoints and nothing else', () =>
  inTemporaryDirectory(async (directory) => {
    const { code, stdout } = await train(directory, '--out', 'out')
    expect(code).toBe(0)
    expect(stdout).toContain('Finished all 2 iterations. Report: out/report.html')
    expect(stdout).toMatch(/best +\d+\.\d/)
    expect((await readdir(join(directory, 'out'))).sort()).toEqual(
      ['checkpoint', 'config.json', 'evaluation.json', 'metrics.jsonl', 'particles.safetensors', 'report.html'].sort(),
    )

    expect(JSON.parse(await read(directory, 'out', 'config.json'))).toMatchObject({
      ...{ algorithm: 'svpg', env: 'CartPole-v1', iterations: 2, particles: 2, steps: 16, environments: 2 },
      ...{ hidden: [8], temperature: 10, interaction: 'stein', bandwidth: 'svpg-code', seed: 0 },
    })

    const metrics = await readMetrics(directory, 'out')
    expect(metrics.map(({ iteration }) => iteration)).toEqual([1, 2])
    expect(metrics.map(({ transitions }) => transitions)).toEqual([64, 128])
    for (const line of metrics) {
      expect(Object.keys(line)).toEqual(METRICS)
      for (const name of ['returns', 'episodes', 'entropy', 'thetaNorm']) expect(line[name]).toHaveLength(2)
      for (const name of ['drive', 'repulsion', 'bandwidth', 'kernelOffDiagonal']) expect(line[name]).toBeGreaterThan(0)
    }

    const { tensors, metadata } = await readParticles(directory, 'out')
    const policy = { observations: 4, hidden: [8], activation: 'tanh', head: { name: 'categorical', actions: 2 } }
    expect(metadata).toEqual({ env: 'CartPole-v1', policy: JSON.stringify(policy), iteration: '2' })
    expect(tensors.theta.shape).toEqual([2, 4 * 8 + 8 + 8 * 2 + 2])
    expect(tensors.kernel.shape).toEqual([2, 2])

    const evaluation = JSON.parse(await read(directory, 'out', 'evaluation.json'))
    expect(Object.keys(evaluation)).toEqual(['episodes', 'greedy', 'sampled'])
    expect(evaluation.episodes).toBe(2)
    for (const value of [...evaluation.greedy, ...evaluation.sampled]) expect(value).toBeGreaterThanOrEqual(8)

    const report = await read(directory, 'out', 'report.html')
    expect(report).toContain('svpg on CartPole-v1')
    expect(report).toContain('Finished all 2 iterations.')
  }))

test('--json prints a line an iteration and the evaluation, and nothing else', () =>
  inTemporaryDirectory(async (directory) => {
    const { code, stdout, stderr } = await train(directory, '--out', 'out', '--json')
    expect(code).toBe(0)
    expect(stderr).toBe('')
    const [first, second, last, ...more] = stdout.trimEnd().split('\n')
    expect(more).toEqual([])
    expect([first, second]).toEqual(lines(await read(directory, 'out', 'metrics.jsonl')))
    expect(JSON.parse(last)).toEqual({ evaluation: JSON.parse(await read(directory, 'out', 'evaluation.json')) })
  }))

test('--eval-episodes 0 evaluates nothing', () =>
  inTemporaryDirectory(async (directory) => {
    const { code, stdout } = await train(directory, '--out', 'out', '--json', '--eval-episodes', '0')
    expect(code).toBe(0)
    expect(lines(stdout)).toHaveLength(2)
    expect(await readdir(join(directory, 'out'))).not.toContain('evaluation.json')
  }))

test('the same seed gives the same bytes of particles and evaluation with any number of workers, another seed does not', () =>
  inTemporaryDirectory(async (directory) => {
    for (const [out, seed, workers] of ['a30', 'b32', 'c40'].map(([name, seed, workers]) => [
      name + seed,
      seed,
      workers,
    ])) {
      expect((await train(directory, '--out', out, '--seed', seed, '--workers', workers)).code).toBe(0)
    }
    const particles = async (out: string) =>
      (await readFile(join(directory, out, 'particles.safetensors'))).toString('hex')
    expect(await particles('b3')).toBe(await particles('a3'))
    expect(await particles('c4')).not.toBe(await particles('a3'))
    expect(await read(directory, 'b3', 'evaluation.json')).toBe(await read(directory, 'a3', 'evaluation.json'))
  }))

test('without --out the run goes to runs/ALGORITHM-ENVIRONMENT-SEED', () =>
  inTemporaryDirectory(async (directory) => {
    const { code, stdout } = await train(directory, '--seed', '5')
    expect(code).toBe(0)
    expect(stdout).toContain('Report: runs/svpg-CartPole-v1-5/report.html')
    expect(await readdir(directory)).toEqual(['runs'])
    expect(await readdir(join(directory, 'runs', 'svpg-CartPole-v1-5'))).toContain('particles.safetensors')
  }))

describe('without the kernel', () => {
  test.each([
    { interaction: 'independent', policies: 2 },
    { interaction: 'joint', policies: 1 },
  ])('$interaction trains $policies', ({ interaction, policies }) =>
    inTemporaryDirectory(async (directory) => {
      expect((await train(directory, '--out', 'out', '--interaction', interaction)).code).toBe(0)
      const { tensors } = await readParticles(directory, 'out')
      expect(Object.keys(tensors)).toEqual(['theta'])
      expect(tensors.theta.shape).toEqual([policies, 58])
      for (const line of await readMetrics(directory, 'out')) {
        expect(line).toMatchObject({ drive: null, repulsion: null, bandwidth: null, kernelOffDiagonal: null })
        expect(line.returns).toHaveLength(policies)
        // Joint means: as many transitions as the population would have taken.
        expect(line.transitions).toBe(line.iteration * 64)
      }
      const { code, stdout } = await run(directory, 'eval', 'out', '--episodes', '3', '--json')
      expect(code).toBe(0)
      expect(JSON.parse(stdout).greedy).toHaveLength(policies)
    }),
  )
})

test("Gymnasium's arguments of CartPole-v1 hold in training, on workers, in the run directory and in its evaluation", () =>
  inTemporaryDirectory(async (directory) => {
    const { code } = await train(
      directory,
      ...['--out', 'out', '--constants', 'suttonBartoReward=true'],
      ...['--constants', 'kinematicsIntegrator=semi-implicit euler'],
      ...['--steps', '100', '--particles', '2', '--iterations', '1', '--workers', '2', '--hidden', '4'],
    )
    expect(code).toBe(0)
    const { task } = JSON.parse(await read(directory, 'out', 'config.json'))
    expect(task.constants).toMatchObject({ suttonBartoReward: true, kinematicsIntegrator: 'semi-implicit euler' })
    const { returns } = JSON.parse((await read(directory, 'out', 'metrics.jsonl')).split('\n')[0])
    expect(returns).toEqual([-1, -1])
    const { stdout } = await run(directory, 'eval', 'out', '--episodes', '2', '--json')
    expect(JSON.parse(stdout).greedy).toEqual([-1, -1])
  }))

test('every option reaches the configuration', () =>
  inTemporaryDirectory(async (directory) => {
    const { code } = await train(
      directory,
      ...['--out', 'out', '--temperature', '2.5', '--prior', '3', '--bandwidth', '0.5', '--hidden', '4,3'],
      ...['--learning-rate', '1e-3', '--discount', '0.9', '--baseline', 'mean', '--standardise', 'false'],
      ...['--entropy-bonus', '0.01', '--seed', '12', '--particles', '3', '--iterations', '1'],
      ...['--activation', 'relu', '--head', 'categorical', '--initialisation', 'orthogonal', '--workers', '2'],
      ...['--temperature-schedule', 'linear', '--temperature-from', '7', '--kernel', 'imq', '--per-layer', 'true'],
      ...['--repulsion', '0.5', '--evolution-every', '3', '--gain', '2', '--entropy-reward', '0.02'],
      ...['--critic-hidden', '5', '--critic-learning-rate', '0.1', '--clip', '0.3', '--self-imitation', 'trajectories'],
      ...[
        '--episodic-reward',
        'true',
        '--whole-episodes',
        'true',
        '--steps',
        '500',
        '--learning-rate-schedule',
        'linear',
      ],
    )
    expect(code).toBe(0)
    const { task, version, ...config } = JSON.parse(await read(directory, 'out', 'config.json'))
    expect(task).toMatchObject({ id: 'CartPole-v1', maxEpisodeSteps: 500, constants: { gravity: 9.8 } })
    expect(version).toMatch(/^\d+\.\d+\.\d+/)
    expect(config).toEqual({
      ...{ algorithm: 'svpg', env: 'CartPole-v1', iterations: 1, particles: 3, temperature: 2.5, prior: 3 },
      ...{ interaction: 'stein', bandwidth: 0.5, hidden: [4, 3], learningRate: 1e-3, environments: 2, steps: 500 },
      ...{
        learningRateSchedule: 'linear',
        discount: 0.9,
        baseline: 'mean',
        standardise: false,
        entropyBonus: 0.01,
        seed: 12,
      },
      ...{ activation: 'relu', head: 'categorical', initialisation: 'orthogonal', initialDeviation: 'auto' },
      ...{ temperatureSchedule: 'linear', temperatureFrom: 7, kernel: 'imq', perLayer: true, repulsion: 0.5 },
      ...{ evolutionEvery: 3, gain: 2, entropyReward: 0.02, criticHidden: [5], criticLearningRate: 0.1, clip: 0.3 },
      ...{ episodicReward: true, wholeEpisodes: true },
      ...{ selfImitation: 'trajectories', estimator: 'reinforce', lambda: 1, nSteps: null, epochs: 1, minibatches: 1 },
      // Those that are left as they are.
      ...{ kernelTemperature: null, exploration: 'anneal', criticEpochs: 4, criticBatch: 256, imitationSteps: 4 },
      ...{
        imitationBatch: 512,
        imitationCapacity: 10_000,
        priorityExponent: 0.6,
        importanceExponent: 0.1,
        probeStates: 8,
      },
      ...{ imitationValueWeight: 0.01, imitationShare: 0.8, trajectories: 10, discriminatorHidden: [100, 100] },
      ...{ discriminatorLearningRate: 1e-4, discriminatorSteps: 1, imitationReward: 'positive' },
      ...{ lastGain: 0.1, rewardScale: 1 },
    })
    expect((await readParticles(directory, 'out')).metadata.policy).toContain('"hidden":[4,3]')
  }))

test('eval evaluates a run again as its end did, and prints a table or JSON', () =>
  inTemporaryDirectory(async (directory) => {
    await train(directory, '--out', 'out', '--seed', '0')
    const { code, stdout, stderr } = await run(directory, 'eval', 'out', '--episodes', '2', '--json')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(JSON.parse(stdout)).toEqual(JSON.parse(await read(directory, 'out', 'evaluation.json')))
    const table = await run(directory, 'eval', 'out', '--episodes', '2')
    expect(table.code).toBe(0)
    expect(table.stdout).toMatch(/^Mean return over 2 episodes\n +particle +greedy +sampled\n/)
  }))

describe('stopping', () => {
  const long = ['train', 'svpg', 'CartPole-v1', ...SMALL, '--out', 'out', '--iterations', '100000']

  const expectIntact = async (directory: string) => {
    const metrics = await readMetrics(directory, 'out')
    const { tensors, metadata } = await readParticles(directory, 'out')
    expect(metrics.length).toBeGreaterThanOrEqual(3)
    expect(metadata.iteration).toBe(String(metrics.length))
    expect(metrics.map(({ iteration }) => iteration)).toEqual(metrics.map((_, i) => i + 1))
    expect(tensors.theta.data.every(Number.isFinite)).toBe(true)
    const outcome = `Stopped by hand after iteration ${metrics.length} of 100000.`
    expect(await read(directory, 'out', 'report.html')).toContain(outcome)
    // Nothing half-written is left.
    expect((await readdir(join(directory, 'out'))).filter((name) => name.endsWith('.partial'))).toEqual([])
    return outcome
  }

  test('Ctrl-C ends a run cleanly: exit code 130, every file intact, the report says so', () =>
    inTemporaryDirectory(async (directory) => {
      const { child, output, ended } = start(directory, long)
      // Particles are saved every two seconds: this interrupt comes between two saves.
      await until('three iterations', async () => {
        const text = await read(directory, 'out', 'metrics.jsonl').catch(() => '')
        return lines(text).length >= 3
      })
      child.kill('SIGINT')
      await until('the last line', () => output.stdout.includes('Report:'))
      const said = performance.now()
      const { code, signal, stdout } = await ended
      // No listener, timer or worker keeps the process alive.
      expect(performance.now() - said).toBeLessThan(2000)
      expect({ code, signal }).toEqual({ code: 130, signal: null })
      expect(stdout).toBe(`${await expectIntact(directory)} Report: out/report.html\n`)
      expect(await readdir(join(directory, 'out'))).not.toContain('evaluation.json')
      const { code: evaluated } = await run(directory, 'eval', 'out', '--episodes', '1')
      expect(evaluated).toBe(0)
    }))

  test('a reader that leaves, as head does, ends the run as cleanly', () =>
    inTemporaryDirectory(async (directory) => {
      const { child, output, ended } = start(directory, [...long, '--json'])
      await until('three lines', () => lines(output.stdout).length >= 3)
      child.stdout?.destroy()
      const { code, signal, stderr } = await ended
      expect(stderr).toBe('')
      expect(signal).toBeNull()
      expect(code).not.toBe(0)
      await expectIntact(directory)
    }))

  test('Ctrl-C during the evaluation keeps the trained run and its report', () =>
    inTemporaryDirectory(async (directory) => {
      const args = ['train', 'svpg', 'CartPole-v1', ...SMALL, '--out', 'out']
      // 128 evaluations of many episodes: far longer than this test waits.
      const { child, output, ended } = start(directory, [...args, '--particles', '64', '--eval-episodes', '100000'])
      await until('the evaluation', () => output.stderr.includes('evaluating'))
      child.kill('SIGINT')
      const { code, stdout } = await ended
      expect(code).toBe(130)
      expect(stdout).toBe('Finished all 2 iterations. Report: out/report.html\n')
      expect((await readdir(join(directory, 'out'))).sort()).toEqual(
        ['checkpoint', 'config.json', 'metrics.jsonl', 'particles.safetensors', 'report.html'].sort(),
      )
      // An evaluation by hand is not the end of the run.
      expect((await run(directory, 'eval', 'out', '--episodes', '2')).code).toBe(0)
      const resumed = await run(directory, 'train', '--resume', 'out', '--eval-episodes', '3')
      expect(resumed).toMatchObject({ code: 0, stdout: expect.stringContaining('Finished all 2 iterations.') })
      const evaluation = JSON.parse(await readFile(join(directory, 'out', 'evaluation.json'), 'utf8'))
      expect(evaluation).toMatchObject({ episodes: 3 })
      expect(evaluation).not.toHaveProperty('isLater')
    }))

  test('a finished run ends its process at once', () =>
    inTemporaryDirectory(async (directory) => {
      const { output, ended } = start(directory, ['train', 'svpg', 'CartPole-v1', ...SMALL, '--out', 'out'])
      await until('the last line', () => output.stdout.includes('Report:'))
      const said = performance.now()
      expect((await ended).code).toBe(0)
      expect(performance.now() - said).toBeLessThan(2000)
    }))
})

test.each([
  { env: 'CartPole-v1' },
  { algorithm: 'sac', env: 'Pendulum-v1' },
  { algorithm: 'sql', env: 'Pendulum-v1' },
  { algorithm: 's2ac', env: 'Pendulum-v1' },
  { algorithm: 'sql-compose', env: 'MultiGoal-v0', components: [{ goal0X: 4 }, { goal0X: 3 }] },
  { algorithm: 'adr', env: 'Pendulum-v1', ranges: { mass: [0.5, 2] } },
] as AnyTrainOptions[])('every setting has an option: %o', (options) => {
  const { algorithm, env, task, ...settings } = runConfig(options)
  const command = trainCommand().commands.find((one) => one.name() === algorithm)
  const names = command?.options.map((option) => option.attributeName()) ?? []
  expect(Object.keys(settings).filter((name) => !names.includes(name))).toEqual([])
})

test('settings of schedules, critics and imitation reach the run', () =>
  inTemporaryDirectory(async (directory) => {
    const given = {
      ...{ temperatureSchedule: 'linear', temperatureIterations: 7, criticEpochs: 2, criticBatch: 16 },
      ...{ kernel: 'js', kernelTemperature: 0.3, exploration: 0.25, estimator: 'a2c' },
      ...{ selfImitation: 'trajectories', imitationSteps: 3, imitationBatch: 32, imitationCapacity: 64 },
      ...{ priorityExponent: 0.5, importanceExponent: 0.2, imitationValueWeight: 0.02, imitationShare: 0.4 },
      ...{ trajectories: 4, discriminatorHidden: [6, 5], discriminatorLearningRate: 0.002 },
    }
    const args = Object.entries(given).flatMap(([name, value]) => [
      ...[`--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`, String(value)],
    ])
    const { code } = await train(directory, '--out', 'out', '--eval-episodes', '0', ...args)
    expect(code).toBe(0)
    expect(JSON.parse(await read(directory, 'out', 'config.json'))).toMatchObject(given)
  }))

describe('while it trains', () => {
  const evaluations = async (...path: string[]) =>
    lines(await read(...path, 'evaluations.jsonl')).map((line) => JSON.parse(line))

  test('--eval-every writes a line each, --keep-best a run of its own with the best of them', () =>
    inTemporaryDirectory(async (directory) => {
      const args = ['--out', 'out', '--iterations', '6', '--eval-every', '2', '--keep-best', '--json']
      const { code, stdout } = await train(directory, ...args)
      expect(code).toBe(0)
      const found = await evaluations(directory, 'out')
      expect(found.map(({ iteration }) => iteration)).toEqual([2, 4, 6])
      const printed = lines(stdout).map((line) => JSON.parse(line))
      expect(printed.slice(0, 6).map((line) => 'evaluation' in line)).toEqual([false, true, false, true, false, true])
      const highest = found.map(({ greedy }) => Math.max(...greedy))
      const first = highest.indexOf(Math.max(...highest))
      const { iteration, transitions: _, ...evaluation } = found[first]
      expect(JSON.parse(await read(directory, 'out', 'best', 'evaluation.json'))).toEqual(evaluation)
      expect((await readParticles(directory, 'out', 'best')).metadata.iteration).toBe(String(iteration))
      const again = await run(directory, 'eval', 'out/best', '--episodes', '20', '--json')
      expect(JSON.parse(again.stdout)).toEqual(evaluation)
    }))

  test('--stop-at and --stop-without-improvement end the run, which can go on, and say why', () =>
    inTemporaryDirectory(async (directory) => {
      const stopped = await train(
        directory,
        '--out',
        'out',
        '--iterations',
        '50',
        '--eval-every',
        '2',
        '--stop-at',
        '8',
      )
      expect(stopped.stdout).toMatch(/Reached a mean return of [\d.]+ in evaluation after iteration 2 of 50\. Report/)
      expect(await readMetrics(directory, 'out')).toHaveLength(2)
      const more = await run(
        directory,
        ...['train', '--resume', 'out', '--eval-every', '1', '--stop-without-improvement', '2', '--keep-best'],
      )
      expect(more.code).toBe(0)
      expect(more.stdout).toMatch(/No improvement over [\d.]+ in 2 evaluations after iteration \d+ of 50/)
      const found = await evaluations(directory, 'out')
      expect(found.map(({ iteration }) => iteration)).toEqual([...found.keys()].map((k) => k + 2))
    }))

  test('--keep-best without evaluations, and values that are not allowed, are refused before anything is written', () =>
    inTemporaryDirectory(async (directory) => {
      for (const [args, message] of [
        [['--keep-best'], /--eval-every/],
        [['--eval-every', '0'], /eval-every must be a whole number from 1/],
        [['--stop-at', 'high'], /stop-at must be .*, got "high"/],
        [['--stop-without-improvement', '-1'], /stop-without-improvement must be/],
      ] as const) {
        const { code, stderr } = await train(directory, '--out', 'out', ...args)
        expect(code).toBe(1)
        expect(stderr).toMatch(message)
      }
      expect(await readdir(directory)).toEqual([])
    }))

  test('what evaluations there are does not depend on where the run was stopped', () =>
    inTemporaryDirectory(async (directory) => {
      const evaluating = ['--eval-every', '2', '--keep-best', '--eval-episodes', '0']
      await train(directory, '--out', 'whole', '--iterations', '6', ...evaluating)
      await train(directory, '--out', 'parts', '--iterations', '3', ...evaluating, '--checkpoint-every', '0')
      await run(directory, 'train', '--resume', 'parts', '--iterations', '6', ...evaluating)
      const [whole, parts] = [await evaluations(directory, 'whole'), await evaluations(directory, 'parts')]
      // The shorter run had an evaluation at its end.
      expect(parts.filter(({ iteration }) => iteration !== 3)).toEqual(whole)
    }))
})
