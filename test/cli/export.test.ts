import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { decodeTensors } from '../../src/core/safetensors.ts'
import { loadPolicy } from '../../src/policy/policy.ts'
import { hasOnnxruntime, runOnnx } from '../export/onnxruntime.ts'
import { core } from '../policy/exported.ts'
import { contents, inTemporaryDirectory, run, SMALL } from './steinrl.ts'

const runs = join(tmpdir(), `steinrl-export-${process.pid}`)
const CARTPOLE = join(runs, 'cartpole')
const PENDULUM = join(runs, 'pendulum')
const SAMPLER = join(runs, 'sampler')
const FILES = ['model.json', 'policy.json', 'policy.onnx', 'policy.safetensors', 'weights.bin']

beforeAll(async () => {
  await mkdir(runs)
  const train = (env: string, ...options: string[]) =>
    run(runs, 'train', 'svpg', env, ...SMALL, '--particles', '3', ...options)
  expect((await train('CartPole-v1', '--out', 'cartpole')).code).toBe(0)
  expect(
    (await train('Pendulum-v1', '--head', 'squashed-gaussian', '--out', 'pendulum', '--eval-episodes', '0')).code,
  ).toBe(0)
  const soft = await run(
    runs,
    'train',
    'sql',
    'MultiGoal-v0',
    '--iterations',
    '1',
    '--hidden',
    '8',
    '--eval-episodes',
    '0',
    '--out',
    'sampler',
  )
  expect(soft.code).toBe(0)
  // So that it is known which one is the best.
  await writeFile(join(CARTPOLE, 'evaluation.json'), '{"episodes":2,"greedy":[10,30,30],"sampled":[9,9,9]}\n')
})
afterAll(() => rm(runs, { recursive: true, force: true }))

const load = async (directory: string) =>
  loadPolicy({
    description: await readFile(join(directory, 'policy.json'), 'utf8'),
    weights: await readFile(join(directory, 'policy.safetensors')),
    core,
  })

const x = Float32Array.of(0.1, -0.2, 0.03, 0.4)

test('all formats of a run: the population and its best particle', () =>
  inTemporaryDirectory(async (directory) => {
    const { code, stdout, stderr } = await run(directory, 'export', CARTPOLE, '--out', 'policy/')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toBe(
      'Wrote policy/policy.json, policy/policy.safetensors, policy/model.json, policy/weights.bin, policy/policy.onnx.\n',
    )
    const out = join(directory, 'policy')
    expect((await readdir(out)).sort()).toEqual(FILES)
    const description = JSON.parse(await readFile(join(out, 'policy.json'), 'utf8'))
    expect(description).toEqual({
      format: 'steinrl-policy',
      version: 1,
      env: 'CartPole-v1',
      policy: { observations: 4, hidden: [8], activation: 'tanh', head: { name: 'categorical', actions: 2 } },
      particles: 3,
      best: 1,
      normalisation: null,
      bounds: null,
    })
    const [trained, exported] = await Promise.all(
      [join(CARTPOLE, 'particles.safetensors'), join(out, 'policy.safetensors')].map(async (path) =>
        decodeTensors(await readFile(path)),
      ),
    )
    expect(exported.tensors.theta).toEqual(trained.tensors.theta)
    const policy = await load(out)
    if (!hasOnnxruntime) return
    const { action } = await runOnnx(await readFile(join(out, 'policy.onnx')), x, 4)
    expect(policy.act(x)).toBe(Number(action[0]))
  }))

test('one format and one particle', () =>
  inTemporaryDirectory(async (directory) => {
    const args = ['--out', 'out', '--format', 'steinrl,onnx', '--particle', '2']
    expect((await run(directory, 'export', PENDULUM, ...args)).code).toBe(0)
    const out = join(directory, 'out')
    expect((await readdir(out)).sort()).toEqual(['policy.json', 'policy.onnx', 'policy.safetensors'])
    const policy = await load(out)
    expect(policy.description).toMatchObject({ particles: 1, best: 0, bounds: { low: [-2], high: [2] } })
    const { theta } = decodeTensors(await readFile(join(PENDULUM, 'particles.safetensors'))).tensors
    const size = theta.shape[1]
    const own = decodeTensors(await readFile(join(out, 'policy.safetensors'))).tensors.theta
    expect([...own.data]).toEqual([...theta.data.subarray(2 * size)])
    const observation = x.subarray(0, 3)
    const [given] = policy.act(observation) as Float32Array
    expect(Math.abs(given)).toBeGreaterThan(1e-3)
    if (!hasOnnxruntime) return
    const { action } = await runOnnx(await readFile(join(out, 'policy.onnx')), observation, 3)
    expect(Math.abs(given - action[0])).toBeLessThan(1e-5)
  }))

