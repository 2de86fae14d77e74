import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { make } from '../../src/envs/make.ts'
import { environments } from '../../src/envs/registry.ts'
import { choicesOf, sizeOf } from '../../src/envs/spaces.ts'
import { coreRows } from './rows.ts'

/** Tasks that always start in the same state. */
const SAME_START = ['MultiGoalMaxEntropy-v0']
/** Constants that may follow the fields of a class: rows of a table, numbered. */
const TABLE = /^((goal|wall)\d+[A-Z]\w*|cell\d+)$/
const R = 5
const STEPS = 2000

const ids = Object.keys(environments)

test('ids and kinds are unique', () => {
  for (const id of ids) expect(environments[id].id).toBe(id)
  const kinds = ids.map((id) => environments[id].core?.kind)
  expect(new Set(kinds).size).toBe(ids.length)
})

describe.each(ids)('%s', (id) => {
  const spec = environments[id]
  const core = spec.core as NonNullable<typeof spec.core>
  const O = sizeOf(spec.observationSpace)
  const A = sizeOf(spec.actionSpace)

  test('a reset writes the whole row, the same for the same seed', async () => {
    const rows = await coreRows(spec, R)
    const starts = [Number.NaN, 0, 1e3].map((before) => {
      rows.view.state.fill(before)
      rows.reset(7)
      return [...rows.view.state]
    })
    expect(starts[0].every(Number.isFinite)).toBe(true)
    expect(starts[1]).toEqual(starts[0])
    expect(starts[2]).toEqual(starts[0])
    rows.reset(2 ** 40 + 7)
    if (SAME_START.includes(id)) expect([...rows.view.state]).toEqual(starts[0])
    else {
      expect([...rows.view.state]).not.toEqual(starts[0])
      expect(rows.stateOf(1)).not.toEqual(rows.stateOf(0))
    }
  })

  test('a single environment shows what the core shows of its state', async () => {
    const env = await make(id)
    const rows = await coreRows(spec, 1)
    const shown = () => {
      rows.view.state.set(env.state)
      rows.observe()
      return [...rows.view.observation]
    }
    expect([...env.reset({ seed: 3 }).obs]).toEqual(shown())
    for (let t = 0, running = true; t < 50 && running; t++) {
      rows.act(t)
      const { obs, terminated, truncated } = env.step(A === 1 ? rows.view.action[0] : rows.view.action)
      expect([...obs]).toEqual(shown())
      running = !terminated && !truncated
    }
  })

  test(`${STEPS} random steps stay finite and within the spaces`, async () => {
    const rows = await coreRows(spec, R)
    const low = Float32Array.from(spec.observationSpace.low)
    const high = Float32Array.from(spec.observationSpace.high)
    const elapsed = new Int32Array(R)
    rows.reset(0)
    for (let t = 0; t < STEPS; t++) {
      rows.view.observation.fill(Number.NaN)
      rows.view.reward.fill(Number.NaN)
      rows.view.terminated.fill(77)
      rows.act(t)
      rows.step()
      rows.observe()
      expect(rows.view.state.every(Number.isFinite)).toBe(true)
      expect(rows.view.reward.every(Number.isFinite)).toBe(true)
      expect(rows.view.terminated.every((ended) => ended === 0 || ended === 1)).toBe(true)
      rows.view.observation.forEach((value, k) => {
        if (!(Number.isFinite(value) && value >= low[k % O] && value <= high[k % O]))
          throw new Error(`step ${t}: component ${k % O} of an observation is ${value}.`)
      })
      for (let r = 0; r < R; r++) {
        if (rows.view.terminated[r] || ++elapsed[r] === spec.maxEpisodeSteps) {
          elapsed[r] = 0
          rows.resetRow(r, R * (t + 1) + r)
        }
      }
    }
  })

  test('a row depends on its own state and action only', async () => {
    const rows = await coreRows(spec, R)
    const outcome = (r: number) => {
      rows.step()
      rows.observe()
      const { observation, reward, terminated } = rows.view
      return [...rows.stateOf(r), ...observation.subarray(r * O, (r + 1) * O), reward[r], terminated[r]]
    }
    for (let r = 0; r < R; r++) {
      rows.reset(11)
      rows.act(r)
      const own = { state: rows.stateOf(r), action: [...rows.view.action.subarray(r * A, (r + 1) * A)] }
      const first = outcome(r)
      rows.reset(500)
      rows.act(100 + r)
      rows.view.state.set(own.state, r * core.stateSize)
      rows.view.action.set(own.action, r * A)
      expect(outcome(r)).toEqual(first)
    }
  })

  test('rows, constants and actions have the same lengths on both sides of the boundary', async () => {
    const rows = await coreRows(spec, R)
    expect(rows.stateSize()).toBe(core.stateSize)
    // Nothing reads or writes beyond its array: whatever lies there stays, and changes nothing.
    const runs = [0, 0.37, Number.NaN].map((beyond) => {
      rows.guards.forEach((guard, k) => {
        guard.fill(beyond * (k + 1))
      })
      const untouched = rows.guards.map((guard) => [...guard])
      rows.reset(21)
      const seen: number[] = []
      for (let t = 0; t < 20; t++) {
        rows.act(t)
        for (const count of [R, 1, R - 1]) rows.step(count)
        rows.observe()
        seen.push(...rows.view.state, ...rows.view.observation, ...rows.view.reward, ...rows.view.terminated)
      }
      expect(rows.guards.map((guard) => [...guard])).toEqual(untouched)
      return seen
    })
    expect(runs[1]).toEqual(runs[0])
    expect(runs[2]).toEqual(runs[0])
  })

  test('its constants are the fields that the core reads, in order', () => {
    const names = Object.keys(core.constants)
    const fields = fieldsOf(core.kind)
    expect(names.slice(0, fields.length)).toEqual(fields)
    for (const name of names.slice(fields.length)) expect(name).toMatch(TABLE)
    expect(Object.values(core.constants).every(Number.isFinite)).toBe(true)
  })

  test('what is declared of it makes sense', () => {
    expect(spec.maxEpisodeSteps).toBeGreaterThan(0)
    expect(Number.isInteger(spec.maxEpisodeSteps)).toBe(true)
    for (const space of [spec.observationSpace, spec.actionSpace]) {
      if (space.kind !== 'box') expect(Math.min(...choicesOf(space))).toBeGreaterThan(1)
      else {
        expect(space.high).toHaveLength(space.low.length)
        expect(space.low.every((value, k) => value < space.high[k])).toBe(true)
      }
    }
    expect(spec.configure?.({})).toEqual({
      ...spec,
      configure: expect.any(Function),
      render: expect.any(Function),
      ...(spec.transitions && { transitions: expect.any(Function) }),
    })
    expect(() => spec.configure?.({ 'no such': 1 })).toThrow(`${id} has no constant "no such"; it has`)
  })
})

