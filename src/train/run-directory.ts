import { platform } from '#platform'
import { isExpected, show, UsageError } from '../core/errors.ts'
import { decodeTensors, encodeTensors, type TensorFile } from '../core/safetensors.ts'
import { environmentSpec } from '../envs/registry.ts'
import { type PolicyShape, parsePolicy } from '../nn/policy.ts'
import type { Evaluation, IterationMetrics, RunSummary } from '../report/metrics.ts'
import { type Agents, arePolicies, type Policies } from '../rl/agents.ts'
import { renderReport } from './report.ts'
import { type AlgorithmName, type AnyTrainStep, algorithmNamed, type TrainStep } from './train.ts'

/**
 * A directory that holds one run:
 *
 *     config.json             the settings
 *     metrics.jsonl           one line of numbers an iteration
 *     particles.safetensors   theta [n, parameters] or what else acts, and kernel [n, n] where there is one
 *     evaluation.json         mean return of every particle
 *     visited.safetensors     where each particle has been [n, rows, observation], of the runs of an experiment
 *     report.html             all of it to look at
 */
const FILES = {
  config: 'config.json',
  metrics: 'metrics.jsonl',
  particles: 'particles.safetensors',
  evaluation: 'evaluation.json',
  visited: 'visited.safetensors',
  report: 'report.html',
} as const

/** Particles are saved at most this often while a run is under way. */
const SAVE_EVERY_MS = 2000

const { files } = platform

export interface Run {
  readonly path: string
  readonly config: RunSummary['config']
  readonly metrics: IterationMetrics[]
  kernel: number[][] | null
}

export const fileOf = (path: string, name: keyof typeof FILES) => `${path}/${FILES[name]}`

/**
 * Makes the directory of a run and writes config.json.
 *
 * @throws UsageError when the directory exists and `overwrite` is not set, when its config.json is not that of a run, or when it cannot be written
 */
export async function createRun(
  path: string,
  config: RunSummary['config'],
  { overwrite = false }: { overwrite?: boolean } = {},
): Promise<Run> {
  await refuseToReplace(path, overwrite)
  await writing(path, async () => {
    // Those of an earlier run, and nothing else.
    if (await files.exists(path)) for (const name of Object.values(FILES)) await files.remove(`${path}/${name}`)
    await files.makeDirectory(path)
    await files.write(fileOf(path, 'config'), `${JSON.stringify(config, null, 2)}\n`)
  })
  return { path, config, metrics: [], kernel: null }
}

/** Throws the UsageErrors of createRun that can be known without writing. */
export async function refuseToReplace(path: string, overwrite: boolean): Promise<void> {
  if (!(await files.exists(path))) return
  if (!overwrite) throw new UsageError(`${show(path)} exists; choose another --out, or --overwrite it.`)
  const file = fileOf(path, 'config')
  if (!(await files.exists(file))) return
  const config = await reading(file, parseJson).catch(() => null)
  if (config === null || typeof config !== 'object' || !('env' in config)) {
    throw new UsageError(`${show(file)} is not that of a run and would be overwritten; choose another --out.`)
  }
}

/**
 * Passes the steps of train() through and keeps them in the run's directory. However the run ends, metrics.jsonl holds
 * every iteration done and particles.safetensors the last finite particles.
 */
export async function* record<A extends AlgorithmName>(
  run: Run,
  steps: AsyncIterable<TrainStep<A>>,
): AsyncGenerator<TrainStep<A>> {
  let latest: TrainStep<A> | null = null
  let savedAt = Number.NEGATIVE_INFINITY
  try {
    for await (const step of steps) {
      latest = step
      run.metrics.push(step.metrics)
      await writing(run.path, () => files.append(fileOf(run.path, 'metrics'), `${JSON.stringify(step.metrics)}\n`))
      if (platform.now() - savedAt > SAVE_EVERY_MS) {
        await saveParticles(run, step)
        savedAt = platform.now()
      }
      yield step
    }
  } finally {
    if (latest) await saveParticles(run, latest)
  }
}

/** Writes the particles, if they are finite. */
async function saveParticles(run: Run, step: Omit<AnyTrainStep, 'state'>): Promise<void> {
  const file = encodeParticles(step)
  if (!file) return
  run.kernel = step.kernel()
  await writing(run.path, () => files.write(fileOf(run.path, 'particles'), file))
}

/** The bytes of a run's particles.safetensors after this step, which readRun() reads; null where a particle is not finite. */
export function encodeParticles(step: Omit<AnyTrainStep, 'state'>): Uint8Array | null {
  const { tensors, metadata } = contentOf(step)
  if (!Object.values(tensors).every(({ data }) => data.every(Number.isFinite))) return null
  const matrix = step.kernel()
  const n = matrix?.length ?? 0
  const kernel = matrix && { kernel: { shape: [n, n], data: Float32Array.from(matrix.flat()) } }
  return encodeTensors({
    tensors: { ...tensors, ...kernel },
    metadata: { env: step.env, ...metadata, iteration: String(step.iteration) },
  })
}

/** Policies are kept as rows without padding, others as their algorithm says. */
function contentOf(step: Omit<AnyTrainStep, 'state'>): Pick<TensorFile, 'tensors' | 'metadata'> {
  const population = step.agents()
  if (!arePolicies(population)) {
    const { tensors, shape } = step.save()
    return { tensors, metadata: { algorithm: step.algorithm, shape: JSON.stringify(shape) } }
  }
  const { policy, particles: n, theta } = population
  const rows = new Float32Array(n * policy.size)
  const stride = theta.length / n
  for (let i = 0; i < n; i++) rows.set(theta.subarray(i * stride, i * stride + policy.size), i * policy.size)
  const { observations, hidden, activation, head } = policy
  const shape: PolicyShape = { observations, hidden, activation, head }
  return {
    tensors: { theta: { shape: [n, policy.size], data: rows } },
    metadata: { policy: JSON.stringify(shape) },
  }
}

