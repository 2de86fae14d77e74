import { platform } from '#platform'
import { show, UsageError } from '../core/errors.ts'
import { namesOf, requireOptions } from '../core/options.ts'
import { leaveIfAborted, requireSignal, requireText } from '../core/require.ts'
import type { StopSignal } from '../core/runtime-types.ts'
import { check, trueOrFalse } from '../core/schemas.ts'
import type { EnvironmentSpec } from '../envs/contract.ts'
import { describeTask, statesOf } from '../envs/description.ts'
import { deviation, type RunningStatistics } from '../envs/wrappers/statistics.ts'
import { type Bounds, encodePolicy, type Normalisation, type PopulationToExport } from '../policy/description.ts'
import { type ActionSampler, arePolicies } from '../rl/agents.ts'
import { bestParticle, evaluationOf, readRun } from '../train/run-directory.ts'
import { writeTogether } from '../train/run-files.ts'
import { onnxModel, samplerOnnxModel } from './onnx.ts'
import type { SinglePolicy } from './parts.ts'

/** What can be written: for steinrl/policy, for TensorFlow.js, for ONNX. */
export const exportFormats = ['steinrl', 'layers', 'onnx'] as const
/** For whom a policy is written. */
export type ExportFormat = (typeof exportFormats)[number]

/** Which policies of a run exportRun() writes, for whom and where. */
export interface ExportOptions {
  /** The directory of the run. */
  readonly run: string
  /** The directory to write to. */
  readonly out: string
  /** Default: all. */
  readonly formats?: readonly ExportFormat[]
  /**
   * All (default), the best of the evaluation or a number. The formats of others hold one particle: of all the best.
   */
  readonly particle?: number | 'all' | 'best'
  /** Whether `out` may exist; its files of the same names are replaced. Default false. */
  readonly overwrite?: boolean
  /** As of an AbortController: it is left before anything is written, and rejects with its reason. */
  readonly signal?: StopSignal
}

const EXPORT_OPTIONS = namesOf<ExportOptions>({
  ...{ run: true, out: true, formats: true, particle: true, overwrite: true, signal: true },
})

const { files } = platform

/**
 * Exports the policies of a run. Nothing is written unless all of it can be, a disk that is full included.
 *
 * @returns names of the files
 * @throws UsageError for what is no run of policies, for a particle that it does not have, and when `out` exists
 */
export async function exportRun(options: ExportOptions): Promise<string[]> {
  requireOptions('exportRun', options, EXPORT_OPTIONS)
  const { run, out, particle = 'all', overwrite = false, signal } = options
  requireText('exportRun', 'the directory of a run, run', run)
  requireText('exportRun', 'the directory to write to, out', out)
  check(trueOrFalse('overwrite'), overwrite)
  requireSignal(signal)
  const asked = checkFormats(options.formats ?? exportFormats)
  if (!overwrite && (await files.exists(out)))
    throw new UsageError(`${show(out)} exists; choose another --out, or --overwrite it.`)
  const read = await readPopulation(run)
  const written =
    'samplers' in read ? await samplerFiles(read, particle, options.formats) : await policyFiles(read, particle, asked)
  await platform.breathe()
  leaveIfAborted(signal)
  await writeTogether(out, written, 'policy')
  return Object.keys(written)
}

type Files = Record<string, string | Uint8Array>

async function policyFiles(
  whole: PopulationToExport,
  particle: number | 'all' | 'best',
  formats: readonly ExportFormat[],
): Promise<Files> {
  const chosen = particle === 'all' ? null : numberOf(whole, particle)
  const written: Files = {}
  for (const format of formats) {
    if (format === 'steinrl') Object.assign(written, steinrlFiles(chosen === null ? whole : only(whole, chosen)))
    else {
      const single = singleOf(whole, chosen ?? numberOf(whole, 'best'))
      if (format === 'onnx') written['policy.onnx'] = await onnxModel(single)
      else {
        const { layersModel } = await import('./layers.ts')
        const { model, weights } = await layersModel(single)
        Object.assign(written, { 'model.json': model, 'weights.bin': weights })
      }
    }
  }
  return written
}

/** Samplers of soft Q-learning, which no other format can hold. */
async function samplerFiles(
  { samplers, best, normalisation = null, bounds }: Samplers,
  particle: number | 'all' | 'best',
  formats: readonly ExportFormat[] = ['onnx'],
): Promise<Files> {
  const other = formats.find((format) => format !== 'onnx')
  if (other) throw new UsageError(`Samplers are exported as onnx alone, got the format ${show(other)}.`)
  const chosen = numberOf({ best, particles: samplers.length }, particle === 'all' ? 'best' : particle)
  const model = await samplerOnnxModel({ sampler: samplers[chosen], normalisation, bounds: bounds as Bounds })
  return { 'policy.onnx': model }
}

function checkFormats(formats: readonly ExportFormat[]): readonly ExportFormat[] {
  if (!Array.isArray(formats))
    throw new UsageError(`formats must be a list of ${exportFormats.join(', ')}, got ${show(formats)}.`)
  const unknown = formats.find((format) => !exportFormats.includes(format))
  if (formats.length === 0) throw new UsageError(`No format is named; there are ${exportFormats.join(', ')}.`)
  if (unknown === undefined) return formats
  throw new UsageError(`A format must be one of ${exportFormats.join(', ')}, got ${show(unknown)}.`)
}

