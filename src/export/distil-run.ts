import { platform } from '#platform'
import { show, UsageError } from '../core/errors.ts'
import { leaveIfAborted } from '../core/require.ts'
import { check, wholeNumber } from '../core/schemas.ts'
import type { EnvironmentSpec } from '../envs/contract.ts'
import type { Evaluation } from '../report/metrics.ts'
import { type Distilled, type DistilOptions, distil } from '../rl/distil.ts'
import { encodePolicies } from '../train/particles-file.ts'
import { evaluationOf, loadAgents, readRun } from '../train/run-directory.ts'
import { FILES, writeTogether } from '../train/run-files.ts'
import { evaluate } from '../train/train.ts'

/** Which policies of a run are distilled, and where the one is written. */
interface DistilRunOptions
  extends Pick<DistilOptions, 'hidden' | 'episodes' | 'states' | 'steps' | 'seed' | 'onProgress' | 'signal'> {
  readonly run: string
  /** The directory of a run of one policy; there must be none. */
  readonly out: string
  /** As many of the best of the run's evaluation are mixed; default: all. */
  readonly best?: number
  /** Episodes of the one policy's evaluation. */
  readonly evaluationEpisodes: number
}

/**
 * Distils the policies of a run into a run of one policy, with its evaluation: eval, play, export and loadAgents() take
 * it. Nothing is written unless all of it can be.
 *
 * @throws UsageError for what is no run of policies, a number of the best without an evaluation, and when `out` exists
 */
export async function distilRun(options: DistilRunOptions): Promise<Distilled & { readonly evaluation: Evaluation }> {
  const { run, out, best, evaluationEpisodes: episodes, ...learning } = options
  if (await platform.files.exists(out)) throw new UsageError(`${show(out)} exists; choose another --out.`)
  const [{ config }, agents] = [await readRun(run), await loadAgents(run)]
  const particles = best === undefined ? undefined : await bestOf(run, agents.particles, best)
  const distilled = await distil({ ...learning, agents, particles })
  const { policy, theta, task } = distilled.agents
  const evaluation = await evaluate({ agents: distilled.agents, episodes, signal: options.signal })
  leaveIfAborted(options.signal)
  const from = { run, particles: particles ?? [...Array(agents.particles).keys()], divergence: distilled.divergence }
  const written = { ...config, particles: 1, hidden: policy.hidden, distilled: { ...from, seed: learning.seed ?? 0 } }
  const files = {
    [FILES.config]: `${JSON.stringify(written, null, 2)}\n`,
    [FILES.particles]: encodePolicies({ policy, particles: 1, theta }, task as EnvironmentSpec),
    [FILES.evaluation]: `${JSON.stringify(evaluation)}\n`,
  }
  await writeTogether(out, files, 'run')
  return { ...distilled, evaluation }
}

/** The particles of the highest mean returns, acting greedily, in the order of their numbers. */
async function bestOf(run: string, particles: number, count: number): Promise<number[]> {
  check(wholeNumber('best', 1, particles), count)
  const evaluation = await evaluationOf(run, particles)
  if (!evaluation) throw new UsageError(`${show(run)} was not evaluated, so that nothing tells its best particles.`)
  const { greedy } = evaluation
  const order = [...greedy.keys()].sort((a, b) => greedy[b] - greedy[a] || a - b)
  return order.slice(0, count).sort((a, b) => a - b)
}
