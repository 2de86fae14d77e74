// What needs tfjs as well: training, and scores by automatic differentiation. A new algorithm adds a section here.
import {
  type AlgorithmName,
  type AnyTrainOptions,
  adam,
  box,
  createAmortizedSVGD,
  createSVGD,
  discrete,
  encodeParticles,
  evaluate,
  generator,
  logDensity,
  particlesOf,
  startTfjs,
  type TrainOptions,
  train,
  uniform,
} from 'steinrl'
import { multiDiscrete } from 'steinrl/envs'
import { distil, mlp } from 'steinrl/tools'
import { numbers, type Section } from './sections.ts'

type Tf = typeof import('@tensorflow/tfjs-core')
type Matrix = ReturnType<Tf['tensor2d']>

const SMALL = { particles: 3, steps: 32, environments: 3, hidden: [16, 8], iterations: 3, seed: 1 }

async function thetaAfter(options: TrainOptions): Promise<Float32Array> {
  let theta = new Float32Array()
  for await (const { state } of train(options)) theta = state.arena.view.theta.slice()
  return theta
}

/** Each trains a few iterations; what is named differs from the defaults. */
const svpgSettings: Readonly<Record<string, Partial<TrainOptions>>> = {
  'CartPole-v1': {},
  a2c: { estimator: 'a2c', criticHidden: [8] },
  ppo: { estimator: 'ppo', criticHidden: [8], epochs: 2, minibatches: 2 },
  'no baseline': { baseline: 'none' },
  'linear baseline of rllab': { baseline: 'linear-rllab' },
  'mean baseline': { baseline: 'mean', entropyBonus: 0.01 },
  'n steps': { baseline: 'value', nSteps: 5, criticHidden: [8] },
  relu: { activation: 'relu', entropyReward: 0.01 },
  orthogonal: { initialisation: 'orthogonal', activation: 'elu' },
  xavier: { initialisation: 'xavier', activation: 'softplus' },
  Gaussian: { env: 'Pendulum-v1' },
  'squashed Gaussian': { env: 'Pendulum-v1', head: 'squashed-gaussian' },
  independent: { interaction: 'independent' },
  joint: { interaction: 'joint' },
  'kernel on behaviour': { kernel: 'js' },
  'kernel on functions': { kernel: 'function', probeStates: 2 },
  'volume of functions': { kernel: 'function', interaction: 'determinant', env: 'Pendulum-v1', probeStates: 2 },
  'kernel on layers': { perLayer: true },
  'prior, evolution': { prior: 1, evolutionEvery: 2 },
  'self-imitation, transitions': { estimator: 'a2c', selfImitation: 'transitions', criticHidden: [8] },
  'self-imitation, trajectories': { selfImitation: 'trajectories', discriminatorHidden: [8] },
}

const svpgSection: Section = async (core, put) => {
  for (const [name, settings] of Object.entries(svpgSettings)) {
    put(name, await thetaAfter({ env: 'CartPole-v1', ...SMALL, ...settings, core } as TrainOptions))
  }
}

/** Networks of 16 units and few particles: a few steps of learning of each. */
const TINY = { hidden: [16], steps: 24, warmup: 24, environments: 2, batchSize: 16, replaySize: 100, iterations: 3 }
const FEW = { particles: 6, valueParticles: 5 }
const PLANE = { ...TINY, ...FEW, env: 'MultiGoal-v0' }

type Settings = TrainOptions<Exclude<AlgorithmName, 'svpg'>>

const adrSettings = {
  ...{
    env: 'Pendulum-v1',
    ranges: { mass: [0.5, 2], length: [0.5, 1.5] } as const,
    particles: 3,
    horizon: 3,
    steps: 40,
  },
  ...{ environments: 2, hidden: [8], transitionHidden: [8], particleHidden: [8], iterations: 2 },
}

const learnerSettings: Readonly<Record<string, Settings>> = {
  'SAC, learned temperature': { algorithm: 'sac', env: 'Pendulum-v1', ...TINY },
  'SAC, two threads for its networks': {
    ...{ algorithm: 'sac', env: 'Pendulum-v1', ...TINY, hidden: [64, 64], batchSize: 128, replaySize: 300 },
    ...{ warmup: 128, steps: 70, tfjs: { threads: 2 } },
  },
  'SAC, fixed temperature': { algorithm: 'sac', env: 'Pendulum-v1', ...TINY, temperature: 0.2 },
  SQL: { algorithm: 'sql', ...PLANE },
  'SQL, residual samplers': { algorithm: 'sql', ...PLANE, residual: true },
  'SQL, targets and proposals that change': { algorithm: 'sql', ...PLANE, targetEvery: 5, proposalFrom: 30 },
  'SQL, two averaged': { algorithm: 'sql', ...PLANE, critics: 2, polyak: 0.01, targetEvery: 1 },
  'SQL, composed': {
    ...{ algorithm: 'sql-compose', ...PLANE, iterations: 4, componentIterations: 3 },
    components: [{ goal0X: 4 }, { goal0X: -4 }],
  },
  'Stein soft actor-critic': { algorithm: 's2ac', ...TINY, env: 'MultiGoal-v0', particles: 5 },
  'Stein soft actor-critic by importance': {
    ...{ algorithm: 's2ac', ...TINY, env: 'MultiGoal-v0', particles: 5, selection: 'importance' },
  },
  'active domain randomisation': { algorithm: 'adr', ...adrSettings },
}

