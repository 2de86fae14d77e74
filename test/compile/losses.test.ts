import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, jest, test } from '@jest/globals'
import { platform } from '#platform'
import { adr } from '../../src/algorithms/adr/adr.ts'
import type { StateParts } from '../../src/algorithms/algorithm.ts'
import { createAmortizedSVGD } from '../../src/algorithms/amortized-svgd/amortized-svgd.ts'
import { s2ac } from '../../src/algorithms/s2ac/s2ac.ts'
import { sac } from '../../src/algorithms/sac/sac.ts'
import { sql } from '../../src/algorithms/sql/sql.ts'
import { svpg } from '../../src/algorithms/svpg/svpg.ts'
import { mlp } from '../../src/nn/network.ts'
import { startTfjs, tf } from '../../src/nn/tfjs.ts'

/** So small that parameters stay as they are: the moments of Adam are then sums of gradients at one place. */
const STILL = 1e-12

/** Every float array of a state by name. */
type Arrays = Readonly<Record<string, Float32Array>>

interface Algorithm<O, S> {
  init(options: O): Promise<S>
  step(state: S): Promise<unknown>
  parts(state: S): StateParts
  close?(state: S): void
}

function arraysOf({ population, rest }: StateParts): Arrays {
  const arrays: Record<string, Float32Array> = {}
  const take = (of: string) => ({
    array(name: string, values: unknown) {
      if (values instanceof Float32Array) arrays[`${of}.${name}`] = values.slice()
    },
    value() {},
    log() {},
  })
  population.save(take('population'))
  rest.save(take('rest'))
  return arrays
}

/** What a run has come to, and how many tensors its last iteration has made. */
interface Trained {
  readonly arrays: Arrays
  readonly tensors: number
}

type Run = (compiled: boolean) => Promise<Trained>

async function tensorsMade(step: () => unknown): Promise<number> {
  const made = jest.spyOn(tf.engine() as unknown as { nextTensorId(): number }, 'nextTensorId')
  await step()
  const { length } = made.mock.calls
  made.mockRestore()
  return length
}

const trained =
  <O, S>(algorithm: Algorithm<O, S>, options: O, iterations: number): Run =>
  async (compiled) => {
    const state = await algorithm.init({ ...options, tfjs: { compiled } })
    for (let t = 0; t < iterations - 1; t++) await algorithm.step(state)
    const tensors = await tensorsMade(() => algorithm.step(state))
    const arrays = arraysOf(algorithm.parts(state))
    algorithm.close?.(state)
    return { arrays, tensors }
  }

const replayed = { env: 'Pendulum-v1', environments: 2, steps: 10, hidden: [8, 8], batchSize: 16, warmup: 20 }
const rolled = { env: 'CartPole-v1', particles: 2, environments: 4, steps: 16, hidden: [8], learningRate: STILL }
const critics = { baseline: 'value' as const, criticLearningRate: STILL, criticHidden: [8] }
const still = { learningRate: STILL }

const adrOptions = {
  ...{ env: 'Pendulum-v1', ranges: { gravity: [5, 15] as [number, number] }, particles: 2, moves: 2, environments: 4 },
  ...{ steps: 16, hidden: [8], learningRate: STILL, criticLearningRate: STILL, particleLearningRate: STILL },
  ...{ particleCriticLearningRate: STILL, transitionLearningRate: STILL },
}

/** An amortized sampler of a Gaussian. */
const amortized =
  (rule: 'chain' | 'regression'): Run =>
  async (compiled) => {
    const score = (out: Float32Array, x: Float32Array) => out.set(x.map((value) => 1 - value))
    const sampler = createAmortizedSVGD({
      ...{ score, network: mlp([3, 8, 2]), dimension: 2, particles: 12, rule, learningRate: STILL, tfjs: { compiled } },
    })
    const state = await sampler.init()
    sampler.step(state)
    const tensors = await tensorsMade(() => sampler.step(state))
    const { moment1, direction } = state.sampler.view
    return { arrays: { moment1: moment1.slice(), direction: direction.slice() }, tensors }
  }

