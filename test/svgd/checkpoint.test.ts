import { describe, expect, test } from '@jest/globals'
import {
  type AmortizedOptions,
  type AmortizedState,
  createAmortizedSVGD,
} from '../../src/algorithms/amortized-svgd/amortized-svgd.ts'
import { loadAmortized, saveAmortized } from '../../src/algorithms/amortized-svgd/checkpoint.ts'
import { UsageError } from '../../src/core/errors.ts'
import { mlp } from '../../src/nn/network.ts'
import { adagrad, adam, coin, sgd } from '../../src/optim/optimizers.ts'
import { relativeAdam } from '../../src/optim/relative-adam.ts'
import { linearRamp } from '../../src/optim/schedules.ts'
import { loadSvgd, saveSvgd } from '../../src/svgd/checkpoint.ts'
import { createSVGD, particlesOf, type SvgdOptions, type SvgdState } from '../../src/svgd/svgd.ts'

const score = (out: Float32Array, x: Float32Array) => {
  for (let k = 0; k < x.length; k++) out[k] = 1 - x[k]
}
const start = { particles: 12, dimension: 3, seed: 4 }

const settings: Readonly<Record<string, Omit<SvgdOptions, 'score'>>> = {
  'by default': {},
  'with Adam': { optimizer: adam({ learningRate: 0.1 }) },
  'with the moments of the population': { optimizer: relativeAdam({}) },
  'with Adagrad, minibatches and annealing': {
    optimizer: adagrad({ learningRate: 0.1 }),
    minibatch: { rows: 10, size: 4 },
    annealing: linearRamp({ from: 0.1, iterations: 8 }),
  },
  'with bets': { optimizer: coin({ slowness: 0.5 }) },
  'with plain steps': { optimizer: sgd({ learningRate: 0.1 }) },
}

describe('SVGD that goes on', () => {
  test.each(Object.entries(settings))('%s comes to the bytes of one that was not stopped', async (_, options) => {
    const seen: number[][] = []
    const method = () =>
      createSVGD({
        ...options,
        score(out, x, batch) {
          if (batch) seen.push([...batch.rows])
          score(out, x)
        },
      })
    const whole = method()
    const state = await whole.init(start)
    for (let k = 0; k < 7; k++) whole.step(state)
    const rowsOfWhole = seen.splice(0)

    const first = method()
    const stopped = await first.init(start)
    for (let k = 0; k < 3; k++) first.step(stopped)
    const bytes = saveSvgd(stopped)
    const again = method()
    const going = await again.init(start)
    loadSvgd(going, bytes)
    for (let k = 0; k < 4; k++) again.step(going)
    expect(going.iteration).toBe(7)
    expect(particlesOf(going)).toEqual(particlesOf(state))
    expect(saveSvgd(going)).toEqual(saveSvgd(state))
    expect(seen).toEqual(rowsOfWhole)
    for (const one of [state, stopped, going]) one.close()
  })

  test('and particles are refused of what is no state, as a promise that was not awaited', () => {
    const promise = createSVGD({ score }).init(start) as unknown as SvgdState
    const sentence = (taker: string) => `${taker} takes the state that init gives (await init(…)), got {}.`
    expect(() => saveSvgd(promise)).toThrow(new UsageError(sentence('saveSvgd')))
    expect(() => loadSvgd(promise, new Uint8Array(8))).toThrow(new UsageError(sentence('loadSvgd')))
    expect(() => particlesOf(promise)).toThrow(new UsageError(sentence('particlesOf')))
    const amortized = promise as unknown as AmortizedState
    expect(() => saveAmortized(amortized)).toThrow(new UsageError(sentence('saveAmortized')))
    expect(() => loadAmortized(amortized, new Uint8Array(8))).toThrow(new UsageError(sentence('loadAmortized')))
  })

  test('refuses what is of other settings or damaged, and stays as it was', async () => {
    const { init, step } = createSVGD({ score, optimizer: adam({ learningRate: 0.1 }) })
    using state = await init(start)
    step(state)
    const bytes = saveSvgd(state)
    const refusal = async (options: SvgdOptions, from: Parameters<typeof init>[0], given: Uint8Array) => {
      using other = await createSVGD(options).init(from)
      const before = particlesOf(other)
      try {
        loadSvgd(other, given)
      } catch (error) {
        expect(particlesOf(other)).toEqual(before)
        return (error as Error).message
      }
      return 'taken'
    }
    const options = { score, optimizer: adam({ learningRate: 0.1 }) }
    const damaged = bytes.slice()
    damaged[bytes.length - 1] ^= 1
    expect(await refusal(options, start, bytes)).toBe('taken')
    expect(await refusal(options, { ...start, particles: 5 }, bytes)).toBe(
      'The checkpoint does not fit: it is of particles 12, not 5.',
    )
    expect(await refusal(options, { ...start, seed: 5 }, bytes)).toContain('it is of seed')
    expect(await refusal({ score, optimizer: sgd({ learningRate: 1 }) }, start, bytes)).toContain('optimizer "adam"')
    expect(await refusal({ ...options, minibatch: { rows: 4, size: 2 } }, start, bytes)).toContain('minibatch null')
    expect(await refusal(options, start, damaged)).toContain('its checksum is another one')
    expect(await refusal(options, start, bytes.slice(0, 40))).toMatch(/^The checkpoint does not fit: its header/)
    expect(await refusal(options, start, 'bytes' as unknown as Uint8Array)).toContain('it must be bytes, got "bytes"')
  })
})

test('amortized SVGD that goes on comes to the bytes of one that was not stopped', async () => {
  const options: AmortizedOptions = { score, network: mlp([2, 5, 2]), dimension: 2, particles: 8, seed: 3 }
  const [whole, again] = [createAmortizedSVGD(options), createAmortizedSVGD(options)]
  const state = await whole.init()
  for (let k = 0; k < 3; k++) whole.step(state)
  const bytes = saveAmortized(state)
  for (let k = 0; k < 3; k++) whole.step(state)
  const going = await again.init()
  loadAmortized(going, bytes)
  for (let k = 0; k < 3; k++) again.step(going)
  expect(again.sample(going, 5)).toEqual(whole.sample(state, 5))
  expect(saveAmortized(going)).toEqual(saveAmortized(state))
  const other = await createAmortizedSVGD({ ...options, learningRate: 0.1 }).init()
  expect(() => loadAmortized(other, bytes)).toThrow(
    'The checkpoint does not fit: it is of learningRate 0.005, not 0.1.',
  )
  const bent = await createAmortizedSVGD({ ...options, network: mlp([2, 5, 2], { hidden: 'relu' }) }).init()
  expect(() => loadAmortized(bent, bytes)).toThrow('it is of activations ["tanh","linear"], not ["relu","linear"].')
})
