import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { logDensity } from '../src/compile/log-density.ts'
import { generator, normal, uniform } from '../src/core/generator.ts'
import { quantile } from '../src/core/statistics.ts'
import { presetNamed } from '../src/experiments/presets.ts'
import { exportRun } from '../src/export/run.ts'
import { startTfjs, tf } from '../src/nn/tfjs.ts'
import { adam } from '../src/optim/optimizers.ts'
import type { Evaluation } from '../src/report/metrics.ts'
import { svgd } from '../src/svgd/svgd.ts'
import { createRun, finishRun, record } from '../src/train/record.ts'
import { evaluate, runConfig, type TrainOptions, train } from '../src/train/train.ts'
import { optionsIn, type Report } from './harness.ts'
import { hasPython, runPython } from './peers/python.ts'

const EPISODES = 100

interface Claim {
  readonly work: string
  readonly name: string
  readonly seconds: number | null
  readonly result: string
  readonly [extra: string]: unknown
}

/**
 * What the README says of speed and of worth elsewhere, in one run: the first training, PPO on CartPole-v1 beside
 * stable-baselines3, SVGD on a logistic regression beside numpyro, and a policy in ONNX that Python plays in Gymnasium.
 * PYTHON names a python that has the peers; those that it lacks are left out. `--runs` is how often each is timed.
 */
export default async function bench(args: readonly string[]): Promise<Report> {
  const { runs } = optionsIn(args, { runs: { type: 'string', default: '3' } })
  const rows: Claim[] = []
  for (const claims of [firstTraining, ppo, logisticRegression, policyInGymnasium]) {
    rows.push(...(await claims(Number(runs))))
  }
  const table = rows.map(({ work, name, seconds, result }) => ({
    work,
    name,
    seconds: seconds === null ? '' : seconds.toPrecision(3),
    result,
  }))
  return { rows, table }
}

/** The training of `npm start`. */
async function firstTraining(runs: number): Promise<Claim[]> {
  const options = { env: 'CartPole-v1', particles: 16, temperature: 10, iterations: 60, seed: 0 } as const
  const { seconds, returns } = await timed(options, runs)
  const [best, middle] = [Math.max(...returns), median(returns)]
  const result = `of ${returns.length} policies the best ${best}, the median ${middle}`
  return [{ work: 'npm start: 16 policies on CartPole-v1', name: 'steinrl', seconds, result, best, median: middle }]
}

const PPO = { env: 'CartPole-v1', environments: 16, steps: 128, iterations: 40, seed: 0 } as const

async function ppo(runs: number): Promise<Claim[]> {
  const work = 'PPO on CartPole-v1, 81,920 steps'
  const options = { ...PPO, estimator: 'ppo', particles: 1, interaction: 'independent' } as const
  const { seconds, returns } = await timed(options, runs)
  const rows: Claim[] = [
    { work, name: 'steinrl', seconds, result: `mean return ${returns[0]}`, meanReturn: returns[0] },
  ]
  if (hasPython('stable_baselines3')) {
    const { seconds, meanReturn, versions } = runPython<{ seconds: number; meanReturn: number; versions: Versions }>(
      'ppo_sb3.py',
      { ...PPO, episodes: EPISODES },
    )
    rows.push({ work, name: nameOf(versions), seconds, result: `mean return ${meanReturn}`, meanReturn })
  }
  return rows
}

/** A regression with eight columns, half of which matter. */
function regression(): { x: number[][]; y: number[] } {
  const random = generator(1)
  const coefficients = [1, -1, 0.5, 0, 0, 0, 2, -0.5]
  const x = Array.from({ length: 500 }, () => coefficients.map(() => normal(random)))
  const y = x.map((row) => {
    const logit = row.reduce((sum, value, j) => sum + value * coefficients[j], 0.3)
    return uniform(random) < 1 / (1 + Math.exp(-logit)) ? 1 : 0
  })
  return { x, y }
}

