import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as algorithms from '../../src/algorithms.ts'
import * as bayes from '../../src/bayes.ts'
import * as cluster from '../../src/cluster.ts'
import * as envs from '../../src/envs.ts'
import * as all from '../../src/index.ts'
import * as policy from '../../src/policy/index.ts'
import * as render from '../../src/render.ts'
import * as svgd from '../../src/svgd.ts'
import * as sweeps from '../../src/sweeps.ts'
import * as tools from '../../src/tools.ts'

/** A call that works: the arguments, made anew each time, and what they leave. */
export interface Call {
  readonly f: (...args: never[]) => unknown
  readonly args: () => unknown[] | Promise<unknown[]>
  /** Ends what a call that was accepted has begun. */
  readonly after?: (result: unknown, args: readonly unknown[]) => unknown
}

// Small enough to be begun a thousand times.
const score = (out: { [k: number]: number }, x: ArrayLike<number>) => {
  for (let k = 0; k < x.length; k++) out[k] = -x[k]
}
const points = { particles: [0, 1, 2], scores: [0, -1, -2], dimension: 1 }
const method = { score, kernel: svgd.rbf(), optimizer: svgd.adam({ learningRate: 0.1 }) }
const start = { particles: 3, dimension: 1 }
const task = { env: 'CartPole-v1', particles: 2, iterations: 1, seed: 0, steps: 8, environments: 2, hidden: [4] }
const learner = { env: 'Pendulum-v1', seed: 0, steps: 8, environments: 1, hidden: [4], batchSize: 4, warmup: 2 }
const draws = { mu: { shape: [], data: Float32Array.of(0, 1, 2) } }
const box = envs.box([-1], [1])
const structured = {
  ...{ id: 'Mine-v0', observationSpace: box, actionSpace: envs.multiBinary(2), maxEpisodeSteps: 5 },
  create: () => ({ reset: () => ({ obs: [0], info: {} }), step: () => ({}) }),
}
/** Where what is written goes. */
export const folder = mkdtempSync(join(tmpdir(), 'steinrl-doors-'))
const nobody = 'redis://127.0.0.1:1'
const nowhere = join(folder, 'nowhere')
const multigoal = envs.environments['MultiGoal-v0'].core?.constants as Record<string, number>
const maze = envs.environments['PointMaze-v0'].core?.constants as Record<string, number>

const closeIt = (state: unknown) => (state as { close?: () => unknown } | null)?.close?.()
const call = (f: unknown, args: Call['args'], after?: Call['after']): Call => ({ f: f as Call['f'], args, after })

async function lastStep() {
  let last: Record<string, unknown> = {}
  for await (const step of all.train(task)) last = { ...step, held: step.agents() }
  return last as unknown as all.TrainStep & { held: all.PolicyAgents }
}

let trained: ReturnType<typeof lastStep> | null = null
const step = () => {
  trained ??= lastStep()
  return trained
}
const agents = async () => (await step()).held
const single = async () => {
  const { policy, theta } = await agents()
  return { policy, theta: theta.slice(0, policy.size), normalisation: null, bounds: null }
}
const exported = async () => all.encodePolicy({ env: 'CartPole-v1', ...(await plain()) })
const policyCore = readFileSync(fileURLToPath(new URL('../../dist/steinrl-policy.wasm', import.meta.url)))
const replay = () => {
  const made = tools.createReplay({ capacity: 4, observations: 1, actions: 1 })
  const row = Float32Array.of(1)
  tools.store(made, { observation: row, nextObservation: row, action: row, reward: row, terminated: row }, 0)
  return made
}
const normalModel = () =>
  bayes.model({ parameters: { mu: bayes.real() }, logDensity: ({ mu }) => bayes.logp.normal(mu, 0, 1) })
const drain = async (steps: unknown) => {
  for await (const _ of steps as AsyncIterable<unknown>);
}
const pendulum = () => all.wrap('Pendulum-v1')
const wrapped = (wrapper: (spec: envs.EnvironmentSpec) => unknown) => call(wrapper, async () => [await pendulum()])