/** Names of the fields of the class that the core reads the constants of this kind as. */
function fieldsOf(kind: number): string[] {
  const folder = new URL('../../assembly/envs/', import.meta.url)
  const sources = readdirSync(folder).map((file) => readFileSync(new URL(file, folder), 'utf8'))
  const dispatch = sources.find((source) => source.includes('export function stepEnvironment')) ?? ''
  const constant = dispatch.match(new RegExp(`^const (\\w+)(?:: i32)? = ${kind}$`, 'm'))?.[1] ?? 'none'
  const steps = dispatch.slice(dispatch.indexOf('export function stepEnvironment'))
  const branch = steps.slice(steps.search(new RegExp(`case ${constant}:`)))
  const name = branch.match(/changetype<(\w+)>/)?.[1] ?? 'none'
  return fieldsOfClass(sources, name)
}

/** Names of the fields of an @unmanaged class, those of the class that it extends first. */
function fieldsOfClass(sources: readonly string[], name: string): string[] {
  const pattern = new RegExp(`class ${name}(?: extends (\\w+))? \\{([^}]*)\\}`)
  const [, parent, body = ''] = sources.map((source) => source.match(pattern)).find(Boolean) ?? []
  const own = [...body.matchAll(/^\s*(\w+): f64$/gm)].map(([, field]) => field)
  return parent ? [...fieldsOfClass(sources, parent), ...own] : own
}