/** What a run would write to its directory, and the returns of every iteration. */
const learners: Section = async (core, put) => {
  for (const [name, settings] of Object.entries(learnerSettings)) {
    let file: Uint8Array | null = null
    const returns: number[] = []
    for await (const step of train({ seed: 2, ...settings, core })) {
      file = encodeParticles(step)
      returns.push(...step.metrics.returns.map((value) => value ?? Number.NEGATIVE_INFINITY))
    }
    if (!file) throw new Error(`${name} has no particles that could be written.`)
    put(name, file, Float64Array.from(returns))
  }
}

/** A sampler of each rule and of one and two batches, trained towards a normal density. */
const amortized: Section = async (core, put) => {
  for (const rule of ['chain', 'regression', 'discrepancy'] as const) {
    for (const batches of rule === 'discrepancy' ? ([1] as const) : ([1, 2] as const)) {
      const { init, step, sample } = createAmortizedSVGD({
        ...{ rule, batches, dimension: 2, particles: 12, seed: 4, core },
        network: mlp([2, 8, 2]),
        score: (out, x) => {
          for (let k = 0; k < x.length; k++) out[k] = 1 - x[k]
        },
      })
      const state = await init()
      for (let t = 0; t < 5; t++) step(state)
      put(`${rule}, ${batches}`, sample(state, 20))
    }
  }
}

const ownTask: Section = async (core, put) => {
  const env: TrainOptions['env'] = {
    id: 'Walk-v0',
    observationSpace: box([-10], [10]),
    actionSpace: discrete(2),
    maxEpisodeSteps: 30,
    create: () => {
      let x = 0
      return {
        reset: ({ seed }) => {
          x = uniform(generator(seed))
          return { obs: [x], info: {} }
        },
        step: (action) => {
          x += action === 1 ? 0.5 : -0.5
          return { obs: [x], reward: -x * x, terminated: x < -4, truncated: false, info: {} }
        },
      }
    },
  }
  put('a task in TypeScript', await thetaAfter({ ...SMALL, env, core }))
}

/** Four choices at once, the last a single class; observations are what is wanted. */
const choices: Section = async (core, put) => {
  const env: TrainOptions['env'] = {
    id: 'Choices-v0',
    observationSpace: box([0, 0], [1, 1]),
    actionSpace: multiDiscrete([3, 2, 2, 2, 1]),
    maxEpisodeSteps: 9,
    create: () => {
      let step = 0
      const shown = () => [(step % 3) / 2, step % 2]
      return {
        reset: ({ seed }) => {
          step = seed % 6
          return { obs: shown(), info: {} }
        },
        step: (action) => {
          const [a, b] = Array.from(action as ArrayLike<number>)
          const reward = (a === step % 3 ? 1 : 0) + (b === step % 2 ? 1 : 0)
          step++
          return { obs: shown(), reward, terminated: false, truncated: false, info: {} }
        },
      }
    },
  }
  put('svpg', await thetaAfter({ ...SMALL, env, core }))
  put('ppo', await thetaAfter({ ...SMALL, ...svpgSettings.ppo, env, core } as TrainOptions))
  put('kernel on functions', await thetaAfter({ ...SMALL, kernel: 'function', probeStates: 4, env, core }))
}

const evaluation: Section = async (core, put) => {
  for await (const { iteration, iterations, state } of train({ env: 'Acrobot-v1', ...SMALL, core })) {
    if (iteration < iterations) continue
    const { task, policy, arena } = state
    const { greedy, sampled } = await evaluate({
      spec: task.spec,
      policy,
      theta: arena.view.theta,
      particles: SMALL.particles,
      episodes: 3,
      core,
    })
    put('greedy and sampled', Float64Array.of(...greedy, ...sampled))
  }
}