const scene = { view: [0, 0, 1, 1], shapes: [render.circle('#000000', [0, 0], 1)] }
const steps = async function* () {
  yield await step()
}
const looped = (helper: (given: never) => unknown) =>
  call(
    (given: never) => drain(helper(given)),
    () => [steps()],
  )

const svgdState = async () => [await svgd.createSVGD(method).init(start)]
const amortized = {
  ...{ score, network: tools.mlp([1, 4, 1]), dimension: 1, particles: 3, learningRate: 0.1, seed: 0 },
}

const amortizedState = async () => [await all.createAmortizedSVGD(amortized).init()]

let folders = 0
const folderOf = () => join(folder, `run-${folders++}`)
const newRun = () => all.createRun(folderOf(), all.runConfig(task))
const release = (run: unknown) => (run as Partial<all.Run> | null)?.release?.()
let ended: Promise<string> | null = null
/** A run that came to its end. */
const keptRun = () => {
  ended ??= (async () => {
    const run = await newRun()
    await drain(all.record(run, all.train(task)))
    await all.finishRun(run, 'It ended.', null)
    return run.directory
  })()
  return ended
}

/** Calls of public functions by `entry`'s names; what `logp` and records of functions hold is named with a dot. */
export const calls: Readonly<Record<string, Call>> = {
  // Settings and schedules
  adam: call(svgd.adam, () => [{ learningRate: 0.1, beta1: 0.9, beta2: 0.99, epsilon: 1e-8 }]),
  adagrad: call(svgd.adagrad, () => [{ learningRate: 0.1, momentum: 0.9, epsilon: 1e-6 }]),
  sgd: call(svgd.sgd, () => [{ learningRate: 0.1 }]),
  coin: call(svgd.coin, () => [{ slowness: 1 }]),
  relativeAdam: call(svgd.relativeAdam, () => [{ learningRate: 0.1, beta1: 0.9, beta2: 0.9, bounded: true }]),
  constant: call(svgd.constant, () => [1]),
  cyclical: call(svgd.cyclical, () => [{ iterations: 10, cycles: 2, power: 2 }]),
  linearRamp: call(svgd.linearRamp, () => [{ from: 0, to: 1, iterations: 10 }]),
  logLinearRamp: call(svgd.logLinearRamp, () => [{ from: 0.1, to: 1, iterations: 10 }]),
  tanhRamp: call(svgd.tanhRamp, () => [{ iterations: 10, power: 5, scale: 1.3 }]),
  // Kernels
  rbf: call(svgd.rbf, () => [{ bandwidth: 'numpyro' }]),
  imq: call(svgd.imq, () => [{ c: 1, beta: -0.5 }]),
  matern32: call(svgd.matern32, () => [{ bandwidth: 1 }]),
  linear: call(svgd.linear, () => [{ c: 1 }]),
  bilinearMatern: call(svgd.bilinearMatern, () => [{ c: 1, bandwidth: 1 }]),
  sumOf: call(svgd.sumOf, () => [[1, svgd.rbf()], [2, svgd.linear()]]), // biome-ignore format: pairs
  blockwise: call(svgd.blockwise, () => [[1, 2], svgd.rbf()]),
  graphical: call(svgd.graphical, () => [[{ moves: [0], beside: [1] }, { moves: [1] }], svgd.rbf()]),
  preconditioned: call(svgd.preconditioned, () => [[1, 2], svgd.rbf()]),
  sliced: call(svgd.sliced, () => [svgd.rbf(), { seed: 1 }]),
  given: call(svgd.given, () => [() => {}]),
  // SVGD
  createSVGD: call(svgd.createSVGD, () => [method]),
  'createSVGD().init': call(svgd.createSVGD(method).init, () => [start], closeIt),
  'createSVGD().step': call(svgd.createSVGD(method).step, svgdState, (_, [state]) => closeIt(state)),
  svgd: call(svgd.svgd, () => [{ ...method, ...start, iterations: 1, seed: 0 }]),
  svgdNewton: call(svgd.svgdNewton, () => [
    {
      ...{ score, particles: 3, dimension: 1, iterations: 1, learningRate: 1, seed: 0 },
      hessian: (out: Float64Array) => out.fill(1),
    },
  ]),
  particlesOf: call(svgd.particlesOf, svgdState, (_, [state]) => closeIt(state)),
  saveSvgd: call(svgd.saveSvgd, svgdState, (_, [state]) => closeIt(state)),
  loadSvgd: call(svgd.loadSvgd, async () => {
    const [state] = await svgdState()
    return [state, svgd.saveSvgd(state)]
  }),
  steinDiscrepancy: call(svgd.steinDiscrepancy, () => [{ ...points }]),
  goodnessOfFit: call(svgd.goodnessOfFit, () => [{ ...points, replicates: 10, seed: 0 }]),
  compileCore: call(svgd.compileCore, () => [undefined]),
  compileRelaxedCore: call(svgd.compileRelaxedCore, () => []),
  // Random numbers
  generator: call(svgd.generator, () => [1]),
  normal: call(svgd.normal, () => [svgd.generator(1)]),
  uniform: call(svgd.uniform, () => [svgd.generator(1)]),
  exponential: call(svgd.exponential, () => [svgd.generator(1)]),
  uniformInteger: call(svgd.uniformInteger, () => [svgd.generator(1), 3]),
  // Spaces and tasks
  box: call(envs.box, () => [[-1], [1]]),
  discrete: call(envs.discrete, () => [3]),
  sampler: call(envs.sampler, () => [box, 1]),
  contains: call(envs.contains, () => [box, [0]]),
  multiDiscrete: call(envs.multiDiscrete, () => [
    [3, 2],
    [0, 1],
  ]),
  multiBinary: call(envs.multiBinary, () => [3]),
  dict: call(envs.dict, () => [{ a: box }]),
  tuple: call(envs.tuple, () => [[box]]),
  flatten: call(envs.flatten, () => [box, [0]]),
  unflatten: call(envs.unflatten, () => [box, [0]]),
  flattenSpace: call(envs.flattenSpace, () => [box]),
  flattenObservation: call(envs.flattenObservation, () => [structured]),
  flatSize: call(envs.flatSize, () => [box]),
  sizeOf: call(envs.sizeOf, () => [box]),
  make: call(envs.make, () => ['Pendulum-v1', { maxEpisodeSteps: 10, constants: {} }], closeIt),
  makeVector: call(envs.makeVector, () => ['Pendulum-v1', { num: 2, seed: 0, autoreset: 'next-step' }], closeIt),
  configured: call(envs.configured, () => ['Pendulum-v1', { maxEpisodeSteps: 10, constants: { gravity: 9 } }]),
  checkEnvironment: call(envs.checkEnvironment, () => ['Pendulum-v1', { episodes: 1, seed: 0, steps: 5 }]),
  problemsOf: call(envs.problemsOf, () => ['Pendulum-v1', { episodes: 1, seed: 0, steps: 5 }]),
  describeTask: call(envs.describeTask, () => [envs.environments['Pendulum-v1']]),
  taskFrom: call(envs.taskFrom, () => [envs.describeTask(envs.environments['Pendulum-v1']), {}]),
  inTypeScript: call(envs.inTypeScript, async () => [envs.environments['Pendulum-v1'], await svgd.compileCore()]),
  box2d: call(envs.box2d, () => ['LunarLander-v3', {}], closeIt),
  isBox2dId: call(envs.isBox2dId, () => ['LunarLander-v3']),
  mujoco: call(envs.mujoco, () => ['Hopper-v5', {}], closeIt),
  isMujocoId: call(envs.isMujocoId, () => ['Hopper-v5']),
  isPythonId: call(envs.isPythonId, () => ['python:CartPole-v1']),
  python: call(envs.python, () => [
    'python:none',
    { constants: {}, maxEpisodeSteps: 10, interpreter: `${nowhere}-python`, processes: 1 },
  ]),
  goalsAt: call(envs.goalsAt, () => [[1, 2], [3, 4]]), // biome-ignore format: pairs
  goalsOf: call(envs.goalsOf, () => [multigoal]),
  goalReached: call(envs.goalReached, () => [multigoal, 0, 0]),
  mazeCell: call(envs.mazeCell, () => [0.5, 0.5, 10]),
  mazeCells: call(envs.mazeCells, () => [maze, 10]),
  mazeWalls: call(envs.mazeWalls, () => [maze]),
  wallConstants: call(envs.wallConstants, () => [[[0, 0, 1, 1]]]),
  // Wrappers
  wrap: call(envs.wrap, () => ['Pendulum-v1', envs.clipAction()]),
  wrapper: call(envs.wrapper, () => ['mine', () => ({ around: (env: unknown) => env }), 1]),
  clipAction: call(envs.clipAction, () => []),
  episodeStatistics: call(envs.episodeStatistics, () => []),
  episodicReward: call(envs.episodicReward, () => []),
  frozen: call(envs.frozen, () => [envs.runningStatistics()]),
  runningStatistics: call(envs.runningStatistics, () => []),
  normaliseObservation: call(envs.normaliseObservation, () => [
    { rule: 'gymnasium', statistics: envs.runningStatistics(), clip: 10, epsilon: 1e-8 },
  ]),
  normaliseReward: call(envs.normaliseReward, () => [
    { rule: 'gymnasium', statistics: envs.runningStatistics(), clip: 10, epsilon: 1e-8, discount: 0.9 },
  ]),
  recordEpisodes: call(envs.recordEpisodes, () => [envs.recording()]),
  recording: call(envs.recording, () => [10]),
  repeatAction: call(envs.repeatAction, () => [2]),
  rescaleAction: call(envs.rescaleAction, () => [-1, 1]),
  scaleReward: call(envs.scaleReward, () => [2]),
  sparseReward: call(envs.sparseReward, () => [1]),
  timeLimit: call(envs.timeLimit, () => [10]),
  'clipAction()': wrapped(envs.clipAction()),
  'episodicReward()': wrapped(envs.episodicReward()),
  'recordEpisodes()': wrapped(envs.recordEpisodes(envs.recording())),
  'normaliseObservation()': wrapped(envs.normaliseObservation()),
  'timeLimit()': wrapped(envs.timeLimit(10)),
  // An environment
  'make().reset': call(
    async (options: never) => {
      const env = await envs.make('Pendulum-v1')
      return env.reset(options)
    },
    () => [{ seed: 1 }],
  ),
  'make().step': call(
    async (action: never) => {
      const env = await envs.make('Pendulum-v1')
      env.reset({ seed: 1 })
      return env.step(action)
    },
    () => [[0]],
  ),
  'make().setState': call(
    async (state: never) => {
      const env = await envs.make('Pendulum-v1')
      env.reset({ seed: 1 })
      return env.setState(state)
    },
    async () => {
      const env = await envs.make('Pendulum-v1')
      env.reset({ seed: 1 })
      return [env.getState()]
    },
  ),
  'makeVector().reset': call(
    async (options: never) => {
      const env = await envs.makeVector('Pendulum-v1', { num: 2 })
      return env.reset(options)
    },
    () => [{ seed: 1 }],
  ),
  'makeVector().step': call(
    async (action: never) => {
      const env = await envs.makeVector('Pendulum-v1', { num: 2 })
      env.reset({ seed: 1 })
      return env.step(action)
    },
    () => [[0, 0]],
  ),
  // Drawing
  circle: call(render.circle, () => ['#000000', [0, 0], 1]),
  line: call(render.line, () => ['#000000', 1, [0, 0], [1, 1]]),
  polygon: call(render.polygon, () => ['#000000', [0, 0], [1, 1], [0, 1]]),
  rectangle: call(render.rectangle, () => ['#000000', [0, 0], [1, 1]]),
  text: call(render.text, () => ['#000000', [0, 0], 1, 'words', 'start']),
  drawSvg: call(render.drawSvg, () => [
    { view: [0, 0, 1, 1], shapes: [render.circle('#000000', [0, 0], 1)] },
    { width: 100, background: '#ffffff' },
  ]),
  drawCanvas: call(render.drawCanvas, () => [
    new Proxy({ canvas: { width: 10, height: 10 } }, { get: (of, name) => Reflect.get(of, name) ?? (() => {}) }),
    { view: [0, 0, 1, 1], shapes: [render.circle('#000000', [0, 0], 1)] },
  ]),
  drawAnimation: call(render.drawAnimation, () => [
    [scene, scene],
    { framesPerSecond: 30, width: 100, background: '#ffffff' },
  ]),
  drawGif: call(render.drawGif, () => [[scene, scene], { framesPerSecond: 30, width: 100, background: '#ffffff' }]),
  sideBySide: call(render.sideBySide, () => [[scene, scene]]),
  // Training
  train: call(
    (options: never) => drain(all.train(options)),
    () => [task],
  ),
  runConfig: call(all.runConfig, () => [task]),
  evaluate: call(all.evaluate, async () => [
    { env: 'CartPole-v1', agents: await agents(), episodes: 1, seed: 0, onProgress: () => {} },
  ]),
  'agents.act': call(
    async (...args: never[]) => (await agents()).act(...(args as unknown as [number[]])),
    () => [[0, 0, 0, 0], { particle: 0, greedy: true, seed: 0, episode: 0, step: 0 }],
  ),
  'agents.actRows': call(
    async (...args: never[]) => (await agents()).actRows(...(args as unknown as [number[]])),
    () => [[0, 0, 0, 0], { particle: 0, greedy: true, seed: 0, episode: [0], step: 0 }],
  ),
  'step.setTemperature': call(
    async (value: never) => {
      const state = await algorithms.svpg.init(task)
      algorithms.svpg.setTemperature(state, value)
    },
    () => [1],
  ),
  encodeParticles: call(all.encodeParticles, async () => [await step()]),
  encodePolicy: call(all.encodePolicy, async () => [{ env: 'CartPole-v1', ...(await plain()) }]),
  onnxModel: call(tools.onnxModel, async () => [await single()]),
  layersModel: call(tools.layersModel, async () => [await single()]),
  loadPolicy: call(policy.loadPolicy, async () => [{ ...(await exported()), core: policyCore }]),
  loadAgents: call(all.loadAgents, async () => [all.encodeParticles(await step()), { env: 'CartPole-v1' }]),
  readRun: call(all.readRun, async () => [await keptRun(), {}]),
  readExperiment: call(all.readExperiment, () => [nowhere]),
  continueRun: call(all.continueRun, async () => [await keptRun(), { before: 100 }], release),
  createRun: call(all.createRun, () => [folderOf(), all.runConfig(task), { overwrite: false }], release),
  finishRun: call(
    all.finishRun,
    async () => [await newRun(), 'It ended.', null],
    (_, [run]) => release(run),
  ),
  record: call(
    (...args: never[]) => drain((all.record as (...given: unknown[]) => unknown)(...args)),
    async () => [await newRun(), all.train(task), {}],
    (_, [run]) => release(run),
  ),
  exportRun: call(all.exportRun, async () => [
    { run: await keptRun(), out: folderOf(), particle: 0, formats: ['onnx'], overwrite: false },
  ]),
  renderReport: call(all.renderReport, () => [
    { config: {}, metrics: [], kernel: null, evaluation: null, outcome: 'It ended.' },
  ]),
  presetNamed: call(all.presetNamed, () => ['svpg-temperature']),
  runExperiment: call(
    (options: never) => drain(all.runExperiment(options)),
    () => [{ preset: 'none', seeds: 1, iterations: 1, out: nowhere, jobs: 1 }],
  ),
  evaluateGrid: call(all.evaluateGrid, async () => [
    {
      ...{ spec: envs.environments['Pendulum-v1'], ranges: { gravity: [9, 10] }, points: 2, episodes: 1, seed: 0 },
      ...(await pendulumAgents()),
    },
  ]),
  constantsAt: call(algorithms.constantsAt, () => [{ length: [0, 1] }, [0.5]]),
  gridPoints: call(algorithms.gridPoints, () => [2, 3]),
  kernelMatrix: call(algorithms.kernelMatrix, async () => [(await step()).state]),
  saveAmortized: call(algorithms.saveAmortized, amortizedState, (_, [state]) => closeIt(state)),
  loadAmortized: call(
    algorithms.loadAmortized,
    async () => {
      const [state] = await amortizedState()
      return [state, algorithms.saveAmortized(state)]
    },
    (_, [state]) => closeIt(state),
  ),
  // What stands around the loop
  evaluateEvery: call(tools.evaluateEvery, () => [2, { episodes: 1, seed: 0 }]),
  stopAt: call(tools.stopAt, () => [{ return: 1, of: 'best', onStop: () => {} }]),
  stopWithoutImprovement: call(tools.stopWithoutImprovement, () => [2, { of: 'best', onStop: () => {} }]),
  keepBest: call(tools.keepBest, () => [{ above: 0 }]),
  everyIterations: call(tools.everyIterations, () => [2, () => {}]),
  checkpointEvery: call(tools.checkpointEvery, () => [2, () => {}]),
  logTo: call(tools.logTo, () => [() => {}, () => {}]),
  mlflowLogger: call(tools.mlflowLogger, () => [
    { url: 'http://127.0.0.1:9', experiment: 'e', name: 'r', settings: { a: 1 }, headers: { accept: '*/*' } },
  ]),
  pipe: call(
    (...given: never[]) => drain((tools.pipe as unknown as (...given: unknown[]) => unknown)(...given)),
    () => [steps(), tools.everyIterations(1, () => {}), tools.logTo(() => {})],
  ),
  'evaluateEvery()': looped(tools.evaluateEvery(1, { episodes: 1 })),
  'stopAt()': looped(tools.stopAt({ return: 1e9 })),
  'stopWithoutImprovement()': looped(tools.stopWithoutImprovement(2)),
  'keepBest()': call(
    (given: never) => drain(tools.keepBest()(given)),
    () => [tools.evaluateEvery(1, { episodes: 1 })(steps())],
  ),
  'everyIterations()': looped(tools.everyIterations(1, () => {})),
  'logTo()': looped(tools.logTo(() => {})),
  playEpisode: call(tools.playEpisode, async () => [
    { agents: { ...(await agents()), task: envs.environments['CartPole-v1'] }, particle: 0, greedy: true, seed: 0 },
  ]),
  playRun: call(tools.playRun, () => [
    {
      run: nowhere,
      out: `${nowhere}.json`,
      particle: 'best',
      greedy: true,
      seed: 0,
      framesPerSecond: 30,
      overwrite: false,
    },
  ]),
  distil: call(tools.distil, async () => [
    {
      ...{ agents: await agents(), env: 'CartPole-v1', particles: [0], hidden: [4], episodes: 1, states: 8, steps: 1 },
      ...{ batchSize: 4, learningRate: 0.01, seed: 0 },
    },
  ]),
  importStableBaselines: call(tools.importStableBaselines, () => [
    { zip: readFileSync(new URL('../golden/stable-baselines3/ppo.zip', import.meta.url)), env: 'CartPole-v1' },
  ]),
  // Sweeps
  readSweep: call(sweeps.readSweep, () => [nowhere]),
  runSweep: call(
    (options: never) => drain(sweeps.runSweep(options)),
    () => [
      {
        ...{ env: 'Pendulum-v1', algorithm: 'svpg', space: { particles: [2, 4] }, out: nowhere, jobs: 1, seed: 0 },
        ...{ trials: 1, sampler: 'random', iterations: 1_000_000_001 },
      },
    ],
  ),
  sobol: call(sweeps.sobol, () => [2, [0, 1]]),
  'sobol()': call(sweeps.sobol(2), () => [3]),
  startTfjs: call(all.startTfjs, () => [{ fused: true, compiled: true }]),
  // tfjs
  logDensity: call(all.logDensity, () => [(x: bayes.tf.Tensor2D) => bayes.tf.sum(x, 1), { compile: 'auto' }]),
  outputsOf: call(algorithms.outputsOf, () => [(x: bayes.tf.Tensor2D) => x, { count: 1, compile: 'auto' }]),
  interquartileMean: call(tools.interquartileMean, () => [[[1, 2, 3]]]),
  probabilityOfImprovement: call(tools.probabilityOfImprovement, () => [[[1, 2, 3]], [[2, 3]]]),
  performanceProfile: call(tools.performanceProfile, () => [[[1, 2, 3]], [1.5]]),
  bootstrapIntervals: call(tools.bootstrapIntervals, () => [
    [[[1, 2, 3]]],
    ([scores]: readonly tools.RunScores[]) => [tools.interquartileMean(scores)],
    { replicates: 10, level: 0.9, seed: 0 },
  ]),
  mlp: call(tools.mlp, () => [[1, 4, 1], { hidden: 'tanh', output: 'linear' }]),
  // Tensors and replays
  encodeTensors: call(tools.encodeTensors, () => [
    { tensors: { a: { shape: [1], data: Float32Array.of(1) } }, metadata: { by: 'me' } },
  ]),
  decodeTensors: call(tools.decodeTensors, () => [tools.encodeTensors({ tensors: {}, metadata: {} })]),
  createReplay: call(tools.createReplay, () => [{ capacity: 4, observations: 1, actions: 1 }]),
  mergeReplays: call(tools.mergeReplays, () => [[replay(), replay()]]),
  replayOf: call(tools.replayOf, () => [tools.tensorsOf(replay()), 4]),
  tensorsOf: call(tools.tensorsOf, () => [replay()]),
  store: call(tools.store, () => {
    const row = Float32Array.of(1)
    return [replay(), { observation: row, nextObservation: row, action: row, reward: row, terminated: row }, 0]
  }),
  openCheckpointStore: call(tools.openCheckpointStore, () => ['mine']),
  // Posteriors
  above: call(bayes.above, () => [0, [2]]),
  below: call(bayes.below, () => [0, [2]]),
  interval: call(bayes.interval, () => [0, 1, [2]]),
  ordered: call(bayes.ordered, () => [3]),
  positive: call(bayes.positive, () => [[2]]),
  real: call(bayes.real, () => [[2], { offset: 1, scale: 2 }]),
  simplex: call(bayes.simplex, () => [3]),
  choleskyCorrelation: call(bayes.choleskyCorrelation, () => [3]),
  parameters: call(bayes.parameters, () => [{ mu: bayes.real() }]),
  'parameters().unconstrain': call(bayes.parameters({ mu: bayes.positive() }).unconstrain, async () => [
    { mu: 1 },
    { log64: (x: number) => x },
  ]),
  model: call(bayes.model, () => [
    { parameters: { mu: bayes.real() }, logDensity: () => bayes.tf.zeros([1]), compile: 'auto' },
  ]),
  fitPosterior: call(bayes.fitPosterior, () => [normalModel(), { particles: 4, iterations: 1, seed: 0 }]),
  diagnose: call(bayes.diagnose, () => [
    { particles: [-2, -1, 0, 1, 2, 3], dimension: 1, score },
    { restarts: 0, steps: 1 },
  ]),
  predict: call(bayes.predict, () => [
    { model: normalModel(), free: Float64Array.of(1, 2) },
    ({ mu }: bayes.Values<{ mu: bayes.Support }>) => ({ twice: bayes.tf.mul(mu, 2) }),
  ]),
  columnsOf: call(bayes.columnsOf, () => [draws]),
  drawsToArviz: call(bayes.drawsToArviz, () => [{ draws }]),
  drawsToCsv: call(bayes.drawsToCsv, () => [{ draws }]),
  drawsToSafetensors: call(bayes.drawsToSafetensors, () => [{ draws }]),
  summary: call(bayes.summary, () => [{ draws }, { mass: 0.9 }]),
  steinThinning: call(bayes.steinThinning, () => [
    { draws: [0, 1, 2], scores: [0, -1, -2], dimension: 1 },
    { keep: 2, standardise: true, preconditioner: 'id' },
  ]),
  steinWeights: call(bayes.steinWeights, () => [
    { draws: [0, 1, 2], scores: [0, -1, -2], dimension: 1 },
    { tolerance: 1e-3 },
  ]),
  // Clusters
  clusterStatus: call(cluster.clusterStatus, () => [nobody]),
  startClusterWorker: call(cluster.startClusterWorker, () => [{ address: nobody, threads: 1, imports: [], name: 'w' }]),
  // Amortized SVGD
  createAmortizedSVGD: call(all.createAmortizedSVGD, () => [amortized]),
}

