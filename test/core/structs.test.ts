import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { struct } from '../../src/core/layout.ts'
import { Purpose } from '../../src/core/random.ts'
import { acrobot } from '../../src/envs/acrobot.ts'
import { cartAndPole } from '../../src/envs/cart-and-pole.ts'
import { cartPole } from '../../src/envs/cartpole.ts'
import { cartpoleSwingup } from '../../src/envs/cartpole-swingup.ts'
import type { EnvironmentSpec } from '../../src/envs/contract.ts'
import { doublePendulum } from '../../src/envs/double-pendulum.ts'
import { episodeNames } from '../../src/envs/episode-layout.ts'
import { mountainCar } from '../../src/envs/mountain-car.ts'
import { mountainCarContinuous } from '../../src/envs/mountain-car-continuous.ts'
import { pendulum } from '../../src/envs/pendulum.ts'
import { rllabCartpole } from '../../src/envs/rllab-cartpole.ts'
import { vectorStruct } from '../../src/envs/vector-fields.ts'
import { mlpStruct } from '../../src/nn/fused.ts'
import { policyStruct } from '../../src/nn/policy.ts'
import { evaluationStruct } from '../../src/rl/evaluate.ts'
import { batchStruct, environmentsStruct } from '../../src/rl/rollout-layout.ts'
import { directionTask, termStruct } from '../../src/svgd/fields.ts'
import { perStateTask } from '../../src/svgd/per-state.ts'

const source = (path: string) => readFileSync(new URL(`../../assembly/${path}`, import.meta.url), 'utf8')

/** Names of the fields of an @unmanaged class, in order, without those of the class it extends. */
function fieldsOf(path: string, name: string): string[] {
  const body = source(path).match(new RegExp(`class ${name}(?: extends \\w+)? \\{([^}]*)\\}`))?.[1] ?? ''
  return [...body.matchAll(/^\s*(\w+): \w+$/gm)].map(([, field]) => field)
}

/** Constants behind the ones that both cart-poles of rllab share. */
const ownOf = (spec: EnvironmentSpec) => Object.keys(spec.core?.constants ?? {}).slice(Object.keys(cartAndPole).length)

/** Fields of a record that begins with those of the class Episodes. */
function behindEpisodes(names: readonly string[]): readonly string[] {
  expect(names.slice(0, episodeNames.length)).toEqual(episodeNames)
  return names.slice(episodeNames.length)
}

test.each([
  ['Mlp', 'nn/training.ts', mlpStruct.names],
  ['Policy', 'nn/policy.ts', policyStruct.names],
  ['Episodes', 'envs/episodes.ts', episodeNames],
  ['Environments', 'rl/rollout.ts', behindEpisodes(environmentsStruct.names)],
  ['Batch', 'rl/rollout.ts', batchStruct.names],
  ['Evaluation', 'rl/rollout.ts', evaluationStruct.names],
  ['DirectionTask', 'svgd/direction.ts', directionTask.names],
  ['Term', 'svgd/kernels.ts', termStruct.names],
  ['PerStateTask', 'svgd/per-state.ts', perStateTask.names],
  ['CartPole', 'envs/cartpole.ts', Object.keys(cartPole.core?.constants ?? {})],
  ['MountainCar', 'envs/mountain-car.ts', Object.keys(mountainCar.core?.constants ?? {})],
  [
    'MountainCarContinuous',
    'envs/mountain-car-continuous.ts',
    Object.keys(mountainCarContinuous.core?.constants ?? {}),
  ],
  ['Pendulum', 'envs/pendulum.ts', Object.keys(pendulum.core?.constants ?? {})],
  ['Acrobot', 'envs/acrobot.ts', Object.keys(acrobot.core?.constants ?? {})],
  ['Vector', 'envs/vector.ts', behindEpisodes(vectorStruct.names)],
  ['CartAndPole', 'envs/cart-and-pole.ts', Object.keys(cartAndPole)],
  ['RllabCartpole', 'envs/rllab-cartpole.ts', ownOf(rllabCartpole)],
  ['CartpoleSwingup', 'envs/cartpole-swingup.ts', ownOf(cartpoleSwingup)],
  ['DoublePendulum', 'envs/double-pendulum.ts', Object.keys(doublePendulum.core?.constants ?? {})],
])('%s has the same fields on both sides of the boundary', (name, path, names) => {
  expect(fieldsOf(path, name)).toEqual([...names])
})

test('a record holds whole numbers as they are and floats as their bits', () => {
  const view = new Uint32Array(2)
  struct(['count', 'rate'], ['rate']).write(view, { count: 7, rate: -0.1 })
  expect(view[0]).toBe(7)
  expect(new Float32Array(view.buffer)[1]).toBe(Math.fround(-0.1))
})

test('purposes of random numbers have the same values on both sides', () => {
  const declared = [...source('random.ts').matchAll(/export const PURPOSE_(\w+): u32 = (\d+)/g)]
  expect(Object.fromEntries(declared.map(([, name, value]) => [name.toLowerCase(), Number(value)]))).toEqual(Purpose)
})
