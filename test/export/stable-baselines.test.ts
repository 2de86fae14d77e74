import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from '@jest/globals'
import { UsageError } from '../../src/core/errors.ts'
import { readPickle } from '../../src/export/import/pickle.ts'
import { importStableBaselines } from '../../src/export/import/stable-baselines.ts'
import { tensorOf } from '../../src/export/import/torch-file.ts'
import { readZip } from '../../src/export/import/zip.ts'
import { seenThrough } from '../../src/export/run.ts'
import { encodePolicy } from '../../src/policy/description.ts'
import { loadPolicy } from '../../src/policy/policy.ts'
import { evaluate } from '../../src/train/train.ts'
import { hasModule, interpreter } from '../left-out.js'

interface Expected {
  readonly env: string
  readonly observations: readonly (readonly number[])[]
  /** A row for each observation: the number of a class, or a vector. */
  readonly actions: readonly (number | readonly number[])[]
}

const golden = fileURLToPath(new URL('../golden', import.meta.url))
const recorded = join(golden, 'stable-baselines3')

async function compare(folder: string): Promise<void> {
  const expected: Record<string, Expected> = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8'))
  expect(Object.keys(expected)).toEqual(['ppo', 'ppo-box', 'sac'])
  for (const [name, { env, observations, actions }] of Object.entries(expected)) {
    const agents = await importStableBaselines({ zip: readFileSync(join(folder, `${name}.zip`)), env })
    const found = agents.actRows(observations.flat())
    // float32 sums in another order.
    actions.flat().forEach((action, k) => void expect(found[k]).toBeCloseTo(action, 5))
    expect(found).toHaveLength(actions.flat().length)
  }
}

test('policies of PPO and SAC act as stable-baselines3 says', () => compare(recorded))

test('they are evaluated, and act at the edge', async () => {
  const agents = await importStableBaselines({ zip: readFileSync(join(recorded, 'sac.zip')), env: 'Pendulum-v1' })
  const { greedy } = await evaluate({ agents, episodes: 2 })
  expect(greedy[0]).toBeLessThan(0)
  const { policy, theta, task } = agents
  const bounds = task && seenThrough(task).bounds
  const files = encodePolicy({ ...{ env: 'Pendulum-v1', policy, theta, particles: 1 }, best: 0, bounds })
  const core = readFileSync(fileURLToPath(new URL('../../dist/steinrl-policy.wasm', import.meta.url)))
  const edge = await loadPolicy({ ...files, core })
  expect(edge.act([0.1, 0.2, 0.3])).toEqual(agents.act([0.1, 0.2, 0.3]))
})

const withPython = hasModule('stable_baselines3') ? test : test.skip

withPython(
  'new ones act the same',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'steinrl-sb3-'))
    try {
      const { status, stderr } = spawnSync(interpreter, [join(golden, 'record-stable-baselines3.py'), folder], {
        encoding: 'utf8',
      })
      if (status !== 0) throw new Error(stderr)
      await compare(folder)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
  600_000,
)

const read = (zip: Uint8Array, env = 'CartPole-v1') => importStableBaselines({ zip, env })
const ppo = readFileSync(join(recorded, 'ppo.zip'))

test('a task that it does not fit is refused with what both have', async () => {
  await expect(read(ppo, 'Acrobot-v1')).rejects.toThrow(
    'The policy has 4 observations and 2 discrete actions, but Acrobot-v1 has 6 observations and 3 discrete actions.',
  )
  await expect(read(ppo, 'MountainCarContinuous-v0')).rejects.toThrow(/has 2 observations and 1 continuous action\.$/)
})

test('every way of cutting it off, and every changed byte, is refused in a sentence or changes nothing', async () => {
  for (let size = 0; size < ppo.length; size += 997)
    await expect(read(ppo.subarray(0, size))).rejects.toThrow(
      /^No policy of stable-baselines3 can be read of the zip: /,
    )
  const theta = (await read(ppo)).theta
  for (let at = 0; at < ppo.length; at += 61) {
    const changed = Uint8Array.from(ppo)
    changed[at] ^= 0x55
    const found = await read(changed).catch((error: unknown) => error)
    if (!(found instanceof UsageError)) expect((found as { theta: Float32Array }).theta).toEqual(theta)
  }
}, 60_000)

