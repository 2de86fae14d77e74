import { cp, mkdir, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from '@jest/globals'
import { decodeTensors, encodeTensors, type TensorFile } from '../../src/core/safetensors.ts'
import type { PolicyShape } from '../../src/nn/policy.ts'
import { contents, type Ended, inTemporaryDirectory, run, SMALL, start } from './steinrl.ts'

const CARTPOLE = ['train', 'svpg', 'CartPole-v1']

const train = (directory: string, ...args: string[]) => run(directory, ...CARTPOLE, ...SMALL, '--out', 'out', ...args)

/** One line that says what is wrong, and the exit code of a wrong word. */
const expectRefusal = (ended: Ended, ...says: string[]): void => expectFailure(1, ended, ...says)

/** The exit code of a place that cannot be written to. */
const NOT_WRITABLE = 4

function expectFailure(expected: number, { code, signal, stdout, stderr }: Ended, ...says: string[]): void {
  expect(stderr).toMatch(/^steinrl: [^\n]+[.)]\n$/)
  for (const words of says) expect(stderr).toContain(words)
  expect(stderr).not.toMatch(/undefined|\[object|Invalid input|Error:|\bat \S+:\d/)
  expect({ code, signal, stdout }).toEqual({ code: expected, signal: null, stdout: '' })
}

describe('a wrong word on the command line is named, and nothing is written', () => {
  const set = (...options: string[]) => [...CARTPOLE, ...SMALL, ...options]
  const adr = (...options: string[]) => ['train', 'adr', 'Pendulum-v1', ...SMALL, ...options]
  test.concurrent.each<[args: string[], ...says: string[]]>([
    [['train', 'svpg', 'CartPole-v7', ...SMALL], 'environment "CartPole-v7"', 'there are CartPole-v1'],
    [['train', 'svpg', '__proto__', ...SMALL], 'environment "__proto__"', 'CartPole-v1'],
    [['train', 'dqn', 'CartPole-v1', ...SMALL], 'algorithm "dqn"', 'there are svpg'],
    [['train', 'constructor', 'CartPole-v1', ...SMALL], 'algorithm "constructor"', 'svpg'],
    [set('--particles', '0'), 'particles', 'from 1 to 10000', 'got 0.'],
    [set('--particles', '-3'), 'particles', 'got -3.'],
    [set('--particles', '1.5'), 'particles', 'whole number', 'got 1.5.'],
    [set('--particles', 'abc'), 'particles', 'whole number', 'got "abc".'],
    [set('--particles='), 'particles', 'got "".'],
    [set('--temperature', '-1'), 'temperature', 'above 0', 'got -1.'],
    [set('--temperature', 'NaN'), 'temperature', 'finite number', 'got "NaN".'],
    [set('--temperature', '0'), 'temperature', 'above 0', 'got 0.'],
    [set('--temperature', 'Infinity'), 'temperature', 'finite', 'got Infinity.'],
    [
      set('--interaction', 'swarm'),
      'interaction',
      'stein, independent, joint, determinant, no-sharing, self-push',
      'got "swarm".',
    ],
    [set('--baseline', 'critic'), 'baseline', 'none, mean, linear, linear-rllab, value', 'got "critic".'],
    [set('--bandwidth', 'wide'), 'bandwidth', 'svpg-code', 'number above 0', 'got "wide".'],
    [set('--bandwidth', '-1'), 'bandwidth', 'above 0', 'got -1.'],
    [set('--bandwidth', '0'), 'bandwidth', 'got 0.'],
    [set('--prior', 'gauss'), 'prior', 'flat', 'got "gauss".'],
    [set('--prior', '-2'), 'prior', 'above 0', 'got -2.'],
    [set('--discount', '1.5'), 'discount', 'from 0 to 1', 'got 1.5.'],
    [set('--discount', '-0.1'), 'discount', 'got -0.1.'],
    [set('--learning-rate', '0'), 'learningRate', 'got 0.'],
    [set('--entropy-bonus', '-1'), 'entropyBonus', 'got -1.'],
    [set('--standardise', 'yes'), 'standardise', 'true or false', 'got "yes".'],
    [set('--iterations', '0'), 'iterations', 'from 1 to 1000000000', 'got 0.'],
    [set('--iterations', 'many'), 'iterations', 'got "many".'],
    [set('--steps', '0'), 'steps', 'got 0.'],
    [set('--environments', '0'), 'environments', 'got 0.'],
    [set('--hidden', '8,x'), 'hidden width', 'got "x".'],
    [set('--hidden', '8,0'), 'hidden width', 'got 0.'],
    [set('--hidden', '8,,8'), 'hidden width', 'got "".'],
    [set('--seed', '-1'), 'seed', 'got -1.'],
    [set('--seed', '1e20'), 'seed', 'got 100000000000000000000.'],
    [set('--eval-episodes', '-1'), 'eval-episodes', 'got -1.'],
    [set('--eval-episodes', '1e9'), 'eval-episodes', 'got 1000000000.'],
    [
      ['train', 'svpg', 'CartPole-v1', ...SMALL, '--max-episode-steps', '1000000', '--eval-episodes', '10000'],
      '10000 episodes of up to 1000000 steps of CartPole-v1 are more than 1000000000 steps for each particle',
      'at most 1000 episodes',
    ],
    [
      ['train', 'svpg', 'CartPole-v1', ...SMALL, '--max-episode-steps', '1000001'],
      'maxEpisodeSteps must be a whole number from 1 to 1000000, got 1000001.',
    ],
    [
      ['train', 'sac', 'Pendulum-v1', '--steps', '1000000', '--environments', '1000'],
      'steps × environments must be at most 100000000 in an iteration, got 1000000 × 1000',
    ],
    [
      ['train', 'sql', 'Pendulum-v1', '--steps', '1000000', '--gradient-steps', '1000'],
      'steps × gradientSteps must be at most 100000000 in an iteration, got 1000000 × 1000',
    ],
    [set('--out='), '--out must name a directory, got "".'],
    [adr(), '--ranges <list>', 'not specified'],
    [adr('--ranges', 'mass=2:1'), 'The range of mass is empty: 2 is not below 1.'],
    [adr('--ranges', 'mass=1'), 'a low and a high bound each', 'mass'],
    [adr('--ranges', 'mass=a:b'), 'a low and a high bound each', 'mass'],
    [adr('--ranges', 'weight=1:2'), 'no constant "weight"', 'it has gravity'],
    [adr('--ranges', 'mass=1:Infinity'), 'The range of mass must have finite bounds, got Infinity.'],
    [adr('--ranges', 'mass=1:2', '--randomisation', 'all'), 'randomisation', 'adr, uniform, default', 'got "all".'],
    [set('--particles'), '--particles <n>', 'missing'],
    [set('--preset', 'fast'), 'svpg has an argument too many, "fast"; --preset is on or left out and takes no value.'],
    [set('--eval-every', '0'), 'eval-every must be a whole number from 1', 'got 0.'],
    [set('--stop-at', 'x'), 'stop-at must be', 'got "x".'],
    [set('--stop-without-improvement', '0.5'), 'stop-without-improvement must be', 'got 0.5.'],
    [set('--constants', 'gravity=1', '--constants', 'gravity=2'), 'gravity is given twice, as 1 and 2.'],
    [set('--wrap', 'repeatAction:times=2,times=3'), 'times is given twice, as 2 and 3.'],
    [adr('--ranges', 'mass=1:2', '--ranges', 'mass=1:3'), 'mass is given twice, as [1, 2] and [1, 3].'],
    [set('--wrap', 'repeatAction'), 'repeatAction needs its option times.'],
    [set('--wrap', 'repeatAction:times=x'), 'repeatAction: times must be a whole number of at least 1, got "x".'],
    [set('--json=true'), '--json is on or left out and takes no value, got "true".'],
    [['enjoy', 'run'], "unknown command 'enjoy'; there are train, eval, ", ', play, '],
    [['eval', 'run', 'other'], 'eval has an argument too many, "other".'],
    [set('--partcles', '3'), "unknown option '--partcles'; the nearest is --particles."],
    [set('--n-steps', '2048'), 'nSteps must be at most steps, 16', 'got 2048; the length of a rollout is steps.'],
    [['train', 'svpg'], 'environment', 'missing', 'as in steinrl train ppo CartPole-v1'],
    [['train', 'CartPole-v1'], 'algorithm and environment first, as in steinrl train ppo', 'got "CartPole-v1".'],
    [['train', './task.js', '--seed', '1'], 'algorithm and environment first', 'got "./task.js".'],
    [['train', 'TD3', 'Pendulum-v1'], 'Unknown algorithm "TD3"', 'and the nearest is sac.'],
    [set('--env-kwargs', 'gravity=3'), "unknown option '--env-kwargs': it is called --constants here."],
    [set('--device', 'cuda'), "unknown option '--device': all of it runs on processors here."],
    [['trane'], 'trane', 'Did you mean train?'],
    [['eval'], 'run', 'missing'],
  ])('%j', (args, ...says) =>
    inTemporaryDirectory(async (directory) => {
      const ended = await run(directory, ...args)
      // Commander ends its sentences without a stop.
      expectRefusal({ ...ended, stderr: ended.stderr.replace(/([^.)])\n$/, '$1.\n') }, ...says)
      expect(await readdir(directory)).toEqual([])
    }),
  )
})