interface Samplers extends Pick<PopulationToExport, 'normalisation' | 'bounds'> {
  readonly samplers: readonly ActionSampler[]
  readonly best: number | null
}

/** What acts in a run, with the bounds of its task and the best of its evaluation, if there was one. */
async function readPopulation(path: string): Promise<PopulationToExport | Samplers> {
  const { env, config, ...agents } = await readRun(path)
  const { samplers } = agents as { samplers?: readonly ActionSampler[] }
  if (!arePolicies(agents) && !samplers)
    throw new UsageError(`The particles of ${show(config.algorithm)} are no policies that could be exported.`)
  const evaluation = await evaluationOf(path, agents.particles)
  const best = evaluation && bestParticle(evaluation, agents.particles)
  // What it throws says why the task is not known.
  if (!agents.task) agents.act([])
  const seen = seenThrough(agents.task as EnvironmentSpec)
  return arePolicies(agents) ? { ...agents, env, best, ...seen } : { samplers: samplers ?? [], best, ...seen }
}

/** Wrappers that change neither what a policy sees nor what becomes of its action. */
const INVISIBLE = [
  ...['repeatAction', 'scaleReward', 'sparseReward', 'episodicReward', 'normaliseReward'],
  ...['episodeStatistics', 'recordEpisodes'],
]

/**
 * What stands between the task and the policies: the normalisation of observations, and the bounds that actions are
 * clipped to.
 *
 * @throws UsageError, which names it, for a wrapper that an exported policy could not do without
 */
export function seenThrough(spec: EnvironmentSpec): Pick<PopulationToExport, 'normalisation' | 'bounds'> {
  const names = (describeTask(spec).wrappers ?? []).map(({ name }) => name)
  const others = names.filter((name) => !INVISIBLE.includes(name))
  const refused = others.find((name, k) => !EXPORTED.includes(name) || others.indexOf(name) !== k)
  if (refused !== undefined)
    throw new UsageError(
      `The policies act through ${refused}, which an exported policy has not: train without it to export them.`,
    )
  const options = describeTask(spec).wrappers?.[names.indexOf('normaliseObservation')]?.options
  const statistics = statesOf(spec)[names.indexOf('normaliseObservation')] as RunningStatistics | undefined
  return {
    normalisation: options && statistics ? normalisationOf(statistics, options) : null,
    bounds: boundsOf(withoutClip(spec)),
  }
}

/** What is not clipped is in float32. */
const LARGEST_FLOAT = 3.4028234663852886e38

/** Once each. */
const EXPORTED = ['normaliseObservation', 'clipAction']

function normalisationOf(statistics: RunningStatistics, options: Readonly<Record<string, unknown>>): Normalisation {
  const { clip, epsilon } = options as { clip: number | null; epsilon: number }
  const { mean } = statistics
  return { mean, deviation: mean.map((_, k) => deviation(statistics, k, epsilon)), clip: clip ?? LARGEST_FLOAT }
}

/** The task inside of clipAction, whose box is what actions are clipped to. */
function withoutClip(spec: EnvironmentSpec): EnvironmentSpec {
  if (!spec.made) return spec
  const { from, by } = spec.made
  const inner = withoutClip(from)
  return 'wrapper' in by && by.wrapper === 'clipAction' ? inner : { ...spec, actionSpace: inner.actionSpace }
}

function boundsOf({ actionSpace }: EnvironmentSpec): Bounds | null {
  if (actionSpace.kind !== 'box') return null
  const finite = (bounds: readonly number[]) => bounds.map((bound) => (Number.isFinite(bound) ? bound : null))
  return { low: finite(actionSpace.low), high: finite(actionSpace.high) }
}

function numberOf(
  { best = null, particles }: Pick<PopulationToExport, 'best' | 'particles'>,
  particle: number | 'best',
): number {
  if (particle !== 'best') {
    if (Number.isInteger(particle) && particle >= 0 && particle < particles) return particle
    throw new UsageError(`particle must be all, best or a number from 0 to ${particles - 1}, got ${show(particle)}.`)
  }
  if (best !== null) return best
  if (particles === 1) return 0
  throw new UsageError('The run has no evaluation.json, which tells the best particle: choose one by --particle.')
}

function only(population: PopulationToExport, particle: number): PopulationToExport {
  const { policy, theta, particles } = population
  const stride = theta.length / particles
  const row = theta.subarray(particle * stride, particle * stride + policy.size)
  return { ...population, theta: row, particles: 1, best: 0 }
}

function singleOf(population: PopulationToExport, particle: number): SinglePolicy {
  const { policy, theta, normalisation = null, bounds = null } = only(population, particle)
  return { policy, theta, normalisation, bounds }
}

function steinrlFiles(population: PopulationToExport): Record<string, string | Uint8Array> {
  const { description, weights } = encodePolicy(population)
  return { 'policy.json': `${JSON.stringify(description, null, 2)}\n`, 'policy.safetensors': weights }
}
