import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { UsageError } from '../../src/core/errors.ts'
import { generator, uniformInteger } from '../../src/core/generator.ts'
import { decodeArrays, encodeTensors } from '../../src/core/safetensors.ts'
import { encodeState } from '../../src/core/state-file.ts'
import { version } from '../../src/core/version.ts'
import { configured } from '../../src/envs/configured.ts'
import type { EnvironmentSpec } from '../../src/envs/contract.ts'
import { decodeCheckpoint } from '../../src/train/checkpoint.ts'
import { openCheckpointStore } from '../../src/train/checkpoint-store.ts'
import { continueRun } from '../../src/train/continue-run.ts'
import { createRun, record } from '../../src/train/record.ts'
import type { ResumeOptions } from '../../src/train/resume.ts'
import { type AnyTrainOptions, runConfig, train } from '../../src/train/train.ts'

const svpg: AnyTrainOptions = {
  env: 'CartPole-v1',
  particles: 2,
  environments: 2,
  steps: 16,
  hidden: [4],
  iterations: 4,
}
const sac: AnyTrainOptions = {
  ...{ algorithm: 'sac', env: 'Pendulum-v1', hidden: [4], batchSize: 8, warmup: 8, steps: 16, replaySize: 40 },
  iterations: 6,
}

async function checkpointAfter(options: AnyTrainOptions, iteration: number): Promise<Uint8Array> {
  for await (const step of train(options as AnyTrainOptions & { algorithm: 'sac' }))
    if (step.iteration === iteration) return step.checkpoint()
  throw new Error('The run is shorter.')
}

async function refusal(options: ResumeOptions): Promise<string> {
  try {
    for await (const _ of train(options)) return 'went on'
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    return error.message
  }
  return 'went on'
}

let bytes: Uint8Array
beforeAll(async () => {
  bytes = await checkpointAfter(svpg, 2)
})

describe('a checkpoint', () => {
  test('is refused when it is cut, at every length', async () => {
    for (let length = 0; length < bytes.length; length += Math.ceil(bytes.length / 60))
      expect(await refusal({ resume: bytes.slice(0, length) })).toMatch(/^The checkpoint cannot be read: .*\.$/)
  })

  test('is refused for any other byte in it', async () => {
    const numbers = generator(1)
    for (let k = 0; k < 60; k++) {
      const other = bytes.slice()
      const at = uniformInteger(numbers, bytes.length)
      other[at] ^= 1 << (k % 8)
      const message = await refusal({ resume: other })
      expect([at, message]).toEqual([at, expect.stringMatching(/^The checkpoint cannot be read: .*\.$/)])
    }
  })

  test('is refused with a part missing, too much or of another size, whatever its checksum says', async () => {
    const { about, content } = await decodeCheckpoint(bytes)
    const written = (change: (arrays: Record<string, unknown>, values: Record<string, unknown>) => void) => {
      const [arrays, values] = [{ ...content.arrays }, { ...content.values }]
      change(arrays, values)
      return encodeState('training', about, { arrays, values })
    }
    const theta = 'whole.population.theta'
    const episode = 'whole.rest.carried.elapsed'
    const changes: [Parameters<typeof written>[0], string][] = [
      [(arrays) => delete arrays[theta], 'it has no population.theta.'],
      [(arrays) => (arrays.more = new Float32Array(2)), 'went on'],
      [(arrays) => (arrays['whole.more'] = new Float32Array(2)), 'it has "more", which belongs to something else.'],
      [(arrays) => (arrays[theta] = new Float32Array(3)), 'its population.theta has 3 numbers, not'],
      [
        (arrays) => (arrays[theta] = new Float64Array(3)),
        'its population.theta is a Float64Array, not a Float32Array.',
      ],
      [(arrays) => (arrays[theta] as Float32Array).slice().fill(Number.NaN), 'went on'],
      [
        (arrays) => (arrays[theta] = (arrays[theta] as Float32Array).slice().fill(Number.NaN)),
        'number 0 of its population.theta is NaN.',
      ],
      [
        (arrays) => (arrays[episode] = (arrays[episode] as Int32Array).slice().fill(2_000_000_000)),
        'its episode of environment 0 has 2000000000 steps, beyond the limit of CartPole-v1.',
      ],
      [(_, values) => (values['whole.rest.counters.moves'] = -1), 'its rest.counters.moves cannot be -1.'],
      [(_, values) => (values['whole.rest.counters.returns'] = [1]), 'its rest.counters.returns cannot be [1].'],
      [(_, values) => (values['whole.rest.carried.count'] = 1e9), 'it is of 1000000000 particles, not of 2.'],
      [(_, values) => delete values['whole.rest.counters.iteration'], 'it has no rest.counters.iteration.'],
    ]
    for (const [change, message] of changes) expect(await refusal({ resume: written(change) })).toContain(message)
  })

  test('of another kind, format or description is refused', async () => {
    const { about, content } = await decodeCheckpoint(bytes)
    const { metadata, tensors } = decodeArrays(bytes)
    const cases: [Uint8Array, string][] = [
      [encodeState('svgd', about, content), 'it is one of "svgd", not of training.'],
      [
        encodeTensors({ tensors, metadata: { ...metadata, format: '3' } }),
        'it has the format "3"; this version reads 1 and 2.',
      ],
      [encodeTensors({ tensors, metadata: {} }), 'it is no checkpoint: it has no format.'],
      [encodeState('training', { ...about, iteration: -1 }, content), 'its description has no valid iteration.'],
      [encodeState('training', null, content), 'its description has no valid form.'],
      [
        encodeState('training', { ...about, config: { ...about.config, algorithm: 'magic' } }, content),
        'Unknown algorithm "magic"',
      ],
      [
        encodeState('training', { ...about, logs: { x: { first: 9, end: 1, columns: [] } } }, content),
        'its x begins at 9, behind its end at 1.',
      ],
      [
        encodeState('training', { ...about, iteration: 3 }, content),
        'The checkpoint is of iteration 3, but its state of 2.',
      ],
    ]
    for (const [other, message] of cases) expect(await refusal({ resume: other })).toContain(message)
    expect(await refusal({ resume: 7 as unknown as string })).toContain('got 7')
  })
})