describe("other programs' options are told the ones that are meant", () => {
  const length =
    'how long it trains is --iterations here, each of --environments × --steps transitions for every policy.'
  const places = 'algorithm and environment are arguments here, as in steinrl train ppo CartPole-v1.'
  const called = (flag: string) => `it is called ${flag} here.`
  test.concurrent.each<[algorithm: string, flag: string, hint: string]>([
    ['ppo', '--total-timesteps', length],
    ['sac', '--total_timesteps', length],
    ['sac', '--n-timesteps', length],
    ['ppo', '--n-envs', called('--environments')],
    ['ppo', '--num-envs', called('--environments')],
    ['ppo', '--gamma', called('--discount')],
    ['sac', '--gamma', called('--discount')],
    ['ppo', '--lr', called('--learning-rate')],
    ['ppo', '--learning_rate', called('--learning-rate')],
    ['sac', '--n-steps', called('--steps')],
    ['ppo', '--num-steps', called('--steps')],
    ['ppo', '--ent-coef', called('--entropy-bonus')],
    ['sac', '--ent-coef', called('--temperature')],
    ['ppo', '--clip-range', called('--clip')],
    ['ppo', '--update-epochs', called('--epochs')],
    ['sac', '--buffer-size', called('--replay-size')],
    ['sac', '--tau', called('--polyak')],
    ['ppo', '--num-iterations', called('--iterations')],
    ['ppo', '--batch-size', 'a rollout is parted into --minibatches here.'],
    ['ppo', '--tensorboard-log', 'it is --log tensorboard here.'],
    ['ppo', '--env', places],
    ['sac', '--algo', places],
  ])('%s %s', (algorithm, flag, hint) =>
    inTemporaryDirectory(async (directory) => {
      expectRefusal(await run(directory, 'train', algorithm, 'Pendulum-v1', flag, '3'), `'${flag}': ${hint}`)
    }),
  )

  test('and what stands in the wrong place is told its own', () =>
    inTemporaryDirectory(async (directory) => {
      const first = 'train takes algorithm and environment first, as in steinrl train ppo CartPole-v1, got "--algo".'
      expectRefusal(await run(directory, 'train', '--algo', 'ppo', '--env', 'CartPole-v1'), first)
      expectRefusal(await run(directory, '--algo', 'ppo'), `'--algo': ${places}`)
      expectRefusal(await run(directory, 'sweep', 'x.json', '--env', 'CartPole-v1'), 'the file of the space says it.')
      expectRefusal(await run(directory, 'sweep', 'x.json', '--n-trials', '3'), called('--trials'))
    }))
})

