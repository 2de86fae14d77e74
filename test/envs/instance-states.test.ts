import { expect, test } from '@jest/globals'
import { compileCore } from '../../src/core/module.ts'
import type { EnvironmentSpec } from '../../src/envs/contract.ts'
import { canBeMoved, loadInstances, playAgain, saveInstances } from '../../src/envs/instance-states.ts'
import { inTypeScript } from '../../src/envs/instances.ts'
import { environmentSpec } from '../../src/envs/registry.ts'
import { normaliseObservation } from '../../src/envs/wrappers/observations.ts'
import { runningStatistics } from '../../src/envs/wrappers/statistics.ts'

const cartPole = async () => inTypeScript(environmentSpec('CartPole-v1'), await compileCore())

/** Without states of their own; `drift` is added to what an instance shows, more with each instance. */
function without(spec: EnvironmentSpec, drift = 0): EnvironmentSpec {
  let made = 0
  return {
    ...spec,
    create() {
      const { getState: _, setState: __, reset, ...env } = (spec.create as NonNullable<typeof spec.create>)()
      const shift = drift * made++
      return { ...env, reset: (options) => ({ obs: Array.from(reset(options).obs, (x) => x + shift), info: {} }) }
    },
  }
}

test('episodes can be moved by states, or where seed and actions say all; statistics stay as they were', async () => {
  const spec = await cartPole()
  const statistics = runningStatistics()
  const wrapped = normaliseObservation({ statistics })(without(spec))
  const before = structuredClone(statistics)
  expect([environmentSpec('CartPole-v1'), spec, without(spec), wrapped].map(canBeMoved)).toEqual([
    true,
    true,
    true,
    true,
  ])
  expect(statistics).toEqual(before)
  expect(canBeMoved(without(spec, 0.1))).toBe(false)
})

test('an instance that shows something else when its actions are taken again is refused', async () => {
  const spec = without(await cartPole(), 0.1)
  const create = spec.create as NonNullable<typeof spec.create>
  const [first, second] = [create(), create()]
  const shown = Float32Array.from(first.reset({ seed: 3 }).obs)
  const episodes = { history: new Float32Array(0), elapsed: new Int32Array(1), shown, seedOf: () => 3 }
  expect(() => playAgain(spec, [second], episodes)).toThrow(
    'CartPole-v1 shows something else when the 0 steps of an episode are taken again',
  )
})

test('states that are plain data are moved whole; others are not', async () => {
  const held = { values: Float64Array.of(1, -0, Number.NaN), name: 'x', none: null }
  let found: unknown
  const instance = {
    reset: () => ({ obs: [0], info: {} }),
    step: () => ({ obs: [0], reward: 0, terminated: false, truncated: false, info: {} }),
    getState: (): unknown => held,
    setState: (state: unknown) => {
      found = state
    },
  }
  loadInstances([instance], saveInstances([instance]))
  expect(found).toEqual(held)
  expect(saveInstances([{ ...instance, getState: () => new Map() }])).toHaveLength(0)
  expect(saveInstances([{ ...instance, getState: undefined }])).toHaveLength(0)
})
