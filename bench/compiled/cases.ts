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
  step(): unknown
}

/** The Bayesian network of the SVGD paper on as many rows as Boston has. */
export const NETWORK = { particles: 20, inputs: 13, hidden: 50, batch: 100, rows: 455 } as const

/** Settings of soft actor-critic on Pendulum-v1 that others are measured with too. */
export const SAC_SIZES = [
  { hidden: [64, 64], batchSize: 128 },
  { hidden: [256, 256], batchSize: 256 },
] as const

export async function cases(): Promise<Case[]> {
  const shared = { env: idle, environments: 1, steps: 1, replaySize: 1000 }
  const stein = await s2ac.init({ ...shared, hidden: [256, 256], batchSize: 100, warmup: 100 })
  const small = await s2ac.init({ ...shared, hidden: [64, 64], batchSize: 100, warmup: 100 })
  const soft = await sql.init({ ...shared, hidden: [128, 128], batchSize: 64, particles: 32, warmup: 64 })
  const plain = await svpg.init({ env: 'CartPole-v1', seed: 0 })
  const clipped = await svpg.init({ env: 'CartPole-v1', seed: 0, estimator: 'ppo' })
  return [
    ...(await Promise.all(SAC_SIZES.map(sacCase))),
    await networkCase(),
    await densityCase('logistic regression, 1,000 × 10', logisticRegression()),
    await densityCase('eight schools', eightSchools()),
    await densityCase('mixture of two', mixture()),
    { name: 'S2AC, 2 × 256, batch 100', goal: 3, chunk: 1, warmUp: 105, step: () => s2ac.step(stein) },
    { name: 'S2AC, 2 × 64, batch 100', goal: 3, chunk: 2, warmUp: 105, step: () => s2ac.step(small) },
    { name: 'SQL, 2 × 128, batch 64', goal: 2, chunk: 5, warmUp: 70, step: () => sql.step(soft) },
    { name: 'SVPG, an iteration by default', goal: 1.3, chunk: 1, warmUp: 3, step: () => svpg.step(plain) },
    { name: 'SVPG, an iteration of PPO', goal: 1.5, chunk: 1, warmUp: 2, step: () => svpg.step(clipped) },
  ]
}

export const sacName = ({ hidden: [width], batchSize }: (typeof SAC_SIZES)[number]) =>
  `SAC, 2 × ${width}, batch ${batchSize}`

async function sacCase(size: (typeof SAC_SIZES)[number]): Promise<Case> {
  const options = { ...size, hidden: [...size.hidden], env: 'Pendulum-v1', environments: 1, steps: 1, warmup: 300 }
  const state = await sac.init({ ...options, seed: 0 })
  return { name: sacName(size), goal: 2.2, chunk: 10, warmUp: 320, step: () => sac.step(state) }
}

export const NETWORK_NAME = 'Bayesian network, 20 × 753, minibatch 100'

async function networkCase(): Promise<Case> {
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
  return { name: NETWORK_NAME, goal: 4, chunk: 50, warmUp: 50, step: () => svgd.step(state) }
}

async function densityCase(name: string, { density, dimension }: PlainModel): Promise<Case> {
  const svgd = createSVGD({ populationScore: logDensity(density) })
  const state = await svgd.init({ particles: 100, dimension, seed: 0 })
  return { name: `SVGD, 100 particles, ${name}`, goal: 3, chunk: 20, warmUp: 40, step: () => svgd.step(state) }
}