test('a population beyond the 4 GB of a WASM memory is refused in one line', () =>
  inTemporaryDirectory(async (directory) => {
    const ended = await train(directory, '--particles', '10000', '--hidden', '4096,4096')
    expect(await readdir(directory)).toEqual([])
    expectRefusal(ended, 'GB', 'particles')
  }))

describe('where a run is written', () => {
  test('an existing run stays as it is, byte for byte, without --overwrite', () =>
    inTemporaryDirectory(async (directory) => {
      expect((await train(directory)).code).toBe(0)
      const before = await contents(directory)
      expectRefusal(await train(directory, '--seed', '1'), '"out" exists', '--overwrite')
      expect(await contents(directory)).toEqual(before)
    }))

  test('any other existing directory is refused too', () =>
    inTemporaryDirectory(async (directory) => {
      await mkdir(join(directory, 'out'))
      expectRefusal(await train(directory), '"out" exists')
      expect(await contents(directory)).toEqual({})
    }))

  test('--overwrite replaces the run and keeps what is not of the run', () =>
    inTemporaryDirectory(async (directory) => {
      expect((await train(directory)).code).toBe(0)
      await writeFile(join(directory, 'out', 'notes.txt'), 'mine')
      await mkdir(join(directory, 'out', 'plots'))
      await writeFile(join(directory, 'out', 'plots', 'a.svg'), '<svg/>')
      const before = await contents(join(directory, 'out'))
      expect((await train(directory, '--overwrite', '--seed', '1', '--eval-episodes', '0')).code).toBe(0)
      const after = await contents(join(directory, 'out'))
      expect(after['notes.txt']).toBe(before['notes.txt'])
      expect(after['plots/a.svg']).toBe(before['plots/a.svg'])
      expect(after['particles.safetensors']).not.toBe(before['particles.safetensors'])
      // An evaluation of the old particles must not lie beside the new ones.
      expect(Object.keys(after)).not.toContain('evaluation.json')
      const metrics = Buffer.from(after['metrics.jsonl'], 'hex').toString()
      expect(metrics.trimEnd().split('\n')).toHaveLength(2)
    }))

  test('--overwrite makes a directory where there is none', () =>
    inTemporaryDirectory(async (directory) => {
      expect((await train(directory, '--overwrite')).code).toBe(0)
      expect(await readdir(directory)).toEqual(['out'])
    }))

  test('--overwrite does not destroy the config.json of something else', () =>
    inTemporaryDirectory(async (directory) => {
      await mkdir(join(directory, 'out'))
      await writeFile(join(directory, 'out', 'config.json'), '{ "port": 8080 }')
      const before = await contents(directory)
      expectRefusal(await train(directory, '--overwrite'), '"out/config.json"', 'not that of a run')
      expect(await contents(directory)).toEqual(before)
    }))

  test('a wrong setting destroys nothing, not even with --overwrite', () =>
    inTemporaryDirectory(async (directory) => {
      expect((await train(directory)).code).toBe(0)
      const before = await contents(directory)
      expectRefusal(await train(directory, '--overwrite', '--particles', '0'), 'particles')
      expectRefusal(await train(directory, '--overwrite', '--eval-episodes', '2e6'), 'eval-episodes')
      expect(await contents(directory)).toEqual(before)
    }))

  test('a path below a regular file cannot be written', () =>
    inTemporaryDirectory(async (directory) => {
      await writeFile(join(directory, 'file'), 'mine')
      expectFailure(
        NOT_WRITABLE,
        await train(directory, '--out', 'file/run'),
        'Cannot write the run to "file/run"',
        'not a directory',
      )
      expectRefusal(await train(directory, '--out', 'file'), '"file" exists')
      expectFailure(
        NOT_WRITABLE,
        await train(directory, '--out', 'file', '--overwrite'),
        'Cannot write the run to "file"',
      )
      expect(await contents(directory)).toEqual({ file: Buffer.from('mine').toString('hex') })
    }))
})