test('the best particle alone; a population without an evaluation has none', () =>
  inTemporaryDirectory(async (directory) => {
    expect(
      (await run(directory, 'export', CARTPOLE, '--out', 'best', '--particle', 'best', '--format', 'steinrl')).code,
    ).toBe(0)
    const best = decodeTensors(await readFile(join(directory, 'best', 'policy.safetensors'))).tensors.theta
    const { theta } = decodeTensors(await readFile(join(CARTPOLE, 'particles.safetensors'))).tensors
    expect([...best.data]).toEqual([...theta.data.subarray(theta.shape[1], 2 * theta.shape[1])])
    expect((await run(directory, 'export', PENDULUM, '--out', 'all', '--format', 'steinrl')).code).toBe(0)
    expect((await load(join(directory, 'all'))).description).toMatchObject({ particles: 3, best: null })
  }))

test('without --out it writes into the folder policy of the run', () =>
  inTemporaryDirectory(async (directory) => {
    await cp(CARTPOLE, join(directory, 'run'), { recursive: true })
    const { code, stdout } = await run(directory, 'export', 'run/', '--format', 'onnx')
    expect([code, stdout]).toEqual([0, 'Wrote run/policy/policy.onnx.\n'])
    expect(await readdir(join(directory, 'run/policy'))).toEqual(['policy.onnx'])
    expect((await run(directory, 'export', 'run')).stderr).toBe(
      'steinrl: "run/policy" exists; choose another --out, or --overwrite it.\n',
    )
  }))

test('the same run gives the same bytes', () =>
  inTemporaryDirectory(async (directory) => {
    for (const out of ['a', 'b']) expect((await run(directory, 'export', CARTPOLE, '--out', out)).code).toBe(0)
    expect(await contents(join(directory, 'a'))).toEqual(await contents(join(directory, 'b')))
  }))

describe('what cannot be exported is refused in one line, and nothing is written', () => {
  const damaged = join(runs, 'damaged')
  const strange = join(runs, 'strange')
  beforeAll(async () => {
    await cp(CARTPOLE, damaged, { recursive: true })
    await writeFile(join(damaged, 'evaluation.json'), '{"episodes":5,"greedy":[1,2],"sampled":[1,2]}')
    await cp(CARTPOLE, strange, { recursive: true })
    await writeFile(join(strange, 'evaluation.json'), '{"greedy":[1,2')
  })

  test.concurrent.each<[args: string[], ...says: string[]]>([
    [['nowhere', '--out', 'out'], '"nowhere" is not a run: it has no config.json.'],
    [[CARTPOLE, '--out', 'out', '--particle', '3'], 'particle must be all, best or a number from 0 to 2, got 3.'],
    [[CARTPOLE, '--out', 'out', '--particle', '-1'], 'got -1.'],
    [[CARTPOLE, '--out', 'out', '--particle', 'worst'], 'got "worst".'],
    [[CARTPOLE, '--out', 'out', '--format', 'onnx,keras'], 'one of steinrl, layers, onnx, got "keras".'],
    [[CARTPOLE, '--out', 'out', '--format='], 'No format is named; there are steinrl, layers, onnx.'],
    [
      [PENDULUM, '--out', 'out'],
      'The run has no evaluation.json, which tells the best particle: choose one by --particle.',
    ],
    [[PENDULUM, '--out', 'out', '--particle', 'best', '--format', 'steinrl'], 'choose one by --particle.'],
    [[damaged, '--out', 'out'], 'damaged/evaluation.json" is damaged: it has no mean return of each of 3 particles.'],
    [[strange, '--out', 'out'], 'strange/evaluation.json" is damaged'],
    [
      [SAMPLER, '--out', 'out', '--format', 'steinrl'],
      'Samplers are exported as onnx alone, got the format "steinrl".',
    ],
    [['--out', 'out'], "missing required argument 'run'"],
  ])('%j', (args, ...says) =>
    inTemporaryDirectory(async (directory) => {
      const { code, stdout, stderr } = await run(directory, 'export', ...args)
      expect(stderr).toMatch(/^steinrl: [^\n]+\n$/)
      for (const words of says) expect(stderr).toContain(words)
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
      expect(await readdir(directory)).toEqual([])
    }),
  )

  test('a directory that exists stays as it is without --overwrite, and keeps what is not replaced with it', () =>
    inTemporaryDirectory(async (directory) => {
      await mkdir(join(directory, 'out'))
      await writeFile(join(directory, 'out', 'notes.txt'), 'mine')
      const before = await contents(directory)
      const refused = await run(directory, 'export', CARTPOLE, '--out', 'out')
      expect(refused).toMatchObject({
        code: 1,
        stderr: 'steinrl: "out" exists; choose another --out, or --overwrite it.\n',
      })
      expect(await contents(directory)).toEqual(before)
      expect((await run(directory, 'export', CARTPOLE, '--out', 'out', '--overwrite')).code).toBe(0)
      expect((await readdir(join(directory, 'out'))).sort()).toEqual([...FILES, 'notes.txt'].sort())
      const file = await run(directory, 'export', CARTPOLE, '--out', 'out/notes.txt', '--overwrite')
      expect(file.stderr).toContain('Cannot write the policy to "out/notes.txt"')
    }))
})
