import { s2ac } from '../../src/algorithms/s2ac/s2ac.ts'
import { sac } from '../../src/algorithms/sac/sac.ts'
import { sql } from '../../src/algorithms/sql/sql.ts'
import { svpg } from '../../src/algorithms/svpg/svpg.ts'
import { logDensity } from '../../src/compile/log-density.ts'
import { adagrad } from '../../src/optim/optimizers.ts'
import { rbf } from '../../src/svgd/kernels.ts'
import { createSVGD } from '../../src/svgd/svgd.ts'
import { createDraws, initialParticles, logPosterior, shapeOf } from '../bnn/model.ts'
import { idle } from '../gradient-steps.ts'
import { eightSchools, logisticRegression, mixture, type PlainModel } from './models.ts'

/** Work that is done again and again. */
export interface Case {
  readonly name: string
  /** How many times as fast as by tfjs alone it is to be. */
  readonly goal: number
  /** Steps of which one time is taken, and those before the clock starts. */
  readonly chunk: number
  readonly warmUp: number
  /**
   * Prepares it in one of the two forms, right before its first step: the threads of a process are those of the run
   * that began last. SVGD's form is that of startTfjs() in each step.
   */
  start(compiled: boolean): Promise<() => unknown>
}

/** The Bayesian network of the SVGD paper on as many rows as Boston has. */
export const NETWORK = { particles: 20, inputs: 13, hidden: 50, batch: 100, rows: 455 } as const

/** Settings of soft actor-critic on Pendulum-v1 that others are measured with too. */
export const SAC_SIZES = [
  { hidden: [64, 64], batchSize: 128 },
  { hidden: [256, 256], batchSize: 256 },
] as const

/** The work of `npm run bench -- compiled`. */
export function cases(): Case[] {
  const shared = { env: idle, environments: 1, steps: 1, replaySize: 1000 }
  const one = (compiled: boolean) => ({ tfjs: { threads: 1, compiled } })
  const stein = (width: number, chunk: number): Case => ({
    ...{ name: `S2AC, 2 × ${width}, batch 100`, goal: 3, chunk, warmUp: 105 },
    start: (compiled) =>
      stepsOf(s2ac, { ...shared, ...one(compiled), hidden: [width, width], batchSize: 100, warmup: 100 }),
  })
  const soft = { ...shared, hidden: [128, 128], batchSize: 64, particles: 32, warmup: 64 }
  const population = { env: 'CartPole-v1', seed: 0 }
  return [
    ...SAC_SIZES.flatMap((size) => [1, 2].map((threads) => sacCase(size, threads))),
    networkCase,
    densityCase('logistic regression, 1,000 × 10', logisticRegression),
    densityCase('eight schools', eightSchools),
    densityCase('mixture of two', mixture),
    stein(256, 1),
    stein(64, 2),
    {
      ...{ name: 'SQL, 2 × 128, batch 64', goal: 2, chunk: 5, warmUp: 70 },
      start: (compiled) => stepsOf(sql, { ...soft, ...one(compiled) }),
    },
    {
      ...{ name: 'SVPG, an iteration by default', goal: 1.3, chunk: 1, warmUp: 3 },
      start: (compiled) => stepsOf(svpg, { ...population, ...one(compiled) }),
    },
    {
      ...{ name: 'SVPG, an iteration of PPO', goal: 1.5, chunk: 1, warmUp: 2 },
      start: (compiled) => stepsOf(svpg, { ...population, ...one(compiled), estimator: 'ppo' }),
    },
  ]
}

interface Stepping<O, S> {
  init(options: O): Promise<S>
  step(state: S): unknown
}

async function stepsOf<O, S>(algorithm: Stepping<O, S>, options: O): Promise<() => unknown> {
  const state = await algorithm.init(options)
  return () => algorithm.step(state)
}

type SacSize = (typeof SAC_SIZES)[number]

export const sacName = ({ hidden: [width], batchSize }: SacSize, threads: number) =>
  `SAC, 2 × ${width}, batch ${batchSize}, ${threads === 1 ? 'one thread' : `${threads} threads`}`

function sacCase(size: SacSize, threads: number): Case {
  const options = { ...size, hidden: [...size.hidden], env: 'Pendulum-v1', environments: 1, steps: 1, warmup: 300 }
  return {
    ...{ name: sacName(size, threads), goal: 2.2, chunk: size.batchSize > 128 ? 4 : 20, warmUp: 320 },
    start: (compiled) => stepsOf(sac, { ...options, seed: 0, tfjs: { threads, compiled } }),
  }
}

export const NETWORK_NAME = 'Bayesian network, 20 × 753, minibatch 100'

const networkCase: Case = { name: NETWORK_NAME, goal: 4, chunk: 50, warmUp: 50, start: startNetwork }

async function startNetwork() {
  const { particles, inputs, hidden, batch, rows } = NETWORK
  const shape = shapeOf(inputs, hidden)
  const x = Float32Array.from({ length: rows * (inputs + 1) }, (_, k) => (k % 14 === 13 ? 1 : Math.sin(1.7 * k)))
  const data = { count: rows, x, y: Float32Array.from({ length: rows }, (_, k) => Math.sin(k)) }
  const svgd = createSVGD({
    populationScore: logDensity(logPosterior(shape, data)),
    minibatch: { rows, size: batch },
    kernel: rbf({ bandwidth: 'dartml' }),
    optimizer: adagrad({ learningRate: 1e-3 }),
  })
  const initial = initialParticles(shape, particles, data, await createDraws(0, shape.size))
  const state = await svgd.init({ particles, dimension: shape.size, initial, seed: 0 })
  return () => svgd.step(state)
}

function densityCase(name: string, model: () => PlainModel): Case {
  const start = async () => {
    const { density, dimension } = model()
    const svgd = createSVGD({ populationScore: logDensity(density) })
    const state = await svgd.init({ particles: 100, dimension, seed: 0 })
    return () => svgd.step(state)
  }
  return { name: `SVGD, 100 particles, ${name}`, goal: 3, chunk: 20, warmUp: 40, start }
}