/** Logistic regression on fixed data: products, sums, a softplus and their gradients in tfjs. */
const differentiation: Section = async (core, put) => {
  await startTfjs({ core })
  const tf = await import('@tensorflow/tfjs-core')
  const data = tf.tensor2d(numbers(40 * 3, 111), [40, 3])
  const label = tf.tensor2d(
    numbers(40, 112).map((u) => (u < 0 ? 0 : 1)),
    [1, 40],
  )
  const populationScore = logDensity((w) => {
    const logits = tf.matMul(w, data, false, true)
    const fit = tf.sum(tf.sub(tf.mul(label, logits), tf.softplus(logits)), 1)
    return tf.sub(fit, tf.mul(0.5, tf.sum(tf.square(w), 1)))
  })
  const { init, step } = createSVGD({ populationScore, core, threads: 1, optimizer: adam({ learningRate: 0.1 }) })
  const state = await init({ particles: 10, dimension: 3, seed: 2 })
  for (let t = 0; t < 10; t++) step(state)
  put('logistic regression', particlesOf(state))
}

/**
 * Every elementwise operator of a compiled expression, reductions, products, picking and running sums: scores of one
 * density.
 */
const compiled: Section = async (core, put) => {
  await startTfjs({ core })
  const tf = await import('@tensorflow/tfjs-core')
  const [n, d] = [6, 8]
  const bounded = [tf.sin, tf.cos, tf.tanh, tf.sigmoid, tf.softplus, tf.erf, tf.atan, tf.asinh, tf.abs, tf.sign]
  const densities: Readonly<Record<string, (x: Matrix) => ReturnType<Tf['tensor']>>> = {
    bounded: (x) => tf.addN(bounded.map((f) => f(x))),
    growing: (x) => tf.addN([tf.exp, tf.expm1, tf.sinh, tf.cosh, tf.square].map((f) => f(tf.mul(x, 0.5)))),
    positive: (x) => {
      const y = tf.add(tf.square(x), 1.5)
      return tf.addN([tf.log(y), tf.log1p(y), tf.sqrt(y), tf.reciprocal(y), tf.acosh(y), tf.pow(y, x), tf.atan2(x, y)])
    },
    inside: (x) => {
      const y = tf.mul(tf.tanh(x), 0.9)
      return tf.addN([tf.asin(y), tf.acos(y), tf.atanh(y), tf.tan(y)])
    },
    choices: (x) => tf.where(tf.greater(x, tf.reverse(x, 1)), tf.maximum(x, tf.floor(x)), tf.mod(x, 0.7)),
    'along axes': (x) =>
      tf.addN([
        tf.softmax(x),
        tf.cumsum(x, 1),
        tf.mul(tf.max(x, 1, true), tf.mean(tf.square(x), 0)),
        tf.mul(tf.prod(x, 1, true), x),
      ]),
    products: (x) => {
      const [a, b] = tf.split(tf.reshape(x, [n, 4, 2]), 2, 1)
      const picked = tf.gather(x, tf.tensor1d([3, 3, 0, 7, 1, 2, 5, 4], 'int32'), 1)
      return tf.mul(picked, tf.reshape(tf.sum(tf.matMul(a, b, false, true), [1, 2]), [n, 1]))
    },
  }
  for (const [name, density] of Object.entries(densities)) {
    const populationScore = logDensity((x) => tf.sum(density(x), 1), { compile: 'always' })
    const x = Float32Array.from(numbers(n * d, 131, -2, 2))
    const score = new Float32Array(n * d)
    populationScore({ particles: n, dimension: d, stride: d, x, score }, { rows: new Int32Array(0), scale: 1 })
    put(name, score)
  }
}

/** Scores by the interpreter, and by the code that a plan of so many elements gets once it has run a few times. */
const code: Section = async (core, put) => {
  await startTfjs({ core })
  const tf = await import('@tensorflow/tfjs-core')
  const densities: Readonly<Record<string, (x: Matrix) => ReturnType<Tf['tensor']>>> = {
    'rows and columns': (x) =>
      tf.mul(tf.relu(tf.sub(x, tf.mean(x, 1, true))), tf.mul(tf.max(x, 0), tf.min(x, 1, true))),
    choices: (x) => tf.where(tf.greater(x, tf.reverse(x, 1)), tf.sqrt(tf.add(tf.square(x), 1)), tf.minimum(x, 0.5)),
    pairs: (x) => {
      const pairs = tf.reshape(x, [-1, 4, 2])
      const shares = tf.div(pairs, tf.add(tf.sum(tf.square(pairs), 2, true), 1))
      return tf.reshape(tf.mul(shares, tf.max(pairs, 2, true)), x.shape)
    },
  }
  for (const [n, d] of [
    [40, 52],
    [5, 368],
  ]) {
    for (const [name, density] of Object.entries(densities)) {
      const populationScore = logDensity((x) => tf.sum(density(x), 1), { compile: 'always' })
      const x = Float32Array.from(numbers(n * d, 132, -2, 2))
      const score = new Float32Array(n * d)
      for (const form of ['interpreted', 'code'] as const) {
        for (let call = 0; call < (form === 'code' ? 10 : 1); call++)
          populationScore({ particles: n, dimension: d, stride: d, x, score }, { rows: new Int32Array(0), scale: 1 })
        put(`${name}, ${n} × ${d}, ${form}`, score)
      }
    }
  }
}

