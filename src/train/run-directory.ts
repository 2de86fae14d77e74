import { platform } from '#platform'
import { isExpected, show, UsageError } from '../core/errors.ts'
import type { CoreSource } from '../core/module.ts'
import { refuseUnknown } from '../core/options.ts'
import { requireText } from '../core/require.ts'
import type { TensorFile } from '../core/safetensors.ts'
import type { EnvironmentSpec } from '../envs/contract.ts'
import { parseTask, type TaskDescription, taskFrom } from '../envs/description.ts'
import { taskNamed } from '../envs/named.ts'
import { environments } from '../envs/registry.ts'
import { formOf } from '../policy/acting.ts'
import type { Evaluation } from '../report/metrics.ts'
import { type Agents, arePolicies, type Policies, withBest } from '../rl/agents.ts'
import { checkedEvaluation, checkedMetrics } from './kept-numbers.ts'
import { agentsFrom, decodeParticles, learnedStates, policiesFrom, refuseOtherSettings } from './particles-file.ts'
import { fileOf, inBytes, inFile, parseJson, parseLines, reading, saying } from './run-files.ts'
import { bestOfReturns } from './train.ts'

/** The trained particles of a run. */
export type SavedPopulation = Agents & {
  readonly config: Readonly<Record<string, unknown>>
  readonly env: string
}

/** What loadAgents() needs to know beside the run. */
export interface LoadOptions {
  /** The task, where it is one of your own; default: the built-in one of the run's id. */
  readonly env?: string | EnvironmentSpec
  /** The WASM core; default: this package's steinrl.wasm. */
  readonly core?: CoreSource
}

const { files } = platform

/**
 * Reads a run back: its agents, as they were saved, and its settings.
 *
 * @throws UsageError when there is no run, or one of its files is damaged: the message names the file and what is wrong
 */
export async function readRun(path: string, options: LoadOptions = {}): Promise<SavedPopulation> {
  requireText('readRun', 'the directory of a run', path)
  refuseUnknown('readRun', options, ['env', 'core'])
  const file = fileOf(path, 'config')
  if (await files.isMissing(file)) {
    const old = `${path}.steinrl-old`
    if (await files.exists(old))
      throw new UsageError(`${show(path)} was being replaced; the run that was there is ${show(old)}.`)
    throw new UsageError(`${show(path)} is not a run: it has no config.json.`)
  }
  const { config, description } = await reading(file, configFrom)
  const particles = fileOf(path, 'particles')
  const content = await reading(particles, (bytes) => {
    const found = decodeParticles(bytes)
    refuseOtherSettings(found, config)
    return found
  })
  const { env } = content.metadata
  if (description && description.id !== env)
    throw new UsageError(`${show(particles)} holds a population for ${env}, but the run is of ${description.id}.`)
  const task = await taskOfRun(path, content, description, options).catch((error: Error) => error)
  if (task instanceof Error && !(isExpected(task) && content.metadata.policy)) throw task
  const agents = await inFile(particles, () =>
    task instanceof Error ? withoutTask(policiesFrom(content), task) : agentsFrom(content, task, options.core),
  )
  return { config, env, ...agents }
}

/**
 * Agents that act, of a run directory or of the bytes of a particles.safetensors, as encodeParticles() gives them:
 *
 *     const agents = await loadAgents('runs/x')
 *     const action = agents.act(observation)
 *
 * Where no particle is named the best one of the run's evaluation acts, or of its training where it was not evaluated.
 *
 * @throws UsageError when there is no run, or one of its files is damaged: the message names the file and what is wrong
 */