describe('eval', () => {
  type Damage = (file: Buffer) => Uint8Array | string
  const rebuilt =
    (change: (file: TensorFile) => TensorFile): Damage =>
    (file) =>
      encodeTensors(change(decodeTensors(file)))
  const withMetadata = (metadata: Record<string, string>) => rebuilt((file) => ({ ...file, metadata }))
  const withValue = (value: number) =>
    rebuilt(({ tensors: { theta }, metadata }) => {
      theta.data[60] = value
      return { tensors: { theta }, metadata }
    })
  const policy = (changed: Partial<PolicyShape>) =>
    JSON.stringify({
      ...{ observations: 4, hidden: [8], activation: 'tanh', head: { name: 'categorical', actions: 2 } },
      ...changed,
    })
  const withHeaderLength = (length: bigint) => (file: Buffer) => {
    file.writeBigUInt64LE(length)
    return file
  }

  const damages: Record<string, [damage: Damage, ...says: string[]]> = {
    empty: [() => '', 'damaged', '0 bytes'],
    'seven bytes': [(file) => file.subarray(0, 7), 'damaged', '7 bytes'],
    'truncated in its header': [(file) => file.subarray(0, 40), 'damaged', 'the file has 40'],
    'truncated in its data': [(file) => file.subarray(0, -4), 'damaged', 'only 476 are there'],
    'with bytes too many': [(file) => Buffer.concat([file, Buffer.alloc(3)]), 'damaged', '483 bytes of data'],
    'garbage in its header': [(file) => file.fill(0xff, 8, 20), 'damaged', 'not JSON'],
    'with a header of 2⁶⁴ bytes': [withHeaderLength(2n ** 64n - 1n), 'damaged', 'header'],
    'with a header of 0 bytes': [withHeaderLength(0n), 'damaged', 'not JSON'],
    text: [() => 'These are not the particles that you are looking for.', 'damaged', 'header'],
    'with a NaN': [withValue(Number.NaN), 'damaged', 'parameter 2 of particle 1 is NaN'],
    'with an infinity': [withValue(Number.NEGATIVE_INFINITY), 'damaged', 'parameter 2 of particle 1 is -Infinity'],
    'without theta': [rebuilt(({ metadata }) => ({ tensors: {}, metadata })), 'damaged', 'no population'],
    'without metadata': [withMetadata({}), 'damaged', 'no population'],
    'with the policy of another network': [
      withMetadata({ env: 'CartPole-v1', policy: policy({ hidden: [9] }) }),
      ...['damaged', '[2,58]', '4,9,2', '[n,65]'],
    ],
    'with widths that are none': [
      withMetadata({ env: 'CartPole-v1', policy: policy({ hidden: [-8] }) }),
      ...['damaged', 'no policy', 'A width of a network must be a whole number of at least 1, got -8'],
    ],
    'with an unknown head': [
      withMetadata({ env: 'CartPole-v1', policy: policy({ head: { name: 'beta' as 'gaussian', actions: 2 } }) }),
      ...['damaged', 'no policy', 'beta'],
    ],
    'with a policy that is no JSON': [withMetadata({ env: 'CartPole-v1', policy: '[4,' }), 'damaged', 'no policy'],
    'of an unknown environment': [withMetadata({ env: 'Mars-v0', policy: policy({}) }), 'Mars-v0', 'CartPole-v1'],
    'of a network for another environment': [
      rebuilt(() => ({
        tensors: { theta: { shape: [1, 8], data: new Float32Array(8) } },
        metadata: { env: 'CartPole-v1', policy: policy({ observations: 3, hidden: [] }) },
      })),
      ...['The policies have 3 observations and 2 discrete actions', 'CartPole-v1 has 4 observations and 2'],
    ],
    'without particles': [
      rebuilt(({ metadata }) => ({ tensors: { theta: { shape: [0, 58], data: new Float32Array(0) } }, metadata })),
      ...['damaged', '[0,58]'],
    ],
    'of one long row': [
      rebuilt(({ tensors: { theta }, metadata }) => ({ tensors: { theta: { ...theta, shape: [116] } }, metadata })),
      ...['damaged', '[116]'],
    ],
  }

  test('refuses every kind of damage to the particles, and says which', () =>
    inTemporaryDirectory(async (directory) => {
      expect((await train(directory)).code).toBe(0)
      const good = await readFile(join(directory, 'out', 'particles.safetensors'))
      for (const [name, [damage, ...says]] of Object.entries(damages)) {
        await cp(join(directory, 'out'), join(directory, name), { recursive: true })
        await writeFile(join(directory, name, 'particles.safetensors'), damage(Buffer.from(good)))
        // Of another number of particles, which would be said first.
        await rm(join(directory, name, 'evaluation.json'), { force: true })
        const before = await contents(join(directory, name))
        expectRefusal(await run(directory, 'eval', name), ...says)
        expect(await contents(join(directory, name))).toEqual(before)
      }
    }))

  test('refuses what is no run, and wrong options', () =>
    inTemporaryDirectory(async (directory) => {
      expect((await train(directory)).code).toBe(0)
      await mkdir(join(directory, 'empty'))
      await writeFile(join(directory, 'file'), '')
      expectRefusal(await run(directory, 'eval', 'nowhere'), '"nowhere" is not a run', 'config.json')
      expectRefusal(await run(directory, 'eval', 'empty'), '"empty" is not a run')
      expectRefusal(await run(directory, 'eval', 'file'), '"file" is not a run')
      expectRefusal(await run(directory, 'eval', 'out', '--episodes', '0'), 'episodes', 'got 0.')
      expectRefusal(await run(directory, 'eval', 'out', '--episodes', 'x'), 'episodes', 'got "x".')
      expectRefusal(await run(directory, 'eval', 'out', '--seed', '-1'), 'seed', 'got -1.')

      await rm(join(directory, 'out', 'particles.safetensors'))
      expectRefusal(await run(directory, 'eval', 'out'), 'Cannot read "out/particles.safetensors"', 'no such file')
      await mkdir(join(directory, 'out', 'particles.safetensors'))
      expectRefusal(await run(directory, 'eval', 'out'), 'Cannot read "out/particles.safetensors"', 'directory')
      await writeFile(join(directory, 'out', 'config.json'), '{"algorithm":')
      expectRefusal(await run(directory, 'eval', 'out'), '"out/config.json" is damaged')
    }))
})