async function logisticRegression(runs: number): Promise<Claim[]> {
  const work = 'SVGD, logistic regression 500 × 8, 200 particles, 1,000 steps'
  const settings = { particles: 200, iterations: 1000, learningRate: 0.1 }
  const { x, y } = regression()
  await startTfjs()
  const rows = tf.tensor2d(x.map((row) => [...row, 1]))
  const labels = tf.tensor1d(y)
  const dimension = x[0].length + 1
  const populationScore = logDensity((b) => {
    const logits = tf.matMul(b, rows, false, true)
    const likelihood = tf.sum(tf.sub(tf.mul(labels, logits), tf.softplus(logits)), 1)
    return tf.sub(likelihood, tf.div(tf.sum(tf.square(b), 1), 8))
  })
  const seconds: number[] = []
  let particles = new Float32Array()
  for (let run = 0; run < runs; run++) {
    const began = performance.now()
    const { particles: n, iterations, learningRate } = settings
    const optimizer = adam({ learningRate })
    particles = await svgd({ populationScore, particles: n, dimension, iterations, optimizer, seed: run })
    seconds.push((performance.now() - began) / 1000)
  }
  const means = Array.from({ length: dimension }, (_, j) => {
    return particles.reduce((sum, value, k) => (k % dimension === j ? sum + value : sum), 0) / settings.particles
  })
  const result = (of: readonly number[]) =>
    `means ${of
      .slice(0, 3)
      .map((value) => value.toFixed(2))
      .join(', ')} …`
  const claims: Claim[] = [{ work, name: 'steinrl', seconds: median(seconds), result: result(means), means }]
  if (hasPython('numpyro')) {
    const { seconds, firstSeconds, mean, versions } = runPython<{
      seconds: number
      firstSeconds: number
      mean: number[]
      versions: Versions
    }>('svgd_numpyro.py', { x, y, ...settings })
    claims.push({ work, name: nameOf(versions), seconds, result: result(mean), firstSeconds, means: mean })
  }
  return claims
}

/** Trains soft actor-critic, exports its policy and lets Python play it. */
async function policyInGymnasium(): Promise<Claim[]> {
  const work = 'the policy of SAC on Pendulum-v1, 100 episodes'
  const folder = await mkdtemp(join(tmpdir(), 'steinrl-first-hour-'))
  const run = join(folder, 'run')
  try {
    const { env, settings, iterations } = presetNamed('sac-pendulum')
    const options = { ...settings, env, iterations, seed: 0 } as TrainOptions<'sac'>
    const written = await createRun(run, runConfig(options))
    let evaluation: Evaluation | null = null
    for await (const step of record(written, train(options))) {
      if (step.iteration === step.iterations)
        evaluation = await evaluate({ env, agents: step.agents(), episodes: EPISODES })
    }
    await finishRun(written, 'Finished.', evaluation)
    const meanReturn = evaluation?.greedy[0] as number
    const result = (mean: number) => `mean return ${mean.toFixed(1)}`
    const claims: Claim[] = [{ work, name: 'steinrl', seconds: null, result: result(meanReturn), meanReturn }]
    const out = join(folder, 'policy')
    await exportRun({ run, out, formats: ['onnx'] })
    if (hasPython('gymnasium, onnxruntime')) {
      const { meanReturn, standardError, versions } = runPython<{
        meanReturn: number
        standardError: number
        versions: Versions
      }>('onnx_gymnasium.py', { model: join(out, 'policy.onnx'), env, episodes: EPISODES, seed: 0 })
      const told = `${result(meanReturn)} ± ${standardError.toFixed(1)}`
      claims.push({ work, name: nameOf(versions), seconds: null, result: told, meanReturn, standardError })
    }
    return claims
  } finally {
    await rm(folder, { recursive: true })
  }
}

const median = (values: readonly number[]) => quantile(values, 0.5) as number

/** The median of the seconds of some trainings, and what the policies of the last one earn when they act greedily. */
async function timed(options: TrainOptions<'svpg'>, runs: number): Promise<{ seconds: number; returns: number[] }> {
  const seconds: number[] = []
  let returns: number[] = []
  for (let run = 0; run < runs; run++) {
    const began = performance.now()
    for await (const { iteration, iterations, agents } of train(options)) {
      if (iteration < iterations) continue
      seconds.push((performance.now() - began) / 1000)
      const { greedy } = await evaluate({ env: options.env, agents: agents(), episodes: EPISODES })
      returns = [...greedy]
    }
  }
  return { seconds: median(seconds), returns }
}

type Versions = Readonly<Record<string, string>>

const nameOf = (versions: Versions) =>
  Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ')