export async function loadAgents(source: string | Uint8Array, options: LoadOptions = {}): Promise<Agents> {
  refuseUnknown('loadAgents', options, ['env', 'core'])
  if (source instanceof Uint8Array) {
    const content = await inBytes('particles', () => decodeParticles(source))
    const { env } = content.metadata
    const task = await taskOf(env, options)
    if (!task) throw notKnown(env)
    return inBytes('particles', () => agentsFrom(content, task, options.core))
  }
  if (typeof source !== 'string')
    throw new UsageError(`loadAgents takes the path of a run directory or bytes, got ${show(source)}.`)
  const { config: _, env: __, ...agents } = await readRun(source, options)
  // What it throws says why there is none.
  if (!agents.task) agents.act([])
  const best = await bestOf(source, agents)
  return best === null ? agents : withBest(agents, best)
}

/** Of the evaluation, or of the training where policies were not evaluated; null where neither tells. */
async function bestOf(run: string, agents: Agents): Promise<number | null> {
  const { particles } = agents
  const evaluation = await evaluationOf(run, particles)
  if (evaluation) return bestParticle(evaluation, particles)
  const metrics = fileOf(run, 'metrics')
  if (!arePolicies(agents) || particles === 1 || !(await files.exists(metrics))) return null
  return reading(metrics, (bytes) => {
    const follow = bestOfReturns()
    return (
      checkedMetrics(parseLines(bytes))
        .map(({ returns }) => follow(returns))
        .at(-1) ?? null
    )
  })
}

function configFrom(bytes: Uint8Array) {
  const config = parseJson(bytes)
  if (typeof config !== 'object' || config === null) throw new UsageError('it is not that of a run.')
  const { task } = config as { task?: unknown }
  const description = task === undefined ? null : parseTask(task)
  return { config: config as Readonly<Record<string, unknown>>, description }
}

/**
 * The task that is given, or the one that the run was trained on; what its wrappers have learned stays as it is.
 *
 * @throws UsageError for one that cannot be made, which is no damage of the run: a module may have been moved
 */
async function taskOfRun(path: string, content: TensorFile, description: TaskDescription | null, options: LoadOptions) {
  const { env } = content.metadata
  const states = await inFile(fileOf(path, 'particles'), () => learnedStates(content))
  const task = await saying(`The task of the run ${show(path)} cannot be made`, () =>
    description && options.env === undefined
      ? taskFrom(description, { states, core: options.core, fromFile: true })
      : taskOf(env, options),
  )
  if (task) return task
  throw notKnown(env)
}

/** Null for a task of the user's own that is not given. */
async function taskOf(id: string, { env }: LoadOptions): Promise<EnvironmentSpec | null> {
  if (env !== undefined) return taskNamed(env)
  return Object.hasOwn(environments, id) ? environments[id] : null
}

const notKnown = (id: string) =>
  new UsageError(`The task of the run, ${show(id)}, is none of this library's: give it as env.`)

/**
 * Policies whose task is not known: they can be evaluated in the one that is given there, and exported, but do not act.
 */
function withoutTask(policies: Policies, reason: UsageError): Agents {
  const refuse = () => {
    throw reason
  }
  return { ...policies, ...formOf(policies.policy), task: null, best: null, act: refuse, actRows: refuse }
}

/**
 * The evaluation of a run; null where it was not evaluated.
 *
 * @throws UsageError, which names the file, where it is not that of so many particles
 */
export async function evaluationOf(run: string, particles: number): Promise<Evaluation | null> {
  const file = fileOf(run, 'evaluation')
  if (!(await files.exists(file))) return null
  return reading(file, (bytes) => {
    const evaluation = checkedEvaluation(parseJson(bytes))
    refuseOtherParticles(evaluation, particles)
    return evaluation
  })
}

/** The particle of the highest mean return, acting greedily; the first one on a tie. */
export function bestParticle(evaluation: Evaluation, particles: number): number {
  refuseOtherParticles(evaluation, particles)
  const { greedy } = evaluation
  return greedy.indexOf(Math.max(...greedy))
}

function refuseOtherParticles({ greedy }: Evaluation, particles: number): void {
  if (!Array.isArray(greedy) || greedy.length !== particles || !greedy.every(Number.isFinite))
    throw new UsageError(`it has no mean return of each of ${particles} particles.`)
}
