import { describe, expect, test } from '@jest/globals'
import { isExpected } from '../../src/core/errors.ts'
import { problemsOf } from '../../src/envs/check.ts'
import type { EnvironmentSpec } from '../../src/envs/contract.ts'
import { make } from '../../src/envs/make.ts'
import type { Agents } from '../../src/rl/agents.ts'
import { evaluate, train } from '../../src/train/train.ts'

// Descriptions and instances written by hand, of which some member is anything at all.

type Tree = Record<string, unknown>

const fine = () => ({ obs: [0], reward: 1, terminated: false, truncated: false, info: {} })
const instance = (members: object = {}) => ({ reset: () => ({ obs: [0], info: {} }), step: fine, ...members })
const task = (members: object = {}, inside: object = {}) => ({
  ...{ id: 'Own', observationSpace: { kind: 'box', low: [-1], high: [1] }, actionSpace: { kind: 'discrete', n: 2 } },
  ...{ maxEpisodeSteps: 3, create: () => instance(inside), ...members },
})

const holed: unknown[] = []
holed.length = 1
const billions: unknown[] = []
billions.length = 2 ** 32 - 1
const ring: Tree = {}
ring.ring = ring
class Mine {}
const fails = (): never => {
  throw new Error('it is locked')
}
const locked = (name: string, members: object = {}) => Object.defineProperty({ ...members }, name, { get: fails })

const HOSTILE: readonly unknown[] = [
  ...[null, Number.NaN, Infinity, -1, 0.5, 10n, 1e300, '', 'x', '3', true, Symbol('s'), () => {}, Mine, new Mine()],
  ...[[], [0], [0, 1], ['0'], [0n], [Number.NaN], [Infinity], [null], [Symbol('s')], holed, billions, [[0]]],
  ...[Float32Array.of(0), Int8Array.of(0), BigInt64Array.of(0n), new DataView(new ArrayBuffer(8)), new ArrayBuffer(8)],
  ...[
    Object.create(null),
    Object.freeze({}),
    ring,
    new Map(),
    new Date(),
    Promise.resolve({}),
    new Proxy({}, { get: fails }),
  ],
  ...[{ length: 1 }, { length: 2 ** 53 }, { length: -1 }, { toJSON: fails }, { [Symbol.toPrimitive]: fails }],
  // biome-ignore lint/suspicious/noThenProperty: what looks like a promise
  ...[{ then: (done: (value: number) => void) => done(1) }, locked('then'), locked('length'), new Error('no')],
]

const MEMBERS = ['id', 'observationSpace', 'actionSpace', 'maxEpisodeSteps', 'create', 'configure', 'limit', 'core']
const OTHERS = ['clipsActions', 'rewardThreshold', 'wrappers', 'made', 'grid', 'transitions', 'render', 'other']
const INSIDE = ['reset', 'step', 'begin', 'beginReset', 'close', 'getState', 'setState', 'state', 'other']
const scene = { view: [0, 0, 1, 1], shapes: [] }

/** Tasks of which one thing is this value, by what it is. */
function tasksWith(value: unknown): Record<string, unknown> {
  const tasks: Record<string, unknown> = { task: value }
  for (const name of [...MEMBERS, ...OTHERS]) tasks[name] = task({ [name]: value })
  for (const name of ['kind', 'low', 'high', 'other'])
    for (const space of ['observationSpace', 'actionSpace'])
      tasks[`${space}.${name}`] = task({ [space]: { kind: 'box', low: [-1], high: [1], [name]: value } })
  for (const [kind, n] of Object.entries({ discrete: 2, 'multi-discrete': [2, 3], 'multi-binary': 2 }))
    for (const name of ['n', 'start']) tasks[`${kind}.${name}`] = task({ actionSpace: { kind, n, [name]: value } })
  tasks['what create gives'] = task({ create: () => value })
  for (const name of INSIDE) tasks[`the instance's ${name}`] = task({}, { [name]: value })
  for (const name of ['reset', 'step', 'close']) tasks[`what ${name} gives`] = task({}, { [name]: () => value })
  tasks['its state'] = task({}, { getState: () => value, setState: () => {} })
  for (const name of ['obs', 'info', 'reward', 'taskReward', 'terminated', 'truncated', 'other'])
    tasks[`a step's ${name}`] = task({}, { step: () => ({ ...fine(), [name]: value }) })
  for (const name of ['obs', 'info'])
    tasks[`a reset's ${name}`] = task({}, { reset: () => ({ obs: [0], [name]: value }) })
  const seen = { state: [0] }
  tasks['what render gives'] = task({ render: () => value }, seen)
  for (const name of ['view', 'shapes'])
    tasks[`a picture's ${name}`] = task({ render: () => ({ ...scene, [name]: value }) }, seen)
  tasks['a shape'] = task({ render: () => ({ ...scene, shapes: [value] }) }, seen)
  for (const name of ['reset', 'step', 'close', 'getState', 'create'])
    tasks[`what ${name} throws`] = throwing(name, () => {
      throw value
    })
  return tasks
}

const throwing = (name: string, run: () => never) =>
  name === 'create' ? task({ create: run }) : task({}, { [name]: run, ...(name === 'getState' && { setState: run }) })

/** Tasks of which reading one thing throws. */
const LOCKED: Record<string, unknown> = Object.fromEntries([
  ...MEMBERS.map((name) => [name, locked(name, task())]),
  ...INSIDE.map((name) => [`inside ${name}`, task({ create: () => locked(name, instance()) })]),
  ...Object.keys(fine()).map((name) => [`a step's ${name}`, task({}, { step: () => locked(name, fine()) })]),
])

const isSentence = (text: string) =>
  /^[^\n]{5,1100}[.)]$/.test(text) &&
  !/undefined is|\[object|is not a function|[Cc]annot (read|convert|mix|perform)|not iterable|Invalid/.test(text)

let agents: Agents
const USES: Record<string, (spec: EnvironmentSpec) => Promise<unknown>> = {
  async problemsOf(spec) {
    for (const problem of await problemsOf(spec, { episodes: 1, steps: 3 }))
      if (!isSentence(problem)) throw new Error(`a problem is ${problem}`)
  },
  async make(spec) {
    const env = await make(spec)
    env.reset({ seed: 0 })
    env.step(spec.actionSpace.kind === 'discrete' ? 0 : spec.actionSpace.kind === 'box' ? [0] : [0, 0])
    env.close()
  },
  async train(spec) {
    for await (const _ of train({ env: spec, particles: 2, environments: 2, steps: 4, iterations: 1, hidden: [4] }));
  },
  async evaluate(spec) {
    for await (const step of train({ env: task() as never, particles: 1, steps: 4, iterations: 1, hidden: [4] }))
      agents ??= step.agents()
    await evaluate({ agents, spec, episodes: 1 })
  },
}

describe.each(Object.entries(USES))('%s takes it or refuses it in sentences', (_, use) => {
  const wrongOf = async (spec: unknown) => {
    try {
      await use(spec as EnvironmentSpec)
      return null
    } catch (error) {
      return isExpected(error) && error.message.split('\n').every(isSentence) ? null : error
    }
  }

  test.each(HOSTILE.map((value, k) => [k, value]))('value %i', async (_, value) => {
    const values = tasksWith(value)
    expect(Object.keys(values).length).toBeGreaterThan(60)
    for (const [what, spec] of Object.entries(values)) expect([what, await wrongOf(spec)]).toEqual([what, null])
  })

  test('what cannot be read', async () => {
    for (const [what, spec] of Object.entries(LOCKED)) expect([what, await wrongOf(spec)]).toEqual([what, null])
  })
})