describe('a run that goes on', () => {
  test('names the setting that may not be another one', async () => {
    const cases: [object, string][] = [
      [{ temperature: 3 }, 'The run has temperature 10, not 3: go on with it, or fork the run, with --fork and --out'],
      [{ hidden: [5] }, 'The run has hidden [4], not [5]'],
      [{ seed: 4 }, 'The run has seed 0, not 4'],
      [{ iterations: 2 }, 'The run has done 2 iterations: to go on it needs more than that, got iterations 2.'],
      [{ algorithm: 'sac' }, 'The run is one of svpg; it cannot go on with "sac".'],
      [{ learningrate: 1 }, 'has no option "learningrate"'],
      [{ env: 'Acrobot-v1' }, 'The task is not that of the run: id "Acrobot-v1", not "CartPole-v1".'],
      [
        { env: configured('CartPole-v1', { constants: { gravity: 5 } }) },
        'The task is not that of the run: constants {"gravity":5',
      ],
      [{ temperature: 10, hidden: [4], iterations: 6, workers: 0 }, 'went on'],
      [{ temperature: 3, fork: true }, 'went on'],
      [{ hidden: [5], fork: true }, 'The checkpoint does not fit: its theta has'],
    ]
    for (const [given, message] of cases) expect(await refusal({ resume: bytes, ...given })).toContain(message)
  })

  test('of one policy goes on by its name, and by no other', async () => {
    const { particles: _, estimator: __, interaction: ___, ...one } = svpg as Record<string, unknown>
    const alone = await checkpointAfter({ ...one, algorithm: 'a2c' } as unknown as AnyTrainOptions, 2)
    for (const algorithm of ['a2c', 'svpg']) expect(await refusal({ resume: alone, algorithm })).toBe('went on')
    expect(await refusal({ resume: alone, algorithm: 'ppo' })).toBe(
      'The run is one of a2c; it cannot go on with "ppo".',
    )
  })

  test('with a schedule over its iterations keeps them', async () => {
    for (const name of ['temperatureSchedule', 'learningRateSchedule']) {
      const scheduled = await checkpointAfter({ ...svpg, [name]: 'linear' } as AnyTrainOptions, 2)
      expect(await refusal({ resume: scheduled, iterations: 6 })).toBe(
        `The run's ${name} goes over its 4 iterations, so it cannot have 6: fork the run, with --fork and --out on the command line, with fork: true in a program.`,
      )
      expect(await refusal({ resume: scheduled })).toBe('went on')
    }
  })

  test('a fork begins at iteration 1 with the population alone', async () => {
    for await (const { iteration, metrics } of train({ resume: bytes, fork: true, temperature: 5 })) {
      expect([iteration, metrics.temperature]).toEqual([1, 5])
      break
    }
  })

  test('a task of one’s own that cannot be found again must be given', async () => {
    const task: EnvironmentSpec = {
      ...configured('CartPole-v1', {}),
      core: undefined,
      create: () => ({
        reset: () => ({ obs: [0, 0, 0, 0], info: {} }),
        step: () => ({ obs: [0, 0, 0, 0], reward: 1, terminated: false, truncated: false, info: {} }),
      }),
    }
    const own = await checkpointAfter({ ...svpg, env: task } as AnyTrainOptions, 1)
    expect(await refusal({ resume: own })).toBe(
      'The task of the run, "CartPole-v1", cannot be made again: give it as env.',
    )
    expect(await refusal({ resume: own, env: task })).toBe('went on')
    expect(await refusal({ resume: own, env: { ...task, maxEpisodeSteps: 7 } })).toContain('time limit')
  })
})

