import * as v from 'valibot'
import { isRedisAddress, type RedisAddress, type Workers } from '../../cluster/address.ts'
import { isExpected, show, UsageError } from '../../core/errors.ts'
import { compileCore } from '../../core/module.ts'
import { type Allowed, check, positiveNumber } from '../../core/schemas.ts'
import { setting } from '../../core/settings.ts'
import type { EnvironmentSpec } from '../../envs/contract.ts'
import { findTask, statesOf } from '../../envs/description.ts'
import { kernels } from '../../nn/tfjs.ts'
import type { Evaluator } from '../../rl/evaluator.ts'
import { NoWorkers } from '../../rl/pool-worker.ts'
import { startWorkerPool, type WorkerPool, workersFor } from '../../rl/worker-pool.ts'
import type { PolicyGradientSetup } from '../policy-gradient/evaluation-state.ts'
import type { PostedTask } from './task.ts'

const allowed = 'a whole number from 0 to 256, auto or the address of a Redis server, as redis://host:6379'

const workersSchema = v.pipe(
  v.custom<Workers>(
    (input) =>
      isRedisAddress(input) ||
      input === 'auto' ||
      (typeof input === 'number' && Number.isSafeInteger(input) && input >= 0 && input <= 256),
    ({ input }) => `workers must be ${allowed}, got ${show(input)}.`,
  ),
  v.metadata({ kind: 'whole', allowed } satisfies Allowed),
)

/** It does not change the bits of a run, and is no part of its configuration. */
export const workersEntry = setting(
  workersSchema,
  0,
  'Workers that share out the evaluations: 0 for this thread, auto for one a core, or those at a Redis server. The bits ' +
    'are the same.',
)

interface PoolOptions<Setup> {
  /** Makes an evaluator on this thread. */
  readonly create: (setup: Setup) => Promise<Evaluator>
  /** The same by its name in evaluators.ts. */
  readonly evaluator: string
  readonly setup: Setup
  /** The setting `workers`. */
  readonly wanted: Workers | undefined
  /** How many jobs there are to share out. */
  readonly jobs: number
  /** Seconds that a worker may take for one job. */
  readonly limit?: number
}

/**
 * Workers for a task as it is, its constants and wrappers included; with 'auto' this thread where it cannot be sent, or
 * where no worker can be started.
 *
 * @throws UsageError, when `wanted` is a number of workers, for a task that cannot be made again there, and where none
 *   can be started
 */
export async function startTaskPool<Setup extends PolicyGradientSetup>({
  create,
  evaluator,
  setup,
  wanted: setting,
  jobs,
  limit,
}: PoolOptions<Setup>): Promise<WorkerPool> {
  const wanted = check(workersEntry, setting)
  if (limit !== undefined) check(positiveNumber('workerLimit'), limit)
  if (isRedisAddress(wanted)) return onCluster(wanted, setup, evaluator, limit)
  const few = wanted === 'auto' ? workersFor(wanted, jobs) : wanted
  const posted = few === 0 ? null : await postedTask(setup.task.spec, wanted)
  const workers = posted ? workersFor(wanted, jobs) : 0
  const tfjs = { ...setup.tfjs, ...ownKernels() }
  const sent = posted && { ...setup, tfjs, task: { ...setup.task, spec: posted } }
  const options = { create, evaluator, setup, posted: sent, limit }
  try {
    return await startWorkerPool({ ...options, workers })
  } catch (error) {
    if (workers === 0 || wanted !== 'auto' || !isExpected(error)) throw error
    return startWorkerPool({ ...options, workers: 0 })
  }
}

/** Loaded when it is asked for: pages have no clusters. */
async function onCluster(address: RedisAddress, setup: PolicyGradientSetup, evaluator: string, limit?: number) {
  const { core, tfjs: _, policy, task, ...rest } = setup
  if (core && core !== (await compileCore()))
    throw new UsageError('Workers of a cluster have the core of this package: leave core out.')
  const { startClusterPool } = await import('../../cluster/pool.ts')
  const spec = await postedTask(task.spec, address)
  const { net: __, size: ___, ...shape } = policy
  return startClusterPool({
    address,
    evaluator,
    posted: { ...rest, tfjs: ownKernels(), task: { ...task, spec }, policy: shape },
    limit,
  })
}

/** How this thread computes, and so its workers. */
const ownKernels = () => ({ fused: kernels.fused, compiled: kernels.compiled })

async function postedTask(spec: EnvironmentSpec, wanted: Workers): Promise<PostedTask | null> {
  try {
    const task = await findTask(spec)
    const states = statesOf(spec)
    if (states.every((state) => state === null || ('frozen' in state && state.frozen === true))) return { task, states }
    throw new UsageError(`the statistics of ${spec.id} are still counted, which every worker would do for itself.`)
  } catch (error) {
    if (!isExpected(error)) throw error
    if (wanted === 'auto') return null
    throw new NoWorkers(`Workers cannot have this task: ${error.message} Take workers: 0.`)
  }
}
