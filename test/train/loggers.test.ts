import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { continueRun } from '../../src/train/continue-run.ts'
import type { Logger } from '../../src/train/logger.ts'
import { logTo, runLoggers } from '../../src/train/loggers.ts'
import { evaluateEvery } from '../../src/train/loop.ts'
import { createRun, record } from '../../src/train/record.ts'
import type { Run } from '../../src/train/run.ts'
import { crc32c, encodeEvent } from '../../src/train/tensorboard.ts'
import { runConfig, type TrainStep, train } from '../../src/train/train.ts'
import { hasModule, interpreter } from '../left-out.js'

const small = { env: 'CartPole-v1', particles: 3, iterations: 4, environments: 4, steps: 64, hidden: [8] }
const hasTensorboard = hasModule('tensorboard')

test('CRC-32C is that of RFC 3720', () => {
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa)
  expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43)
  expect(crc32c(Uint8Array.from({ length: 32 }, (_, k) => k))).toBe(0x46dd794e)
})

test('a record has its length, the event and two checksums', async () => {
  const record = await encodeEvent({ wallTime: 1, step: 300, scalars: { a: 0.5 } })
  const view = new DataView(record.buffer)
  expect(view.getUint32(0, true)).toBe(record.length - 16)
  const event = [0x09, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0x10, 0xac, 0x02, 0x2a, 0x0a, 0x0a, 0x08]
  expect([...record.slice(12, -4)]).toEqual([...event, 0x0a, 0x01, 0x61, 0x15, 0, 0, 0, 0x3f])
})

test('a logger that fails is told no more, and neither the run nor the others end', async () => {
  const told = [0, 0]
  const failing = () => {
    told[0]++
    throw new Error('no server')
  }
  let steps = 0
  for await (const _ of logTo(failing, () => told[1]++)(train(small))) steps++
  expect([steps, ...told]).toEqual([4, 1, 4])
})

test('a logger is told of the end once, and whether the run failed', async () => {
  const ends: unknown[] = []
  const log = (name: string): Logger =>
    Object.assign(() => {}, { close: (failed: boolean) => ends.push([name, failed]) })
  for await (const _ of logTo(log('whole'))(train(small)));
  for await (const _ of logTo(log('left'))(train(small))) break
  const failing = logTo(log('failed'))(
    (async function* () {
      yield* train({ ...small, iterations: 1 })
      throw new Error('full')
    })(),
  )
  await expect(
    (async () => {
      for await (const _ of failing);
    })(),
  ).rejects.toThrow('full')
  expect(ends).toEqual([
    ['whole', false],
    ['left', false],
    ['failed', true],
  ])
})

test('tensorboard and CSV have the numbers of the run', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'steinrl-'))
  try {
    const run = await createRun(join(folder, 'run'), runConfig(small))
    for await (const _ of logTo(runLoggers.tensorboard(run), runLoggers.csv(run))(record(run, train(small))));
    const [head, ...lines] = readFileSync(join(folder, 'run/metrics.csv'), 'utf8').trimEnd().split('\n')
    const column = head.split(',').indexOf('best')
    const best = run.metrics.map((m) => m.best ?? null)
    expect(lines.map((line) => line.split(',')[column]).map((x) => (x === '' ? null : Number(x)))).toEqual(best)
    // Of particles the mean.
    const entropies = lines.map((line) => Number(line.split(',')[head.split(',').indexOf('entropy')]))
    run.metrics.forEach(({ entropy: [a, b, c] }, k) => void expect(entropies[k]).toBeCloseTo((a + b + c) / 3, 12))
    expect(readdirSync(join(folder, 'run/tensorboard'))).toHaveLength(1)
    if (!hasTensorboard) return
    const code = `
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
e = EventAccumulator(sys.argv[1], size_guidance={'histograms': 0}); e.Reload()
print(json.dumps([[s.step, s.value] for s in e.Scalars('transitions')]))
print(json.dumps([h.histogram_value.num for h in e.Histograms('particles/thetaNorm')]))
print(json.dumps([[i.step, i.encoded_image_string[:6].decode(), i.width] for i in e.Images('acting')]))
from tensorboard.plugins.hparams import api_pb2, metadata
contents = e.PluginTagToContent('hparams')
start = metadata.parse_session_start_info_plugin_data(contents['_hparams_/session_start_info'])
end = metadata.parse_session_end_info_plugin_data(contents['_hparams_/session_end_info'])
experiment = metadata.parse_experiment_plugin_data(contents['_hparams_/experiment'])
value = lambda v: getattr(v, v.WhichOneof('kind'))
names = ['env', 'particles', 'episodicReward', 'hidden']
types = {i.name: api_pb2.DataType.Name(i.type)[len('DATA_TYPE_'):] for i in experiment.hparam_infos}
print(json.dumps({
  'hparams': {name: value(start.hparams[name]) for name in names},
  'metrics': [m.name.tag for m in experiment.metric_infos],
  'types': [types[name] for name in names[:3]],
  'status': end.status,
}))`
    const { stdout, stderr } = spawnSync(interpreter, ['-c', code, join(folder, 'run/tensorboard')], {
      encoding: 'utf8',
    })
    if (!stdout) throw new Error(stderr)
    const [scalars, counts, images, told] = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(scalars).toEqual(run.metrics.map(({ transitions }) => [transitions, transitions]))
    expect(counts).toEqual([3, 3, 3, 3])
    expect(images).toEqual([[run.metrics[3].transitions, 'GIF89a', 240]])
    expect(told).toEqual({
      hparams: { env: 'CartPole-v1', particles: 3, episodicReward: false, hidden: '[8]' },
      ...{ metrics: ['best', 'median', 'evaluationGreedy'], types: ['STRING', 'FLOAT64', 'BOOL'], status: 1 },
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}, 60_000)

test('metrics.csv of a run that goes on has each iteration once, whichever lines it was killed with', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'steinrl-csv-'))
  const file = (name: string) => join(folder, name, 'metrics.csv')
  const read = (name: string) => {
    const [head, ...lines] = readFileSync(file(name), 'utf8').split('\n')
    const seconds = head.split(',').indexOf('seconds')
    return [
      head,
      ...lines.map((line) =>
        line
          .split(',')
          .filter((_, k) => k !== seconds)
          .join(','),
      ),
    ]
  }
  const trained = async (run: Run, steps: AsyncIterable<TrainStep>, until = Infinity) => {
    const recorded = record(run, evaluateEvery(3)(steps), { checkpointEvery: 0 })
    for await (const { iteration } of logTo(runLoggers.csv(run))(recorded)) if (iteration === until) break
  }
  try {
    await trained(await createRun(join(folder, 'whole'), runConfig(small)), train(small))
    await trained(await createRun(join(folder, 'run'), runConfig(small)), train(small), 3)
    const [head, ...lines] = readFileSync(file('run'), 'utf8').split('\n')
    // Behind the checkpoint, half a line of it, and before it.
    for (const text of [
      [...lines.slice(0, 3), lines[2].replace('3', '4'), ''],
      [...lines.slice(0, 3), '4,0.'],
      [lines[0], ''],
    ]) {
      cpSync(join(folder, 'run'), join(folder, 'again'), { recursive: true })
      writeFileSync(file('again'), [head, ...text].join('\n'))
      const run = await continueRun(join(folder, 'again'))
      await trained(run, train({ resume: run.checkpoint as never }) as AsyncIterable<TrainStep>)
      expect(read('again')).toEqual(read('whole'))
      rmSync(join(folder, 'again'), { recursive: true })
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
})