describe('in a run directory', () => {
  let top: string
  let path: string
  beforeAll(async () => {
    top = await mkdtemp(join(tmpdir(), 'steinrl-test-'))
    path = join(top, 'run')
    const run = await createRun(path, runConfig(sac))
    for await (const { iteration } of record(run, train(sac as AnyTrainOptions & { algorithm: 'sac' }), {
      checkpointEvery: 0,
    }))
      if (iteration === 5) break
  })
  afterAll(() => rm(top, { recursive: true, force: true }))

  const copied = async () => {
    const to = join(await mkdtemp(join(top, 'copy-')), 'run')
    await cp(path, to, { recursive: true })
    return to
  }
  const continued = async (from: string): Promise<string> => {
    try {
      const { checkpoint, release } = await continueRun(from)
      await release()
      return `iteration ${checkpoint?.about.iteration ?? 0}`
    } catch (error) {
      if (!(error instanceof UsageError)) throw error
      return error.message.replaceAll(from, 'run')
    }
  }

  test('the last two are kept, with the transitions that they need and no other', async () => {
    expect((await readdir(join(path, 'checkpoint'))).sort()).toEqual(
      [
        ...['4.safetensors', '5.safetensors'],
        // A replay of 40: the last checkpoint needs transitions from 40 on, the one before it from 24 on.
        ...[16, 32, 48, 64].map((from) => `whole.rest.loop.replay.transitions-${from}-${from + 16}.safetensors`),
      ].sort(),
    )
  })

  test('a damaged one is named and the one before it taken, and nothing is written', async () => {
    const from = await copied()
    await writeFile(join(from, 'checkpoint', '5.safetensors'), 'nothing')
    const before = await readdir(join(from, 'checkpoint'))
    const { checkpoint, release } = await continueRun(from)
    await release()
    expect([checkpoint?.about.iteration, checkpoint?.notes]).toEqual([
      4,
      [expect.stringContaining('5.safetensors" is damaged: it has 7 bytes, fewer than the 8 of its header length.')],
    ])
    expect(await readdir(join(from, 'checkpoint'))).toEqual(before)
  })

  test('what is missing, mixed up or of another run is refused in a sentence', async () => {
    const cases: [(from: string) => Promise<void>, string][] = [
      [async () => {}, 'iteration 5'],
      [
        (from) => rm(join(from, 'checkpoint'), { recursive: true }),
        '"run" has particles and no checkpoint to go on from.',
      ],
      [(from) => rm(join(from, 'config.json')), '"run" is not a run: it has no config.json.'],
      [
        (from) => rm(join(from, 'checkpoint', 'whole.rest.loop.replay.transitions-48-64.safetensors')),
        'Cannot read "run/checkpoint/whole.rest.loop.replay.transitions-48-64.safetensors": ENOENT',
      ],
      [
        async (from) => {
          const file = (part: string) =>
            join(from, 'checkpoint', `whole.rest.loop.replay.transitions-${part}.safetensors`)
          await cp(file('64-80'), file('48-64'))
        },
        'it has the transitions 64 to 80, not 48 to 64.',
      ],
      [
        async (from) => {
          const config = JSON.parse(await readFile(join(from, 'config.json'), 'utf8'))
          await writeFile(join(from, 'config.json'), JSON.stringify({ ...config, discount: 0.5 }))
        },
        '"run/checkpoint/5.safetensors" is of another run: its discount is not that of config.json.',
      ],
    ]
    for (const [change, message] of cases) {
      const from = await copied()
      await change(from)
      expect(await continued(from)).toContain(message)
    }
  })

  test('a later checkpoint goes before the metrics are cut, so that a crash in between leaves a run', async () => {
    const again = await copied()
    const cut = await continueRun(again, { before: 5 })
    expect(cut.checkpoint?.about.iteration).toBe(4)
    const steps = record(cut, train({ resume: cut.checkpoint as never }), { checkpointEvery: 1e9 })
    await writeFile(join(again, 'checkpoint', '6.safetensors'), 'of a run that went further')
    await steps.next()
    expect(await readdir(join(again, 'checkpoint'))).not.toContain('6.safetensors')
    await steps.return(undefined)
    expect(await continued(again)).toBe('iteration 5')
  })

  test('half a line behind the checkpoint, and lines of iterations that are done again, are cut off', async () => {
    const from = await copied()
    const lines = await readFile(join(from, 'metrics.jsonl'), 'utf8')
    await writeFile(join(from, 'metrics.jsonl'), `${lines}{"iteration":6}\n{"iterat`)
    const run = await continueRun(from)
    for await (const _ of record(run, train({ resume: run.checkpoint as never }))) break
    const all = (await readFile(join(from, 'metrics.jsonl'), 'utf8')).trimEnd().split('\n')
    expect(all.map((line) => JSON.parse(line).iteration)).toEqual([1, 2, 3, 4, 5, 6])
    expect(lines).toBe(`${all.slice(0, 5).join('\n')}\n`)
    expect(JSON.parse(await readFile(join(from, 'resumed.jsonl'), 'utf8'))).toEqual({
      ...{ after: 5, iterations: 6, workers: 0, checkpointEvery: 30, version },
    })
  })
})

test('where there is no IndexedDB, a store for checkpoints is refused in a sentence', async () => {
  await expect(openCheckpointStore()).rejects.toThrow(
    'There is no IndexedDB here to keep checkpoints in: in Node and the like, use a run directory.',
  )
  await expect(openCheckpointStore('')).rejects.toThrow('The name of a checkpoint store must be a text, got "".')
})