const bytes = (...parts: (string | number[])[]) =>
  Uint8Array.from(parts.flatMap((part) => (typeof part === 'string' ? [...Buffer.from(part, 'latin1')] : part)))

test.each([
  [
    'calls a program',
    bytes([0x80, 2], 'cos\nsystem\n(', 'X\x04\0\0\0echotR.'),
    'its pickle names "os system", which no',
  ],
  [
    'calls a name that exists with other arguments',
    bytes([0x80, 2], 'ccollections\nOrderedDict\n', 'K\x01\x85R.'),
    'calls',
  ],
  ['has an instruction of another kind', bytes([0x80, 2], 'I1\n.'), 'its pickle has the instruction 0x49, which'],
  ['is of another protocol', bytes([0x80, 4], '}.'), 'of another protocol than 2'],
  ['is cut off', bytes([0x80, 2], 'X\xff\xff\xff\x7f'), 'its pickle is cut off.'],
  ['is empty', bytes(), 'its pickle is cut off.'],
  ['never ends', bytes([0x80, 2], 'N'.repeat(1_000_001)), 'its pickle is too long.'],
  ['takes a mark that is not there', bytes([0x80, 2], 't.'), 'its pickle is damaged.'],
  ['takes from an empty memo', bytes([0x80, 2], 'h\x07.'), 'its pickle is damaged.'],
  ['is no state_dict', bytes([0x80, 2], 'K\x01.'), 'its pickle is no state_dict.'],
  [
    'has something else by a name',
    bytes([0x80, 2], '}X\x01\0\0\0aK\x01s.'),
    'its pickle has "a", which is no float32 tensor.',
  ],
  [
    'has a name of 2⁹⁹ parts',
    bytes([0x80, 2], '}K\x01', ...Array<number[]>(99).fill([0x71, 0, 0x68, 0, 0x86]), 'K\x01s.'),
    'its pickle has a name that is no text.',
  ],
  [
    'has numbers of another kind',
    bytes([0x80, 2], '(X\x07\0\0\0storagectorch\nLongStorage\ntQ.'),
    '"torch LongStorage"',
  ],
])('a pickle that %s is refused', (_, pickle, sentence) => {
  expect(() => readPickle(pickle)).toThrow(UsageError)
  expect(() => readPickle(pickle)).toThrow(sentence)
})

test('a tensor that is larger than its numbers is refused, whatever its strides are', () => {
  const stored = (shape: number[], strides: number[], offset = 0) => ({ storage: '0', offset, shape, strides })
  const storage = new Uint8Array(Float32Array.of(1, 2, 3, 4, 5, 6).buffer)
  expect([...tensorOf('w', stored([3, 2], [1, 3]), storage).data]).toEqual([1, 4, 2, 5, 3, 6])
  for (const larger of [stored([7], [1]), stored([1e9], [0]), stored([3, 2], [2, 1], 1), stored([0], [1])])
    expect(() => tensorOf('w', larger, storage)).toThrow(/^"w" of shape \[[\d,]+\] is larger than its numbers\.$/)
})

test('a zip that is compressed, encrypted, has a name twice or is none is refused', () => {
  const entry = ppo.lastIndexOf(Buffer.from([0x50, 0x4b, 1, 2]))
  const changed = (offset: number, value: number) => {
    const copy = Buffer.from(ppo)
    copy.writeUInt16LE(value, entry + offset)
    return copy
  }
  expect(() => readZip(changed(10, 8))).toThrow('its "_stable_baselines3_version" is compressed: it must be as')
  expect(() => readZip(changed(8, 1))).toThrow('its "_stable_baselines3_version" is encrypted.')
  expect(() => readZip(new Uint8Array(100))).toThrow('it is no zip.')
  expect([...readZip(ppo).keys()]).toEqual(['data', 'policy.pth', '_stable_baselines3_version'])
})