/** The log densities: of numbers, or of a tensor where they take one. */
export function densityCalls(): Record<string, Call> {
  const tensor = (...shape: number[]) => bayes.tf.fill(shape, 0.5)
  const special: Readonly<Record<string, () => unknown[]>> = {
    categoricalLogit: () => [[0, 1], tensor(1, 2, 3)],
    orderedLogit: () => [[0, 1], tensor(1, 2), tensor(1, 2)],
    dirichlet: () => [tensor(1, 3), [1, 2, 3]],
    lkjCholesky: () => [tensor(1, 2, 2), 1],
    multivariateNormal: () => [tensor(1, 2), 0, tensor(1, 2, 2)],
  }
  const entries = Object.entries(bayes.logp).map(([name, f]): [string, Call] => {
    const usual = () => Array.from({ length: f.length }, () => 0.5)
    const args = async () => {
      await all.startTfjs()
      return (special[name] ?? usual)()
    }
    return [`logp.${name}`, call(f, args)]
  })
  return Object.fromEntries(entries)
}

/** A policy, spelled out as encodePolicy() takes it. */
async function plain() {
  const { policy, theta, particles } = await agents()
  return { policy, theta, particles, best: 0, normalisation: null, bounds: null }
}

let swinging: Promise<all.Policies> | null = null
const pendulumAgents = () => {
  swinging ??= (async () => {
    const state = await algorithms.sac.init(learner)
    const { policy, particles, theta } = algorithms.sac.agents(state)
    algorithms.sac.close(state)
    return { policy, particles, theta }
  })()
  return swinging
}

