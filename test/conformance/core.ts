// What the library does with its core alone, without tfjs: environments, and SVGD.
import { type EnvironmentSpec, environments, generator, make, makeVector, normal, uniform } from 'steinrl/envs'
import {
  adagrad,
  adam,
  bandwidthNames,
  blockwise,
  createSVGD,
  cyclical,
  given,
  goodnessOfFit,
  imq,
  type Kernel,
  linear,
  matern32,
  particlesOf,
  preconditioned,
  rbf,
  relativeAdam,
  type Score,
  type SvgdOptions,
  sgd,
  sumOf,
  tanhRamp,
} from 'steinrl/svgd'
import { numbers, type Section } from './sections.ts'

const ROWS = 5
const STEPS = 300

/** [STEPS, ROWS, A] actions of the task: a number of each class, or from inside the box. */
function actionsFor({ actionSpace }: EnvironmentSpec): Float32Array {
  if (actionSpace.kind === 'discrete')
    return Float32Array.from(numbers(STEPS * ROWS, 101, 0, actionSpace.n), (u) => Math.floor(u))
  if (actionSpace.kind !== 'box') throw new Error('The built-in tasks have one choice or numbers.')
  const { low, high } = actionSpace
  const A = low.length
  return Float32Array.from(numbers(STEPS * ROWS * A, 102, 0, 1), (u, k) => low[k % A] + u * (high[k % A] - low[k % A]))
}

/** Variants of tasks whose physics takes another way through the core. */
const VARIANTS: readonly (readonly [id: string, constants: Record<string, string>])[] = [
  ['FrozenLake-v1', { map: '8x8' }],
  ['CliffWalking-v1', { isSlippery: 'true' }],
  ['Taxi-v4', { isRainy: 'true', ficklePassenger: 'true' }],
  ['Acrobot-v1', { equations: 'nips' }],
  ...['RllabCartpole', 'CartpoleSwingup', 'DoublePendulum'].map((id) => [id, { physics: 'exact' }] as const),
]

const vectors: Section = async (core, put) => {
  const tasks = Object.keys(environments).map((id) => [id, {}] as const)
  for (const [id, constants] of [...tasks, ...VARIANTS]) {
    const envs = await makeVector(id, { num: ROWS, core, constants, maxEpisodeSteps: 120 })
    const actions = actionsFor(envs.spec)
    const size = actions.length / STEPS
    const seen: ArrayBufferView[] = [envs.reset({ seed: 7 }).obs.slice()]
    for (let t = 0; t < STEPS; t++) {
      const { obs, reward, terminated, truncated, info } = envs.step(actions.subarray(t * size, (t + 1) * size))
      seen.push(obs.slice(), reward.slice(), terminated.slice(), truncated.slice(), info.finalReturn.slice())
    }
    put([id, ...Object.values(constants)].join(' '), ...seen, envs.state)
  }
}

const singles: Section = async (core, put) => {
  for (const id of Object.keys(environments)) {
    const env = await make(id, { core })
    const actions = actionsFor(env.spec)
    const size = actions.length / STEPS
    const seen: ArrayBufferView[] = [env.reset({ seed: 3 }).obs]
    for (let t = 0; t < STEPS; t++) {
      const action =
        env.spec.actionSpace.kind === 'discrete' ? actions[t] : actions.subarray(t * size, t * size + size / ROWS)
      const { obs, reward, terminated, truncated } = env.step(action as number)
      seen.push(obs, Float64Array.of(reward))
      if (terminated || truncated) seen.push(env.reset().obs)
    }
    put(id, ...seen)
  }
}

const generators: Section = async (_, put) => {
  const g = generator(12345)
  put(
    'uniform',
    Float64Array.from({ length: 1000 }, () => uniform(g)),
  )
  put(
    'normal',
    Float64Array.from({ length: 1000 }, () => normal(g)),
  )
}

/**
 * Of a density bent like a banana in the first two coordinates, standard normal in the others. Sums and products only.
 */
const banana: Score = (out, x) => {
  const bend = x[1] - x[0] * x[0]
  out[0] = -x[0] / 4 + 2 * x[0] * bend
  out[1] = -bend
  for (let k = 2; k < x.length; k++) out[k] = -x[k]
}

const ADAM = adam({ learningRate: 0.1 })
const ALL = { rows: new Int32Array(0), scale: 1 }

async function particlesAfter(options: SvgdOptions, particles: number, dimension: number): Promise<Float32Array> {
  const { init, step } = createSVGD({ score: banana, norms: false, threads: 1, optimizer: ADAM, ...options })
  const state = await init({ particles, dimension, seed: 5 })
  for (let t = 0; t < 4; t++) step(state)
  return particlesOf(state)
}