/** Writes evaluation.json and report.html. Returns the path of the report. */
export async function finishRun(run: Run, outcome: string, evaluation: Evaluation | null): Promise<string> {
  const report = fileOf(run.path, 'report')
  const page = await renderReport({ ...run, outcome, evaluation })
  await writing(run.path, async () => {
    if (evaluation) await files.write(fileOf(run.path, 'evaluation'), `${JSON.stringify(evaluation)}\n`)
    await files.write(report, page)
  })
  return report
}

/** What a run that came to its end has left. */
export interface FinishedRun {
  readonly config: RunSummary['config']
  readonly metrics: readonly IterationMetrics[]
  readonly evaluation: Evaluation
}

/**
 * Reads the numbers of a run back; null when there is no run or it did not come to its end, which is its evaluation.
 *
 * @throws UsageError when a file is damaged
 */
export async function readFinished(path: string): Promise<FinishedRun | null> {
  for (const name of ['config', 'evaluation', 'report'] as const)
    if (!(await files.exists(fileOf(path, name)))) return null
  const parseLines = (bytes: Uint8Array) => {
    const lines = new TextDecoder().decode(bytes).split('\n')
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line))
  }
  return {
    config: await reading(fileOf(path, 'config'), parseJson),
    metrics: await reading(fileOf(path, 'metrics'), parseLines),
    evaluation: await reading(fileOf(path, 'evaluation'), parseJson),
  }
}

/** The trained particles of a run. */
export type SavedPopulation = Agents & {
  readonly config: Readonly<Record<string, unknown>>
  readonly env: string
}

/**
 * Reads a run back.
 *
 * @throws UsageError when there is no run, or one of its files is damaged: the message names the file and what is wrong
 */
export async function readRun(path: string): Promise<SavedPopulation> {
  if (!(await files.exists(fileOf(path, 'config')))) {
    throw new UsageError(`${show(path)} is not a run: it has no ${FILES.config}.`)
  }
  const config = await reading(fileOf(path, 'config'), parseJson)
  const file = fileOf(path, 'particles')
  const { env, population } = await reading(file, async (bytes) => {
    const content = decodeTensors(bytes)
    refuseNonFinite(content)
    const { env, policy, algorithm } = content.metadata
    if (env && policy) return { env, population: policiesFrom(content) }
    if (env && algorithm) return { env, population: await restored(content) }
    throw new UsageError('it holds no population.')
  })
  return { config, env, ...population }
}

function policiesFrom({ tensors: { theta }, metadata }: TensorFile): Policies {
  if (!theta) throw new UsageError('it holds no population.')
  const policy = parsePolicy(parsed(metadata.policy, 'it describes no policy'))
  const [n, D] = theta.shape
  if (theta.shape.length !== 2 || n === 0 || D !== policy.size) {
    const { widths } = policy.net
    throw new UsageError(
      `its theta has shape [${theta.shape}], but a policy of widths ${widths} needs [n,${policy.size}].`,
    )
  }
  return { policy, particles: n, theta: theta.data }
}

function refuseNonFinite({ tensors }: TensorFile): void {
  for (const [name, { shape, data }] of Object.entries(tensors)) {
    const bad = data.findIndex((value) => !Number.isFinite(value))
    const row = data.length / shape[0]
    if (bad >= 0 && name === 'theta')
      throw new UsageError(`parameter ${bad % row} of particle ${Math.floor(bad / row)} is ${data[bad]}.`)
    if (bad >= 0) throw new UsageError(`number ${bad} of ${name} is ${data[bad]}.`)
  }
}

async function restored({ tensors, metadata }: TensorFile): Promise<Agents> {
  const { restore } = algorithmNamed(metadata.algorithm)
  if (!restore) throw new UsageError(`${metadata.algorithm} has other particles than these.`)
  return restore({ tensors, shape: parsed(metadata.shape) }, environmentSpec(metadata.env))
}

function parsed(text = '', otherwise = 'its shape is no JSON'): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new UsageError(`${otherwise}: ${reason(error)}.`)
  }
}

export const parseJson = (bytes: Uint8Array) => JSON.parse(new TextDecoder().decode(bytes))

/** Runs `write`; what the file system refuses becomes a UsageError that names what was to be written. */
export async function writing(path: string, write: () => Promise<void>, what = 'run'): Promise<void> {
  try {
    await write()
  } catch (error) {
    throw new UsageError(`Cannot write the ${what} to ${show(path)}: ${reason(error)}.`)
  }
}

/** Reads and decodes a file. Throws a UsageError that says whether it could not be read or is damaged, and how. */
export async function reading<T>(path: string, decode: (bytes: Uint8Array) => T | Promise<T>): Promise<T> {
  let bytes: Uint8Array
  try {
    bytes = await files.read(path)
  } catch (error) {
    throw new UsageError(`Cannot read ${show(path)}: ${reason(error)}.`)
  }
  try {
    return await decode(bytes)
  } catch (error) {
    throw new UsageError(`${show(path)} is damaged: ${isExpected(error) ? error.message : `${reason(error)}.`}`)
  }
}

const reason = (error: unknown) => String((error as Error)?.message ?? error).replace(/\.$/, '')