const records = {
  svpg: { record: algorithms.svpg, options: task },
  adr: { record: algorithms.adr, options: { ...task, env: 'Pendulum-v1', ranges: { gravity: [9, 11] } } },
  sac: { record: algorithms.sac, options: learner },
  sql: { record: algorithms.sql, options: learner },
  s2ac: { record: algorithms.s2ac, options: learner },
  sqlCompose: {
    record: algorithms.sqlCompose,
    options: { ...learner, components: [{ gravity: 9 }, { gravity: 11 }], componentIterations: 1, iterations: 2 },
  },
}

/** Functions of an algorithm that take its state, and what they take beside. */
const beside: Readonly<
  Record<string, (state: never, record: Record<string, (...args: unknown[]) => unknown>) => unknown>
> = {
  step: () => [],
  evaluate: () => [],
  agents: () => [0],
  save: () => [],
  kernel: () => [],
  visited: () => [],
  parts: () => [],
  close: () => [],
  setTemperature: () => [1],
  measure: async (state, record) => [await record.step(state)],
  move: async (state, record) => [await record.evaluate(state)],
}

/** The calls of every function of every algorithm. */
export function algorithmCalls(): Record<string, Call> {
  const found: Record<string, Call> = {}
  for (const [name, { record, options }] of Object.entries(records)) {
    const functions = record as unknown as Record<string, (...args: unknown[]) => unknown>
    found[`${name}.config`] = call(functions.config, () => [options])
    found[`${name}.init`] = call(functions.init, () => [options], functions.close)
    for (const [key, rest] of Object.entries(beside)) {
      if (typeof functions[key] !== 'function') continue
      const args = async () => {
        const state = await functions.init(options)
        return [state, ...((await rest(state as never, functions)) as unknown[])]
      }
      found[`${name}.${key}`] = call(functions[key], args, (_, [state]) => functions.close(state))
    }
  }
  return found
}