describe('a file of the user that cannot be read is named, and nothing of ours', () => {
  test('a task that is not there', () =>
    inTemporaryDirectory(async (directory) => {
      const ended = await run(directory, 'train', 'svpg', './nope.js', ...SMALL)
      expectRefusal(ended, 'of ./nope.js cannot be loaded: Cannot find module')
      expect(ended.stderr).not.toContain('imported from')
    }))

  test("what Node's permissions do not allow is said so", () =>
    inTemporaryDirectory(async (directory) => {
      const known = process.allowedNodeEnvironmentFlags.has('--permission')
      const package_ = fileURLToPath(new URL('../..', import.meta.url))
      const read = [package_, await realpath(join(package_, 'node_modules'))].map((path) => `--allow-fs-read=${path}`)
      const node = [known ? '--permission' : '--experimental-permission', ...read, '--no-warnings']
      const allowed = (...args: string[]) => start(directory, args, { node }).ended
      expectRefusal(await allowed('eval', 'run'), 'Cannot read "run/config.json": Access to this API')
      const python = await allowed('train', 'ppo', 'python:CartPole-v1')
      expectRefusal(python, 'python:CartPole-v1: "', 'cannot be started', '--allow-child-process')
      const film = await allowed('play', 'run', '--out', 'film.mp4')
      expectRefusal(film, 'node --permission does not allow ChildProcess.')
    }))

  const runsTypeScript = 'typescript' in process.features && Boolean(process.features.typescript)
  ;(runsTypeScript ? test.skip : test)('a task in TypeScript, where Node runs none', () =>
    inTemporaryDirectory(async (directory) => {
      await writeFile(join(directory, 'task.ts'), 'export default { id: "x" as string }\n')
      expectRefusal(await run(directory, 'train', 'svpg', './task.ts', ...SMALL), 'with tsx: node --import tsx.')
    }),
  )

  test('a space of a sweep that is cut short', () =>
    inTemporaryDirectory(async (directory) => {
      await writeFile(join(directory, 'space.json'), '{')
      expectRefusal(await run(directory, 'sweep', 'space.json'), '"space.json" is no JSON: ')
    }))
})