/** One optimizer step after the other on a small network, all in stock tfjs. */
const stock: Section = async (core, put) => {
  await startTfjs({ core })
  const tf = await import('@tensorflow/tfjs-core')
  const x = tf.tensor2d(numbers(16 * 4, 121), [16, 4])
  const y = tf.tensor2d(numbers(16, 122), [16, 1])
  const weights = [
    [4, 8, 123],
    [8, 1, 124],
  ].map(([rows, columns, seed]) => tf.variable(tf.tensor2d(numbers(rows * columns, seed), [rows, columns])))
  const optimizer = tf.train.adam(0.01)
  const loss = () =>
    tf.mean(tf.square(tf.sub(y, tf.matMul(tf.tanh(tf.matMul(x, weights[0] as never)), weights[1] as never)))) as never
  for (let t = 0; t < 20; t++) optimizer.minimize(loss)
  put('20 steps of Adam', ...weights.map((weight) => weight.dataSync() as Float32Array))
}

const goingOn: Readonly<Record<string, AnyTrainOptions>> = {
  SVPG: { env: 'CartPole-v1', ...SMALL, estimator: 'a2c', criticHidden: [8] },
  SAC: {
    ...{ algorithm: 'sac', env: 'Pendulum-v1', hidden: [8], batchSize: 8, warmup: 8, steps: 32, replaySize: 50 },
    ...{ iterations: 3, seed: 1 },
  },
}

/** Stopped after the second of three iterations, gone on with from the bytes of its checkpoint: the particles. */
async function particlesGoingOn(options: AnyTrainOptions, workers?: number): Promise<Uint8Array> {
  let checkpoint = new Uint8Array()
  for await (const step of train(options as TrainOptions)) {
    if (step.iteration < 2) continue
    checkpoint = new Uint8Array(await step.checkpoint())
    break
  }
  let particles: Uint8Array | null = null
  for await (const step of train({ resume: checkpoint, core: options.core, workers })) particles = encodeParticles(step)
  if (!particles) throw new Error('The particles are not finite.')
  return particles
}

/** The same bytes as those of a training that was not stopped, which is put beside them. */
const goneOn: Section = async (core, put) => {
  for (const [name, options] of Object.entries(goingOn)) {
    const whole = { ...options, core } as AnyTrainOptions
    put(name, await particlesGoingOn(whole))
    for await (const step of train(whole as TrainOptions))
      if (step.iteration === step.iterations) put(`${name}, not stopped`, encodeParticles(step) as Uint8Array)
  }
}

/** A mixture of three policies, of classes and of Gaussians, taught to one. */
const distilled: Section = async (core, put) => {
  for (const env of ['CartPole-v1', 'Pendulum-v1']) {
    for await (const step of train({ env, ...SMALL, core } as TrainOptions)) {
      if (step.iteration < step.iterations) continue
      const options = { agents: step.agents(), hidden: [8], episodes: 2, states: 100, steps: 20, batchSize: 32, core }
      const { agents, divergence, states } = await distil(options)
      put(env, agents.theta, new Float64Array([divergence, states]))
    }
  }
}

export const trainingSections: Readonly<Record<string, Section>> = {
  'tfjs: gradients of a network': stock,
  'tfjs: scores of SVGD': differentiation,
  'tfjs: compiled expressions': compiled,
  'tfjs: plans as code': code,
  SVPG: svpgSection,
  'SVPG: own task': ownTask,
  'SVPG: several choices at once': choices,
  'actors, critics and samplers': learners,
  'amortized SVGD': amortized,
  'SVPG: evaluation': evaluation,
  'SVPG: a population in one policy': distilled,
  'trainings that go on': goneOn,
}

/** Workers where the runtime has them, this thread otherwise: the same bits. */
export const workerSections: Readonly<Record<string, Section>> = {
  'SVPG: two workers': async (_, put) =>
    put('CartPole-v1', await thetaAfter({ env: 'CartPole-v1', ...SMALL, workers: 2 })),
  'SVPG: goes on with two workers': async (_, put) => put('a2c', await particlesGoingOn(goingOn.SVPG, 2)),
}