/** What the library differentiates or computes by plans, and what runs it. */
const losses: Readonly<Record<string, { names: readonly string[]; run: Run; isTracedAnew?: boolean }>> = {
  SAC: { names: ['q', 'actor'], run: trained(sac, { ...replayed, ...still }, 3) },
  SQL: {
    names: ['q', 'sampler', 'The draw of the sampler', 'The action of the sampler', 'The soft value'],
    run: trained(sql, { ...replayed, ...still, particles: 8, valueParticles: 4 }, 3),
  },
  S2AC: {
    names: [
      ...['q', 'actor', 'The start of the particles', 'The log density of the particles'],
      ...['The density of the squashed particles', 'The value of the next states'],
    ],
    run: trained(s2ac, { ...replayed, ...still, particles: 4, svgdSteps: 2 }, 3),
  },
  'SVPG by REINFORCE': { names: ['The policy objective'], run: trained(svpg, rolled, 2) },
  'SVPG by actor-critic': {
    names: ['The policy objective', 'critic'],
    run: trained(svpg, { ...rolled, ...critics, estimator: 'a2c', entropyBonus: 0.01 }, 2),
  },
  'SVPG by PPO on continuous actions': {
    names: ['The policy objective', 'critic'],
    run: trained(svpg, { ...rolled, ...critics, env: 'Pendulum-v1', estimator: 'ppo' }, 2),
  },
  'SVPG with a kernel on behaviour': {
    names: ['The policy objective', 'The loss of the densities'],
    run: trained(svpg, { ...rolled, kernel: 'js', exploration: 0.5 }, 2),
  },
  'SVPG in function space': {
    names: [
      ...['The policy objective', 'The outputs at probe states', 'The pull-back to parameters'],
      'The objective of outputs',
    ],
    run: trained(svpg, { ...rolled, kernel: 'function', probeStates: 4 }, 2),
  },
  'SVPG in function space on continuous actions': {
    names: ['The policy objective', 'The outputs at probe states', 'The objective of outputs'],
    run: trained(svpg, { ...rolled, env: 'Pendulum-v1', kernel: 'function', probeStates: 4 }, 2),
  },
  'SVPG that imitates transitions': {
    names: ['The policy objective', 'critic'],
    run: trained(svpg, { ...rolled, ...critics, estimator: 'a2c', selfImitation: 'transitions' }, 3),
  },
  'SVPG that imitates trajectories': {
    names: ['The policy objective', 'discriminator'],
    run: trained(svpg, { ...rolled, selfImitation: 'trajectories' }, 3),
    // Its best trajectories are of ever new lengths.
    isTracedAnew: true,
  },
  'active domain randomisation': {
    names: ['The policy objective', 'critic', 'transition'],
    run: trained(adr, { ...adrOptions }, 2),
  },
  'amortized SVGD, chain': { names: ['sampler'], run: amortized('chain') },
  'amortized SVGD, regression': { names: ['sampler'], run: amortized('regression') },
}

/** Users' functions, which have tests of their own. */
const OF_USERS = ['The log density', 'What particles compute', 'The pull-back to particles']

afterAll(() => startTfjs({ compiled: true }))

describe('compiled is eager to 1e-5 of the largest entry, gradients and values', () => {
  test.each(Object.entries(losses))('%s', async (_, { run, isTracedAnew = false }) => {
    const warn = jest.spyOn(platform, 'warn')
    const compiled = await run(true)
    const eager = await run(false)
    expect(warn).not.toHaveBeenCalled()
    warn.mockRestore()
    expect(compiled.tensors).toBeLessThan(eager.tensors / (isTracedAnew ? 2 : 3))
    expect(Object.keys(compiled.arrays)).toEqual(Object.keys(eager.arrays))
    for (const [name, values] of Object.entries(eager.arrays)) {
      const scale = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-6)
      const worst = values.reduce((most, value, k) => Math.max(most, Math.abs(value - compiled.arrays[name][k])), 0)
      expect([name, worst / scale <= 1e-5 ? 'same' : worst / scale]).toEqual([name, 'same'])
    }
  })
})

test('no other loss is compiled', () => {
  const src = fileURLToPath(new URL('../../src', import.meta.url))
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
  const found = files.flatMap((file) => {
    const text = readFileSync(`${src}/${file}`, 'utf8')
    return [...text.matchAll(/compiled(?:Gradient|Values)\(\{\s*name: '([^']+)'/g)].map(([, name]) => name)
  })
  const listed = Object.values(losses).flatMap(({ names }) => names)
  expect([...new Set(found)].sort()).toEqual(
    [...new Set([...listed.filter((name) => name.startsWith('The ')), ...OF_USERS])].sort(),
  )
})