const d = 6
const metric = Array.from({ length: d }, (_, i) => Array.from({ length: d }, (_, j) => (i === j ? 2 + i : 0.25)))
const oneKernel = given((kernel, repulsion) => {
  const n = Math.sqrt(kernel.length)
  for (let k = 0; k < kernel.length; k++) kernel[k] = k % (n + 1) === 0 ? 1 : 0.125
  for (let k = 0; k < repulsion.length; k++) repulsion[k] = 0.0625
})

const kernels: Readonly<Record<string, Kernel>> = {
  imq: imq(),
  matern32: matern32(),
  linear: linear(),
  'a sum': sumOf([1, rbf()], [0.5, imq()], [0.25, linear()]),
  'preconditioned, diagonal': preconditioned([1, 2, 3, 4, 5, 6], rbf()),
  'preconditioned, full': preconditioned(metric, imq()),
  blockwise: blockwise([2, 4], rbf()),
  given: oneKernel,
}

const svgdKernels: Section = async (core, put) => {
  for (const bandwidth of bandwidthNames)
    put(bandwidth, await particlesAfter({ core, kernel: rbf({ bandwidth }) }, 21, d))
  for (const [name, kernel] of Object.entries(kernels)) put(name, await particlesAfter({ core, kernel }, 21, d))
}

const svgdOptions: Section = async (core, put) => {
  const variants: Record<string, SvgdOptions> = {
    sgd: { optimizer: sgd({ learningRate: 0.1 }) },
    adagrad: { optimizer: adagrad({ learningRate: 0.1 }) },
    adam: { optimizer: adam({ learningRate: 0.05, beta1: 0.8 }) },
    'relative adam': { optimizer: relativeAdam() },
    'relative adam, bounded': { optimizer: relativeAdam({ bounded: true }) },
    'tanh ramp': { annealing: tanhRamp({ iterations: 4 }) },
    cyclical: { annealing: cyclical({ iterations: 4, cycles: 2 }) },
    'half the repulsion': { repulsion: 0.5 },
    'row sums': { normalise: 'row sum' },
    minibatches: {
      minibatch: { rows: 50, size: 7 },
      score: (out, x, { rows, scale }) => {
        banana(out, x, { rows, scale })
        for (const row of rows) out[0] += scale * row * 1e-4
      },
    },
  }
  for (const [name, options] of Object.entries(variants)) put(name, await particlesAfter({ core, ...options }, 21, d))
}

const svgdSizes: Section = async (core, put) => {
  for (const [n, dimension] of [
    [1, 3],
    [2, 2],
    [100, 2],
    [37, 17],
    [64, 1000],
    [300, 40],
  ])
    put(`${n} x ${dimension}`, await particlesAfter({ core }, n, dimension))
}

const diagnostics: Section = async (core, put) => {
  const { init, step } = createSVGD({ score: banana, core, threads: 1, optimizer: ADAM })
  const state = await init({ particles: 40, dimension: d, seed: 5 })
  for (let t = 0; t < 3; t++) {
    const info = step(state, { discrepancy: true })
    const { bandwidth, drive, repulsion, sharing, meanRowSum, kernelOffDiagonal, meanDistance, discrepancy } = info
    const told = [bandwidth, drive, repulsion, sharing, meanRowSum, kernelOffDiagonal, meanDistance]
    put(`info of step ${t + 1}`, Float64Array.from([...told, discrepancy?.squaredV ?? 0, discrepancy?.squaredU ?? 0]))
  }
  const particles = particlesOf(state)
  const scores = new Float32Array(particles.length)
  for (let i = 0; i < 40; i++) banana(scores.subarray(i * d, (i + 1) * d), particles.subarray(i * d, (i + 1) * d), ALL)
  const fit = await goodnessOfFit({ particles, scores, dimension: d, replicates: 50, core })
  put('goodness of fit', Float64Array.of(fit.statistic, fit.pValue, ...fit.bootstrap))
}

export const coreSections: Readonly<Record<string, Section>> = {
  'environments: vectors': vectors,
  'environments: one at a time': singles,
  generators,
  'SVGD: bandwidths and kernels': svgdKernels,
  'SVGD: optimizers and variants': svgdOptions,
  'SVGD: sizes': svgdSizes,
  'SVGD: diagnostics': diagnostics,
}

/** Threads where the runtime has them, one thread otherwise: the same bits. */
export const threadSections: Readonly<Record<string, Section>> = {
  'SVGD: three threads': async (_, put) => put('64 x 1000', await particlesAfter({ threads: 3 }, 64, 1000)),
}
